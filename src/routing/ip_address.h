// IP addresses as texts have them.
#pragma once

#include <optional>
#include <string_view>

#include "continuo/routing/pattern.h"

namespace continuo::routing {

struct Address {
  unsigned __int128 bits = 0;  ///< IPv4: the lowest 32
  bool v6 = false;
  bool operator==(const Address&) const = default;
};

/// IPv4 as four decimal numbers of one to three digits, leading zeros allowed; IPv6 as RFC 4291 section 2.2 has it, an
/// IPv4 address at its end included. No zones, no brackets, no blanks. An IPv4 address and the IPv6 address that maps
/// it are two.
std::optional<Address> parse_address(std::string_view text);

/// "10.0.0.0/8": what shares the address's first bits. The bits behind them may be anything.
std::optional<AddressRange> parse_cidr(std::string_view text);

}  // namespace continuo::routing
