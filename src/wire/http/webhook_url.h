// Where a webhook is: the part of RFC 3986 that an http or https address needs, and which hosts are private.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "continuo/base/errors.h"
#include "continuo/routing/ip_address.h"

namespace continuo::wire::http {

struct WebhookUrl {
  bool tls = false;
  std::string host;  ///< a name in lower case, or an address without brackets
  std::uint16_t port = 80;
  std::string path = "/";  ///< with the query, as given
  bool operator==(const WebhookUrl&) const = default;

  /// What the Host header says: the port only where it is not the scheme's own.
  std::string authority() const;
};

inline constexpr std::size_t most_url_bytes = 2'048;

/// "https://host:port/path?query". Errors: bad_setting, which says what is wrong with it: another scheme, a user name
/// or password, a fragment, a port that is none, a host that is neither a name nor an address.
Result<WebhookUrl> parse_webhook_url(std::string_view text);

/// The address is one of the internet: not loopback, link-local, of a private network, multicast, reserved, nor an IPv6
/// address that stands for such an IPv4 address. Source: IANA's special-purpose address registries.
bool is_public(const routing::Address& address);

/// The host says by itself that it is not on the internet: an address that is not public, or a name for this machine.
/// Other names are for whoever resolves them to judge.
bool is_private_host(std::string_view host);

}  // namespace continuo::wire::http
