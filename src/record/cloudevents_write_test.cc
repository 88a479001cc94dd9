#include <boost/json.hpp>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "continuo/record/padded_text.h"

namespace continuo::record {
namespace {

std::string json_string(std::string_view text) {
  std::string out;
  write_json_string(text, out);
  return out;
}

std::string written(const Event& event) {
  std::string out;
  write_json(event, nullptr, Offset{0}, out);
  return out;
}

Event minimal() { return {.id = "1", .source = "/s", .type = "t"}; }

TEST(WriteJsonString, EscapesWhatMustBeEscaped) {
  EXPECT_EQ(json_string(""), R"("")");
  EXPECT_EQ(json_string("plain text of some length, without anything"),
            R"("plain text of some length, without anything")");
  EXPECT_EQ(json_string("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(json_string("\b\f\n\r\t\x01\x1f\x7f"), "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
  EXPECT_EQ(json_string(std::string_view("\0", 1)), R"("\u0000")");
}

TEST(WriteJsonString, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(json_string("é→\U0001F600"), "\"é→\U0001F600\"");
  EXPECT_EQ(json_string("é\xff→"), "\"é\uFFFD→\"");
  EXPECT_EQ(json_string("\xc3"), "\"\uFFFD\"");
  EXPECT_EQ(json_string("\xc0\x80"), "\"\uFFFD\uFFFD\"");            // overlong
  EXPECT_EQ(json_string("\xed\xa0\x80"), "\"\uFFFD\uFFFD\uFFFD\"");  // a surrogate
  EXPECT_EQ(json_string("\xf4\x90\x80\x80x").back(), '"');           // beyond U+10FFFF
}

TEST(WriteJsonString, IsReadBackByAnotherParser) {
  EXPECT_TRUE(rc::check([](const std::string& text) {
    const std::string json = json_string(text);
    boost::json::error_code ec;
    const auto value = boost::json::parse(json, ec);
    RC_ASSERT(!ec);
    if (json.find("\uFFFD") == std::string::npos) RC_ASSERT(std::string_view{value.get_string()} == text);
  }));
}

TEST(WriteJson, Golden) {
  Event event{.id = "1",
              .source = "/s",
              .type = "t",
              .subject = "k\"",
              .time = "2026-11-21T08:30:00Z",
              .datacontenttype = "application/json",
              .dataschema = "/x",
              .data = R"({"a": 1})",
              .data_kind = DataKind::json};
  event.extensions = {{"ext", "v"}, {"n", "42", Extension::Kind::integer}, {"b", "true", Extension::Kind::boolean}};
  const RecordPlace place{"orders", PartitionId{3}};
  std::string out = "before";
  write_json(event, &place, Offset{77}, out);
  EXPECT_EQ(
      out,
      R"(before{"specversion":"1.0","id":"1","source":"/s","type":"t","subject":"k\"","time":"2026-11-21T08:30:00Z",)"
      R"("datacontenttype":"application/json","dataschema":"/x","ext":"v","n":42,"b":true,"partition":"3",)"
      R"("offset":"77","data":{"a": 1}})");
}

TEST(WriteJson, DataByItsKind) {
  Event event = minimal();
  EXPECT_EQ(written(event), R"({"specversion":"1.0","id":"1","source":"/s","type":"t"})");
  event.data = "a\"b";
  event.data_kind = DataKind::text;
  EXPECT_TRUE(written(event).ends_with(R"(,"data":"a\"b"})"));
  event.data_kind = DataKind::binary;
  EXPECT_TRUE(written(event).ends_with(R"(,"data_base64":"YSJi"})"));
}

TEST(WriteJson, WhatIsNotJsonThoughItSaysSoIsBinary) {
  Event event = minimal();
  event.data_kind = DataKind::json;
  for (const std::string_view data : {"", "{", "1 2", "},\"id\":\"2\",\"x\":{"}) {
    event.data = data;
    EXPECT_EQ(written(event).find("\"data\""), std::string::npos) << data;
    EXPECT_NE(written(event).find("\"data_base64\""), std::string::npos) << data;
  }
}

TEST(WriteJson, PlaceTakesItsNamesForItself) {
  Event event = minimal();
  event.extensions = {{"offset", "mine"}, {"partition", "mine"}};
  const RecordPlace place{"orders", PartitionId{0}};
  std::string out;
  write_json(event, &place, Offset{5}, out);
  EXPECT_EQ(out, R"({"specversion":"1.0","id":"1","source":"/s","type":"t","partition":"0","offset":"5"})");
  EXPECT_NE(written(event).find(R"("offset":"mine")"), std::string::npos);
}

// What is written is parsed to the same event again.
TEST(WriteJson, IsReadBackAsTheSameEvent) {
  EXPECT_TRUE(rc::check([] {
    const auto word =
        rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::elementOf(std::string{"aZ09 /\"\\-_.~"})));
    const std::string id = *word, subject = *word, value = *word, data = *rc::gen::arbitrary<std::string>();
    Event event{.id = id, .source = "/s", .type = "t", .subject = subject, .data = data, .data_kind = DataKind::binary};
    event.extensions = {{"ext", value}, {"n", "-7", Extension::Kind::integer}};
    const PaddedText json{written(event)};
    EventParser parser;
    const auto read = parser.parse(json.view());
    RC_ASSERT(read.has_value());
    RC_ASSERT(read->id == id && read->subject == subject && read->extension("ext") == value);
    RC_ASSERT(read->data == data && read->data_kind == DataKind::binary);
    RC_ASSERT(written(*read) == json.view());
  }));
}

}  // namespace
}  // namespace continuo::record
