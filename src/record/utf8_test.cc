#include "continuo/record/utf8.h"

#include <gtest/gtest.h>

namespace continuo::record {
namespace {

TEST(Utf8, IsWhatIsValidToItsEnd) {
  for (const std::string_view text : {"", "plain", "zw\xc3\xb6lf", "\xe2\x82\xac", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
    EXPECT_EQ(valid_utf8_prefix(text), text.size()) << text;
  }
}

TEST(Utf8, IsNothingCutOverlongOrBeyondTheCodePoints) {
  for (const std::string_view wrong :
       {"\x80", "\xc3", "\xe2\x82", "\xc0\x80", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"}) {
    const std::string text = "ab" + std::string{wrong};
    EXPECT_FALSE(is_utf8(text)) << text;
    EXPECT_EQ(valid_utf8_prefix(text), 2u) << text;
  }
}

}  // namespace
}  // namespace continuo::record
