#include "http.h"

#include <fmt/format.h>

#include <charconv>

namespace load {

HttpAnswer http_answer(std::string_view in) {
  const std::size_t end = in.find("\r\n\r\n");
  if (end == std::string_view::npos || in.size() < 12) return {};
  HttpAnswer answer;
  std::from_chars(in.data() + 9, in.data() + 12, answer.status);
  constexpr std::string_view field = "Content-Length: ";
  const std::size_t at = in.substr(0, end).find(field);
  std::size_t length = 0;
  if (at != std::string_view::npos) std::from_chars(in.data() + at + field.size(), in.data() + end, length);
  if (in.size() < end + 4 + length) return {};
  answer.size = end + 4 + length;
  answer.body = in.substr(end + 4, length);
  return answer;
}

std::string http_request(std::string_view method, std::string_view host, std::string_view path, std::string_view body,
                         std::string_view type) {
  return fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{}", method, path,
                     host, type, body.size(), body);
}

std::string http_post(std::string_view host, std::string_view path, std::string_view body, std::string_view type) {
  return http_request("POST", host, path, body, type);
}

}  // namespace load
