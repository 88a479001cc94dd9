#include "continuo/delivery/webhook/retry_after.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <string>

namespace continuo::delivery::webhook {
namespace {

constexpr std::int64_t longest_s = 7 * 86'400;

std::optional<std::int64_t> date(const std::string& text) {
  for (const char* format : {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"}) {
    std::tm parts{};
    const char* const end = strptime(text.c_str(), format, &parts);
    if (end != nullptr && *end == '\0') return timegm(&parts);
  }
  return std::nullopt;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<Millis> retry_after(std::string_view value, WallTime now) {
  if (value.empty()) return std::nullopt;
  std::int64_t seconds = 0;
  if (std::ranges::all_of(value, is_digit)) {
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (error != std::errc{}) seconds = longest_s;
  } else {
    const auto at = date(std::string{value});
    if (!at) return std::nullopt;
    seconds = *at - now.ms / 1'000;
  }
  return Millis{1'000 * std::clamp<std::int64_t>(seconds, 0, longest_s)};
}

}  // namespace continuo::delivery::webhook
