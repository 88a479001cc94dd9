#include "continuo/routing/json_reader.h"

#include <gmock/gmock.h>

namespace continuo::routing {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// What is read of these paths, each as "path=text@context".
std::vector<std::string> read(std::initializer_list<const char*> paths, std::string_view json, bool* broken = nullptr) {
  PathTree tree;
  for (const char* path : paths) tree.add(path);
  tree.finish();
  JsonReader reader{tree};
  ReadEvent event;
  reader.read(json, PathTree::root, event);
  if (broken != nullptr) *broken = event.broken;
  std::vector<std::string> out;
  for (const FoundValue& each : event.values)
    out.push_back(tree.name_of(tree.node_of(each.path)) + "=" + std::string{each.value.text} + "@" +
                  std::to_string(each.context));
  return out;
}

TEST(JsonReader, ReadsWhatIsWantedAndPassesOverTheRest) {
  const char* json =
      R"({"x":{"a":[1,{"y":"}]"}],"b":"\"{"},"skip":"no","n":null,"d":{"t":true,"f":false,"s":"é","i":-1.5e3}})";
  EXPECT_THAT(read({"n", "d.t", "d.f", "d.s", "d.i"}, json),
              ElementsAre("n=null@0", "d.t=true@0", "d.f=false@0", "d.s=é@0", "d.i=-1.5e3@0"));
  EXPECT_THAT(read({"missing"}, json), IsEmpty());
  EXPECT_THAT(read({"x"}, json), IsEmpty());  // an object is no value
  EXPECT_THAT(read({"d.s.t"}, json), IsEmpty());
}

TEST(JsonReader, DecodesStringsAndNames) {
  EXPECT_THAT(read({"a", "b"}, R"({"\u0061":"x\u0041y","b":"\n"})"), ElementsAre("a=xAy@0", "b=\n@0"));
}

TEST(JsonReader, PassesOverNamesOfAnySizeThatBeginAlike) {
  const std::string letters = "abcdefghijklmnopqrst";
  for (std::size_t size = 0; size <= letters.size(); ++size) {
    const std::string name = letters.substr(0, size);
    const std::string other = name + "X";
    std::string json = R"({")" + other + R"(":1,")" + name + R"(":2,")" + name + "." + other + R"(":3})";
    EXPECT_THAT(read({name.c_str()}, json), ElementsAre(name + "=2@0")) << json;
    json = R"({")" + name + "." + other + R"(":3,"\u0078)" + name + R"(":4,")" + name + R"(\u0078":5})";
    EXPECT_THAT(read({(name + "." + other).c_str()}, json), ElementsAre(name + "." + other + "=3@0")) << json;
    EXPECT_THAT(read({(name + "x").c_str()}, json), ElementsAre(size == 0 ? "x=4@0" : name + "x=5@0")) << json;
  }
}

TEST(JsonReader, FlattensArrays) {
  EXPECT_THAT(read({"a"}, R"({"a":[1,[2,[3]],[],{"b":4},5]})"), ElementsAre("a=1@0", "a=2@0", "a=3@0", "a=5@0"));
  EXPECT_THAT(read({"a"}, R"({"a":[]})"), IsEmpty());
}

TEST(JsonReader, ElementsAreContextsWhereSomethingIsWantedBelow) {
  EXPECT_THAT(read({"a.b", "a.c"}, R"({"a":[{"b":1,"c":2},3,{"c":4,"b":[5,6]},[{"b":7}]]})"),
              ElementsAre("a.b=1@1", "a.c=2@1", "a.c=4@2", "a.b=5@2", "a.b=6@2", "a.b=7@4"));
  EXPECT_THAT(read({"a", "a.b"}, R"({"a":[{"b":1},2]})"), ElementsAre("a.b=1@1", "a=2@2"));
}

TEST(JsonReader, NamesWithDotsCountAsSeveral) {
  EXPECT_THAT(read({"a.b", "a.c"}, R"({"a.b":1,"a":{"c":2}})"), ElementsAre("a.b=1@0", "a.c=2@0"));
  EXPECT_THAT(read({"a.b.c"}, R"({"a":{"b.c":1}})"), ElementsAre("a.b.c=1@0"));
  EXPECT_THAT(read({"a.b.c"}, R"({"a.b":{"c":1}})"), ElementsAre("a.b.c=1@0"));
  EXPECT_THAT(read({"a.b"}, R"({"a.x.b":1,"b":2,"a.bb":3})"), IsEmpty());
}

TEST(JsonReader, TheFirstOfANameDecidesWhatItIs) {
  EXPECT_THAT(read({"a"}, R"({"a":1,"a":2})"), ElementsAre("a=1@0"));
  EXPECT_THAT(read({"a", "z"}, R"({"a":[1],"a":2})"), ElementsAre("a=1@0"));
  EXPECT_THAT(read({"a", "z"}, R"({"a":{"x":1},"a":2})"), IsEmpty());
  EXPECT_THAT(read({"a", "z"}, R"({"a.x":1,"a":2})"), IsEmpty());
  EXPECT_THAT(read({"a.b", "a.c"}, R"({"a":{"b":1},"a":{"b":2,"c":3}})"), ElementsAre("a.b=1@0", "a.c=3@0"));
  EXPECT_THAT(read({"a.b", "a.c"}, R"({"a":5,"a":{"b":2}})"), IsEmpty());
  EXPECT_THAT(read({"a.b"}, R"({"a":[{"b":1,"b":2},{"b":3}],"a":{"b":4}})"), ElementsAre("a.b=1@1", "a.b=3@2"));
}

TEST(JsonReader, StopsWhereAllIsFound) {
  bool broken = true;
  EXPECT_THAT(read({"a", "b.c"}, R"({"b":{"c":1,"d":2},"a":3, this is no JSON)", &broken),
              ElementsAre("b.c=1@0", "a=3@0"));
  EXPECT_FALSE(broken);
  EXPECT_THAT(read({"b.c", "a"}, R"({"b":{"x":{"c":0},"c":1,"d":{"e":[]}},"y":[{}],"a":3})"),
              ElementsAre("b.c=1@0", "a=3@0"));
}

TEST(JsonReader, WhatStandsBeforeABreakCounts) {
  const std::string json = R"({"a":"x","b":[1,{"c":true}],"d":12})";
  for (std::size_t size = 0; size < json.size(); ++size) {
    bool broken = false;
    const auto found = read({"a", "b.c", "d", "never"}, json.substr(0, size), &broken);
    EXPECT_TRUE(broken) << size;
    EXPECT_EQ(found.size(), (size > 7 ? 1u : 0) + (size > 25 ? 1u : 0)) << json.substr(0, size);
  }
  EXPECT_THAT(read({"a", "b"}, R"({"a":tru,"b":01,"c":1})"), IsEmpty());
  EXPECT_THAT(read({"a", "b"}, R"({"a":"\x","b":1})"), ElementsAre("b=1@0"));
}

TEST(JsonReader, DepthCostsNothing) {
  const std::string open(100'000, '['), close(100'000, ']');
  bool broken = false;
  EXPECT_THAT(read({"a", "z"}, R"({"x":)" + open + close + R"(,"a":1})", &broken), ElementsAre("a=1@0"));
  EXPECT_THAT(read({"a", "z"}, R"({"z":1,"a":)" + open + "5" + close + "}", &broken), ElementsAre("z=1@0"));
  EXPECT_TRUE(broken);
  EXPECT_THAT(read({"a.b", "z"}, R"({"z":1,"a":)" + open + "5" + close + "}", &broken), ElementsAre("z=1@0"));
  EXPECT_TRUE(broken);
}

}  // namespace
}  // namespace continuo::routing
