// HTTP/1.1 as generators speak it.
#pragma once

#include <string>
#include <string_view>

namespace load {

struct HttpAnswer {
  int status = 0;
  std::size_t size = 0;  // 0: not complete yet
  std::string_view body;
};

/// The answer at the front of what was received.
HttpAnswer http_answer(std::string_view in);
std::string http_request(std::string_view method, std::string_view host, std::string_view path, std::string_view body,
                         std::string_view type);
std::string http_post(std::string_view host, std::string_view path, std::string_view body, std::string_view type);

}  // namespace load
