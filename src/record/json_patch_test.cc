#include "continuo/record/json_patch.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <functional>

#include "continuo/base/hash.h"
#include "continuo/record/json_tree.h"

namespace continuo::record {
namespace {

bool same(std::string_view left, std::string_view right) {
  JsonNode l{left}, r{right};
  return equal(l, r);
}

struct Case {
  const char* name;
  std::string document, patch;
  std::string after;  ///< or "at: what is wrong", beginning with '!'
};

// RFC 6902, appendix A, by its numbers.
const Case rfc[] = {
    {"A.1", R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux"}])", R"({"baz":"qux","foo":"bar"})"},
    {"A.2", R"({"foo":["bar","baz"]})", R"([{"op":"add","path":"/foo/1","value":"qux"}])",
     R"({"foo":["bar","qux","baz"]})"},
    {"A.3", R"({"baz":"qux","foo":"bar"})", R"([{"op":"remove","path":"/baz"}])", R"({"foo":"bar"})"},
    {"A.4", R"({"foo":["bar","qux","baz"]})", R"([{"op":"remove","path":"/foo/1"}])", R"({"foo":["bar","baz"]})"},
    {"A.5", R"({"baz":"qux","foo":"bar"})", R"([{"op":"replace","path":"/baz","value":"boo"}])",
     R"({"baz":"boo","foo":"bar"})"},
    {"A.6", R"({"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}})",
     R"([{"op":"move","from":"/foo/waldo","path":"/qux/thud"}])",
     R"({"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}})"},
    {"A.7", R"({"foo":["all","grass","cows","eat"]})", R"([{"op":"move","from":"/foo/1","path":"/foo/3"}])",
     R"({"foo":["all","cows","eat","grass"]})"},
    {"A.8", R"({"baz":"qux","foo":["a",2,"c"]})",
     R"([{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}])",
     R"({"baz":"qux","foo":["a",2,"c"]})"},
    {"A.9", R"({"baz":"qux"})", R"([{"op":"test","path":"/baz","value":"bar"}])",
     "![0].value: the test failed: '/baz' is another value"},
    {"A.10", R"({"foo":"bar"})", R"([{"op":"add","path":"/child","value":{"grandchild":{}}}])",
     R"({"foo":"bar","child":{"grandchild":{}}})"},
    {"A.11", R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux","xyz":123}])",
     R"({"foo":"bar","baz":"qux"})"},
    {"A.12", R"({"foo":"bar"})", R"([{"op":"add","path":"/baz/bat","value":"qux"}])", "![0].path: there is no '/baz'"},
    {"A.13", R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux","op":"remove"}])",
     "![0].op: it is given twice"},
    {"A.14", R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":10}])", R"({"/":9,"~1":10})"},
    {"A.15", R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":"10"}])",
     "![0].value: the test failed: '/~01' is another value"},
    {"A.16", R"({"foo":["bar"]})", R"([{"op":"add","path":"/foo/-","value":["abc","def"]}])",
     R"({"foo":["bar",["abc","def"]]})"},
};

const Case ours[] = {
    {"nothing", "[1]", "[]", "[1]"},
    {"the whole", R"({"a":1})", R"([{"op":"replace","path":"","value":[2]}])", "[2]"},
    {"the whole, added", R"({"a":1})", R"([{"op":"add","path":"","value":null}])", "null"},
    {"into its own copy", R"({"a":1})", R"([{"op":"copy","from":"","path":"/b"},{"op":"add","path":"/b/c","value":2}])",
     R"({"a":1,"b":{"a":1,"c":2}})"},
    {"moved to where it is", R"({"a":1})", R"([{"op":"move","from":"/a","path":"/a"}])", R"({"a":1})"},
    {"over a member", R"({"a":1,"b":2})", R"([{"op":"move","from":"/a","path":"/b"}])", R"({"b":1})"},
    {"array to its end", "[1,2]", R"([{"op":"add","path":"/2","value":3}])", "[1,2,3]"},
    {"null is a value", "{}", R"([{"op":"add","path":"/a","value":null},{"op":"test","path":"/a","value":null}])",
     R"({"a":null})"},
    {"a name with everything", "{}", R"([{"op":"add","path":"/a~1\"~0\u00e9\n","value":1}])", "{\"a/\\\"~é\\n\":1}"},
    {"an index as a name", R"({"0":1})", R"([{"op":"replace","path":"/0","value":2}])", R"({"0":2})"},
    {"by its escaped name", R"({"a\u0062":1})", R"([{"op":"remove","path":"/ab"}])", "{}"},
    {"equal as numbers", "[1.50]", R"([{"op":"test","path":"/0","value":15e-1}])", "[1.50]"},
    {"no such member", R"({"a":{}})", R"([{"op":"remove","path":"/a/b"}])", "![0].path: there is no '/a/b'"},
    {"no such element", R"({"a":[1]})", R"([{"op":"replace","path":"/a/1","value":2}])",
     "![0].path: the array '/a' has 1 elements"},
    {"beyond the end", R"({"a":[1]})", R"([{"op":"add","path":"/a/2","value":2}])",
     "![0].path: the array '/a' has 1 elements"},
    {"no index", "[1]", R"([{"op":"remove","path":"/-"}])", "![0].path: '-' is no index of an array"},
    {"a leading zero", "[1]", R"([{"op":"remove","path":"/00"}])", "![0].path: '00' is no index of an array"},
    {"into a string", R"({"a":"x"})", R"([{"op":"add","path":"/a/b","value":1}])",
     "![0].path: '/a' is neither object nor array"},
    {"twice there", R"({"a":1,"a":2})", R"([{"op":"remove","path":"/a"}])", "![0].path: the object has '/a' twice"},
    {"from nowhere", "{}", R"([{"op":"copy","from":"/a","path":"/b"}])", "![0].from: there is no '/a'"},
    {"the second", R"({"a":1})", R"([{"op":"remove","path":"/a"},{"op":"test","path":"/a","value":1}])",
     "![1].path: there is no '/a'"},
    {"into itself", R"({"a":{}})", R"([{"op":"move","from":"/a","path":"/a/b"}])",
     "![0].path: a value cannot be moved into itself"},
    {"the whole, removed", "{}", R"([{"op":"remove","path":""}])", "![0].path: the whole text cannot be removed"},
    {"no operation", "{}", R"([{"op":"increment","path":"/a"}])", "![0].op: there is no such operation"},
    {"no object", "{}", R"([7])", "![0]: an operation is an object"},
    {"no array", "{}", R"({"op":"remove","path":"/a"})", "!: a JSON Patch is an array of operations"},
    {"no value", "{}", R"([{"op":"add","path":"/a"}])", "![0].value: it is missing"},
    {"no path", "{}", R"([{"op":"add","value":1}])", "![0].path: it is missing"},
    {"no from", "{}", R"([{"op":"move","path":"/a"}])", "![0].from: it is missing"},
    {"no pointer", "{}", R"([{"op":"add","path":"a","value":1}])", "![0].path: it is no JSON Pointer"},
    {"a number as pointer", "{}", R"([{"op":"remove","path":1}])", "![0].path: it is no JSON Pointer"},
};

void check(const Case& each) {
  const auto after = apply_patch(each.document, each.patch);
  if (!each.after.starts_with('!')) {
    ASSERT_TRUE(after) << each.name << ": " << to_string(after.error());
    EXPECT_TRUE(same(*after, each.after)) << each.name << ": " << *after;
    return;
  }
  ASSERT_FALSE(after) << each.name << ": " << *after;
  EXPECT_EQ(after.error().code, Code::bad_request) << each.name;
  EXPECT_EQ("!" + after.error().at + ": " + after.error().detail, each.after) << each.name;
}

TEST(JsonPatch, AppendixOfRfc6902) {
  for (const Case& each : rfc) check(each);
}

TEST(JsonPatch, AndMore) {
  for (const Case& each : ours) check(each);
}

// Money is not to be rounded because something else was mended.
TEST(JsonPatch, WhatIsNotTouchedKeepsItsSpelling) {
  EXPECT_EQ(*apply_patch(R"({"sum":12.50,"id":123456789012345678901234567890,"s":"\u00e9","x":[ 1 ],"a":"y"})",
                         R"([{"op":"replace","path":"/a","value":"z"}])"),
            R"({"sum":12.50,"id":123456789012345678901234567890,"s":"\u00e9","x":[ 1 ],"a":"z"})");
}

TEST(JsonPatch, RefusesWhatIsNoJson) {
  EXPECT_EQ(apply_patch("{", "[]").error().code, Code::bad_json);
  EXPECT_EQ(apply_patch("", "[]").error().code, Code::bad_json);
  EXPECT_EQ(apply_patch("{}", "[").error().code, Code::bad_json);
  EXPECT_EQ(apply_patch("\"\xff\"", "[]").error().code, Code::bad_utf8);
}

TEST(JsonPatch, LimitsAreCheckedFirst) {
  std::string many = "[";
  for (int i = 0; i < 65; ++i) many += fmt::format(R"({}{{"op":"add","path":"/a","value":1}})", i == 0 ? "" : ",");
  EXPECT_EQ(apply_patch("{}", many + "]").error().code, Code::limit_reached);
  EXPECT_EQ(apply_patch("\"" + std::string(8u << 20, 'x') + "\"", "[]").error().code, Code::too_large);
  EXPECT_EQ(apply_patch(std::string(513, '[') + std::string(513, ']'), "[]").error().code, Code::bad_json);
}

// Each copy would double the text, or how deep it is.
TEST(JsonPatch, CopiesCannotGrowWithoutEnd) {
  std::string wide = "[";
  for (int i = 0; i < 64; ++i)
    wide += fmt::format(R"({}{{"op":"copy","from":"","path":"/c{}"}})", i == 0 ? "" : ",", i);
  const auto too_wide = apply_patch(R"({"a":"0123456789"})", wide + "]");
  ASSERT_FALSE(too_wide);
  EXPECT_EQ(too_wide.error().code, Code::too_large);

  std::string deep = "[", path;
  for (int i = 0; i < 12; ++i) {
    const std::size_t levels = std::size_t{1} << i;
    path.clear();
    for (std::size_t level = 0; level < levels; ++level) path += "/a";
    deep += fmt::format(R"({}{{"op":"copy","from":"","path":"{}"}})", i == 0 ? "" : ",", path);
  }
  const auto too_deep = apply_patch(R"({"a":{}})", deep + "]");
  ASSERT_FALSE(too_deep);
  EXPECT_EQ(too_deep.error().code, Code::too_large);
}

TEST(JsonPatch, SaysWhatItChanges) {
  const auto changes = [](std::string_view patch, std::string_view place) {
    return JsonPatch::parse(patch)->operations()[0].changes(*JsonPointer::parse(place));
  };
  EXPECT_TRUE(changes(R"([{"op":"add","path":"/id","value":1}])", "/id"));
  EXPECT_TRUE(changes(R"([{"op":"add","path":"/id/x","value":1}])", "/id"));
  EXPECT_TRUE(changes(R"([{"op":"add","path":"","value":1}])", "/id"));
  EXPECT_TRUE(changes(R"([{"op":"move","path":"/a","from":"/id"}])", "/id"));
  EXPECT_TRUE(changes(R"([{"op":"copy","path":"/id","from":"/a"}])", "/id"));
  EXPECT_FALSE(changes(R"([{"op":"copy","path":"/a","from":"/id"}])", "/id"));
  EXPECT_FALSE(changes(R"([{"op":"test","path":"/id","value":1}])", "/id"));
  EXPECT_FALSE(changes(R"([{"op":"add","path":"/idea","value":1}])", "/id"));
}

// ---- differences ----------------------------------------------------------------------------------------------------

constexpr std::size_t any_size = 1u << 30;

TEST(JsonDifference, IsShortAndReadable) {
  EXPECT_EQ(json_difference(R"({"a":1})", R"({ "a": 1.0 })", any_size), "[]");
  EXPECT_EQ(json_difference(R"({"id":"7","data":{"amount":"twelve","to":"a rather long name of somebody"}})",
                            R"({"id":"7","data":{"amount":12,"to":"a rather long name of somebody"}})", any_size),
            R"([{"op":"replace","path":"/data/amount","value":12}])");
  EXPECT_EQ(json_difference(R"({"id":"7","type":"a","time":"now","data":{"amount":"eleven"}})",
                            R"({"id":"7","type":"a","data":{"amount":11}})", any_size),
            R"([{"op":"remove","path":"/time"},{"op":"replace","path":"/data/amount","value":11}])");
  EXPECT_EQ(json_difference(R"({"what stays is long enough":true,"b":2})",
                            R"({"what stays is long enough":true,"c/d":3})", any_size),
            R"([{"op":"remove","path":"/b"},{"op":"add","path":"/c~1d","value":3}])");
  const std::string row = R"("of thirty bytes or so, each one")";
  EXPECT_EQ(json_difference("[" + row + ",1," + row + "," + row + "]", "[" + row + "," + row + "," + row + "]", 999),
            R"([{"op":"remove","path":"/1"}])");
  EXPECT_EQ(json_difference("[" + row + "," + row + "]", "[" + row + ",1," + row + "]", 999),
            R"([{"op":"add","path":"/1","value":1}])");
}

TEST(JsonDifference, OfMuchThatDiffersIsTheWhole) {
  EXPECT_EQ(json_difference("[1,2,3]", "[4,5,6]", any_size), R"([{"op":"replace","path":"","value":[4,5,6]}])");
  EXPECT_EQ(json_difference("{}", "7", any_size), R"([{"op":"replace","path":"","value":7}])");
}

// Each level of arrays could look at all that is below it.
TEST(JsonDifference, OfWhatIsDeepStaysCheap) {
  std::string inner = "\"0\"";
  for (int i = 1; i < 50'000; ++i) inner += ",\"" + std::to_string(i) + "\"";
  const auto nested = [&](std::string_view last) {
    return std::string(400, '[') + inner + "," + std::string(last) + std::string(400, ']');
  };
  const std::string before = nested("1"), after = nested("2");
  const std::string patch = json_difference(before, after, any_size);
  EXPECT_TRUE(same(*apply_patch(before, patch), after));
  std::string path;
  for (int level = 0; level < 16; ++level) path += "/0";
  EXPECT_TRUE(patch.starts_with(R"([{"op":"replace","path":")" + path + R"(",)")) << patch.substr(0, 200);
}

TEST(JsonDifference, TooLongItNamesTheContent) {
  const std::string after = "\"" + std::string(1'000, 'x') + "\"";
  const Hash128 hash = hash128(after, 0);
  const std::string wanted =
      fmt::format(R"([{{"op":"replace","path":"","bytes":1002,"xxh3":"{:016x}{:016x}"}}])", hash.high, hash.low);
  EXPECT_EQ(json_difference("1", after, 500), wanted);
  EXPECT_FALSE(apply_patch("1", wanted));
  EXPECT_TRUE(json_difference("no JSON", "1", any_size).starts_with(R"([{"op":"replace","path":"","bytes":1,)"));
}

// Texts that differ a little: names and values of few.
rc::Gen<std::string> json_text(int depth) {
  const auto scalar = rc::gen::element<std::string>("0", "1", "1.0", "-2e3", "\"\"", "\"a\"", "\"\\u0061\"", "true",
                                                    "false", "null", "\"/~\\n\"", "12345678901234567890123");
  if (depth == 0) return scalar;
  const auto joined = [](const std::vector<std::string>& parts) {
    std::string out;
    for (const std::string& part : parts) (out += out.empty() ? "" : ",") += part;
    return out;
  };
  const auto array = rc::gen::map(rc::gen::container<std::vector<std::string>>(json_text(depth - 1)),
                                  [=](const auto& items) { return "[" + joined(items) + "]"; });
  const auto member =
      rc::gen::map(rc::gen::pair(rc::gen::element<std::string>("", "a", "\\u0061", "b", "a/b", "~", "0", "-", "é"),
                                 json_text(depth - 1)),
                   [](const auto& pair) { return "\"" + pair.first + "\" : " + pair.second; });
  const auto object = rc::gen::map(rc::gen::container<std::vector<std::string>>(member),
                                   [=](const auto& members) { return "{ " + joined(members) + "}"; });
  return rc::gen::oneOf(scalar, array, object);
}

TEST(JsonDifference, AppliedGivesWhatCameAfter) {
  rc::check([] {
    const std::string before = *rc::gen::resize(6, json_text(4)), after = *rc::gen::resize(6, json_text(4));
    const std::string patch = json_difference(before, after, any_size);
    const auto applied = apply_patch(before, patch);
    RC_ASSERT(applied.has_value());
    RC_ASSERT(same(*applied, after));
  });
}

// Values changed here and there in one text.
TEST(JsonDifference, OfEditsGivesThem) {
  rc::check([] {
    const std::string before = *rc::gen::resize(8, json_text(4));
    JsonNode edited{before};
    const std::string other = *json_text(1);
    const std::function<void(JsonNode&)> edit = [&](JsonNode& node) {
      if (!node.is_object() && !node.is_array()) return;
      auto& items = node.items();
      for (JsonMember& each : items) edit(each.value);
      if (items.empty()) return;
      const auto at = *rc::gen::inRange<std::size_t>(0, items.size());
      if (*rc::gen::inRange(0, 3) == 0) items[at].value = JsonNode{other};
      if (*rc::gen::inRange(0, 5) == 0) items.erase(items.begin() + static_cast<std::ptrdiff_t>(at));
    };
    edit(edited);
    std::string after;
    edited.write(after);
    const auto applied = apply_patch(before, json_difference(before, after, any_size));
    RC_ASSERT(applied.has_value());
    RC_ASSERT(same(*applied, after));
  });
}

}  // namespace
}  // namespace continuo::record
