#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "continuo/record/padded_text.h"

namespace continuo::record {
namespace {

// An event that is valid but for what `members` adds.
std::string with_members(std::string_view members) {
  return fmt::format(R"({{"specversion":"1.0","id":"e-1","source":"/shop","type":"OrderPaid"{}{}}})",
                     members.empty() ? "" : ",", members);
}

// Keeps alive what the views of the event point to.
struct Parsed {
  explicit Parsed(std::string_view json) : text(json), event(parser.parse(text.view())) {}
  PaddedText text;
  EventParser parser;
  Result<Event> event;
};

// "code at" of the refusal, or "" when there was none.
std::string refusal(std::string_view json) {
  const Parsed parsed{json};
  if (parsed.event) return "";
  return fmt::format("{} {}", name(parsed.event.error().code), parsed.event.error().at);
}
std::string refusal_with(std::string_view members) { return refusal(with_members(members)); }

TEST(EventParser, ReadsEveryAttribute) {
  const Parsed parsed{with_members(
      R"("subject":"c42","time":"2026-11-21T08:30:00Z","datacontenttype":"application/json","dataschema":"/x",)"
      R"("traceparent":"00-a","number":42,"least":-2147483648,"flag":true,"off":false,"data":{"amount":7})")};
  ASSERT_TRUE(parsed.event) << to_string(parsed.event.error());
  const Event& event = *parsed.event;
  EXPECT_EQ(event.id, "e-1");
  EXPECT_EQ(event.source, "/shop");
  EXPECT_EQ(event.type, "OrderPaid");
  EXPECT_EQ(event.subject, "c42");
  EXPECT_EQ(event.time, "2026-11-21T08:30:00Z");
  EXPECT_EQ(event.datacontenttype, "application/json");
  EXPECT_EQ(event.dataschema, "/x");
  EXPECT_EQ(event.data, R"({"amount":7})");
  EXPECT_EQ(event.data_kind, DataKind::json);
  ASSERT_EQ(event.extensions.size(), 5u);
  EXPECT_EQ(event.extensions[0].name, "traceparent");
  EXPECT_EQ(event.extensions[1].value, "42");
  EXPECT_EQ(event.extensions[1].kind, Extension::Kind::integer);
  EXPECT_EQ(event.extensions[2].value, "-2147483648");
  EXPECT_EQ(event.extensions[3].value, "true");
  EXPECT_EQ(event.extensions[3].kind, Extension::Kind::boolean);
  EXPECT_EQ(event.extensions[4].value, "false");
}

TEST(EventParser, DataStaysAsTheSenderWroteIt) {
  for (const std::string_view data : {"{ \"a\" : [1, 2.50,\n{}] }", "[]", "null", "true", "-1.0e5", "\"a\\u0062\"",
                                      "123456789012345678901234567890", "1e999", "{\"a\":1,\"a\":2}"}) {
    const Parsed parsed{with_members(fmt::format("\"data\" : \n {} \t, \"x\":\"y\"", data))};
    ASSERT_TRUE(parsed.event) << data << to_string(parsed.event.error());
    EXPECT_EQ(parsed.event->data, data);
    EXPECT_EQ(parsed.event->data_kind, DataKind::json);
  }
}

TEST(EventParser, NoDataIsNotNullData) {
  const Parsed none{with_members("")};
  EXPECT_EQ(none.event->data_kind, DataKind::none);
  const Parsed null{with_members("\"data\":null")};
  EXPECT_EQ(null.event->data_kind, DataKind::json);
  EXPECT_EQ(null.event->data, "null");
}

TEST(EventParser, AStringIsTextWhenTheContentTypeIsNotJson) {
  for (const std::string_view members : {R"("data":"a\nb\u00e9","datacontenttype":"text/plain")",
                                         R"("datacontenttype":"text/plain","data":"a\nb\u00e9")"}) {
    const Parsed parsed{with_members(members)};
    EXPECT_EQ(parsed.event->data_kind, DataKind::text);
    EXPECT_EQ(parsed.event->data, "a\nbé");
  }
}

TEST(EventParser, AStringIsJsonWhenTheContentTypeIsJson) {
  for (const std::string_view members : {R"("data":"a\nb")", R"("data":"a\nb","datacontenttype":"Text/JSON; x=y")",
                                         R"("data":"a\nb","datacontenttype":"a/b+json")"}) {
    const Parsed parsed{with_members(members)};
    EXPECT_EQ(parsed.event->data_kind, DataKind::json);
    EXPECT_EQ(parsed.event->data, R"("a\nb")");
  }
}

TEST(EventParser, DecodesBase64Strictly) {
  const Parsed parsed{with_members(R"("data_base64":"AAEC")")};
  EXPECT_EQ(parsed.event->data_kind, DataKind::binary);
  EXPECT_EQ(parsed.event->data, std::string_view("\0\1\2", 3));
  EXPECT_EQ(refusal_with(R"("data_base64":"AAE")"), "bad_event data_base64");
  EXPECT_EQ(refusal_with(R"("data_base64":"AAE\n")"), "bad_event data_base64");
  EXPECT_EQ(refusal_with(R"("data_base64":7)"), "bad_event data_base64");
  EXPECT_EQ(refusal_with(R"("data_base64":"","data":1)"), "bad_event data_base64");
}

TEST(EventParser, NullMeansAbsent) {
  const Parsed parsed{with_members(R"("subject":null,"ext":null,"data_base64":null,"data":1)")};
  ASSERT_TRUE(parsed.event);
  EXPECT_TRUE(parsed.event->subject.empty());
  EXPECT_TRUE(parsed.event->extensions.empty());
  EXPECT_EQ(parsed.event->data, "1");
  EXPECT_EQ(refusal(R"({"specversion":"1.0","id":null,"source":"/","type":"t"})"), "bad_event id");
}

TEST(EventParser, AsksForWhatCloudEventsAsks) {
  EXPECT_EQ(refusal("{}"), "bad_event specversion");
  EXPECT_EQ(refusal(R"({"specversion":"0.3","id":"1","source":"/","type":"t"})"), "bad_event specversion");
  EXPECT_EQ(refusal(R"({"specversion":1.0,"id":"1","source":"/","type":"t"})"), "bad_event specversion");
  EXPECT_EQ(refusal(R"({"specversion":"1.0","source":"/","type":"t"})"), "bad_event id");
  EXPECT_EQ(refusal(R"({"specversion":"1.0","id":"","source":"/","type":"t"})"), "bad_event id");
  EXPECT_EQ(refusal(R"({"specversion":"1.0","id":7,"source":"/","type":"t"})"), "bad_event id");
  EXPECT_EQ(refusal(R"({"specversion":"1.0","id":"1","type":"t"})"), "bad_event source");
  EXPECT_EQ(refusal(R"({"specversion":"1.0","id":"1","source":"/"})"), "bad_event type");
  EXPECT_EQ(refusal_with(R"("time":"today")"), "bad_event time");
  EXPECT_EQ(refusal_with(R"("subject":"a\u0000b")"), "bad_event subject");
}

TEST(EventParser, RefusesAnyNameGivenTwice) {
  EXPECT_EQ(refusal_with(R"("id":"e-1")"), "bad_event id");
  EXPECT_EQ(refusal_with(R"("\u0069d":"e-1")"), "bad_event id");
  EXPECT_EQ(refusal_with(R"("specversion":"1.0")"), "bad_event specversion");
  EXPECT_EQ(refusal_with(R"("data":1,"data":1)"), "bad_event data");
  EXPECT_EQ(refusal_with(R"("subject":null,"subject":"s")"), "bad_event subject");
  EXPECT_EQ(refusal_with(R"("ext":"1","other":"2","ext":"1")"), "bad_event ext");
}

TEST(EventParser, ExtensionsAreStringsIntegersAndBooleans) {
  EXPECT_EQ(refusal_with(R"("ext":1.5)"), "bad_event ext");
  EXPECT_EQ(refusal_with(R"("ext":1e3)"), "bad_event ext");
  EXPECT_EQ(refusal_with(R"("ext":2147483648)"), "bad_event ext");
  EXPECT_EQ(refusal_with(R"("ext":-2147483649)"), "bad_event ext");
  EXPECT_EQ(refusal_with(R"("ext":123456789012345678901234567890)"), "bad_event ext");
  EXPECT_EQ(refusal_with(R"("ext":[1])"), "bad_event ext");
  EXPECT_EQ(refusal_with(R"("ext":{"a":1})"), "bad_event ext");
  EXPECT_EQ(refusal_with(R"("Ext":"1")"), "bad_event Ext");
  EXPECT_EQ(refusal_with(R"("":"1")"), "bad_event ");
  EXPECT_EQ(refusal_with(R"("ext_":1)"), "bad_event ext_");
  const Parsed zero{with_members(R"("ext":-0)")};
  EXPECT_EQ(zero.event->extensions[0].value, "0");
}

TEST(EventParser, ErrorsDoNotGrowWithTheText) {
  const Parsed parsed{with_members("\"" + std::string(100'000, 'x') + "\":1.5")};
  ASSERT_FALSE(parsed.event);
  EXPECT_LT(to_string(parsed.event.error()).size(), 300u);
}

TEST(EventParser, CountsExtensionsBeforeKeepingThem) {
  std::string members = "\"e0\":1";
  for (int i = 1; i < 64; ++i) members += fmt::format(",\"e{}\":1", i);
  EXPECT_EQ(refusal_with(members), "");
  EXPECT_EQ(refusal_with(members + ",\"last\":1"), "bad_event last");
}

TEST(EventParser, RefusesWhatIsNotJsonWithThePlace) {
  EXPECT_EQ(refusal(""), "bad_json line 1, column 1");
  EXPECT_EQ(refusal("{\n\"id\" 1}"), "bad_json line 2, column 6");
  EXPECT_EQ(refusal(with_members("\n\"data\":[1,}")), "bad_json line 2, column 11");
  EXPECT_EQ(refusal(with_members("\n\"data\":1}")), "bad_json line 2, column 10");
  EXPECT_EQ(refusal(with_members("") + "\n x"), "bad_json line 2, column 2");
  EXPECT_EQ(refusal(with_members("\n\"ext\":tru")), "bad_json line 2, column 7");
  EXPECT_EQ(refusal(with_members("\n\"ext\":1x")), "bad_json line 2, column 8");
  EXPECT_EQ(refusal(with_members("\"data\":\"\\ud800\"")).substr(0, 8), "bad_json");
  EXPECT_EQ(refusal(with_members("\n\"data\":\"\xff\"")), "bad_utf8 line 2, column 9");
  EXPECT_EQ(refusal("[1,2]"), "bad_event ");
  EXPECT_EQ(refusal("\"text\""), "bad_event ");
}

TEST(EventParser, BoundsTheDepthOfData) {
  const std::string deep = std::string(512, '[') + std::string(512, ']');
  EXPECT_EQ(refusal_with("\"data\":" + deep), "");
  EXPECT_EQ(refusal_with("\n\"data\":[" + deep + "]"), "bad_json line 2, column 520");
  EXPECT_EQ(refusal_with("\"data\":" + std::string(1'000'000, '[')).substr(0, 8), "bad_json");
  EXPECT_EQ(refusal_with("\"ext\":" + std::string(1'000'000, '[')).substr(0, 8), "bad_json");
  EXPECT_EQ(refusal(std::string(1'000'000, '[')).substr(0, 8), "bad_json");
}

TEST(EventParser, TheNextCallStartsAnew) {
  EventParser parser;
  const PaddedText first{with_members(R"("subject":"s","ext":1,"data_base64":"AAEC")")}, second{with_members("")},
      bad{"{"};
  EXPECT_TRUE(parser.parse(first.view()));
  EXPECT_FALSE(parser.parse(bad.view()));
  const auto event = parser.parse(second.view());
  EXPECT_TRUE(event->subject.empty() && event->extensions.empty() && event->data_kind == DataKind::none);
}

// ---- batches

struct ParsedBatch {
  explicit ParsedBatch(std::string_view json) : text(json) {
    done = parser.parse_batch(text.view(), [this](const Event& event) {
      events.push_back(event);
      return Result<void>{};
    });
  }
  PaddedText text;
  EventParser parser;
  std::vector<Event> events;
  Result<void> done;
};

std::string batch_refusal(std::string_view json) {
  const ParsedBatch batch{json};
  return batch.done ? "" : fmt::format("{} {}", name(batch.done.error().code), batch.done.error().at);
}

TEST(EventParserBatch, AllEventsStayValidTogether) {
  std::string json = "[";
  for (int i = 0; i < 500; ++i)
    json += (i == 0 ? "" : ",") + with_members(fmt::format(R"("subject":"\u0073{0}","data_base64":"AAEC")", i));
  const ParsedBatch batch{json + "]"};
  ASSERT_TRUE(batch.done);
  ASSERT_EQ(batch.events.size(), 500u);
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(batch.events[i].subject, fmt::format("s{}", i));
    EXPECT_EQ(batch.events[i].data, std::string_view("\0\1\2", 3));
  }
}

TEST(EventParserBatch, AnEmptyBatchHasNoEvents) {
  const ParsedBatch batch{" [ ] "};
  EXPECT_TRUE(batch.done);
  EXPECT_TRUE(batch.events.empty());
}

TEST(EventParserBatch, ErrorsNameTheIndex) {
  const std::string good = with_members("");
  EXPECT_EQ(batch_refusal("[" + good + "," + with_members("\"time\":\"x\"") + "]"), "bad_event [1].time");
  EXPECT_EQ(batch_refusal("[" + good + "," + good + ",{}]"), "bad_event [2].specversion");
  EXPECT_EQ(batch_refusal("[" + good + ",7]"), "bad_event [1]");
  EXPECT_EQ(batch_refusal("[" + with_members("\"\":1") + "]"), "bad_event [0]");
  EXPECT_EQ(batch_refusal("[" + good + ",\n{\"id\":}]"), "bad_json line 2, column 7");
  EXPECT_EQ(batch_refusal(good), "bad_event ");
  EXPECT_EQ(batch_refusal("[" + good + "\n"), "bad_json line 2, column 1");
  EXPECT_EQ(batch_refusal("[" + good + "]\n]"), "bad_json line 2, column 1");
  EXPECT_EQ(batch_refusal("[" + good + ",\n]"), "bad_json line 2, column 1");
}

TEST(EventParserBatch, StopsWhereTheCallerRefuses) {
  EventParser parser;
  const PaddedText text{"[" + with_members("") + "," + with_members("") + "]"};
  int calls = 0;
  const auto done = parser.parse_batch(text.view(), [&](const Event&) -> Result<void> {
    ++calls;
    return fail(Code::too_large, "enough");
  });
  EXPECT_EQ(done.error().code, Code::too_large);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace continuo::record
