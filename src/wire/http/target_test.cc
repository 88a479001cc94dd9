#include "continuo/wire/http/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "continuo/base/errors.h"
#include "continuo/record/padded_text.h"
#include "continuo/wire/http/copy_cycles.h"

namespace continuo::wire::http {
namespace {

using testing::HasSubstr;

Result<std::string> kept(std::string_view target, const std::vector<std::string>& topics = {"orders"}) {
  const record::PaddedText text{"{\"target\":" + std::string{target} + "}"};
  auto object = parse_object(text.view());
  if (!object) return pass(object);
  Fields fields(*object, {}, {"target"});
  std::string read = read_target(fields, topics);
  if (auto checked = fields.result(); !checked) return pass(checked);
  return read;
}

std::string refused(std::string_view target) {
  const auto read = kept(target);
  return read ? "taken: " + *read : std::string{name(read.error().code)} + " at " + read.error().at;
}

std::string webhook(std::string_view more) {
  return R"({"webhook":{"url":"https://shop.example/hooks")" + std::string{more} + "}}";
}

TEST(Target, IsKeptWithEveryDefaultWrittenOut) {
  EXPECT_EQ(kept(R"({"pull":{}})"), "");
  EXPECT_EQ(kept(R"({"topic":{"name":"copies"}})"), R"({"topic":{"name":"copies"}})");
  const auto shortest = kept(webhook(""));
  EXPECT_EQ(shortest,
            R"({"webhook":{"url":"https://shop.example/hooks","mode":"binary","concurrency":8,"timeout":"10s"}})");
  EXPECT_EQ(kept(webhook(R"(, "timeout" : "10000ms", "concurrency":8 )")).value(), shortest.value())
      << "the same said otherwise";
}

TEST(Target, IsReadBack) {
  const std::string full = R"({"webhook":{"url":"http://[2001:DB8::1]:8080/a?b=%20c","mode":"structured",)"
                           R"("concurrency":3,"timeout":"250ms","rate":"100/s","secret":"0123456789abcdef",)"
                           R"("headers":{"Authorization":"Bearer \"x\"","X-Team":"a"}}})";
  const auto text = kept(full);
  ASSERT_EQ(text, full);
  const auto target = parse_target(*text);
  ASSERT_TRUE(target && target->webhook);
  EXPECT_EQ(target->webhook->url, (WebhookUrl{false, "2001:db8::1", 8080, "/a?b=%20c"}));
  EXPECT_EQ(target->webhook->url.authority(), "[2001:db8::1]:8080");
  EXPECT_EQ(target->webhook->rate, (Rate{100, Millis{1'000}}));
  EXPECT_EQ(target->webhook->headers[0].second, "Bearer \"x\"");
  EXPECT_EQ(parse_target(R"({"topic":{"name":"copies"}})")->topic->name, "copies");
  EXPECT_FALSE(parse_target("")->webhook || parse_target("")->topic);
}

TEST(Target, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(refused("{}"), "bad_setting at target");
  EXPECT_EQ(refused(R"({"pull":{},"topic":{"name":"x"}})"), "bad_setting at target");
  EXPECT_EQ(refused(R"({"process":{}})"), "unsupported at target.process");
  EXPECT_EQ(refused(R"({"mail":{}})"), "unknown_field at target.mail");
  EXPECT_EQ(refused(R"({"pull":{"x":1}})"), "unknown_field at target.pull.x");
  EXPECT_EQ(refused(R"({"webhook":{}})"), "bad_setting at target.webhook.url");
  EXPECT_EQ(refused(R"({"webhook":{"url":"ftp://a/"}})"), "bad_setting at target.webhook.url");
  EXPECT_EQ(refused(webhook(R"(,"mode":"batch")")), "bad_setting at target.webhook.mode");
  EXPECT_EQ(refused(webhook(R"(,"concurrency":0)")), "bad_setting at target.webhook.concurrency");
  EXPECT_EQ(refused(webhook(R"(,"concurrency":1001)")), "bad_setting at target.webhook.concurrency");
  EXPECT_EQ(refused(webhook(R"(,"timeout":"6m")")), "bad_setting at target.webhook.timeout");
  EXPECT_EQ(refused(webhook(R"(,"rate":"fast")")), "bad_setting at target.webhook.rate");
  EXPECT_EQ(refused(webhook(R"(,"rate":"")")), "bad_setting at target.webhook.rate");
  EXPECT_EQ(refused(webhook(R"(,"secret":"short")")), "bad_setting at target.webhook.secret");
  EXPECT_EQ(refused(webhook(R"(,"secret":"whsec_!!!")")), "bad_setting at target.webhook.secret");
  EXPECT_EQ(refused(webhook(R"(,"secret":"whsec_c2hvcnQ=")")), "bad_setting at target.webhook.secret");
  EXPECT_EQ(refused(R"({"topic":{}})"), "bad_setting at target.topic.name");
  EXPECT_EQ(refused(R"({"topic":{"name":"a b"}})").substr(0, 8), "bad_name");
  EXPECT_EQ(refused(R"({"topic":{"name":"continuo.events"}})"), "system_name at target.topic.name");
  EXPECT_EQ(refused(R"({"topic":{"name":"orders"}})"), "bad_setting at target.topic.name");
}

TEST(Target, TakesFewHeadersAndNoneOfItsOwn) {
  const auto header = [](std::string_view text) { return webhook(R"(,"headers":{)" + std::string{text} + "}"); };
  EXPECT_EQ(refused(header(R"("Content-Length":"1")")), "bad_setting at target.webhook.headers.Content-Length");
  EXPECT_EQ(refused(header(R"("CE-id":"1")")), "bad_setting at target.webhook.headers.CE-id");
  EXPECT_EQ(refused(header(R"("Webhook-Signature":"1")")), "bad_setting at target.webhook.headers.Webhook-Signature");
  EXPECT_EQ(refused(header(R"("a b":"1")")), "bad_setting at target.webhook.headers.a b");
  EXPECT_EQ(refused(header(R"("X":"a\r\nb")")), "bad_setting at target.webhook.headers.X");
  EXPECT_EQ(refused(header(R"("X":"")")), "bad_setting at target.webhook.headers.X");
  EXPECT_EQ(refused(header(R"("X":1)")), "bad_setting at target.webhook.headers.X");
  EXPECT_EQ(refused(header(R"("X":"1","x":"2")")), "bad_setting at target.webhook.headers.x");
  EXPECT_EQ(refused(header("\"X\":\"" + std::string(1'024, 'v') + "\"")), "bad_setting at target.webhook.headers.X");
  std::string many;
  for (int i = 0; i < 9; ++i) many += (i == 0 ? "" : ",") + ("\"X" + std::to_string(i)) + "\":\"1\"";
  EXPECT_EQ(refused(header(many)), "bad_setting at target.webhook.headers");
  EXPECT_EQ(kept(header(R"("B":"1","A":"2")")).value(), kept(header(R"("A":"2","B":"1")")).value());
}

TEST(Target, ShowsNoSecretAndTakesTheStarsForTheOneItHas) {
  const auto secret = kept(webhook(R"(,"secret":"0123456789abcdef","headers":{"Authorization":"Bearer x"})"));
  ASSERT_TRUE(secret);
  const std::string shown = shown_target(*secret);
  EXPECT_THAT(shown, HasSubstr(R"("secret":"***","headers":{"Authorization":"***"})"));
  EXPECT_THAT(shown, testing::Not(HasSubstr("0123")));
  EXPECT_EQ(with_kept_secrets(*kept(shown), *secret).value(), *secret) << "what was shown says the same again";
  EXPECT_EQ(with_kept_secrets(*secret, *secret).value(), *secret);
  EXPECT_EQ(with_kept_secrets(*kept(shown), "").error().at, "target.webhook.secret");
  EXPECT_EQ(with_kept_secrets(*kept(webhook(R"(,"headers":{"X":"***"})")), *secret).error().at,
            "target.webhook.headers.X");
  EXPECT_EQ(shown_target(R"({"topic":{"name":"copies"}})"), R"({"topic":{"name":"copies"}})");
  EXPECT_EQ(with_kept_secrets("", *secret), "");
}

TEST(WebhookUrl, IsReadStrictly) {
  EXPECT_EQ(parse_webhook_url("HTTPS://Shop.Example"), (WebhookUrl{true, "shop.example", 443, "/"}));
  EXPECT_EQ(parse_webhook_url("http://a_b.c:81?x=1"), (WebhookUrl{false, "a_b.c", 81, "/?x=1"}));
  EXPECT_EQ(parse_webhook_url("http://1.2.3.4/")->authority(), "1.2.3.4");
  for (const char* text : {"",
                           "shop.example",
                           "//shop.example",
                           "ftp://a/",
                           "https://",
                           "https:///x",
                           "https://a b/",
                           "https://a/#b",
                           "https://u:p@a/",
                           "https://u@a/",
                           "https://a:0/",
                           "https://a:65536/",
                           "https://a:x/",
                           "https://a:/",
                           "https://[::1/",
                           "https://[1.2.3.4]/",
                           "https://[::1]x/",
                           "https://a..b/",
                           "https://1.2.3/",
                           "https://127.1/",
                           "https://0x7f.1/",
                           "https://2130706433/",
                           "https://010.0.0.1/",
                           "https://1.2.3.4.5/",
                           "https://a%41/",
                           "https://a\\b/",
                           "https://\xc3\xa4/",
                           "https://1.2.3.256/"})
    EXPECT_EQ(parse_webhook_url(text).error().code, Code::bad_setting) << text;
  EXPECT_FALSE(parse_webhook_url("https://a/" + std::string(most_url_bytes, 'x')));
}

TEST(WebhookUrl, KnowsPrivateAddresses) {
  for (const char* host : {"127.0.0.1",
                           "10.1.2.3",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.168.1.1",
                           "169.254.169.254",
                           "0.0.0.0",
                           "100.64.0.1",
                           "224.0.0.1",
                           "255.255.255.255",
                           "240.0.0.1",
                           "198.18.0.1",
                           "192.0.2.1",
                           "::",
                           "::1",
                           "fe80::1",
                           "fc00::1",
                           "fd12::1",
                           "ff02::1",
                           "::ffff:127.0.0.1",
                           "::ffff:10.0.0.1",
                           "::127.0.0.1",
                           "64:ff9b::10.0.0.1",
                           "2002:7f00:1::",
                           "2002:a00:1::1",
                           "2001:db8::1",
                           "2001::1",
                           "fec0::1",
                           "localhost",
                           "a.localhost",
                           "localhost."})
    EXPECT_TRUE(is_private_host(host)) << host;
  for (const char* host :
       {"1.1.1.1", "172.15.0.1", "172.32.0.1", "192.169.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1",
        "64:ff9b::1.1.1.1", "2002:101:101::1", "shop.example", "localhost.example"})
    EXPECT_FALSE(is_private_host(host)) << host;
}

TEST(Rate, IsACountInATime) {
  EXPECT_EQ(rate_from("100/s"), (Rate{100, Millis{1'000}}));
  EXPECT_EQ(rate_from("1/h"), (Rate{1, Millis{3'600'000}}));
  for (const char* text : {"", "100", "/s", "100/", "100/d", "0/s", "-1/s", "1.5/s", "1000001/s", "100/s "})
    EXPECT_FALSE(rate_from(text)) << text;
  for (const char* text : {"100/s", "30/m", "1000000/h"}) EXPECT_EQ(format_rate(*rate_from(text)), text);
}

TEST(CopyCycles, NameTheWayRound) {
  const std::vector<std::string> a{"a"}, b{"b"}, c{"c", "x"};
  const std::vector<TopicCopy> others{{"s1", a, "b"}, {"s2", b, "c"}, {"s3", b, "d"}};
  EXPECT_EQ(copy_cycle({"new", c, "a"}, others), "c -> a (by 'new') -> b (by 's1') -> c (by 's2')");
  EXPECT_EQ(copy_cycle({"new", a, "a"}, {}), "a -> a (by 'new')");
  EXPECT_EQ(copy_cycle({"new", a, "c"}, others), "");
  EXPECT_EQ(copy_cycle({"new", b, "a"}, others), "b -> a (by 'new') -> b (by 's1')");
  std::vector<TopicCopy> all = others;
  EXPECT_TRUE(closing_copies(all).empty());
  all.insert(all.begin() + 2, {"new", c, "a"});
  EXPECT_EQ(closing_copies(all), std::vector<std::size_t>{2});
}

// By its meaning, on small random graphs: an event put into any topic comes back to it after at most as many copies as
// there are subscriptions.
RC_GTEST_PROP(CopyCycles, AreFoundExactlyWhereThereAreSome,
              (const std::vector<std::pair<std::uint8_t, std::uint8_t>>& given)) {
  const auto name = [](std::uint8_t number) { return std::string(1, static_cast<char>('a' + number % 5)); };
  std::vector<std::vector<std::string>> from;
  std::vector<std::string> to;
  for (const auto& [source, copy] : given) {
    from.push_back({name(source)});
    to.push_back(name(copy));
  }
  std::vector<TopicCopy> taken, all;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const TopicCopy added{"s", from[i], to[i]};
    std::set<std::string_view> reached{to[i]};
    for (std::size_t step = 0; step <= taken.size(); ++step)
      for (const TopicCopy& copy : taken)
        if (reached.contains(copy.from.front())) reached.insert(copy.to);
    const bool round = reached.contains(from[i].front());
    RC_ASSERT(copy_cycle(added, taken).empty() == !round);
    if (!round) taken.push_back(added);
    all.push_back(added);
  }
  std::vector<TopicCopy> kept = all;
  const auto closing = closing_copies(all);
  for (auto each = closing.rbegin(); each != closing.rend(); ++each)
    kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(*each));
  RC_ASSERT(kept.size() == taken.size());
  for (std::size_t i = 0; i < kept.size(); ++i)
    RC_ASSERT(kept[i].to == taken[i].to && kept[i].from[0] == taken[i].from[0]);
}

}  // namespace
}  // namespace continuo::wire::http
