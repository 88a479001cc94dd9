// One event as one HTTP request: CloudEvents 1.0.2, HTTP protocol binding, binary or structured mode.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "continuo/base/time.h"
#include "continuo/record/cloudevents.h"
#include "continuo/wire/http/target.h"

namespace continuo::delivery::webhook {

/// One attempt to deliver one event.
struct Attempt {
  std::string_view subscription, topic;
  PartitionId partition;
  Offset offset;
  std::string message_id;  ///< the same at every attempt
  std::uint32_t number = 1;
  WallTime now;
};

/// Writes requests of one target. Not thread-safe.
class RequestWriter {
 public:
  explicit RequestWriter(const wire::http::WebhookTarget& target);
  /// The whole request: head and body.
  std::string write(const record::Event& event, const Attempt& attempt);

 private:
  std::string body_of(const record::Event& event, const Attempt& attempt) const;
  wire::http::WebhookMode mode_;
  std::string begin_;  // what is the same in every head
  std::string key_;    // for signatures; empty: none
};

/// A value of an attribute as a header has it (3.1.3.2): what is not printable ASCII, and blank, " and %, as %XX.
void write_attribute_value(std::string_view value, std::string& out);

}  // namespace continuo::delivery::webhook
