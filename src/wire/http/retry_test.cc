#include "continuo/wire/http/retry.h"

#include <gtest/gtest.h>

#include "continuo/record/padded_text.h"

namespace continuo::wire::http {
namespace {

// What it is read as, written again; or what is wrong.
std::string read(std::string_view retry) {
  const record::PaddedText text{"{\"retry\":" + std::string{retry} + "}"};
  const auto object = parse_object(text.view());
  if (!object) return to_string(object.error());
  Fields fields{*object, {}, {"retry"}};
  engines::RetryPolicy policy;
  read_retry(fields, policy);
  const auto result = fields.result();
  return result ? write_retry(policy) : std::string{name(result.error().code)} + " at " + result.error().at;
}

TEST(RetrySettings, AreReadAndWrittenAsTheyCount) {
  EXPECT_EQ(read("{}"), R"({"attempts":5,"backoff":"fixed","base":"1s","jitter":false})");
  EXPECT_EQ(read(R"({"attempts":3,"delay":"2s"})"), R"({"attempts":3,"backoff":"fixed","base":"2s","jitter":false})");
  EXPECT_EQ(read(R"({"backoff":"exponential","base":"200ms","max":"30s","jitter":true})"),
            R"({"attempts":5,"backoff":"exponential","base":"200ms","max":"30s","jitter":true})");
  EXPECT_EQ(read(R"({"backoff":"linear"})"),
            R"({"attempts":5,"backoff":"linear","base":"1s","max":"30s","jitter":false})");
  EXPECT_EQ(read(R"({"delays":["1s","5m"]})"),
            R"({"attempts":5,"backoff":"listed","delays":["1s","5m"],"jitter":false})");
}

TEST(RetrySettings, ARuleIsAsThePolicyButForWhatItSays) {
  EXPECT_EQ(read(R"({"attempts":7,"delays":["1s"],"rules":[{"codes":["a","b*"],"attempts":1},)"
                 R"({"codes":["\""],"backoff":"fixed","base":"0s"},{"codes":["c"],"delay":"1m"}]})"),
            R"({"attempts":7,"backoff":"listed","delays":["1s"],"jitter":false,"rules":[)"
            R"({"codes":["a","b*"],"attempts":1,"backoff":"listed","delays":["1s"],"jitter":false},)"
            R"({"codes":["\""],"attempts":7,"backoff":"fixed","base":"0ms","jitter":false},)"
            R"({"codes":["c"],"attempts":7,"backoff":"fixed","base":"1m","jitter":false}]})");
}

TEST(RetrySettings, WhatIsWrongIsToldWithItsPlace) {
  EXPECT_EQ(read(R"({"backoff":"quadratic"})"), "bad_setting at retry.backoff");
  EXPECT_EQ(read(R"({"attempts":0})"), "bad_setting at retry.attempts");
  EXPECT_EQ(read(R"({"delay":"1s","base":"1s"})"), "bad_setting at retry.base");
  EXPECT_EQ(read(R"({"backoff":"listed"})"), "bad_setting at retry.delays");
  EXPECT_EQ(read(R"({"delays":["soon"]})"), "bad_setting at retry.delays");
  EXPECT_EQ(read(R"({"rules":[{"attempts":1}]})"), "bad_setting at retry.rules[0].codes");
  EXPECT_EQ(read(R"({"rules":[{"codes":["a"]},{"codes":["*a"]}]})"), "bad_setting at retry.rules[1].codes[0]");
  EXPECT_EQ(read(R"({"rules":[{"codes":["a"],"code":"b"}]})"), "unknown_field at retry.rules[0].code");
  EXPECT_EQ(read(R"({"backof":"fixed"})"), "unknown_field at retry.backof");
}

}  // namespace
}  // namespace continuo::wire::http
