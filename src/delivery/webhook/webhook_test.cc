// Events of a real node, pushed to a receiver that fails in all ways.
#include <gmock/gmock.h>

#include <map>
#include <mutex>
#include <random>
#include <set>

#include "continuo/delivery/pushing_test.h"
#include "continuo/delivery/webhook/receiver_test.h"
#include "continuo/node/healing.h"

namespace continuo::delivery::webhook {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view fine = "HTTP/1.1 204 No Content\r\n\r\n";

class WebhookTest : public Pushing {
 protected:
  std::vector<std::string> ids() const {
    std::vector<std::string> ids;
    for (const Request& request : receiver_.requests()) ids.push_back(request.header("ce-id"));
    return ids;
  }
  std::size_t count() const { return receiver_.requests().size(); }
  // Sends these bytes from here on.
  void say(std::string bytes) {
    receiver_.answer([bytes = std::move(bytes)](Peer& peer, const Request&) { peer.send(bytes); });
  }
  void pause(SubscriptionId id, bool paused) {
    ASSERT_TRUE(home_.edge.ask<void>(
        [&](node::Edge& to, auto answer) { home_.node->pause(to, id, paused, std::move(answer)); }));
  }
  void remove(const std::string& name) {
    ASSERT_TRUE(home_.edge.ask<void>(
        [&](node::Edge& to, auto answer) { home_.node->delete_subscription(to, name, std::move(answer)); }));
  }

  Receiver receiver_;
};

TEST_F(WebhookTest, GetsEveryEventOnceAndInOrder) {
  const TopicId topic = home_.make_topic();
  const SubscriptionId id =
      subscribe("s", webhook(receiver_.url("/hooks"), R"(,"secret":"0123456789abcdef","concurrency":4)"));
  publish(topic, {{"1", "a"}, {"2", "a"}, {"3", "a"}});
  ASSERT_TRUE(all_settled(id));
  EXPECT_THAT(ids(), ElementsAre("1", "2", "3"));
  const Request first = receiver_.requests().front();
  EXPECT_THAT(first.head, testing::StartsWith("POST /hooks HTTP/1.1\r\n"));
  EXPECT_EQ(first.header("ce-type"), "Made");
  EXPECT_EQ(first.header("continuo-attempt"), "1");
  EXPECT_EQ(first.header("continuo-subscription"), "s");
  EXPECT_EQ(first.header("continuo-topic"), "t");
  EXPECT_THAT(first.header("webhook-signature"), testing::StartsWith("v1,"));
  EXPECT_EQ(first.body, R"({"n":1})");
  publish(topic, {{"4", "a"}});  // those that come later, too
  ASSERT_TRUE(eventually([&] { return count() == 4; }));
  EXPECT_THAT(push_->metrics(), HasSubstr(R"(continuo_push_delivered_total{subscription="s",target="webhook"} )"));
}

// The receiver answers as chance has it. An event counts as done when an answer of 2xx certainly arrived: from then on
// it must not come again, and the order in which a key's events are done is that of the log.
TEST_F(WebhookTest, KeepsTheOrderOfKeysThroughFailuresOfAllKinds) {
  constexpr int keys = 6, each = 12;
  std::mutex mutex;
  std::mt19937 random{7};
  std::map<std::string, std::vector<std::string>> done;
  std::set<std::string> finished, maybe;
  std::vector<std::string> again;
  receiver_.answer([&](Peer& peer, const Request& request) {
    const std::string event = request.header("ce-id"), key = request.header("ce-subject");
    std::unique_lock lock{mutex};
    if (finished.contains(event)) again.push_back(event);
    const auto dice = random() % 12;
    if (dice < 5) {
      if (!maybe.contains(event)) done[key].push_back(event);
      finished.insert(event);
    }
    if (dice == 5 && maybe.insert(event).second) done[key].push_back(event);
    lock.unlock();
    switch (dice) {
      case 0: peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"); return peer.close();
      case 1: peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"); return;
      case 2:
      case 3:
      case 4: peer.send(fine); return;
      case 5:  // done here, and nobody hears of it
        return peer.reset();
      case 6: peer.send("HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n"); return;
      case 7: peer.send("HTTP/1.1 404 Missing\r\nContent-Length: 3\r\n\r\nno\n"); return;
      case 8: peer.send("HTTP/1.1 429 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"); return;
      case 9: peer.send("HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"); return;
      case 10: return peer.reset();
      default: peer.send("HTTP/1.1 5"); return peer.close();
    }
  });
  const TopicId topic = home_.make_topic();
  const SubscriptionId id = subscribe("s", webhook(receiver_.url(), R"(,"concurrency":4,"timeout":"500ms")"));
  std::map<std::string, std::vector<std::string>> log;
  std::vector<std::pair<std::string, std::string>> events;
  for (int i = 0; i < keys * each; ++i) {
    const std::string key = "k" + std::to_string(i % keys), event = std::to_string(i);
    events.emplace_back(event, key);
    log[key].push_back(event);
  }
  publish(topic, events);
  ASSERT_TRUE(eventually([&] { return all_settled(id); }));
  EXPECT_EQ(done, log);
  EXPECT_TRUE(again.empty()) << again.front() << " came again after it was acknowledged";
  EXPECT_EQ(state(id).parked_keys, 0u);
}

TEST_F(WebhookTest, HasSoManyUnderWayAndNeverTwoOfOneKey) {
  std::mutex mutex;
  std::map<std::string, int> now;
  bool twice = false;
  receiver_.answer([&](Peer& peer, const Request& request) {
    const std::string key = request.header("ce-subject");
    {
      const std::scoped_lock lock{mutex};
      if (++now[key] > 1) twice = true;
    }
    peer.wait(milliseconds{10});
    {
      const std::scoped_lock lock{mutex};
      --now[key];
    }
    peer.send(fine);
  });
  const TopicId topic = home_.make_topic();
  std::vector<std::pair<std::string, std::string>> events;
  for (int i = 0; i < 60; ++i) events.emplace_back(std::to_string(i), i < 30 ? "hot" : "k" + std::to_string(i));
  publish(topic, events);
  const SubscriptionId id = subscribe("s", webhook(receiver_.url(), R"(,"concurrency":3)"));
  ASSERT_TRUE(all_settled(id));
  EXPECT_FALSE(twice);
  EXPECT_EQ(receiver_.most_at_once(), 3u) << "a busy key leaves places to others";
  EXPECT_EQ(count(), 60u);
}

TEST_F(WebhookTest, GoesNoFasterThanItsRate) {
  const TopicId topic = home_.make_topic();
  std::vector<std::pair<std::string, std::string>> events;
  for (int i = 0; i < 30; ++i) events.emplace_back(std::to_string(i), std::to_string(i));
  publish(topic, events);
  const auto before = steady_clock::now();
  const SubscriptionId id = subscribe("s", webhook(receiver_.url(), R"(,"rate":"50/s","concurrency":30)"));
  ASSERT_TRUE(all_settled(id));
  EXPECT_EQ(count(), 30u);
  EXPECT_GE(steady_clock::now() - before, milliseconds{400});
}

TEST_F(WebhookTest, WaitsAsLongAsItIsAskedTo) {
  say("HTTP/1.1 429 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n");
  const TopicId topic = home_.make_topic();
  const SubscriptionId id = subscribe("s", webhook(receiver_.url(), R"(,"concurrency":1)"));
  const auto before = steady_clock::now();
  publish(topic, {{"1", "a"}, {"2", "b"}});
  ASSERT_TRUE(eventually([&] { return count() == 1; }));
  say(std::string{fine});
  ASSERT_TRUE(all_settled(id));
  EXPECT_GE(steady_clock::now() - before, milliseconds{990});
  EXPECT_EQ(count(), 3u) << "no other event either was brought meanwhile";
}

TEST_F(WebhookTest, BurnsNoAttemptsWhileTheReceiverIsDown) {
  say("HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n");
  const TopicId topic = home_.make_topic();
  std::vector<std::pair<std::string, std::string>> events;
  for (int i = 0; i < 100; ++i) events.emplace_back(std::to_string(i), std::to_string(i));
  publish(topic, events);
  const SubscriptionId id = subscribe("s", webhook(receiver_.url(), R"(,"concurrency":4)"));
  ASSERT_TRUE(eventually([&] {
    return push_->metrics().find("continuo_push_held{subscription=\"s\",target=\"webhook\"} 1") != std::string::npos;
  }));
  std::this_thread::sleep_for(milliseconds{1'500});
  EXPECT_LE(count(), 10u + 3u + 1u) << "ten, those under way, and one try after a second";
  say(std::string{fine});
  ASSERT_TRUE(all_settled(id));
  EXPECT_EQ(state(id).parked_keys, 0u);
  EXPECT_THAT(push_->metrics(), HasSubstr("continuo_push_held{subscription=\"s\",target=\"webhook\"} 0"));
  EXPECT_THAT(push_->metrics(), HasSubstr(R"(target="webhook",failure="http_5xx"} )"));
}

// What a try finds unreachable says nothing of the event it was tried with.
TEST_F(WebhookTest, TriesOfAnUnreachableReceiverAreNoAttempts) {
  std::uint16_t nobody = 0;
  {
    Receiver gone;
    nobody = gone.port();
  }
  const TopicId topic = home_.make_topic();
  std::vector<std::pair<std::string, std::string>> events;
  for (int i = 0; i < 100; ++i) events.emplace_back(std::to_string(i), std::to_string(i));
  publish(topic, events);
  const SubscriptionId id = subscribe("s", webhook("http://127.0.0.1:" + std::to_string(nobody) + "/"),
                                      [](node::SubscriptionSettings& settings) {
                                        settings.retry.attempts = 2;
                                        settings.retry.base = Millis{500};  // none comes again before the tries
                                      });
  const auto refused = [&] {
    const std::string page = push_->metrics(), label = "failure=\"connection_refused\"} ";
    const auto at = page.find(label);
    return at == std::string::npos ? 0 : std::stoi(page.substr(at + label.size()));
  };
  ASSERT_TRUE(eventually([&] { return refused() >= 10; }));
  const int before = refused();
  ASSERT_TRUE(eventually([&] { return refused() >= before + 2; })) << "tries after one second and two";
  EXPECT_EQ(state(id).parked_keys, 0u);
  EXPECT_LE(refused(), before + 8 + 2);
}

TEST_F(WebhookTest, FailuresAreRetriedByTheirCodesAndParkTheirKey) {
  receiver_.answer([](Peer& peer, const Request& request) {
    const bool bad = request.header("ce-subject") == "bad";
    peer.send(bad ? "HTTP/1.1 404 Missing\r\nContent-Length: 0\r\n\r\n" : fine);
  });
  const TopicId topic = home_.make_topic();
  const SubscriptionId id = subscribe("s", webhook(receiver_.url()), [](node::SubscriptionSettings& settings) {
    engines::RetryRule rule{{"http_4*"}, settings.retry};
    rule.steps.attempts = 2;
    settings.retry.rules = {rule};
  });
  publish(topic, {{"1", "bad"}, {"2", "bad"}, {"3", "good"}});
  ASSERT_TRUE(eventually([&] { return state(id).parked_keys == 1 && count() >= 3; }));
  EXPECT_EQ(state(id).parked_events, 2u);
  const auto parked = home_.edge.ask<std::vector<node::ParkedKey>>(
      [&](node::Edge& to, auto answer) { home_.node->healing().list(to, id, {.limit = 10}, std::move(answer)); });
  EXPECT_EQ(parked->front().failure.code, "http_404");
  EXPECT_EQ(parked->front().failure.message, "the webhook answered 404");
  EXPECT_EQ(count(), 3u);
}

TEST_F(WebhookTest, FollowsItsDefinition) {
  const TopicId topic = home_.make_topic();
  SubscriptionId id = subscribe("s", webhook(receiver_.url("/one")));
  publish(topic, {{"1", "a"}});
  ASSERT_TRUE(all_settled(id));
  pause(id, true);
  publish(topic, {{"2", "a"}});
  std::this_thread::sleep_for(milliseconds{100});
  EXPECT_EQ(count(), 1u);
  pause(id, false);
  ASSERT_TRUE(eventually([&] { return count() == 2; }));
  ASSERT_TRUE(all_settled(id));
  remove("s");
  publish(topic, {{"3", "a"}});
  id = subscribe("s", webhook(receiver_.url("/two")));
  ASSERT_TRUE(all_settled(id));
  EXPECT_THAT(ids(), ElementsAre("1", "2", "1", "2", "3"));
  EXPECT_THAT(receiver_.requests().back().head, testing::StartsWith("POST /two "));
}

TEST_F(WebhookTest, GoesWhereItsTargetGoes) {
  const TopicId topic = home_.make_topic();
  const SubscriptionId id = subscribe("s", webhook(receiver_.url("/one")));
  publish(topic, {{"1", "a"}});
  ASSERT_TRUE(all_settled(id));
  node::SubscriptionChange change;
  change.target = webhook(receiver_.url("/two"));
  ASSERT_TRUE(home_.edge.ask<node::ChangedSubscription>(
      [&](node::Edge& to, auto answer) { home_.node->change_subscription(to, "s", change, std::move(answer)); }));
  publish(topic, {{"2", "a"}});
  ASSERT_TRUE(all_settled(id));
  EXPECT_THAT(ids(), ElementsAre("1", "2"));
  EXPECT_THAT(receiver_.requests().back().head, testing::StartsWith("POST /two "));
}

TEST_F(WebhookTest, GivesLeasesBackWhenItStops) {
  receiver_.answer([](Peer& peer, const Request&) { peer.wait(milliseconds{20'000}); });
  const TopicId topic = home_.make_topic();
  const SubscriptionId id = subscribe("s", webhook(receiver_.url(), R"(,"concurrency":2,"timeout":"1m")"));
  publish(topic, {{"1", "a"}, {"2", "b"}, {"3", "c"}});
  ASSERT_TRUE(eventually([&] { return count() == 2; }));
  const auto before = steady_clock::now();
  push_->stop();
  EXPECT_LT(steady_clock::now() - before, milliseconds{1'500});
  const auto received = home_.receive(id);
  ASSERT_TRUE(received);
  EXPECT_EQ(received->deliveries.size(), 3u);
  for (const node::Delivery& delivery : received->deliveries) EXPECT_EQ(delivery.attempt, 1u);
}

TEST_F(WebhookTest, GoesOnAfterARestart) {
  const TopicId topic = home_.make_topic();
  const SubscriptionId id = subscribe("s", webhook(receiver_.url()));
  publish(topic, {{"1", "a"}});
  ASSERT_TRUE(all_settled(id));
  push_.reset();
  publish(topic, {{"2", "a"}});
  start();
  ASSERT_TRUE(all_settled(id));
  EXPECT_THAT(ids(), ElementsAre("1", "2"));
}

TEST_F(WebhookTest, SendsNothingToThePrivateUnlessAllowed) {
  push_.reset();
  start({});
  const TopicId topic = home_.make_topic();
  const SubscriptionId id = subscribe("s", webhook("http://localhost:" + std::to_string(receiver_.port()) + "/"),
                                      [](node::SubscriptionSettings& settings) { settings.retry.attempts = 1; });
  publish(topic, {{"1", "a"}});
  ASSERT_TRUE(eventually([&] { return state(id).parked_keys == 1; }));
  EXPECT_EQ(receiver_.connections(), 0);
}

}  // namespace
}  // namespace continuo::delivery::webhook
