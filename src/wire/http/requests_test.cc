// Targets, queries, positions, routes, answers: the small parts. What requests are refused for is tested over sockets,
// in src/serve.
#include "continuo/wire/http/requests.h"

#include <boost/json.hpp>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "continuo/wire/http/answer.h"
#include "continuo/wire/http/openapi.h"
#include "continuo/wire/http/uri.h"

namespace continuo::wire::http {
namespace {

RC_GTEST_PROP(Uri, PercentEncodingIsUndone, (const std::string& text)) {
  std::string encoded, decoded;
  percent_encode(text, encoded);
  RC_ASSERT(percent_decode(encoded, decoded));
  RC_ASSERT(decoded == text);
}

TEST(Uri, SplitsTargets) {
  const Target target = split_target("/v1/topics/a%2Fb/?x=1&y=%20+");
  ASSERT_EQ(target.count, 3u);
  EXPECT_EQ(target.segments[2], "a%2Fb");
  const auto query = Query::parse(target.query);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->find("y"), "  ");
  EXPECT_FALSE(query->find("z"));
  EXPECT_EQ(split_target("/").count, 0u);
  EXPECT_EQ(split_target("/1/2/3/4/5/6/7/8/9/10").count, Target::max_segments + 1);
  EXPECT_EQ(Query::parse("a=%f").error().code, Code::bad_request);
  EXPECT_EQ(Query::parse("a=%ff").error().code, Code::bad_utf8);
  EXPECT_EQ(Query::parse("a=1&a=2").error().code, Code::bad_request);
}

TEST(Uri, ProposesTheNearestName) {
  const std::string_view known[] = {"partitions", "retention", "cleanup", "dedup_window"};
  EXPECT_EQ(nearest("partition", known, 4), "partitions");
  EXPECT_EQ(nearest("retenton", known, 4), "retention");
  EXPECT_EQ(nearest("dedupWindow", known, 4), "dedup_window");
  EXPECT_EQ(nearest("colour", known, 4), "");
}

RC_GTEST_PROP(Position, IsReadBack,
              (std::uint32_t topic, std::uint32_t since, const std::vector<std::uint32_t>& offsets)) {
  Position position{.topic = TopicId{topic}, .since = WallTime{since}, .next = {}};
  std::uint32_t partition = 0;
  for (const std::uint32_t offset : offsets)
    position.next.emplace_back(PartitionId{partition += 1 + offset % 3}, Offset{offset});
  const auto read = parse_position(write_position(position));
  RC_ASSERT(read.has_value());
  RC_ASSERT(read->topic == position.topic && read->since == position.since && read->next == position.next);
}

TEST(Position, RefusesWhatItDidNotMake) {
  for (const char* text : {"", "x", "AQ", "AQEAAQ", "AQEAAgEBAAE", "AgEAAA", "AQEAAAA", "AQEAAA==", "....", "AQEA//__"})
    EXPECT_EQ(parse_position(text).error().code, Code::bad_position) << text;
  EXPECT_TRUE(parse_position("AQEAAA"));
}

TEST(From, TakesAllItsForms) {
  EXPECT_TRUE(std::holds_alternative<Earliest>(*parse_from("earliest", false)));
  EXPECT_TRUE(std::holds_alternative<Latest>(*parse_from("latest", true)));
  EXPECT_EQ(std::get<Offset>(*parse_from("12", true)).value, 12);
  EXPECT_FALSE(parse_from("12", false));
  EXPECT_FALSE(parse_from("99999999999999999999", true));
  EXPECT_FALSE(parse_from("-1", true));
  EXPECT_EQ(std::get<WallTime>(*parse_from("2026-11-21T08:30:00Z", false)).ms, 1'795'249'800'000);
}

TEST(Routes, AreFoundAndRefused) {
  const auto found = match(Method::post, split_target("/v1/subscriptions/s%20/parked/k%2F1/retry/"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->route, Route::retry_parked);
  EXPECT_EQ(found->parameters[0], "s%20");
  EXPECT_EQ(found->parameters[1], "k%2F1");
  EXPECT_EQ(match(Method::head, split_target("/livez"))->route, Route::livez);
  EXPECT_EQ(match(Method::get, split_target("/v1/topics//events")).error().code, Code::not_found);
  EXPECT_EQ(match(Method::post, split_target("/v1/topics/t")).error().at, "PUT, PATCH, GET, DELETE");
}

// Every route of the table is in the document with its name, and the document has no others.
TEST(OpenApi, DescribesExactlyTheRoutes) {
  const auto document = boost::json::parse(openapi_document());
  std::set<std::string> described, routed;
  for (const auto& [path, item] : document.at("paths").as_object())
    for (const auto& [method, operation] : item.as_object()) {
      if (method == "parameters") continue;
      std::string upper(method);
      for (char& c : upper) c = static_cast<char>(std::toupper(c));
      described.insert(upper + " " + std::string(path) + " " + std::string(operation.at("operationId").as_string()));
    }
  for (const RouteEntry& entry : all_routes())
    if (entry.route != Route::later)
      routed.insert(std::string(name(entry.method)) + " " + std::string(entry.pattern) + " " + std::string(entry.name));
  EXPECT_EQ(described, routed);
}

// Every reference in the document leads somewhere.
TEST(OpenApi, HasNoDanglingReferences) {
  const auto document = boost::json::parse(openapi_document());
  const std::string_view text = openapi_document();
  for (std::size_t at = 0; (at = text.find("\"#/", at)) != std::string_view::npos; ++at) {
    const std::string pointer(text.substr(at + 2, text.find('"', at + 1) - at - 2));
    boost::json::error_code error;
    document.find_pointer(pointer, error);
    EXPECT_FALSE(error) << pointer;
  }
}

TEST(Answers, WriteProblems) {
  std::string out;
  write_problem({Code::unknown_topic, "there is no topic 'a\"b'", "topic", {}}, out, ",\"more\":1");
  const auto problem = boost::json::parse(out);
  EXPECT_EQ(problem.at("type").as_string(), "/errors/unknown_topic");
  EXPECT_EQ(problem.at("status").as_int64(), 404);
  EXPECT_EQ(problem.at("detail").as_string(), "there is no topic 'a\"b'");
  EXPECT_FALSE(problem.at("hint").as_string().empty());
  EXPECT_EQ(problem.at("more").as_int64(), 1);
  EXPECT_EQ(retry_after({Code::overloaded, {}, {}, {}, 3}), "Retry-After: 3\r\n");
  EXPECT_EQ(retry_after({Code::too_many_requests, {}, {}, {}}), "Retry-After: 1\r\n");
  EXPECT_EQ(retry_after({Code::bad_json, {}, {}, {}}), "");
}

TEST(Answers, EveryStatusOfACodeHasAReason) {
  for (const CodeInfo& entry : all_codes()) EXPECT_NE(reason(entry.http_status), "Status") << entry.name;
}

TEST(Answers, WriteServerSentEvents) {
  std::string out;
  write_server_sent_event("7", "{\n\"a\":\r\n1\r}", out);
  EXPECT_EQ(out, "id: 7\ndata: {\ndata: \"a\":\ndata: 1\ndata: }\n\n");
}

TEST(Answers, WriteTheDate) {
  DateText date;
  EXPECT_EQ(date.at(WallTime{1'795'249'800'999}), "Sat, 21 Nov 2026 08:30:00 GMT");
}

TEST(Lines, AreCutWhereTheyEnd) {
  Lines lines;
  std::string text = "a\r\n\n  \nb";
  std::size_t used = 0;
  EXPECT_EQ(lines.next(text, used, false), "a");
  EXPECT_EQ(lines.number(), 1u);
  EXPECT_FALSE(lines.next(text, used, false));
  text += "c\nd";
  EXPECT_EQ(lines.next(text, used, false), "bc");
  EXPECT_EQ(lines.number(), 4u);
  EXPECT_FALSE(lines.next(text, used, false));
  EXPECT_EQ(lines.next(text, used, true), "d");
  EXPECT_FALSE(lines.next(text, used, true));
}

TEST(Stream, IsWantedByAccept) {
  EXPECT_TRUE(wants_stream("text/event-stream"));
  EXPECT_TRUE(wants_stream("application/json, Text/Event-Stream;q=0.9"));
  EXPECT_FALSE(wants_stream("*/*"));
  EXPECT_FALSE(wants_stream(""));
}

}  // namespace
}  // namespace continuo::wire::http
