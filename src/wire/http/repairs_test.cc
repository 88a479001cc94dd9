#include "continuo/wire/http/repairs.h"

#include <boost/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/record/padded_text.h"
#include "continuo/wire/http/definitions.h"

namespace continuo::wire::http {
namespace {

using engines::SubscriptionSettings;

Result<SubscriptionSettings> read(std::string_view members) {
  const record::PaddedText text{R"({"topics":["orders"])" + std::string(members) + "}"};
  const auto object = parse_object(text.view());
  EXPECT_TRUE(object);
  return read_subscription_settings(*object);
}

TEST(Repairs, AreKeptWithoutSpaces) {
  const auto settings = read(
      R"(, "repairs": [ {"name": "cents", "error": {"code": ["bad_amount"]},
          "patch": [{"op": "replace", "path": "/data/amount", "value": "twelve cents"}]} ])");
  ASSERT_TRUE(settings) << to_string(settings.error());
  EXPECT_EQ(settings->repairs, R"([{"name":"cents","error":{"code":["bad_amount"]},)"
                               R"("patch":[{"op":"replace","path":"/data/amount","value":"twelve cents"}]}])");
  std::string written = R"({"name":"s")";
  write_subscription_settings(*settings, written);
  const auto again = boost::json::parse(written + "}");
  EXPECT_EQ(again.at("repairs").at(0).at("name").as_string(), "cents");
}

TEST(Repairs, MayBeNone) {
  for (const std::string_view none : {"", R"(,"repairs":null)", R"(,"repairs":[ ])"})
    EXPECT_EQ(read(none)->repairs, "") << none;
}

TEST(Repairs, RefusalsSayWhere) {
  const auto patch = read(R"(,"repairs":[{"error":{"code":["a"]},"patch":[{"op":"add","path":"/id","value":1}]}])");
  ASSERT_FALSE(patch);
  EXPECT_EQ(patch.error().code, Code::bad_setting);
  EXPECT_EQ(patch.error().at, "repairs[0].patch[0]");
  const auto pattern = read(R"(,"repairs":[{"event":{"type":"a"},"patch":[{"op":"remove","path":"/data"}]}])");
  ASSERT_FALSE(pattern);
  EXPECT_EQ(pattern.error().code, Code::bad_pattern);
  EXPECT_THAT(pattern.error().at, testing::StartsWith("repairs[0].event.type"));
  EXPECT_EQ(read(R"(,"repairs":{})").error().at, "repairs");
}

}  // namespace
}  // namespace continuo::wire::http
