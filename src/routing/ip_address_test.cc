#include "continuo/routing/ip_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>
#include <string>

namespace continuo::routing {
namespace {

unsigned __int128 bits128(std::uint64_t high, std::uint64_t low) {
  return static_cast<unsigned __int128>(high) << 64 | low;
}

TEST(ParseAddress, ReadsVersion4) {
  EXPECT_EQ(parse_address("10.0.0.1"), (Address{0x0a000001, false}));
  EXPECT_EQ(parse_address("0.0.0.0"), (Address{0, false}));
  EXPECT_EQ(parse_address("255.255.255.255"), (Address{0xffffffff, false}));
  EXPECT_EQ(parse_address("010.00.000.08"), (Address{0x0a000008, false})) << "zeros in front do not make it octal";
}

TEST(ParseAddress, ReadsVersion6) {
  EXPECT_EQ(parse_address("::"), (Address{0, true}));
  EXPECT_EQ(parse_address("::1"), (Address{1, true}));
  EXPECT_EQ(parse_address("1::"), (Address{bits128(0x0001000000000000, 0), true}));
  EXPECT_EQ(parse_address("2001:db8::1"), (Address{bits128(0x20010db800000000, 1), true}));
  EXPECT_EQ(parse_address("2001:0DB8:0:0:0:0:0:1"), parse_address("2001:db8::1"));
  EXPECT_EQ(parse_address("1:2:3:4:5:6:7:8"), (Address{bits128(0x0001000200030004, 0x0005000600070008), true}));
  EXPECT_EQ(parse_address("1:2:3:4:5:6:7::"), (Address{bits128(0x0001000200030004, 0x0005000600070000), true}));
  EXPECT_EQ(parse_address("::2:3:4:5:6:7:8"), (Address{bits128(0x0000000200030004, 0x0005000600070008), true}));
  EXPECT_EQ(parse_address("::ffff:10.0.0.1"), (Address{bits128(0, 0xffff0a000001), true}));
  EXPECT_EQ(parse_address("1:2:3:4:5:6:1.2.3.4"), (Address{bits128(0x0001000200030004, 0x0005000601020304), true}));
}

TEST(ParseAddress, RefusesAllElse) {
  for (const std::string_view text : {"",
                                      "1",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "1.2.3.256",
                                      "1.2.3.0004",
                                      "1.2.3.",
                                      ".1.2.3",
                                      "1..2.3",
                                      "1.2.3.4 ",
                                      " 1.2.3.4",
                                      "1.2.3.x",
                                      "-1.2.3.4",
                                      "+1.2.3.4",
                                      ":",
                                      ":::",
                                      "1:2:3",
                                      "1::2::3",
                                      "1:",
                                      "1:2:3:4:5:6:7:8:",
                                      ":1:2:3:4:5:6:7:8",
                                      "1:2:3:4:5:6:7:8:9",
                                      "1:2:3:4::5:6:7:8",
                                      "12345::",
                                      "g::",
                                      "::1%eth0",
                                      "[::1]",
                                      "::1.2.3",
                                      "1.2.3.4::",
                                      "1:2:3:4:5:6:7:1.2.3.4",
                                      "::1.2.3.4:5",
                                      "::+1",
                                      "::0x1",
                                      "deadbeef",
                                      "ab",
                                      "2026-01-01"})
    EXPECT_EQ(parse_address(text), std::nullopt) << text;
}

TEST(ParseAddress, AgreesWithTheSystemAboutVersion6) {
  rc::check("what inet_ntop writes, and bytes of addresses at random", [](const std::array<std::uint16_t, 8>& groups) {
    in6_addr raw{};
    for (std::size_t i = 0; i < 8; ++i) {
      const std::uint16_t group = groups[i] % 3 == 0 ? 0 : groups[i];
      raw.s6_addr[2 * i] = static_cast<std::uint8_t>(group >> 8);
      raw.s6_addr[2 * i + 1] = static_cast<std::uint8_t>(group);
    }
    char text[INET6_ADDRSTRLEN];
    inet_ntop(AF_INET6, &raw, text, sizeof text);
    unsigned __int128 bits = 0;
    for (const std::uint8_t byte : raw.s6_addr) bits = bits << 8 | byte;
    RC_ASSERT(parse_address(text) == (Address{bits, true}));
  });
  rc::check("texts of an address's letters", [] {
    const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string{"::::::.1f0"}));
    in6_addr raw{};
    RC_ASSERT((text.find(':') != std::string::npos && parse_address(text).has_value()) ==
              (inet_pton(AF_INET6, text.c_str(), &raw) == 1));
  });
}

TEST(ParseCidr, CountsTheFirstBits) {
  EXPECT_EQ(parse_cidr("10.0.0.0/24"), (AddressRange{0x0a000000, 0x0a0000ff, false}));
  EXPECT_EQ(parse_cidr("10.0.0.77/24"), (AddressRange{0x0a000000, 0x0a0000ff, false}));
  EXPECT_EQ(parse_cidr("1.2.3.4/32"), (AddressRange{0x01020304, 0x01020304, false}));
  EXPECT_EQ(parse_cidr("1.2.3.4/0"), (AddressRange{0, 0xffffffff, false}));
  EXPECT_EQ(parse_cidr("2001:db8::/32"),
            (AddressRange{bits128(0x20010db800000000, 0), bits128(0x20010db8ffffffff, ~0ull), true}));
  EXPECT_EQ(parse_cidr("::1/128"), (AddressRange{1, 1, true}));
  EXPECT_EQ(parse_cidr("::1/0"), (AddressRange{0, bits128(~0ull, ~0ull), true}));
  EXPECT_EQ(parse_cidr("::1/64"), (AddressRange{0, bits128(0, ~0ull), true}));
}

TEST(ParseCidr, RefusesAllElse) {
  for (const std::string_view text : {"", "/", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8",
                                      "10.0.0.0/8/8", "10.0.0/8", "::/129", "::/x", "10.0.0.0/0008", " 10.0.0.0/8"})
    EXPECT_EQ(parse_cidr(text), std::nullopt) << text;
}

}  // namespace
}  // namespace continuo::routing
