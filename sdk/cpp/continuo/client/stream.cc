#include "continuo/client/stream.h"

namespace continuo::client {

// True when the line ends an event.
bool EventStream::take_line(std::string_view line) {
  if (line.empty()) return has_data_;
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "id") id_ = value;
  if (name == "data") {
    if (has_data_) data_ += '\n';
    data_.append(value);
    has_data_ = true;
  }
  return false;
}

Result<bool> EventStream::feed(std::string_view bytes, const Each& each) {
  rest_.append(bytes);
  std::size_t begin = 0;
  for (std::size_t end; (end = rest_.find('\n', begin)) != std::string::npos;) {
    std::string_view line = std::string_view{rest_}.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    begin = end + 1;
    if (!take_line(line)) continue;
    auto going_on = each(id_, data_);
    if (!going_on || !*going_on) return going_on;
    data_.clear();
    has_data_ = false;
  }
  rest_.erase(0, begin);
  return true;
}

}  // namespace continuo::client
