#include "continuo/wire/http/definitions.h"

#include <boost/json.hpp>

#include <gtest/gtest.h>

#include <initializer_list>

#include "continuo/record/padded_text.h"

namespace continuo::wire::http {
namespace {

using engines::SubscriptionSettings;

Result<SubscriptionSettings> read(std::string_view json) {
  const record::PaddedText text{json};
  const auto object = parse_object(text.view());
  EXPECT_TRUE(object) << json;
  return read_subscription_settings(*object);
}

// What is shown of a subscription can be declared again, and means the same.
TEST(SubscriptionSettings, AreWrittenAsTheyAreRead) {
  for (const std::string_view json :
       {R"({"topics":["a"]})",
        R"({"topics":["a","b"],"from":"2026-01-31T08:00:00Z","order_by":"none","ttl":"90s","expires":"1h"})",
        R"({"topics":["a"],"on_failure":"dead_letter","dead_letter":"a.dead","from":"earliest"})",
        R"({"topics":["a"],"storm":{"keys":50}})",
        R"({"topics":["a"],"storm":{"keys":2,"within":"1m","probe":"100ms"},"on_failure":"drop"})",
        R"({"topics":["a"],"repairs":[{"error":{"code":["x"]},"patch":[{"op":"remove","path":"/data/y"}]}]})"}) {
    const auto settings = read(json);
    ASSERT_TRUE(settings) << json << to_string(settings.error());
    std::string written;
    write_subscription_settings(*settings, written);
    const auto again = read("{" + written.substr(1) + "}");
    ASSERT_TRUE(again) << written << to_string(again.error());
    EXPECT_TRUE(*again == *settings) << written;
  }
}

TEST(SubscriptionSettings, RefusalsSayWhere) {
  struct Wrong {
    std::string_view members, at;
    Code code = Code::bad_setting;
  };
  for (const Wrong& each :
       std::initializer_list<Wrong>{{R"("on_failure":"dead_letter")", "dead_letter"},
                                    {R"("dead_letter":"a.dead")", "dead_letter"},
                                    {R"("on_failure":"retry")", "on_failure"},
                                    {R"("from":"yesterday")", "from"},
                                    {R"("ttl":"1ms")", "ttl"},
                                    {R"("expires":"59s")", "expires"},
                                    {R"("storm":{})", "storm.keys"},
                                    {R"("storm":{"keys":1})", "storm.keys"},
                                    {R"("storm":{"keys":9,"within":"2h"})", "storm.within"},
                                    {R"("storm":{"keys":9,"probe":"1ms"})", "storm.probe"},
                                    {R"("storm":{"keys":9,"often":true})", "storm.often", Code::unknown_field},
                                    {R"("repair":[])", "repair", Code::unknown_field},
                                    {R"("priority":1)", "priority"}}) {
    const auto settings = read(R"({"topics":["a"],)" + std::string(each.members) + "}");
    ASSERT_FALSE(settings) << each.members;
    EXPECT_EQ(settings.error().at, each.at) << to_string(settings.error());
    EXPECT_EQ(settings.error().code, each.code) << each.members;
  }
}

TEST(SubscriptionSettings, AFilterTooLargeIsWrongAsAWhole) {
  const auto settings = read(R"({"topics":["a"],"filter":{"type":[")" + std::string(65'536, 'x') + R"("]}})");
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().at, "filter") << to_string(settings.error());
}

}  // namespace
}  // namespace continuo::wire::http
