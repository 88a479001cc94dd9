// How many of something in how long: "100/s", "30/m", "1000/h".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "continuo/base/errors.h"
#include "continuo/base/time.h"

namespace continuo::wire::http {

struct Rate {
  std::uint32_t count = 0;
  Millis per{1'000};  ///< a second, a minute or an hour
  bool operator==(const Rate&) const = default;
};

/// 1 to 1,000,000 of them. Errors: bad_setting.
Result<Rate> rate_from(std::string_view text);
std::string format_rate(const Rate& rate);

}  // namespace continuo::wire::http
