#include "continuo/record/json_tree.h"

#include <gtest/gtest.h>

#include <initializer_list>

#include "continuo/record/json_pointer.h"

namespace continuo::record {
namespace {

std::string written(const JsonNode& node) {
  std::string out;
  node.write(out);
  EXPECT_EQ(out.size(), node.size());
  return out;
}

bool same(std::string_view left, std::string_view right) {
  JsonNode l{left}, r{right};
  return equal(l, r);
}

TEST(JsonTree, WhatIsNotOpenedStaysAsItWas) {
  JsonNode root{" {\"a\" : [ 1,\t2.50 ], \"b\":{ \"c\" : 1e400 } }\n"};
  EXPECT_EQ(written(root), "{\"a\" : [ 1,\t2.50 ], \"b\":{ \"c\" : 1e400 } }");
  EXPECT_EQ(root.depth(), 2u);
  root.member("a")->items()[0].value = JsonNode{"7"};
  EXPECT_EQ(written(root), R"({"a":[7,2.50],"b":{ "c" : 1e400 }})");
  EXPECT_EQ(root.depth(), 2u);
}

TEST(JsonTree, OpensWhateverThereIs) {
  JsonNode root{R"({"":"\"}]","e":[],"o":{ },"a\u0062":[true,false,null,-1.5E+3,"x"]})"};
  ASSERT_EQ(root.items().size(), 4u);
  EXPECT_EQ(root.member("")->decoded(), "\"}]");
  EXPECT_TRUE(root.member("e")->items().empty());
  EXPECT_TRUE(root.member("o")->items().empty());
  EXPECT_EQ(root.member("nothing"), nullptr);
  ASSERT_NE(root.member("ab"), nullptr);
  EXPECT_EQ(root.member("ab")->items()[3].value.text(), "-1.5E+3");
  EXPECT_EQ(written(root), R"({"":"\"}]","e":[],"o":{},"a\u0062":[true,false,null,-1.5E+3,"x"]})");
}

TEST(JsonTree, EqualIsWhatValuesAreWorth) {
  EXPECT_TRUE(same("1", "1.0"));
  EXPECT_TRUE(same("[1e2]", "[ 100 ]"));
  EXPECT_TRUE(same(R"("\u0041/")", R"("A\/")"));
  EXPECT_TRUE(same(R"({"a":1,"b":{"c":[]}})", R"({"b":{"c":[ ]},"a":1})"));
  EXPECT_TRUE(same(R"({"a":1,"a":2})", R"({"a":1,"a":2})"));
  for (const auto& [left, right] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"1", "\"1\""},
           {"10000000000000000000001", "10000000000000000000002"},
           {"null", "false"},
           {"[]", "{}"},
           {"[1,2]", "[2,1]"},
           {"[1]", "[1,1]"},
           {R"({"a":1})", R"({"b":1})"},
           {R"({"a":1})", R"({"a":1,"b":1})"},
           {R"({"a":1,"a":2})", R"({"a":2,"a":1})"}})
    EXPECT_FALSE(same(left, right)) << left << " " << right;
}

TEST(JsonPointer, ReadsWhatRfc6901Shows) {
  EXPECT_TRUE(JsonPointer::parse("")->names.empty());
  EXPECT_EQ(JsonPointer::parse("/")->names, std::vector<std::string>{""});
  EXPECT_EQ(JsonPointer::parse("/a~1b/m~0n/0")->names, (std::vector<std::string>{"a/b", "m~n", "0"}));
  EXPECT_EQ(JsonPointer::parse("/~01")->names, std::vector<std::string>{"~1"});
  for (const std::string_view wrong : {"a", "/~", "/~2", "#/a", " /a"})
    EXPECT_FALSE(JsonPointer::parse(wrong)) << wrong;
  EXPECT_EQ(JsonPointer::parse("/a~1b/m~0n/0")->text(), "/a~1b/m~0n/0");
}

TEST(JsonPointer, IndicesOfArrays) {
  EXPECT_EQ(array_index("0"), 0u);
  EXPECT_EQ(array_index("10"), 10u);
  for (const std::string_view wrong : {"", "-", "01", "1x", "-1", "+1", "1.0", "99999999999999999999999"})
    EXPECT_FALSE(array_index(wrong)) << wrong;
}

}  // namespace
}  // namespace continuo::record
