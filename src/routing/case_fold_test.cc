#include "continuo/routing/case_fold.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "continuo/record/utf8.h"

namespace continuo::routing {
namespace {

TEST(CaseFold, MakesAsciiLower) {
  EXPECT_EQ(fold_case("EventBridge [09]@`{~"), "eventbridge [09]@`{~");
  EXPECT_EQ(fold_case(""), "");
  EXPECT_EQ(fold_case(std::string_view{"A\0Z", 3}), std::string_view("a\0z", 3));
}

TEST(CaseFold, FoldsAllOfUnicode) {
  EXPECT_EQ(fold_case("straße"), "strasse");
  EXPECT_EQ(fold_case("STRASSE"), "strasse");
  EXPECT_EQ(fold_case("STRAẞE"), "strasse");
  EXPECT_EQ(fold_case("ΌΔΟΣ"), fold_case("όδος")) << "the sigma at a word's end is a sigma";
  EXPECT_EQ(fold_case("ЖЁ"), "жё");
  EXPECT_EQ(fold_case("ﬃ"), "ffi");
  EXPECT_EQ(fold_case("ΐ"), fold_case("\u0399\u0308\u0301")) << "one code point becomes three";
  EXPECT_EQ(fold_case("𐐀"), "𐐨");
  EXPECT_EQ(fold_case("K"), "k") << "the sign of kelvin";
  EXPECT_EQ(fold_case("名前 ½ 😀"), "名前 ½ 😀");
}

TEST(CaseFold, NormalisesNothing) {
  EXPECT_NE(fold_case("\u00e9"), fold_case("e\u0301"));
  EXPECT_EQ(fold_case("e\u0301"), "e\u0301");
}

TEST(CaseFold, KeepsBytesThatAreNoUtf8) {
  EXPECT_EQ(fold_case("A\xff\x80Ä\xc3"), "a\xff\x80ä\xc3");
  EXPECT_EQ(fold_case("\xed\xa0\x80X"), "\xed\xa0\x80x") << "a surrogate";
  EXPECT_EQ(fold_case("\xc0\x81Ä"), "\xc0\x81ä") << "an overlong form";
}

TEST(CaseFold, ReplacesWhatWasInTheBuffer) {
  std::string out = "something longer than what comes";
  fold_case("ÄB", out);
  EXPECT_EQ(out, "äb");
  fold_case("CD", out);
  EXPECT_EQ(out, "cd");
}

TEST(CaseFold, FoldsEveryCodePointForGood) {
  for (char32_t point = 0; point < 0x110000; ++point) {
    if (point >= 0xd800 && point < 0xe000) continue;
    std::string text;
    if (point < 0x80) {
      text = {static_cast<char>(point)};
    } else if (point < 0x800) {
      text = {static_cast<char>(0xc0 | point >> 6), static_cast<char>(0x80 | (point & 0x3f))};
    } else if (point < 0x10000) {
      text = {static_cast<char>(0xe0 | point >> 12), static_cast<char>(0x80 | (point >> 6 & 0x3f)),
              static_cast<char>(0x80 | (point & 0x3f))};
    } else {
      text = {static_cast<char>(0xf0 | point >> 18), static_cast<char>(0x80 | (point >> 12 & 0x3f)),
              static_cast<char>(0x80 | (point >> 6 & 0x3f)), static_cast<char>(0x80 | (point & 0x3f))};
    }
    ASSERT_EQ(record::first_code_point(text).value, point);
    const std::string once = fold_case(text);
    ASSERT_FALSE(once.empty()) << std::uint32_t{point};
    ASSERT_TRUE(record::is_utf8(once)) << std::uint32_t{point};
    ASSERT_EQ(fold_case(once), once) << std::uint32_t{point};
  }
}

TEST(CaseFold, FoldsTextsPieceByPiece) {
  rc::check("a folded text begins with its folded beginning", [](const std::vector<bool>& upper) {
    const std::string_view letters[] = {"a", "A", "ß", "ẞ", "é", "İ", "\xff"};
    std::string left, right;
    for (std::size_t i = 0; i < upper.size(); ++i)
      (i % 2 != 0 ? left : right) += letters[(i * 3 + (upper[i] ? 1 : 0)) % std::size(letters)];
    RC_ASSERT(fold_case(left + right) == fold_case(left) + fold_case(right));
  });
}

}  // namespace
}  // namespace continuo::routing
