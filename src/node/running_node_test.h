// A node on a folder of its own, and an edge that waits for answers: for tests that want the whole thing.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>

#include "continuo/node/node.h"
#include "continuo/record/batch.h"

namespace continuo::node {

/// Runs answers as they come; `ask` waits for one. One thread at a time may ask.
class WaitingEdge final : public Edge {
 public:
  void deliver(Mail mail) override {
    const std::scoped_lock lock{mutex_};
    for (auto& answer : mail.answers) answers_.push_back(std::move(answer));
    came_.notify_all();
  }
  template <class T, class Ask>
  Result<T> ask(Ask ask) {
    std::optional<Result<T>> answer;
    ask(*this, Answer<T>{[&answer](Result<T> result) { answer.emplace(std::move(result)); }});
    while (!answer) run();
    return std::move(*answer);
  }
  /// Waits for mail and runs it.
  void run() {
    std::vector<std::move_only_function<void()>> answers;
    {
      std::unique_lock lock{mutex_};
      came_.wait(lock, [&] { return !answers_.empty(); });
      answers.swap(answers_);
    }
    for (auto& answer : answers) answer();
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<std::move_only_function<void()>> answers_;
};

/// A data folder, and the node in it. Small sizes, so that tests make little work.
class RunningNode {
 public:
  explicit RunningNode(const std::string& parent) : folder_(parent + "/continuo-node-XXXXXX") {
    CHECK(mkdtemp(folder_.data()) != nullptr, "a temporary folder can be made");
    options.data = folder_;
    options.ring_segments = 8;
    options.ring_segment_bytes = 9u << 20;
    options.topic_segment_bytes = 64 * 1024;
  }
  ~RunningNode() {
    node.reset();
    std::filesystem::remove_all(folder_);
  }
  Result<void> start(Clock& clock = system_clock()) {
    node.reset();
    auto opened = Node::open(options, clock, system_random());
    if (!opened) return pass(opened);
    node = std::move(*opened);
    return {};
  }

  TopicId make_topic(const std::string& name = "t", TopicSettings settings = {}) {
    return edge
        .ask<Put<Topic>>([&](Edge& to, auto answer) { node->create_topic(to, name, settings, std::move(answer)); })
        ->value.id;
  }
  Result<Published> publish(std::vector<NewRecord> records) {
    return edge.ask<Published>(
        [&](Edge& to, auto answer) { node->publish(to, std::move(records), std::move(answer)); });
  }
  SubscriptionId subscribe(const std::string& name = "s", SubscriptionSettings settings = {}) {
    if (settings.topics.empty()) settings.topics = {"t"};
    settings.from = engines::StartFrom::earliest;
    return edge
        .ask<Put<Subscription>>(
            [&](Edge& to, auto answer) { node->put_subscription(to, name, settings, std::move(answer)); })
        ->value.id;
  }
  Result<Received> receive(SubscriptionId id, std::uint32_t max = 10, Millis wait = Millis{5'000}) {
    Receive receive;
    receive.subscription = id;
    receive.max = max;
    receive.wait = wait;
    return edge.ask<Received>([&](Edge& to, auto answer) { node->receive(to, receive, std::move(answer)); });
  }
  Result<Settled> ack(SubscriptionId id, std::vector<Lease> leases) {
    Settle settle;
    settle.subscription = id;
    settle.acks = std::move(leases);
    return edge.ask<Settled>([&](Edge& to, auto answer) { node->settle(to, settle, std::move(answer)); });
  }
  /// Offsets of all records kept.
  std::vector<std::int64_t> offsets(PartitionRef partition) {
    std::vector<std::int64_t> all;
    Offset at = node->partition_state(partition).value().first;
    while (true) {
      const auto batches = node->read(partition, at, 64 * 1024);
      CHECK(batches.has_value());
      for (const auto& batch : batches->batches) {
        record::RecordWalk walk{*batch};
        while (const auto record = walk.next())
          if (record->offset >= at) all.push_back(record->offset.value);
      }
      if (batches->next == at) return all;
      at = batches->next;
    }
  }

  Options options;
  std::unique_ptr<Node> node;
  WaitingEdge edge;

 private:
  std::string folder_;
};

inline NewRecord node_record(TopicId topic, std::uint64_t id = 0, const std::string& key = "k",
                             std::uint32_t partition = 0, std::size_t value_bytes = 20) {
  NewRecord record{topic, PartitionId{partition}, {}, 1'000, {}};
  record::BodyWriter{record.body}.key(key).value(std::string(value_bytes, 'v')).header_count(0);
  if (id != 0) record.fingerprint = {{id, id}, 1};
  return record;
}

}  // namespace continuo::node
