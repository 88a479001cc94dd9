#include "continuo/wire/http/rate.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace continuo::wire::http {
namespace {

constexpr std::uint32_t most = 1'000'000;
constexpr std::pair<std::string_view, Millis> units[] = {
    {"s", Millis{1'000}}, {"m", Millis{60'000}}, {"h", Millis{3'600'000}}};

}  // namespace

Result<Rate> rate_from(std::string_view text) {
  Rate rate;
  const auto slash = text.find('/');
  const std::string_view number = text.substr(0, slash);
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), rate.count);
  const bool whole = error == std::errc{} && end == number.data() + number.size();
  if (whole && rate.count >= 1 && rate.count <= most && slash != std::string_view::npos)
    for (const auto& [unit, per] : units)
      if (text.substr(slash + 1) == unit) {
        rate.per = per;
        return rate;
      }
  return fail(Code::bad_setting, fmt::format("'{}' is not a rate", text.substr(0, 40)), {},
              R"("100/s", "30/m" or "1000/h": 1 to 1,000,000 in a second, minute or hour)");
}

std::string format_rate(const Rate& rate) {
  for (const auto& [unit, per] : units)
    if (per == rate.per) return fmt::format("{}/{}", rate.count, unit);
  CHECK(false, "rates are read with one of the units");
}

}  // namespace continuo::wire::http
