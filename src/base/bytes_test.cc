#include "continuo/base/bytes.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace continuo {
namespace {

TEST(Bytes, ReadBackWhatWasWritten) {
  EXPECT_TRUE(rc::check([](std::uint64_t number, std::int64_t signed_number, const std::string& text) {
    std::string out;
    ByteWriter writer{out};
    writer.varint(number);
    RC_ASSERT(out.size() == varint_size(number));
    writer.svarint(signed_number);
    writer.text(text);
    writer.be<std::uint32_t>(0x01020304);
    ByteReader reader{out};
    RC_ASSERT(reader.varint() == number);
    RC_ASSERT(reader.svarint() == signed_number);
    RC_ASSERT(reader.text() == text);
    RC_ASSERT(reader.u32() == 0x04030201u);
    RC_ASSERT(reader.done());
  }));
}

TEST(Bytes, AReaderThatRanOutStaysFailed) {
  ByteReader reader{
      "\x05"
      "ab"};
  EXPECT_EQ(reader.text(), "");
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.u8(), 0);
  EXPECT_FALSE(reader.done());
}

TEST(Bytes, AVarintOfMoreThanTenBytesIsRefused) {
  ByteReader reader{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"};
  reader.varint();
  EXPECT_FALSE(reader.ok());
}

}  // namespace
}  // namespace continuo
