#include "continuo/record/base64.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace continuo::record {
namespace {

std::string encoded(std::string_view bytes) {
  std::string out;
  base64_encode(bytes, out);
  return out;
}

bool decodes(std::string_view text) {
  std::string out = "kept";
  const bool ok = base64_decode(text, out);
  if (!ok) {
    EXPECT_EQ(out, "kept");
  }
  return ok;
}

// RFC 4648, section 10.
TEST(Base64, GivesTheVectorsOfTheRfc) {
  EXPECT_EQ(encoded(""), "");
  EXPECT_EQ(encoded("f"), "Zg==");
  EXPECT_EQ(encoded("fo"), "Zm8=");
  EXPECT_EQ(encoded("foo"), "Zm9v");
  EXPECT_EQ(encoded("foob"), "Zm9vYg==");
  EXPECT_EQ(encoded("fooba"), "Zm9vYmE=");
  EXPECT_EQ(encoded("foobar"), "Zm9vYmFy");
}

TEST(Base64, DecodesWhatWasEncoded) {
  EXPECT_TRUE(rc::check([](const std::string& bytes) {
    std::string decoded = "before";
    RC_ASSERT(base64_decode(encoded(bytes), decoded));
    RC_ASSERT(decoded == "before" + bytes);
    RC_ASSERT(bytes.size() <= base64_decoded_bound(encoded(bytes)));
  }));
}

TEST(Base64, RefusesWhatNoEncoderWrites) {
  for (const std::string_view text :
       {"Z", "Zg", "Zg=", "Zg===", "====", "=", "Z===", "Zm9v\n", "Zm 9", "Zm8-", "Z=8=", "Zg==Zg==", "=Zg="})
    EXPECT_FALSE(decodes(text)) << text;
}

TEST(Base64, RefusesBitsThatDoNotCount) {
  EXPECT_FALSE(decodes("Zh=="));  // 'f' is Zg==
  EXPECT_FALSE(decodes("Zm9="));  // "fo" is Zm8=
}

TEST(Base64, EveryTextThatDecodesIsTheOneTheBytesEncodeTo) {
  EXPECT_TRUE(rc::check([] {
    const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string{"ABgwZ09+/="}));
    std::string bytes;
    if (base64_decode(text, bytes)) RC_ASSERT(encoded(bytes) == text);
  }));
}

}  // namespace
}  // namespace continuo::record
