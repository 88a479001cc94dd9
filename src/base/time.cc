#include "continuo/base/time.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>

namespace continuo::inline base {
namespace {

class SystemClock final : public Clock {
 public:
  WallTime wall() override {
    using namespace std::chrono;
    return {duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
  }
  Micros steady() override {
    using namespace std::chrono;
    return duration_cast<microseconds>(steady_clock::now().time_since_epoch());
  }
};

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array duration_units{Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000}, Unit{"h", 3'600'000},
                                    Unit{"d", 86'400'000}};
constexpr std::array size_units{Unit{"", 1},
                                Unit{"B", 1},
                                Unit{"KiB", 1ull << 10},
                                Unit{"MiB", 1ull << 20},
                                Unit{"GiB", 1ull << 30},
                                Unit{"TiB", 1ull << 40},
                                Unit{"kB", 1000},
                                Unit{"MB", 1000'000},
                                Unit{"GB", 1000'000'000},
                                Unit{"TB", 1000'000'000'000}};
constexpr std::uint64_t max_duration_ms = 100ull * 366 * 86'400'000;

template <std::size_t N>
Result<std::uint64_t> parse_number_and_unit(std::string_view text, const std::array<Unit, N>& units,
                                            std::string_view kind, std::string_view example) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit_name = text.substr(static_cast<std::size_t>(end - text.data()));
  if (error == std::errc{})
    for (const Unit& unit : units)
      if (unit.name == unit_name) {
        if (number > std::numeric_limits<std::int64_t>::max() / unit.factor) break;
        return number * unit.factor;
      }
  return fail(Code::bad_setting, fmt::format("'{}' is not a {}", text.substr(0, 40), kind), {},
              fmt::format("write it like {}", example));
}

bool digits(std::string_view text, std::size_t at, std::size_t count, int& out) {
  if (at + count > text.size()) return false;
  out = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    out = out * 10 + (text[i] - '0');
  }
  return true;
}

// Reads "Z" or "+hh:mm" at `at` to the end of the text.
bool parse_zone(std::string_view text, std::size_t at, int& minutes) {
  minutes = 0;
  if (at + 1 == text.size() && (text[at] == 'Z' || text[at] == 'z')) return true;
  int hour = 0, minute = 0;
  if (at + 6 != text.size() || (text[at] != '+' && text[at] != '-') || text[at + 3] != ':') return false;
  if (!digits(text, at + 1, 2, hour) || !digits(text, at + 4, 2, minute) || hour > 23 || minute > 59) return false;
  minutes = (hour * 60 + minute) * (text[at] == '-' ? -1 : 1);
  return true;
}

bool parse_rfc3339(std::string_view text, WallTime& out) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, zone = 0, millis = 0;
  if (text.size() < 20 || text.size() > 64) return false;
  if (!digits(text, 0, 4, year) || text[4] != '-' || !digits(text, 5, 2, month) || text[7] != '-' ||
      !digits(text, 8, 2, day))
    return false;
  if (text[10] != 'T' && text[10] != 't' && text[10] != ' ') return false;
  if (!digits(text, 11, 2, hour) || text[13] != ':' || !digits(text, 14, 2, minute) || text[16] != ':' ||
      !digits(text, 17, 2, second))
    return false;
  std::size_t at = 19;
  if (text[at] == '.') {
    int scale = 100;
    const std::size_t first = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10)
      millis += (text[at] - '0') * scale;
    if (at == first) return false;
  }
  if (at >= text.size() || !parse_zone(text, at, zone)) return false;
  using namespace std::chrono;
  const year_month_day date{std::chrono::year{year}, std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  if (year < 1 || !date.ok() || hour > 23 || minute > 59 || second > 60) return false;
  const std::int64_t days = sys_days{date}.time_since_epoch().count();
  out.ms = ((days * 24 + hour) * 60 + minute - zone) * 60'000 + second * 1000 + millis;
  return true;
}

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

Result<Millis> parse_duration(std::string_view text) {
  auto ms = parse_number_and_unit(text, duration_units, "duration", "\"250ms\", \"30s\", \"15m\", \"12h\" or \"7d\"");
  if (!ms) return pass(ms);
  if (*ms > max_duration_ms) return fail(Code::bad_setting, fmt::format("'{}' is longer than 100 years", text));
  return Millis{static_cast<std::int64_t>(*ms)};
}

std::string format_duration(Millis duration) {
  const auto ms = static_cast<std::uint64_t>(duration.count());
  const Unit* best = &duration_units[0];
  for (const Unit& unit : duration_units)
    if (ms != 0 && ms % unit.factor == 0) best = &unit;
  return fmt::format("{}{}", ms / best->factor, best->name);
}

Result<WallTime> parse_time(std::string_view text) {
  WallTime time;
  if (parse_rfc3339(text, time)) return time;
  return fail(Code::bad_setting, fmt::format("'{}' is not a time", text.substr(0, 64)), {},
              "write RFC 3339: \"2026-11-21T08:30:00Z\"");
}

std::string format_time(WallTime time) {
  using namespace std::chrono;
  const sys_time<milliseconds> at{milliseconds{time.ms}};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss clock{at - day};
  const auto millis = clock.subseconds().count();
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                 clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (millis != 0) text += fmt::format(".{:03}", millis);
  return text + "Z";
}

Result<std::uint64_t> parse_size(std::string_view text) {
  return parse_number_and_unit(text, size_units, "size", "65536, \"64KiB\" or \"10GiB\"");
}

std::string format_size(std::uint64_t bytes) {
  constexpr std::array names{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  double value = static_cast<double>(bytes);
  for (; value >= 1024 && unit + 1 < names.size(); ++unit) value /= 1024;
  return value == static_cast<double>(static_cast<std::uint64_t>(value))
             ? fmt::format("{}{}", static_cast<std::uint64_t>(value), names[unit])
             : fmt::format("{:.1f}{}", value, names[unit]);
}

}  // namespace continuo::inline base
