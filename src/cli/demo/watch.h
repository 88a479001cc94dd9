// Follows the shop's topics from outside, for the picture: counts by topic and by type.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/client/client.h"

namespace continuo::cli {

/// Reads on in each topic at every look. Not thread-safe.
class Watch {
 public:
  Watch(client::Client server, std::vector<std::string> topics);

  /// Reads what is new. False when the server could not be reached; then everything is as before.
  bool look();

  std::uint64_t in_topic(std::string_view topic) const;
  std::uint64_t of_type(std::string_view type) const;
  /// Events a second in that topic, over the last seconds.
  double rate(std::string_view topic) const;
  const std::vector<std::string>& topics() const { return topics_; }
  /// The subject of the first event seen of that type; empty when there was none.
  std::string first_subject(std::string_view type) const;

 private:
  struct Sample {
    Micros when;
    std::uint64_t count;
  };
  struct Topic {
    std::string next = "earliest";
    std::uint64_t count = 0;
    std::vector<Sample> samples;
  };
  Result<void> read_on(const std::string& name, Topic& topic);
  void sample(Topic& topic);

  client::Client server_;
  std::vector<std::string> topics_;
  std::map<std::string, Topic, std::less<>> states_;
  std::map<std::string, std::uint64_t, std::less<>> types_;
  std::map<std::string, std::string, std::less<>> subjects_;
};

}  // namespace continuo::cli
