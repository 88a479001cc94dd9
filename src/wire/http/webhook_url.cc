#include "continuo/wire/http/webhook_url.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

namespace continuo::wire::http {
namespace {

constexpr std::size_t most_host_bytes = 253, most_label_bytes = 63;

std::unexpected<Error> bad(std::string detail, std::string hint = "https://host:port/path") {
  return fail(Code::bad_setting, std::move(detail), {}, std::move(hint));
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](char c) { return lower(c); });
  return out;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// What resolvers take for an IPv4 address, in whatever spelling: "127.1", "0x7f000001", "2130706433".
bool ends_in_number(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  const std::string_view last = host.substr(host.rfind('.') + 1);
  return !last.empty() && (std::ranges::all_of(last, is_digit) || (last.starts_with("0x")));
}

// As it is written everywhere: four numbers without leading zeros, which some read as octal.
bool is_ipv4(std::string_view host) {
  const auto address = routing::parse_address(host);
  if (!address || address->v6) return false;
  const auto byte = [&](unsigned shift) { return static_cast<unsigned>(address->bits >> shift) & 0xff; };
  return host == fmt::format("{}.{}.{}.{}", byte(24), byte(16), byte(8), byte(0));
}

bool is_label(std::string_view label) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_'; };
  return !label.empty() && label.size() <= most_label_bytes && std::ranges::all_of(label, fits);
}

bool is_name(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.size() > most_host_bytes) return false;
  while (true) {
    const auto dot = host.find('.');
    if (!is_label(host.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    host.remove_prefix(dot + 1);
  }
}

Result<void> read_port(std::string_view text, WebhookUrl& url) {
  std::uint32_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0 || port > 65'535)
    return bad(fmt::format("'{}' is no port", text.substr(0, 40)), "1 to 65535");
  url.port = static_cast<std::uint16_t>(port);
  return {};
}

Result<void> read_bracketed(std::string_view& rest, WebhookUrl& url) {
  const auto close = rest.find(']');
  const auto address = routing::parse_address(rest.substr(1, close == std::string_view::npos ? close : close - 1));
  if (close == std::string_view::npos || !address || !address->v6)
    return bad("what stands in brackets is no IPv6 address", "https://[2001:db8::1]/path");
  url.host = lower(rest.substr(1, close - 1));
  rest.remove_prefix(close + 1);
  return {};
}

Result<void> read_host(std::string_view& rest, WebhookUrl& url) {
  if (rest.starts_with('[')) return read_bracketed(rest, url);
  url.host = lower(rest.substr(0, rest.find(':')));
  rest.remove_prefix(url.host.size());
  if (url.host.empty()) return bad("the host is missing");
  if (ends_in_number(url.host) ? !is_ipv4(url.host) : !is_name(url.host))
    return bad(fmt::format("'{}' is neither a name nor an address", url.host.substr(0, 80)));
  return {};
}

Result<void> read_authority(std::string_view authority, WebhookUrl& url) {
  if (authority.find('@') != std::string_view::npos)
    return bad("a user name or password does not belong into an address",
               R"("headers":{"Authorization":"Basic ..."}, and check the signature that "secret" gives)");
  if (auto host = read_host(authority, url); !host) return host;
  if (authority.empty()) return {};
  if (!authority.starts_with(':')) return bad("something stands behind the host");
  return read_port(authority.substr(1), url);
}

bool inside(const routing::Address& address, const auto& ranges) {
  return std::ranges::any_of(ranges, [&](const routing::AddressRange& range) {
    return range.v6 == address.v6 && range.low <= address.bits && address.bits <= range.high;
  });
}

std::vector<routing::AddressRange> ranges_of(std::initializer_list<std::string_view> cidrs) {
  std::vector<routing::AddressRange> ranges;
  for (const std::string_view cidr : cidrs) ranges.push_back(*routing::parse_cidr(cidr));
  return ranges;
}

bool is_public_v4(const routing::Address& address) {
  static const auto not_public =
      ranges_of({"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
                 "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
                 "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"});
  return !inside(address, not_public);
}

routing::Address v4_in(const routing::Address& address, unsigned shift) {
  return {(address.bits >> shift) & 0xffffffffu, false};
}

}  // namespace

std::string WebhookUrl::authority() const {
  const bool v6 = host.find(':') != std::string::npos;
  const std::string name = v6 ? "[" + host + "]" : host;
  return port == (tls ? 443 : 80) ? name : fmt::format("{}:{}", name, port);
}

Result<WebhookUrl> parse_webhook_url(std::string_view text) {
  if (text.size() > most_url_bytes) return bad(fmt::format("the address is longer than {} bytes", most_url_bytes));
  if (std::ranges::any_of(text, [](char c) { return c <= ' ' || c > '~' || c == '\\'; }))
    return bad("an address has no blanks, backslashes, control characters, or letters beyond ASCII",
               "write them as %XX");
  const auto colon = text.find("://");
  const std::string scheme = lower(text.substr(0, colon == std::string_view::npos ? 0 : colon));
  if (scheme != "http" && scheme != "https")
    return bad(scheme.empty() ? "the address does not begin with https:// or http://"
                              : fmt::format("'{}' is not a scheme for webhooks", scheme.substr(0, 40)));
  if (text.find('#') != std::string_view::npos) return bad("the part behind # is never sent", "leave it out");
  WebhookUrl url;
  url.tls = scheme == "https";
  url.port = url.tls ? 443 : 80;
  const std::string_view rest = text.substr(colon + 3);
  const auto end = std::min(rest.find_first_of("/?"), rest.size());
  if (auto read = read_authority(rest.substr(0, end), url); !read) return pass(read);
  url.path = rest.substr(end);
  if (!url.path.starts_with('/')) url.path.insert(0, "/");
  return url;
}

bool is_public(const routing::Address& address) {
  if (!address.v6) return is_public_v4(address);
  // Only what is given out to the internet, and of that not what leads elsewhere.
  static const auto given_out = ranges_of({"2000::/3", "64:ff9b::/96"});
  static const auto not_public = ranges_of({"2001::/23", "2001:db8::/32", "3fff::/20"});
  static const auto six_to_four = ranges_of({"2002::/16"}), translated = ranges_of({"64:ff9b::/96"});
  static const auto mapped = ranges_of({"::ffff:0:0/96"});
  if (inside(address, mapped) || inside(address, translated)) return is_public_v4(v4_in(address, 0));
  if (inside(address, six_to_four)) return is_public_v4(v4_in(address, 80));
  return inside(address, given_out) && !inside(address, not_public);
}

bool is_private_host(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (const auto address = routing::parse_address(host)) return !is_public(*address);
  return host == "localhost" || host.ends_with(".localhost");
}

}  // namespace continuo::wire::http
