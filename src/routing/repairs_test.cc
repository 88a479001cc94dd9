#include "continuo/routing/repairs.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <initializer_list>

#include "continuo/record/cloudevents.h"
#include "continuo/record/padded_text.h"

namespace continuo::routing {
namespace {

constexpr std::string_view declared = R"([
  {"name": "cents", "error": {"code": ["bad_amount"]}, "event": {"type": ["OrderPaid"], "data": {"amount": ["twelve"]}},
   "patch": [{"op": "replace", "path": "/data/amount", "value": 12}]},
  {"error": {"message": [{"prefix": "no currency"}], "attempts": [{"numeric": [">=", 3]}]},
   "patch": [{"op": "add", "path": "/data/currency", "value": "SEK"}]},
  {"name": "any-order", "event": {"type": [{"prefix": "Order"}]}, "patch": [{"op": "remove", "path": "/data/note"}]}
])";

constexpr std::string_view paid =
    R"({"specversion":"1.0","id":"7","source":"/till","type":"OrderPaid","data":{"amount":"twelve","fee":0.10}})";

// The name of the repair that is found; empty: none.
std::string found(Repairs& repairs, const FailureSeen& failure, std::string_view json) {
  const record::PaddedText text{json};
  record::EventParser parser;
  const auto event = parser.parse(text.view());
  EXPECT_TRUE(event);
  const Repair* const repair = repairs.find(failure, {.event = &*event, .key = {}});
  return repair == nullptr ? "" : repair->name;
}

TEST(Repairs, TheFirstThatFitsBothCounts) {
  auto repairs = Repairs::parse(declared);
  ASSERT_TRUE(repairs) << to_string(repairs.error());
  constexpr std::string_view created =
      R"({"specversion":"1.0","id":"8","source":"/till","type":"OrderCreated","data":{}})";
  constexpr std::string_view sent = R"({"specversion":"1.0","id":"9","source":"/till","type":"Sent","data":{}})";
  EXPECT_EQ(found(*repairs, {.code = "bad_amount"}, paid), "cents");
  EXPECT_EQ(found(*repairs, {.code = "bad_amount"}, created), "any-order");
  EXPECT_EQ(found(*repairs, {.code = "other", .message = "no currency here", .attempts = 3}, created), "repairs[1]");
  EXPECT_EQ(found(*repairs, {.code = "other", .message = "no currency here", .attempts = 2}, created), "any-order");
  EXPECT_EQ(found(*repairs, {.message = "no currency here", .attempts = 4}, sent), "repairs[1]");
  EXPECT_EQ(found(*repairs, {.code = "bad_amount"}, sent), "");
}

TEST(Repairs, PatchesTheStructuredEvent) {
  auto repairs = Repairs::parse(declared);
  ASSERT_TRUE(repairs);
  EXPECT_EQ(*repairs->all()[0].apply(paid),
            R"({"specversion":"1.0","id":"7","source":"/till","type":"OrderPaid","data":{"amount":12,"fee":0.10}})");
  const auto refused = repairs->all()[2].apply(paid);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().at, "any-order.patch[0].path");
}

TEST(Repairs, ByFingerprint) {
  auto repairs =
      Repairs::parse(R"([{"error":{"fingerprint":["a1"]},"patch":[{"op":"add","path":"/data/x","value":1}]}])");
  ASSERT_TRUE(repairs);
  EXPECT_EQ(found(*repairs, {.fingerprint = "a1"}, paid), "repairs[0]");
  EXPECT_EQ(found(*repairs, {.fingerprint = "a2"}, paid), "");
}

TEST(Repairs, NoneAtAll) {
  auto repairs = Repairs::parse("[]");
  ASSERT_TRUE(repairs);
  EXPECT_TRUE(repairs->empty());
  EXPECT_EQ(found(*repairs, {}, paid), "");
}

TEST(Repairs, RefusalsSayWhere) {
  struct Wrong {
    std::string_view json, at;
    Code code = Code::bad_setting;
  };
  for (const Wrong& each : std::initializer_list<Wrong>{
           {R"({})", ""},
           {R"([1])", "[0]"},
           {R"([{"patch":[]}])", "[0]"},
           {R"([{"error":{"code":["a"]}}])", "[0].patch"},
           {R"([{"error":{"code":["a"]},"patch":[],"if":1}])", "[0].if", Code::unknown_field},
           {R"([{"error":{"code":["a"]},"patch":[],"patch":[]}])", "[0].patch"},
           {R"([{"error":{"kode":["a"]},"patch":[]}])", "[0].error.kode", Code::unknown_field},
           {R"([{"error":{"$or":[{"code":["a"]},{"x":["a"]}]},"patch":[]}])", "[0].error.x", Code::unknown_field},
           {R"([{"error":{"code":"a"},"patch":[]}])", "[0].error.code (line 1, column 9)", Code::bad_pattern},
           {R"([{"event":{"kind":["a"]},"patch":[{"op":"x"}]}])", "[0].patch[0].op"},
           {R"([{"event":{"type":["a"]},"patch":[]}])", "[0].patch"},
           {R"([{"event":{"type":["a"]},"patch":[{"op":"test","path":"/id","value":1}]}])", "[0].patch"},
           {R"([{"error":{"code":["a"]},"patch":[{"op":"remove","path":"/data"}]},{"event":[],"patch":[]}])",
            "[1].event", Code::bad_pattern},
           {R"([{"event":{"type":["a"]},"patch":[{"op":"add","path":"x","value":1}]}])", "[0].patch[0].path"},
           {R"([{"name":"","event":{"type":["a"]},"patch":[]}])", "[0].name"},
           {R"([{"name":"a b","event":{"type":["a"]},"patch":[]}])", "[0].name"},
           {R"([{"name":"a","event":{"type":["a"]},"patch":[{"op":"remove","path":"/data"}]},{"name":"a","patch":[]}])",
            "[1].name"},
           {R"([{)", "line 1, column 3", Code::bad_json}}) {
    const auto repairs = Repairs::parse(each.json);
    ASSERT_FALSE(repairs) << each.json;
    EXPECT_EQ(repairs.error().code, each.code) << each.json << to_string(repairs.error());
    EXPECT_TRUE(repairs.error().at.starts_with(each.at)) << each.json << to_string(repairs.error());
    EXPECT_FALSE(repairs.error().detail.empty()) << each.json;
  }
}

// An event is who it is: else deduplication and every trace of it would lie.
TEST(Repairs, KeepWhoTheEventIs) {
  for (const std::string_view operation :
       {R"({"op":"replace","path":"/id","value":"x"})", R"({"op":"remove","path":"/source"})",
        R"({"op":"add","path":"/specversion","value":"2"})", R"({"op":"move","from":"/id","path":"/data/id"})",
        R"({"op":"replace","path":"","value":{}})", R"({"op":"copy","from":"/data","path":""})"}) {
    const auto repairs = Repairs::parse(fmt::format(
        R"([{{"event":{{"type":["a"]}},"patch":[{{"op":"test","path":"/id","value":1}},{}]}}])", operation));
    ASSERT_FALSE(repairs) << operation;
    EXPECT_EQ(repairs.error().at, "[0].patch[1]") << operation;
  }
  EXPECT_TRUE(Repairs::parse(
      R"([{"event":{"type":["a"]},"patch":[{"op":"copy","from":"/id","path":"/data/id"},
          {"op":"replace","path":"/type","value":"b"}]}])"));
}

TEST(Repairs, Limits) {
  std::string many = "[";
  for (int i = 0; i < 33; ++i) many += fmt::format(R"({}{{"event":{{"type":["a"]}},"patch":[]}})", i == 0 ? "" : ",");
  EXPECT_EQ(Repairs::parse(many + "]").error().code, Code::bad_setting);
  EXPECT_EQ(Repairs::parse("[" + std::string(24 * 1024, ' ') + "]").error().code, Code::bad_setting);
}

}  // namespace
}  // namespace continuo::routing
