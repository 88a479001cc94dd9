// A core on a home in memory, driven by hand: asks, writes, opens the mail.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "continuo/node/core.h"
#include "continuo/node/memory_home_test.h"

namespace continuo::node {

class CoreTest : public testing::Test {
 protected:
  void SetUp() override { start(); }
  void start() {
    core_ = std::make_unique<Core>(home_, clock_, random_, limits_);
    const auto recovered = core_->recover();
    ASSERT_TRUE(recovered) << to_string(recovered.error());
    flush();
  }
  // Closes and writes whatever is open.
  void flush() {
    while (true) {
      const std::size_t most = core_->open_size();
      auto group = core_->close();
      if (!group) return;
      EXPECT_LE(group->log.size(), most);
      const auto written = home_.write(group->log);
      if (!written) return core_->fail(written.error(), std::move(group));
      core_->written(std::move(group));
    }
  }
  // Keeps an answer where the test can look at it.
  template <class T>
  Answer<T> into(std::optional<Result<T>>& place) {
    return [&place](Result<T> result) { place.emplace(std::move(result)); };
  }
  // Asks, writes, opens the mail.
  template <class T, class Ask>
  Result<T> ask(Ask ask) {
    std::optional<Result<T>> answer;
    ask(into(answer));
    flush();
    edge_.open();
    CHECK(answer.has_value(), "there is an answer");
    return std::move(*answer);
  }
  TopicId make_topic(const std::string& name = "t", TopicSettings settings = {}) {
    return ask<Put<Topic>>([&](auto answer) { core_->create_topic(edge_, name, settings, false, std::move(answer)); })
        ->value.id;
  }
  Result<Published> publish(std::vector<NewRecord> records) {
    return ask<Published>([&](auto answer) { core_->publish(edge_, std::move(records), std::move(answer)); });
  }
  SubscriptionId subscribe(SubscriptionSettings settings = {}, const std::string& name = "s") {
    settings.topics = {"t"};
    settings.from = engines::StartFrom::earliest;
    return ask<Put<Subscription>>(
               [&](auto answer) { core_->put_subscription(edge_, name, settings, {}, std::move(answer)); })
        ->value.id;
  }
  Result<OfferCredit> offer(SubscriptionId id, TopicId topic, std::int64_t from,
                            std::initializer_list<std::uint64_t> keys) {
    Offer offer{id, 1, {topic, PartitionId{0}}, Offset{from}, Offset{from}, {}};
    for (const std::uint64_t key : keys) {
      offer.events.push_back({offer.next, key});
      offer.next = offer.next + 1;
    }
    return ask<OfferCredit>([&](auto answer) { core_->offer(edge_, offer, std::move(answer)); });
  }
  static Receive receive_of(SubscriptionId id, std::int64_t wait_ms = 0) {
    Receive receive;
    receive.subscription = id;
    receive.max = 10;
    receive.wait = Millis{wait_ms};
    return receive;
  }
  std::vector<Lease> receive(SubscriptionId id) {
    std::vector<Lease> leases;
    const auto received = ask<Received>([&](auto answer) { core_->receive(edge_, receive_of(id), std::move(answer)); });
    for (const Delivery& each : received->deliveries) leases.push_back(each.lease);
    return leases;
  }

  Limits limits_;
  MemoryHome home_;
  StandingClock clock_;
  SeededRandom random_{1};
  MailBox edge_;
  std::unique_ptr<Core> core_;
};

}  // namespace continuo::node
