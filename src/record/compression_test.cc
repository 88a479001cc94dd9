#include "continuo/record/compression.h"

#include <lz4frame.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include "continuo/base/bytes.h"
#include "continuo/record/compressed_batch_test.h"

namespace continuo::record {
namespace {

constexpr Compression all[] = {Compression::gzip, Compression::snappy, Compression::lz4, Compression::zstd};

std::string some_text(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += "event " + std::to_string(i * i) + ",";
  return text.substr(0, size);
}

TEST(Compression, WhatWasCompressedComesBack) {
  for (const Compression compression : all)
    for (const std::size_t size : {0u, 1u, 100u, 70'000u, 3'000'000u}) {
      const std::string text = some_text(size);
      const auto back = inflate(compression, compressed(compression, text));
      ASSERT_TRUE(back.has_value()) << name(compression) << " " << size << ": " << to_string(back.error());
      EXPECT_EQ(*back, text) << name(compression);
    }
}

TEST(Compression, JavasSnappyFramesAreRead) {
  const std::string text = some_text(100'000);
  const auto back = inflate(Compression::snappy, java_snappy(text, 32 * 1024));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(*back, text);
}

TEST(Compression, WhatIsCutIsDamaged) {
  const std::string text = some_text(5'000);
  for (const Compression compression : all) {
    const std::string bytes = compressed(compression, text);
    for (std::size_t size = 1; size < bytes.size(); size += 7) {
      const auto back = inflate(compression, std::string_view{bytes}.substr(0, size));
      ASSERT_FALSE(back.has_value()) << name(compression) << " cut at " << size;
      EXPECT_EQ(back.error().code, Code::damaged_data);
    }
  }
  const std::string framed = java_snappy(text, 1'000);
  for (std::size_t size = 17; size < framed.size(); size += 7) {
    const auto back = inflate(Compression::snappy, std::string_view{framed}.substr(0, size));
    EXPECT_TRUE(!back || back->size() < text.size()) << "only whole frames can be missing";
  }
}

TEST(Compression, RubbishIsDamaged) {
  for (const Compression compression : all) {
    const auto back = inflate(compression, std::string(100, '\xf7'));
    ASSERT_FALSE(back.has_value()) << name(compression);
  }
}

TEST(Compression, ABombIsStoppedAtItsLimit) {
  const std::string zeros(10'000'000, '\0');
  for (const Compression compression : all) {
    const auto back = inflate(compression, compressed(compression, zeros), 1'000'000);
    ASSERT_FALSE(back.has_value()) << name(compression);
    EXPECT_EQ(back.error().code, Code::too_large) << name(compression);
  }
}

// A snappy block that says it holds gigabytes is refused before memory is taken for it.
TEST(Compression, ASnappyLengthThatCannotBeIsRefused) {
  const auto back = inflate(Compression::snappy, "\xff\xff\xff\x1f\x01");
  ASSERT_FALSE(back.has_value());
  EXPECT_EQ(back.error().code, Code::damaged_data);
}

}  // namespace
}  // namespace continuo::record
