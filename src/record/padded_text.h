// A JSON text with the bytes behind it that EventParser and validate_json may read.
#pragma once

#include <string>
#include <string_view>

#include "continuo/record/cloudevents.h"

namespace continuo::record {

/// A copy of a text that lies in memory without room behind it. Doors that fill a buffer of their own leave the room
/// there and need no copy.
class PaddedText {
 public:
  explicit PaddedText(std::string_view text) : size_(text.size()) {
    bytes_.reserve(text.size() + json_padding);
    bytes_.append(text).append(json_padding, ' ');
  }
  std::string_view view() const { return std::string_view{bytes_}.substr(0, size_); }

 private:
  std::string bytes_;
  std::size_t size_;
};

}  // namespace continuo::record
