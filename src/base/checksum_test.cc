#include "continuo/base/checksum.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace continuo {
namespace {

std::uint32_t bit_by_bit(std::string_view bytes) {
  std::uint32_t crc = ~0u;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82f63b78u : 0);
  }
  return ~crc;
}

TEST(Crc32c, GivesTheVectorsOfRfc3720) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(""), 0u);
}

TEST(Crc32c, EqualsTheDefinitionAtAnyLengthAndAlignment) {
  std::string bytes(3 * 4096 * 2 + 77, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 131 + (i >> 7));
  std::vector<std::size_t> lengths{4095, 4096, 12287, 12288, 12289, 24576, 24600};
  for (std::size_t length = 0; length <= 600; ++length) lengths.push_back(length);
  for (const std::size_t from : {0, 1, 7, 33})
    for (const std::size_t length : lengths) {
      const auto part = std::string_view{bytes}.substr(from, length);
      ASSERT_EQ(crc32c(part), bit_by_bit(part)) << length << " bytes from " << from;
    }
}

TEST(Crc32c, GoesOnFromASeed) {
  const std::string_view text = "the line that runs under every part";
  EXPECT_EQ(crc32c(text.substr(10), crc32c(text.substr(0, 10))), crc32c(text));
}

}  // namespace
}  // namespace continuo
