#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "continuo/record/padded_text.h"

namespace continuo::record {
namespace {

constexpr std::string_view trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr std::string_view trace_part = "0af7651916cd43dd8448eb211c80319c";

using Headers = std::vector<std::pair<std::string_view, std::optional<std::string_view>>>;

// A record as a reader finds it: offset 42 of orders/3, one second after the epoch. Keeps what the event's views point
// to.
class Read {
 public:
  explicit Read(std::string_view body) {
    BatchBuilder builder;
    builder.add(body, 1000);
    batch_ = builder.finish(Offset{42});
    record_ = *RecordWalk{batch_}.next();
    event_ = event_of(record_, {"orders", PartitionId{3}}, scratch_);
  }
  Read(std::optional<std::string_view> key, std::optional<std::string_view> value, const Headers& headers)
      : Read(body(key, value, headers)) {}
  const Event* operator->() const { return &event_; }
  const Event& operator*() const { return event_; }
  const Record& record() const { return record_; }

 private:
  static std::string body(std::optional<std::string_view> key, std::optional<std::string_view> value,
                          const Headers& headers) {
    std::string out;
    BodyWriter writer{out};
    writer.key(key).value(value).header_count(headers.size());
    for (const auto& [name, content] : headers) writer.header(name, content);
    return out;
  }
  std::string batch_;
  std::string scratch_;
  Record record_;
  Event event_;
};

std::string body_of(const Event& event) {
  std::string body;
  encode_record_body(event, body);
  return body;
}

// Every length is zigzag: 2 stands for 1 byte, 1 for "none".
TEST(EncodeRecordBody, Golden) {
  Event event{
      .id = "1", .source = "/s", .type = "t", .subject = "k", .data = R"({"a":1})", .data_kind = DataKind::json};
  event.extensions = {{"n", "42", Extension::Kind::integer}};
  // clang-format off
  EXPECT_EQ(body_of(event),
            "\x02" "k"                                       // the key: subject
            "\x0e" "{\"a\":1}"                               // the value: data
            "\x0e"                                           // seven headers
            "\x1c" "ce_specversion" "\x06" "1.0"
            "\x0a" "ce_id"          "\x02" "1"
            "\x12" "ce_source"      "\x04" "/s"
            "\x0e" "ce_type"        "\x02" "t"
            "\x14" "ce_subject"     "\x02" "k"
            "\x18" "content-type"   "\x20" "application/json"  // only in JSON it may be left out, so it is said
            "\x08" "ce_n"           "\x04" "42");
  // clang-format on
}

TEST(EncodeRecordBody, WithoutKeyAndDataBothAreNull) {
  EXPECT_EQ(body_of({.id = "1", .source = "/s", .type = "t"}).substr(0, 3), "\x01\x01\x08");
}

TEST(EventOf, GivesBackThePublishedEvent) {
  Event event{.id = "1",
              .source = "/s",
              .type = "t",
              .subject = "k",
              .time = "2026-11-21T08:30:00Z",
              .datacontenttype = "text/plain",
              .dataschema = "/x",
              .data = "hello",
              .data_kind = DataKind::text};
  event.extensions = {{"n", "42", Extension::Kind::integer}, {"partitionkey", "c42"}, {"correlationid", "7"}};
  const Read read{body_of(event)};
  EXPECT_EQ(read.record().key, "c42");
  EXPECT_EQ(read->id, "1");
  EXPECT_EQ(read->source, "/s");
  EXPECT_EQ(read->type, "t");
  EXPECT_EQ(read->subject, "k");
  EXPECT_EQ(read->time, "2026-11-21T08:30:00Z");
  EXPECT_EQ(read->datacontenttype, "text/plain");
  EXPECT_EQ(read->dataschema, "/x");
  EXPECT_EQ(read->data, "hello");
  EXPECT_EQ(read->data_kind, DataKind::text);
  ASSERT_EQ(read->extensions.size(), 3u);
  EXPECT_EQ(read->extension("n"), "42");
  EXPECT_EQ(read->extensions[0].kind, Extension::Kind::string);  // the binding keeps no types
}

TEST(EventOf, TheKindOfDataGoesByTheContentType) {
  const auto kind = [](std::string_view type, std::string_view value) {
    return Read {
      {}, value, {
        {"ce_id", "1"}, { "content-type", type }
      }
    } -> data_kind;
  };
  EXPECT_EQ(kind("application/json", "{}"), DataKind::json);
  EXPECT_EQ(kind("a/b+json;x=y", "{"), DataKind::json);  // what the producer claims
  EXPECT_EQ(kind("text/plain", "hello"), DataKind::text);
  EXPECT_EQ(kind("text/plain", "\xff"), DataKind::binary);
  EXPECT_EQ(kind("application/octet-stream", "hello"), DataKind::binary);
  EXPECT_EQ((Read {
              {}, "{}", {{"ce_id", "1"}}
            } -> data_kind),
            DataKind::binary);
  EXPECT_EQ((Read {
              {}, {}, {{"ce_id", "1"}}
            } -> data_kind),
            DataKind::none);
}

TEST(EventOf, AForeignRecordBecomesAnEvent) {
  const Read read{"c42", R"({"a":1})", {{"other", "x"}}};
  EXPECT_EQ(read->id, "3-42");
  EXPECT_EQ(read->source, "/topics/orders");
  EXPECT_EQ(read->type, "continuo.record");
  EXPECT_EQ(read->subject, "");
  EXPECT_EQ(read->time, "1970-01-01T00:00:01Z");
  EXPECT_EQ(read->key(), "c42");
  EXPECT_EQ(read->extension("correlationid"), "3-42");
  EXPECT_EQ(read->data, R"({"a":1})");
  EXPECT_EQ(read->data_kind, DataKind::json);
}

TEST(EventOf, TheValueOfAForeignRecordIsLookedAt) {
  const auto kind = [](std::optional<std::string_view> value) {
    return Read {
      {}, value, {}
    } -> data_kind;
  };
  EXPECT_EQ(kind("[1]"), DataKind::json);
  EXPECT_EQ(kind("hello"), DataKind::text);
  EXPECT_EQ(kind(""), DataKind::text);
  EXPECT_EQ(kind(std::string_view("\0\0\0\7", 4)), DataKind::binary);
  EXPECT_EQ(kind("\xff"), DataKind::binary);
  EXPECT_EQ(kind(std::nullopt), DataKind::none);
}

TEST(EventOf, AKeyThatIsNotUtf8IsNoPartitionkey) {
  EXPECT_EQ((Read {
              "\xff", "x", {}
            } -> key()),
            "");
  EXPECT_EQ((Read {
              std::nullopt, "x", {}
            } -> key()),
            "");
}

TEST(EventOf, MissingPartsOfAnEventAreComputed) {
  const Read read{
      "k", "x", {{"ce_id", "1"}, {"ce_time", "rubbish"}, {"ce_subject", std::nullopt}, {"traceparent", "x"}}};
  EXPECT_EQ(read->id, "1");
  EXPECT_EQ(read->source, "/topics/orders");
  EXPECT_EQ(read->time, "1970-01-01T00:00:01Z");
  EXPECT_EQ(read->extension("partitionkey"), "k");
}

TEST(EventOf, AKeyThatIsTheSubjectIsNotGivenTwice) {
  const Read read{"k", "x", {{"ce_id", "1"}, {"ce_subject", "k"}}};
  EXPECT_EQ(read->extension("partitionkey"), "");
  EXPECT_EQ(read->key(), "k");
}

TEST(EventOf, CorrelationIsTheHeaderElseTheTraceElseTheId) {
  EXPECT_EQ((Read {
              {}, {}, {
                {"ce_id", "1"}, {"ce_correlationid", "c"}, { "ce_traceparent", trace }
              }
            } -> extension("correlationid")),
            "c");
  EXPECT_EQ((Read {
              {}, {}, {
                {"ce_id", "1"}, { "ce_traceparent", trace }
              }
            } -> extension("correlationid")),
            trace_part);
  EXPECT_EQ((Read {
              {}, {}, { {"ce_id", "1"}, {"ce_traceparent", "00-x"} }
            } -> extension("correlationid")),
            "1");
}

TEST(EventOf, NamesThatCannotBeAreLeftOut) {
  const Read read{{},
                  {},
                  {{"ce_id", "1"},
                   {"ce_data", "x"},
                   {"ce_Upper", "x"},
                   {"ce_", "x"},
                   {"ce_specversion", "1.0"},
                   {"ce_datacontenttype", "x"}}};
  ASSERT_EQ(read->extensions.size(), 1u);
  EXPECT_EQ(read->extensions[0].name, "correlationid");
}

TEST(EventOf, OfAHeaderGivenTwiceTheLastCounts) {
  const Read read{{}, {}, {{"ce_id", "1"}, {"ce_id", "2"}, {"ce_ext", "a"}, {"ce_ext", "b"}}};
  EXPECT_EQ(read->id, "2");
  EXPECT_EQ(read->extension("ext"), "b");
  EXPECT_EQ(read->extensions.size(), 2u);
}

TEST(EventOf, StructuredModeIsParsed) {
  const Read read{"k",
                  R"({"specversion":"1.0","id":"\u0031","source":"/s","type":"t","ext":true,)"
                  R"("data":"a\nb","datacontenttype":"text/plain"})",
                  {{"Content-Type", "application/cloudevents+json; charset=UTF-8"}}};
  EXPECT_EQ(read->id, "1");
  EXPECT_EQ(read->data, "a\nb");
  EXPECT_EQ(read->data_kind, DataKind::text);
  EXPECT_EQ(read->extension("ext"), "true");
  EXPECT_EQ(read->extension("partitionkey"), "k");
  EXPECT_EQ(read->extension("correlationid"), "1");
  EXPECT_EQ(read->time, "1970-01-01T00:00:01Z");
}

TEST(EventOf, WhatIsStructuredByNameOnlyIsForeign) {
  const Read read{"k", R"({"id":"1"})", {{"content-type", "application/cloudevents+json"}}};
  EXPECT_EQ(read->id, "3-42");
  EXPECT_EQ(read->data, R"({"id":"1"})");
  EXPECT_EQ(read->data_kind, DataKind::json);
}

TEST(EventOf, StructuredEventsDoNotShareMemory) {
  const auto json = [](std::string_view id) {
    return R"({"specversion":"1.0","source":"/s","type":"t","id":"\u0030)" + std::string{id} + "\"}";
  };
  const Headers headers{{"content-type", "application/cloudevents+json"}};
  const Read first{{}, json("1"), headers}, second{{}, json("2"), headers};
  EXPECT_EQ(first->id, "01");
  EXPECT_EQ(second->id, "02");
}

TEST(EventOf, AnyRecordCanBeWrittenAsAnEvent) {
  EXPECT_TRUE(rc::check([](const std::string& key, const std::string& value,
                           const std::vector<std::pair<std::string, std::string>>& drawn) {
    const auto names =
        rc::gen::element<std::string>("ce_id", "ce_source", "ce_type", "ce_time", "ce_ext", "content-type", "x");
    Headers headers;
    std::vector<std::string> kept;
    kept.reserve(drawn.size());
    for (const auto& header : drawn) headers.emplace_back(kept.emplace_back(*names), header.second);
    const Read read{key, value, headers};
    RC_ASSERT(!read->id.empty() && !read->source.empty() && !read->type.empty() &&
              !read->extension("correlationid").empty());
    const RecordPlace place{"orders", PartitionId{3}};
    std::string json;
    write_json(*read, &place, read.record().offset, json);
    RC_ASSERT(validate_json(PaddedText{json}.view()).has_value());
  }));
}

TEST(TraceId, IsTheSecondPartOfATraceparent) {
  EXPECT_EQ(trace_id(trace), trace_part);
  for (const std::string_view bad : {"", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
                                     "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                     "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                     "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                                     "00-0af7651916cd43dd8448eb211c80319cxb7ad6b7169203331-01",
                                     "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333g-01"})
    EXPECT_EQ(trace_id(bad), "") << bad;
}

}  // namespace
}  // namespace continuo::record
