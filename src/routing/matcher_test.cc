#include "continuo/routing/matcher.h"

#include <gmock/gmock.h>

#include "continuo/record/cloudevents.h"

namespace continuo::routing {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Patterns compiled, and what matches them.
class Compiled {
 public:
  explicit Compiled(const std::vector<std::string>& sources, Scope scope = Scope::json) {
    std::vector<Pattern> patterns;
    for (const std::string& source : sources) {
      auto parsed = Pattern::parse(source, scope);
      EXPECT_TRUE(parsed) << source << ": " << (parsed ? "" : to_string(parsed.error()));
      if (parsed) patterns.push_back(std::move(*parsed));
    }
    std::vector<const Pattern*> pointers;
    for (const Pattern& each : patterns) pointers.push_back(&each);
    matching_.emplace(Matcher::compile(pointers));
  }
  std::vector<std::uint32_t> of(std::string_view json) {
    const auto found = matching_->match_json(json);
    return {found.begin(), found.end()};
  }
  std::vector<std::uint32_t> of(const Input& input) {
    const auto found = matching_->match(input);
    return {found.begin(), found.end()};
  }
  const Matcher& matcher() const { return matching_->matcher(); }

 private:
  std::optional<Matching> matching_;
};

TEST(Matcher, EveryOperatorAtOnce) {
  Compiled all{{R"({"a":["x"]})", R"({"a":[{"prefix":"he"}]})", R"({"a":[{"suffix":"lo"}]})",
                R"({"a":[{"equals-ignore-case":"HELLO"}]})", R"({"a":[{"wildcard":"h*l*"}]})",
                R"({"a":[{"anything-but":["x","hello"]}]})", R"({"n":[{"numeric":[">",1,"<=",5]}]})", R"({"n":[5]})",
                R"({"ip":[{"cidr":"10.0.0.0/8"}]})", R"({"z":[{"exists":false}]})", R"({"a":[{"exists":true}]})",
                R"({"b":[true, null]})"}};
  EXPECT_THAT(all.of(R"({"a":"hello","n":5.0,"ip":"10.1.2.3","b":true})"), ElementsAre(1, 2, 3, 4, 6, 7, 8, 9, 10, 11));
  EXPECT_THAT(all.of(R"({"a":"x","n":1,"z":0,"b":null})"), ElementsAre(0, 10, 11));
  EXPECT_THAT(all.of(R"({"a":["x","other"],"z":{}})"), ElementsAre(0, 5, 9, 10));
  EXPECT_THAT(all.of("{}"), ElementsAre(9));
  EXPECT_THAT(all.of(""), ElementsAre(9));
}

TEST(Matcher, FieldsAreJoinedByAndConditionsByOr) {
  Compiled all{{R"({"a":["x","y"],"b":[1]})", R"({"a":["x"],"b":[2]})", R"({"a":["y"]})"}};
  EXPECT_THAT(all.of(R"({"a":"y","b":1})"), ElementsAre(0, 2));
  EXPECT_THAT(all.of(R"({"b":2,"a":"x"})"), ElementsAre(1));
  EXPECT_THAT(all.of(R"({"a":"x"})"), IsEmpty());
}

TEST(Matcher, ChoicesAtEveryLevel) {
  Compiled all{{R"({"t":["o"],"$or":[{"a":[1]},{"d":{"$or":[{"b":[1]},{"c":[1]}]}}]})"}};
  EXPECT_THAT(all.of(R"({"t":"o","a":1})"), ElementsAre(0));
  EXPECT_THAT(all.of(R"({"t":"o","d":{"c":1}})"), ElementsAre(0));
  EXPECT_THAT(all.of(R"({"t":"o","d":{"c":2}})"), IsEmpty());
  EXPECT_THAT(all.of(R"({"a":1})"), IsEmpty());
}

TEST(Matcher, FieldsAreNotMetInDifferentElements) {
  Compiled all{{R"({"items":{"sku":["a"],"color":["red"]}})", R"({"items":{"sku":["a"]},"other":{"x":[1]}})",
                R"({"items":{"sku":["a"],"tags":{"k":["p"],"v":["q"]}}})",
                R"({"items":{"sku":["a"],"color":[{"anything-but":"red"}]}})"}};
  EXPECT_THAT(all.of(R"({"items":[{"sku":"a","color":"blue"},{"sku":"b","color":"red"}],"other":[{"x":1}]})"),
              ElementsAre(1, 3));
  EXPECT_THAT(all.of(R"({"items":[{"sku":"b","color":"blue"},{"color":"red","sku":"a"}]})"), ElementsAre(0));
  EXPECT_THAT(all.of(R"({"items":[{"sku":"a","tags":[{"k":"p","v":"x"},{"k":"y","v":"q"}]},)"
                     R"({"sku":"b","tags":[{"k":"p","v":"q"}]}]})"),
              IsEmpty());
  EXPECT_THAT(all.of(R"({"items":[{"sku":"a","tags":[{"k":"p","v":"x"},{"k":"p","v":"q"}]}]})"), ElementsAre(2));
}

TEST(Matcher, ChoicesGoTogetherToo) {
  Compiled all{{R"({"i":{"s":["a"],"$or":[{"c":[1]},{"d":[1]}]}})"}};
  EXPECT_THAT(all.of(R"({"i":[{"s":"a"},{"c":1},{"d":1}]})"), IsEmpty());
  EXPECT_THAT(all.of(R"({"i":[{"s":"a","d":1},{"c":1}]})"), ElementsAre(0));
}

TEST(Matcher, ReadsAnEventsScopes) {
  Compiled all{{R"({"type":["OrderPaid"]})", R"({"tenant":["t1"]})", R"({"key":["k"]})",
                R"({"headers":{"x-trace":["1"]}})", R"({"data":{"amount":[{"numeric":[">",100]}]}})",
                R"({"specversion":["1.0"]})", R"({"subject":[{"exists":false}]})", R"({"headers":{"a.b":["2"]}})"},
               Scope::event};
  EXPECT_TRUE(all.matcher().reads_data());
  std::string body;
  record::BodyWriter{body}
      .key("k")
      .value("v")
      .header_count(3)
      .header("x-trace", "0")
      .header("x-trace", "1")
      .header("a.b", "2");
  record::Record record;
  record.header_count = 3;
  record.headers = std::string_view{body}.substr(body.find("x-trace") - 1);
  record::Event event;
  event.id = "1";
  event.source = "/s";
  event.type = "OrderPaid";
  event.extensions = {{"tenant", "t1"}, {"data", "no"}};
  event.data = R"({"amount":101})";
  event.data_kind = record::DataKind::json;
  EXPECT_THAT(all.of(Input{&event, "k", &record}), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  event.data_kind = record::DataKind::text;
  event.type = "Other";
  event.subject = "s";
  EXPECT_THAT(all.of(Input{&event, {}, nullptr}), ElementsAre(1, 5));
  EXPECT_FALSE((Compiled{{R"({"type":["x"]})"}, Scope::event}).matcher().reads_data());
}

TEST(Matcher, ManyExactPatternsTakeLittle) {
  std::vector<std::string> sources;
  for (int i = 0; i < 10'000; ++i)
    sources.push_back(R"({"type":["t"],"data":{"customer":["c)" + std::to_string(i) + R"("]}})");
  Compiled all{sources};
  EXPECT_THAT(all.of(R"({"type":"t","data":{"customer":"c4711"}})"), ElementsAre(4711));
  EXPECT_THAT(all.of(R"({"type":"u","data":{"customer":"c4711"}})"), IsEmpty());
  EXPECT_LT(all.matcher().bytes(), 10'000u * 250);
}

TEST(Matcher, NoPatternsMatchNothing) {
  Compiled none{{}};
  EXPECT_THAT(none.of(R"({"a":1})"), IsEmpty());
  EXPECT_EQ(none.matcher().size(), 0u);
}

}  // namespace
}  // namespace continuo::routing
