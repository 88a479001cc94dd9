#include "continuo/wire/http/queues.h"

#include <gtest/gtest.h>

#include "continuo/record/padded_text.h"

namespace continuo::wire::http {
namespace {

using engines::OnFailure;
using engines::OrderBy;

// What is read of a text has views into it.
template <class Read>
auto read(const record::PaddedText& text, const Read& reader) {
  const auto object = parse_object(text.view());
  CHECK(object.has_value());
  return reader("mail", *object);
}

template <class Read>
std::string refused(const std::string& text, const Read& reader) {
  const auto asked = read(record::PaddedText{text}, reader);
  return asked ? "taken" : std::string{name(asked.error().code)} + " at " + asked.error().at;
}

Result<PutQueue> put(const std::string& text) { return read(record::PaddedText{text}, read_put_queue); }

TEST(Queues, HaveDefaultsThatFitTheirKind) {
  const auto plain = put("{}");
  EXPECT_EQ(plain->subscription.order_by, OrderBy::none);
  EXPECT_EQ(plain->subscription.on_failure, OnFailure::dead_letter);
  EXPECT_EQ(plain->subscription.dead_letter, "mail.dead");
  EXPECT_EQ(plain->subscription.retry.attempts, 5u);
  EXPECT_EQ(plain->subscription.from, engines::StartFrom::earliest);
  EXPECT_TRUE(plain->subscription.queue);
  EXPECT_EQ(plain->subscription.topics, std::vector<std::string>{"mail"});
  EXPECT_EQ(plain->topic.dedup_window, Millis{300'000});
  const auto fifo = put(R"({"fifo":true})");
  EXPECT_EQ(fifo->subscription.order_by, OrderBy::key);
  EXPECT_EQ(fifo->subscription.on_failure, OnFailure::park);
  EXPECT_EQ(fifo->subscription.dead_letter, "");
  EXPECT_EQ(put(R"({"fifo":true,"dead_letter":"morgue"})")->subscription.on_failure, OnFailure::dead_letter);
}

TEST(Queues, AreWrittenAsTheyAreRead) {
  const std::string text =
      R"({"fifo":false,"lease":"20s","max_receives":3,"on_failure":"dead_letter","dead_letter":"morgue",)"
      R"("retention":"4d","retry":{"backoff":"exponential","base":"200ms"},"dedup_window":"1m","partitions":2})";
  const auto first = put(text);
  ASSERT_TRUE(first) << to_string(first.error());
  std::string written = "{\"x\":0";
  write_queue_settings(first->topic, first->subscription, written);
  written.erase(1, 6);
  const std::size_t receives = written.find("\"max_receives\":3,");
  ASSERT_NE(receives, std::string::npos) << written;
  written.erase(receives, 17);  // `retry` says it too
  const auto again = put(written + "}");
  ASSERT_TRUE(again) << written << to_string(again.error());
  EXPECT_EQ(again->subscription, first->subscription);
  EXPECT_EQ(again->topic, first->topic);
}

TEST(Queues, AreRefusedWithThePlace) {
  EXPECT_EQ(refused(R"({"dead_letter":"mail"})", read_put_queue), "bad_setting at dead_letter");
  EXPECT_EQ(refused(R"({"dead_letter":"a b"})", read_put_queue).substr(0, 8), "bad_name");
  EXPECT_EQ(refused(R"({"on_failure":"park","dead_letter":"x"})", read_put_queue), "bad_setting at dead_letter");
  EXPECT_EQ(refused(R"({"on_failure":"cry"})", read_put_queue), "bad_setting at on_failure");
  EXPECT_EQ(refused(R"({"max_receives":3,"retry":{"attempts":3}})", read_put_queue), "bad_setting at retry.attempts");
  EXPECT_EQ(refused(R"({"lease":"1ms"})", read_put_queue), "bad_setting at lease");
  EXPECT_EQ(refused(R"({"visibility":"30s"})", read_put_queue), "unknown_field at visibility");
}

TEST(Queues, ChangeOnlyWhatIsNamed) {
  const auto change = [](const std::string& text) { return read(record::PaddedText{text}, read_change_queue); };
  const engines::QueueChange lease = change(R"({"lease":"20s"})")->change;
  EXPECT_EQ(lease.subscription, engines::SubscriptionChange{.lease = Millis{20'000}});
  EXPECT_EQ(lease.topic.applied_to({}), engines::TopicSettings{});
  EXPECT_EQ(lease.receives, std::nullopt);
  EXPECT_EQ(change(R"({"retention":null})")->change.subscription.ttl, std::make_optional(std::optional<Millis>{}));
  EXPECT_EQ(change(R"({"max_receives":9})")->change.receives, 9u);
  EXPECT_EQ(change(R"({"max_receives":9})")->change.subscription, engines::SubscriptionChange{});
  EXPECT_EQ(change(R"({"retry":{"attempts":9}})")->change.receives, 9u);
  EXPECT_EQ(change(R"({"retry":{"delay":"2s"}})")->change.receives, std::nullopt);
  EXPECT_EQ(change(R"({"on_failure":"dead_letter"})")->change.subscription.dead_letter, "mail.dead");
  EXPECT_EQ(change(R"({"dead_letter":"morgue"})")->change.subscription.on_failure, OnFailure::dead_letter);
  EXPECT_EQ(change(R"({"on_failure":"park"})")->change.subscription.dead_letter, "");
  EXPECT_EQ(refused("{}", read_change_queue), "bad_setting at lease");
  EXPECT_EQ(refused(R"({"lease":"1ms"})", read_change_queue), "bad_setting at lease");
  EXPECT_EQ(refused(R"({"dead_letter":"mail"})", read_change_queue), "bad_setting at dead_letter");
  EXPECT_EQ(refused(R"({"leese":"1s"})", read_change_queue), "unknown_field at leese");
}

TEST(Messages, AreOneOrManyOrAnEvent) {
  const record::PaddedText one{R"({"data":{"to":"ann"},"delay":"5s","group":"g","dedup_id":"d"})"};
  const auto alone = read(one, read_send_messages);
  ASSERT_EQ(alone->messages.size(), 1u);
  EXPECT_EQ(alone->messages[0].data, R"({"to":"ann"})");
  EXPECT_EQ(alone->messages[0].delay, Millis{5'000});
  EXPECT_EQ(alone->messages[0].group, "g");
  EXPECT_EQ(alone->messages[0].dedup_id, "d");
  const record::PaddedText many{
      R"({"messages":[{"event":{"id":"1"}},{"data":"two","ttl":"1s"},{"data":3},{"data":null}]})"};
  const auto all = read(many, read_send_messages);
  ASSERT_EQ(all->messages.size(), 4u);
  EXPECT_EQ(all->messages[0].event, R"({"id":"1"})");
  EXPECT_EQ(all->messages[1].data, "\"two\"");
  EXPECT_EQ(all->messages[2].data, "3");
  EXPECT_EQ(all->messages[3].data, "null");
  const record::PaddedText event{R"({"specversion":"1.0","id":"1"})"};
  EXPECT_EQ(read(event, read_send_messages)->messages[0].event, event.view());
}

TEST(Messages, AreRefusedWithThePlace) {
  EXPECT_EQ(refused("{}", read_send_messages), "bad_request at data");
  EXPECT_EQ(refused(R"({"data":1,"event":{}})", read_send_messages), "bad_request at data");
  EXPECT_EQ(refused(R"({"messages":[{"data":1},{"data":1,"delay":5}]})", read_send_messages),
            "bad_setting at messages[1].delay");
  EXPECT_EQ(refused(R"({"data":1,"delay":"1s","not_before":"2030-01-01T00:00:00Z"})", read_send_messages),
            "bad_setting at not_before");
  EXPECT_EQ(refused(R"({"data":1,"ttl":"1s","expire_at":"2030-01-01T00:00:00Z"})", read_send_messages),
            "bad_setting at expire_at");
  EXPECT_EQ(refused(R"({"data":1,"not_before":"tomorrow"})", read_send_messages), "bad_setting at not_before");
  EXPECT_EQ(refused(R"({"messages":[{"data":1,"priority":1}]})", read_send_messages),
            "unknown_field at messages[0].priority");
}

TEST(Peeks, GoOnWhereTheLastOneEnded) {
  const auto peek = read(record::PaddedText{R"({"max":20,"from":"2:41"})"}, read_peek_queue);
  EXPECT_EQ(peek->max, 20u);
  EXPECT_EQ(peek->partition, PartitionId{2});
  EXPECT_EQ(peek->offset, Offset{41});
  for (const char* bad : {"41", "a:1", "1:", "1:-1", "1:2x"})
    EXPECT_EQ(refused(std::string{R"({"from":")"} + bad + "\"}", read_peek_queue), "bad_setting at from") << bad;
}

TEST(Redrives, NameWhereTheyTakeFromAndHowFast) {
  const auto redrive = read(record::PaddedText{R"({"from":"mail.dead","rate":"100/s"})"}, read_redrive_queue);
  EXPECT_EQ(redrive->from, "mail.dead");
  EXPECT_EQ(redrive->rate, 100u);
  const auto asked =
      read(record::PaddedText{R"({"from":"mail.dead","by":"kim","reason":"release 4.2"})"}, read_redrive_queue);
  EXPECT_EQ(asked->asked.by, "kim");
  EXPECT_EQ(asked->asked.reason, "release 4.2");
  EXPECT_EQ(refused("{}", read_redrive_queue).substr(0, 11), "bad_setting");
  EXPECT_EQ(refused(R"({"from":"mail"})", read_redrive_queue), "bad_setting at from");
  for (const char* bad : {"100", "0/s", "x/s", "100/m"})
    EXPECT_EQ(refused(std::string{R"({"from":"d","rate":")"} + bad + "\"}", read_redrive_queue), "bad_setting at rate");
}

}  // namespace
}  // namespace continuo::wire::http
