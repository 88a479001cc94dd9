// Where the reading of a pattern stands, and the first thing that was wrong with it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "continuo/base/errors.h"

namespace continuo::routing {

/// The text as messages have it: of a long one the beginning.
std::string shown(std::string_view text);

class PatternPlace {
 public:
  explicit PatternPlace(std::string_view text) : text_(text) {}

  /// One name or index further, until it goes out of scope.
  class [[nodiscard]] Step {
   public:
    Step(PatternPlace& place, std::string_view name) : Step(place) {
      if (!path_.empty()) path_ += '.';
      path_ += shown(name);
    }
    Step(PatternPlace& place, std::size_t index) : Step(place) { path_ += '[' + std::to_string(index) + ']'; }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;
    ~Step() { path_.resize(size_); }

   private:
    explicit Step(PatternPlace& place) : path_(place.path_), size_(path_.size()) {}
    std::string& path_;
    std::size_t size_;
  };

  /// False, so that who reads can say `return place.wrong(...)`. `byte` is where in the text.
  bool wrong(std::size_t byte, std::string detail, std::string hint = {});
  const Error& error() const { return error_; }

 private:
  std::string_view text_;
  std::string path_;  // "data.amount[0]"
  Error error_{};
};

}  // namespace continuo::routing
