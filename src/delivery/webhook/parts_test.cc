// The parts of a webhook that need no socket: what they decide with the time they are given.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/delivery/webhook/breaker.h"
#include "continuo/delivery/webhook/outcome.h"
#include "continuo/delivery/webhook/request.h"
#include "continuo/delivery/webhook/retry_after.h"
#include "continuo/delivery/webhook/signature.h"
#include "continuo/delivery/webhook/token_bucket.h"

namespace continuo::delivery::webhook {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr Micros second{1'000'000};

TEST(Breaker, OpensAfterSoManyFailuresOneAfterTheOther) {
  Breaker breaker{{.failures = 3}};
  const Micros now{5 * second};
  breaker.failed(now);
  breaker.failed(now);
  breaker.succeeded();
  breaker.failed(now);
  breaker.failed(now);
  EXPECT_EQ(breaker.state(now), Breaker::State::closed);
  breaker.failed(now);
  EXPECT_EQ(breaker.state(now), Breaker::State::open);
  EXPECT_EQ(breaker.until(), now + second);
}

TEST(Breaker, LetsOneThroughAfterPausesThatDouble) {
  Breaker breaker{{.failures = 1}};
  Micros now{0};
  Micros pause = second;
  for (int i = 0; i < 10; ++i) {
    breaker.failed(now);
    EXPECT_EQ(breaker.state(now + pause - Micros{1}), Breaker::State::open);
    EXPECT_EQ(breaker.state(now + pause), Breaker::State::probing);
    now += pause;
    pause = std::min(2 * pause, 60 * second);
  }
  EXPECT_EQ(pause, 60 * second);
  breaker.succeeded();
  EXPECT_EQ(breaker.state(now), Breaker::State::closed);
  breaker.failed(now);
  EXPECT_EQ(breaker.until(), now + second) << "pauses begin anew";
}

TEST(Breaker, WhatWasUnderWayWhenItOpenedMakesNoPauseLonger) {
  Breaker breaker{{.failures = 1}};
  for (int i = 0; i < 8; ++i) breaker.failed(Micros{0});
  EXPECT_EQ(breaker.until(), second);
}

TEST(TokenBucket, GivesSoManyASecond) {
  TokenBucket bucket{100, Millis{1'000}, Micros{0}};
  EXPECT_EQ(bucket.available(Micros{0}), 10u) << "a tenth of a second is kept";
  bucket.take(10);
  EXPECT_EQ(bucket.available(Micros{0}), 0u);
  std::uint32_t given = 0;
  for (Micros now{0}; now <= 10 * second; now += Micros{1'000}) {
    const std::uint32_t some = bucket.available(now);
    bucket.take(some);
    given += some;
  }
  EXPECT_EQ(given, 1'000u);
}

TEST(TokenBucket, SaysWhenThereIsTheNext) {
  TokenBucket bucket{30, Millis{60'000}, Micros{0}};
  EXPECT_EQ(bucket.available(Micros{0}), 1u);
  EXPECT_EQ(bucket.next(), Micros{0});
  bucket.take(1);
  const Micros next = bucket.next();
  EXPECT_NEAR(static_cast<double>(next.count()), 2e6, 10);
  EXPECT_EQ(bucket.available(next - Micros{10}), 0u);
  EXPECT_EQ(bucket.available(next), 1u);
  EXPECT_EQ(bucket.available(next + 3'600 * second), 1u) << "nothing is saved up";
}

// 1994-11-06T08:49:37Z, the date of RFC 9110, 5.6.7.
constexpr WallTime date_of_rfc{784'111'777'000};

TEST(RetryAfter, IsSecondsOrADateInAnySpelling) {
  const WallTime before{date_of_rfc.ms - 90'000};
  EXPECT_EQ(retry_after("120", before), Millis{120'000});
  EXPECT_EQ(retry_after("0", before), Millis{0});
  EXPECT_EQ(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", before), Millis{90'000});
  EXPECT_EQ(retry_after("Sunday, 06-Nov-94 08:49:37 GMT", before), Millis{90'000});
  EXPECT_EQ(retry_after("Sun Nov  6 08:49:37 1994", before), Millis{90'000});
  EXPECT_EQ(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", {date_of_rfc.ms + 1'000}), Millis{0}) << "has passed";
  EXPECT_EQ(retry_after("99999999999999999999999", before), Millis{7 * 86'400'000}) << "bounded";
  for (const char* text : {"", "-1", "1.5", "soon", "Sun, 06 Nov 1994 08:49:37 GMT+1", "06 Nov 1994", " 1"})
    EXPECT_FALSE(retry_after(text, before)) << text;
}

// The vector that the specification's own libraries are tested with.
TEST(Signature, IsThatOfStandardWebhooks) {
  EXPECT_EQ(signature(signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "msg_p5jXN8AQM9LWM0D4loKWxJek",
                      1'614'265'330, R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  EXPECT_EQ(signing_key("0123456789abcdef"), "0123456789abcdef");
  EXPECT_EQ(signing_key("whsec_MDEyMzQ1Njc4OWFiY2RlZg=="), "0123456789abcdef");
}

Reply answered(int status, std::string_view retry_after = {}) {
  Reply reply;
  reply.status = status;
  reply.retry_after = retry_after;
  return reply;
}

TEST(Outcome, GoesByTheStatus) {
  for (const int status : {200, 201, 202, 204, 299}) EXPECT_TRUE(outcome_of(answered(status), {}).delivered) << status;
  const Outcome missing = outcome_of(answered(404), {});
  EXPECT_FALSE(missing.delivered || missing.down);
  EXPECT_EQ(missing.code, "http_404");
  EXPECT_EQ(missing.message, "the webhook answered 404");
  EXPECT_TRUE(outcome_of(answered(500), {}).down);
  EXPECT_FALSE(outcome_of(answered(500, "5"), {}).delay) << "only 429 and 503 say when";
  EXPECT_EQ(outcome_of(answered(429, "5"), {}).delay, Millis{5'000});
  EXPECT_EQ(outcome_of(answered(503, "5"), {}).delay, Millis{5'000});
  EXPECT_FALSE(outcome_of(answered(429), {}).delay);
  EXPECT_FALSE(outcome_of(answered(429), {}).down) << "it is there, and busy";
  for (const int status : {301, 302, 307, 308}) {
    const Outcome moved = outcome_of(answered(status), {});
    EXPECT_EQ(moved.code, "webhook_redirect");
    EXPECT_FALSE(moved.delivered);
  }
  Reply none;
  none.trouble = Trouble::connection_refused;
  none.detail = "the webhook refused the connection";
  EXPECT_EQ(outcome_of(none, {}).code, "connection_refused");
  EXPECT_TRUE(outcome_of(none, {}).down);
}

record::Event event() {
  record::Event event;
  event.id = "o-1";
  event.source = "/shop";
  event.type = "OrderPlaced";
  event.subject = "c 42%\"\xc3\xa4";
  event.datacontenttype = "application/json";
  event.extensions = {{"correlationid", "o-1"}};
  event.data = R"({"amount":7})";
  event.data_kind = record::DataKind::json;
  return event;
}

const Attempt attempt{.subscription = "mails",
                      .topic = "orders",
                      .partition = PartitionId{0},
                      .offset = Offset{41},
                      .message_id = "msg_1_2_0_41",
                      .number = 2,
                      .now = WallTime{1'614'265'330'999}};

wire::http::WebhookTarget target() {
  wire::http::WebhookTarget target;
  target.url = wire::http::parse_webhook_url("https://shop.example:8443/hooks?a=1").value();
  return target;
}

TEST(Request, InBinaryModeHasTheAttributesInHeaders) {
  auto made = target();
  made.secret = "0123456789abcdef";
  made.headers = {{"X-Team", "orders"}};
  const std::string request = RequestWriter{made}.write(event(), attempt);
  EXPECT_THAT(request, testing::StartsWith("POST /hooks?a=1 HTTP/1.1\r\nHost: shop.example:8443\r\n"));
  for (const char* line : {"ce-specversion: 1.0", "ce-id: o-1", "ce-source: /shop", "ce-type: OrderPlaced",
                           "ce-subject: c%2042%25%22%C3%A4", "ce-correlationid: o-1", "ce-partition: 0",
                           "ce-offset: 41", "Content-Type: application/json", "Content-Length: 12",
                           "Continuo-Subscription: mails", "Continuo-Topic: orders", "Continuo-Attempt: 2",
                           "webhook-id: msg_1_2_0_41", "webhook-timestamp: 1614265330", "X-Team: orders"})
    EXPECT_THAT(request, HasSubstr("\r\n" + std::string{line} + "\r\n"));
  EXPECT_THAT(request, HasSubstr("webhook-signature: " +
                                 signature("0123456789abcdef", "msg_1_2_0_41", 1'614'265'330, R"({"amount":7})")));
  EXPECT_THAT(request, testing::EndsWith("\r\n\r\n{\"amount\":7}"));
}

TEST(Request, InStructuredModeHasTheEventAsItsBody) {
  auto made = target();
  made.mode = wire::http::WebhookMode::structured;
  const std::string request = RequestWriter{made}.write(event(), attempt);
  EXPECT_THAT(request, HasSubstr("\r\nContent-Type: application/cloudevents+json; charset=UTF-8\r\n"));
  EXPECT_THAT(request, HasSubstr(R"("id":"o-1")"));
  EXPECT_THAT(request, HasSubstr(R"("offset":"41")"));
  EXPECT_THAT(request, Not(HasSubstr("\r\nce-")));
  EXPECT_THAT(request, Not(HasSubstr("webhook-signature")));
}

TEST(Request, CarriesNoHeaderThatAnEventMadeUp) {
  auto hostile = event();
  hostile.type = "a\r\nX-Evil: 1";
  hostile.datacontenttype = "text/plain\r\nX-Evil: 1";
  const std::string request = RequestWriter{target()}.write(hostile, attempt);
  EXPECT_THAT(request, Not(HasSubstr("\r\nX-Evil")));
  EXPECT_THAT(request, HasSubstr("ce-type: a%0D%0AX-Evil:%201\r\n"));
}

}  // namespace
}  // namespace continuo::delivery::webhook
