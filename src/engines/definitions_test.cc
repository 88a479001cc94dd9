#include "continuo/engines/definitions.h"

#include <gtest/gtest.h>

namespace continuo::engines {
namespace {

TEST(Names, AreLettersDigitsDotsDashesAndUnderscores) {
  for (const char* name : {"a", "orders", "Orders.v2_eu-west", "...", "0"}) EXPECT_TRUE(check_name(name)) << name;
  EXPECT_TRUE(check_name(std::string(200, 'x')));
  for (const std::string& name :
       {std::string{}, std::string{"."}, std::string{".."}, std::string{"a b"}, std::string{"a/b"},
        std::string{"\xc3\xa9t\xc3\xa9"}, std::string{"a\0b", 3}, std::string(201, 'x')}) {
    const auto checked = check_name(name);
    ASSERT_FALSE(checked) << name;
    EXPECT_EQ(checked.error().code, Code::bad_name);
  }
  EXPECT_EQ(check_name("ab/c").error().detail, "character 3 of the name is not allowed");
}

TEST(Names, TheSystemKeepsSomeForItself) {
  EXPECT_TRUE(is_system_name("continuo.audit"));
  EXPECT_FALSE(is_system_name("continuous"));
}

}  // namespace
}  // namespace continuo::engines
