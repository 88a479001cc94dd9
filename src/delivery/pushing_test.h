// A node, its feeder and what pushes, with events to push.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "continuo/delivery/feeder.h"
#include "continuo/delivery/push.h"
#include "continuo/node/running_node_test.h"
#include "continuo/record/cloudevents.h"

namespace continuo::delivery {

class Pushing : public testing::Test {
 protected:
  Pushing() : home_(testing::TempDir()) {
    EXPECT_TRUE(home_.start());
    feeder_.emplace(*home_.node);
    feeder_->start();
    start();
  }
  ~Pushing() override {
    push_.reset();
    feeder_.reset();
  }

  void start(const PushOptions& options = {.allow_private = true, .drain = Millis{100}}) {
    push_.emplace(*home_.node, options);
    push_->start();
  }

  /// With views into both.
  static record::Event event(std::string_view id, std::string_view key) {
    record::Event event;
    event.id = id;
    event.source = "/test";
    event.type = "Made";
    event.subject = key;
    event.datacontenttype = "application/json";
    event.extensions = {{"correlationid", "c-1"}};
    event.data = R"({"n":1})";
    event.data_kind = record::DataKind::json;
    return event;
  }
  /// In order, in one commit.
  void publish(TopicId topic, const std::vector<std::pair<std::string, std::string>>& ids_and_keys) {
    std::vector<node::NewRecord> records;
    for (const auto& [id, key] : ids_and_keys) {
      node::NewRecord& made = records.emplace_back(node::NewRecord{topic, PartitionId{0}, {}, 1'000, {}});
      record::encode_record_body(event(id, key), made.body);
    }
    ASSERT_TRUE(home_.publish(std::move(records)));
  }
  SubscriptionId subscribe(const std::string& name, const std::string& target,
                           const std::function<void(node::SubscriptionSettings&)>& with = {}) {
    node::SubscriptionSettings settings{.topics = {"t"}};
    settings.target = target;
    settings.retry.attempts = 1'000;
    settings.retry.base = Millis{10};
    if (with) with(settings);
    return home_.subscribe(name, settings);
  }
  static std::string webhook(const std::string& url, const std::string& more = {}) {
    return R"({"webhook":{"url":")" + url + '"' + more + "}}";
  }
  node::SubscriptionState state(SubscriptionId id) {
    return home_.edge
        .ask<node::SubscriptionState>(
            [&](node::Edge& to, auto answer) { home_.node->subscription_state(to, id, std::move(answer)); })
        .value();
  }
  /// Whether it becomes so within ten seconds.
  static bool eventually(const std::function<bool()>& so) {
    for (int i = 0; i < 2'000; ++i) {
      if (so()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return false;
  }
  bool all_settled(SubscriptionId id) {
    return eventually([&] {
      const auto now = state(id);
      return now.lag == 0 && now.leased == 0 && now.delayed == 0;
    });
  }

  node::RunningNode home_;
  std::optional<Feeder> feeder_;
  std::optional<Push> push_;
};

}  // namespace continuo::delivery
