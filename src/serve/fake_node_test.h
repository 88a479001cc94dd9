// A node in memory for the tests of the sessions: keeps order and answers, forgets everything at its end.
//
// One lock instead of a core thread; answers go out through Edge::deliver as the real node's do. Single records only,
// one batch each.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "continuo/node/node.h"
#include "continuo/record/batch.h"
#include "continuo/serve/few_healed_test.h"
#include "continuo/serve/no_groups_test.h"
#include "continuo/serve/no_queues_test.h"

namespace continuo::serve {

class FakeNode final : public node::Node {
 public:
  // --- what tests set and look at ---
  std::atomic<node::Health> its_health = node::Health::running;
  std::atomic<int> publishes{0};
  std::atomic<std::size_t> returned{0};       ///< leases given back
  std::atomic<std::size_t> largest_chunk{0};  ///< bytes of records published together, of requests with several
  std::atomic<bool> disk_hangs{false};        ///< reads of one record wait

  /// The answer to every publish from now on; none: as usual.
  void refuse_publishes(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    publish_error_ = std::move(error);
  }
  /// Answers wait for release().
  void hold() {
    const std::lock_guard lock(mutex_);
    hold_ = true;
  }
  void release() {
    std::vector<std::pair<node::Edge*, std::move_only_function<void()>>> held;
    {
      const std::lock_guard lock(mutex_);
      hold_ = false;
      held.swap(held_);
    }
    for (auto& [edge, answer] : held) send(*edge, std::move(answer));
  }
  std::size_t held() {
    const std::lock_guard lock(mutex_);
    return held_.size();
  }
  std::shared_ptr<const std::atomic<bool>> last_cancelled() {
    const std::lock_guard lock(mutex_);
    return last_cancelled_;
  }

  // --- definitions ---
  void create_topic(node::Edge& edge, std::string name, node::TopicSettings settings,
                    node::Answer<node::Put<node::Topic>> answer) override {
    const std::lock_guard lock(mutex_);
    if (const auto* there = catalogue_->find_topic(name)) {
      if (there->settings == settings) return reply(edge, std::move(answer), node::Put<node::Topic>{*there, false});
      return reply(edge, std::move(answer), refusal<node::Put<node::Topic>>(Code::topic_exists));
    }
    auto made = std::make_shared<node::Topic>(node::Topic{TopicId{next_id_++}, name, settings, WallTime{1'000}});
    auto next = std::make_shared<node::Catalogue>(*catalogue_);
    next->topics.set(name, made);
    catalogue_ = next;
    reply(edge, std::move(answer), node::Put<node::Topic>{*made, true});
  }
  void change_topic(node::Edge& edge, std::string name, node::TopicChange change, bool only_checked,
                    node::Answer<node::Topic> answer) override;
  void delete_topic(node::Edge& edge, std::string name, node::Answer<void> answer) override {
    const std::lock_guard lock(mutex_);
    auto next = std::make_shared<node::Catalogue>(*catalogue_);
    const bool gone = next->topics.erase(name) != 0;
    catalogue_ = next;
    reply(edge, std::move(answer), gone ? Result<void>{} : refusal<void>(Code::unknown_topic));
  }
  void trim(node::Edge& edge, TopicId topic, PartitionId partition, Offset before,
            node::Answer<node::PartitionState> answer) override {
    const std::lock_guard lock(mutex_);
    Log& log = logs_[{topic, partition}];
    if (before > log.end())
      return reply(edge, std::move(answer), refusal<node::PartitionState>(Code::offset_out_of_range));
    log.first = std::max(log.first, before);
    reply(edge, std::move(answer), Result<node::PartitionState>(state_of(partition, log)));
  }
  using node::Node::put_subscription;
  void put_subscription(node::Edge& edge, std::string name, node::SubscriptionSettings settings,
                        std::vector<std::pair<PartitionRef, Offset>>,
                        node::Answer<node::Put<node::Subscription>> answer) override {
    const std::lock_guard lock(mutex_);
    if (const auto* there = catalogue_->find_subscription(name)) {
      if (there->settings == settings)
        return reply(edge, std::move(answer), node::Put<node::Subscription>{*there, false});
      return reply(edge, std::move(answer), refusal<node::Put<node::Subscription>>(Code::subscription_exists));
    }
    auto made = std::make_shared<node::Subscription>();
    made->id = SubscriptionId{next_id_++};
    made->name = name;
    made->settings = settings;
    for (const auto& topic : settings.topics) {
      const auto* found = catalogue_->find_topic(topic);
      if (!found) return reply(edge, std::move(answer), refusal<node::Put<node::Subscription>>(Code::unknown_topic));
      made->topics.push_back(found->id);
    }
    auto next = std::make_shared<node::Catalogue>(*catalogue_);
    next->subscriptions.set(name, made);
    catalogue_ = next;
    reply(edge, std::move(answer), node::Put<node::Subscription>{*made, true});
  }
  void change_subscription(node::Edge& edge, std::string name, node::SubscriptionChange change,
                           node::Answer<node::ChangedSubscription> answer) override;
  void delete_subscription(node::Edge& edge, std::string name, node::Answer<void> answer) override;
  void pause(node::Edge& edge, SubscriptionId, bool, node::Answer<void> answer) override {
    const std::lock_guard lock(mutex_);
    reply(edge, std::move(answer), Result<void>{});
  }
  std::shared_ptr<const node::Catalogue> catalogue() const override {
    const std::lock_guard lock(mutex_);
    return catalogue_;
  }

  // --- records ---
  void publish(node::Edge& edge, std::vector<node::NewRecord> records, node::Answer<node::Published> answer) override {
    const std::lock_guard lock(mutex_);
    ++publishes;
    std::size_t bytes = 0;
    for (const node::NewRecord& each : records) bytes += each.body.size();
    if (records.size() > 1) largest_chunk = std::max(largest_chunk.load(), bytes);
    if (publish_error_)
      return reply(edge, std::move(answer), Result<node::Published>(std::unexpected(*publish_error_)));
    auto places = append(std::move(records));
    if (!places) return reply(edge, std::move(answer), Result<node::Published>(std::unexpected(places.error())));
    reply(edge, std::move(answer), Result<node::Published>(node::Published{std::move(*places)}));
    spread_news();
  }
  Result<node::Batches> read(PartitionRef ref, Offset from, std::uint64_t max_bytes) override {
    const std::lock_guard lock(mutex_);
    const Log& log = logs_[ref];
    if (from < log.first || from > log.end()) return fail(Code::offset_out_of_range, "out of range");
    node::Batches batches{
        .batches = {}, .next = from, .first = log.first, .end = log.end(), .groups = {}, .newest = group_};
    for (std::uint64_t bytes = 0; batches.next < log.end() && bytes < max_bytes; batches.next = batches.next + 1) {
      const auto& [group, batch] = log.batches[static_cast<std::size_t>(batches.next.value)];
      batches.batches.push_back(batch);
      batches.groups.push_back(group);
      bytes += batch->size();
    }
    return batches;
  }
  Result<std::shared_ptr<const std::string>> read_one(PartitionRef ref, Offset offset) override {
    while (disk_hangs) std::this_thread::sleep_for(Millis{1});
    const std::lock_guard lock(mutex_);
    const Log& log = logs_[ref];
    if (offset < log.first || offset >= log.end()) return fail(Code::offset_out_of_range, "out of range");
    return log.batches[static_cast<std::size_t>(offset.value)].second;
  }
  // Kafka's door is tested on a real node.
  node::Groups& groups() override { return groups_; }
  node::Queues& queues() override { return queues_; }
  void produce(node::Edge&, std::vector<node::NewBatch>, node::Answer<std::vector<Result<node::BatchPlace>>>) override {
  }
  void number_producer(node::Edge&, node::Answer<std::int64_t>) override {}
  void producers_of(node::Edge&, PartitionRef, node::Answer<std::vector<node::ProducerState>>) override {}
  Result<std::optional<node::RecordTime>> first_record_since(PartitionRef, std::int64_t) override {
    return std::nullopt;
  }
  Result<std::optional<node::RecordTime>> newest_record(PartitionRef) override { return std::nullopt; }
  Result<WallTime> appended_at(PartitionRef, Offset) override { return fail(Code::not_found, "nobody asked"); }
  Result<Offset> offset_at(PartitionRef ref, WallTime time) override {
    const std::lock_guard lock(mutex_);
    const Log& log = logs_[ref];
    for (Offset at = log.first; at < log.end(); at = at + 1)
      if (record::read_batch_header(*log.batches[static_cast<std::size_t>(at.value)].second)->base_timestamp >= time.ms)
        return at;
    return log.end();
  }
  void skip_damaged(node::Edge& edge, PartitionRef, Offset, Offset, std::string, node::Answer<void> answer) override {
    node::Mail mail;
    mail.answers.push_back([answer = std::move(answer)]() mutable { answer(Result<void>{}); });
    edge.deliver(std::move(mail));
  }
  Result<node::PartitionState> partition_state(PartitionRef ref) override {
    const std::lock_guard lock(mutex_);
    return state_of(ref.partition, logs_[ref]);
  }

  // --- subscriptions: every event to whoever asks first, in order; nothing comes back but what is given back ---
  void receive(node::Edge& edge, node::Receive request, node::Answer<node::Received> answer) override;
  void settle(node::Edge& edge, node::Settle settle, node::Answer<node::Settled> answer) override;
  void return_leases(node::Edge& edge, std::vector<node::Lease> leases, node::Answer<void> answer) override;
  void subscription_state(node::Edge& edge, SubscriptionId id, node::Answer<node::SubscriptionState> answer) override;
  node::Healing& healing() override { return healing_; }
  void survey_subscriptions(node::Edge& edge, node::SurveySubscriptions wanted,
                            node::Answer<node::SubscriptionsSurvey> answer) override;
  void feed_positions(node::Edge&, std::vector<SubscriptionId>,
                      node::Answer<std::vector<node::FeedPosition>>) override {}
  void offer(node::Edge&, node::Offer, node::Answer<node::OfferCredit>) override {}
  void offer_all(node::Edge&, std::vector<node::Offer>, node::Answer<std::vector<Result<node::OfferCredit>>>) override {
  }

  // --- edges and health ---
  void add_edge(node::Edge& edge) override {
    const std::lock_guard lock(mutex_);
    edges_.insert(&edge);
  }
  void remove_edge(node::Edge& edge) override {
    const std::lock_guard lock(mutex_);
    edges_.erase(&edge);
    std::erase_if(held_, [&](const auto& each) { return each.first == &edge; });
  }
  node::Health health() const override { return its_health; }
  std::string failure() const override { return its_health == node::Health::failed ? "the disk is gone" : ""; }
  node::Stats stats() const override { return {}; }
  /// Set by tests: the most bytes a publish may bring.
  std::atomic<std::uint64_t> room{~0ull};
  Result<void> may_publish(std::uint64_t bytes) override {
    if (bytes <= room) return {};
    return std::unexpected(Error{Code::overloaded, "no room", {}, {}, 1});
  }
  bool durable() const override { return true; }
  std::uint64_t secret() const override { return 42; }
  const node::Options& options() const override { return options_; }

 private:
  struct Log {
    Offset first{0};
    std::vector<std::pair<Sequence, std::shared_ptr<const std::string>>> batches;
    Offset end() const { return Offset{static_cast<std::int64_t>(batches.size())}; }
  };
  struct Work {
    std::size_t next = 0;  // of its topic's events in order of appending
    std::deque<node::Delivery> back;
    std::set<std::uint64_t> leased;
    std::uint64_t number = 0;
  };

  template <class T>
  static Result<T> refusal(Code code) {
    return fail(code, "the fake node says so");
  }
  static node::PartitionState state_of(PartitionId partition, const Log& log) {
    return {partition, log.first, log.end(), log.batches.size() * 100};
  }
  template <class T, class Value>
  void reply(node::Edge& edge, node::Answer<T> answer, Value value) {
    auto run = [answer = std::move(answer), value = Result<T>(std::move(value))]() mutable {
      answer(std::move(value));
    };
    send_unless_held(edge, std::move(run));
  }
  void send_unless_held(node::Edge& edge, std::move_only_function<void()> run) {
    if (hold_) return held_.emplace_back(&edge, std::move(run)), void();
    send(edge, std::move(run));
  }
  static void send(node::Edge& edge, std::move_only_function<void()> run) {
    node::Mail mail;
    mail.answers.push_back(std::move(run));
    edge.deliver(std::move(mail));
  }
  Result<std::vector<node::Place>> append(std::vector<node::NewRecord> records);
  void spread_news();

  mutable std::mutex mutex_;
  std::shared_ptr<const node::Catalogue> catalogue_ = std::make_shared<node::Catalogue>();
  std::map<PartitionRef, Log> logs_;
  std::map<std::pair<PartitionRef, Hash128>, std::pair<std::uint64_t, Offset>> seen_;
  std::vector<PartitionRef> order_;  // of appending, over all partitions
  std::vector<PartitionRef> advanced_;
  std::map<SubscriptionId, Work> works_;
  std::vector<node::ParkedKey> parked_;
  std::set<node::Edge*> edges_;
  std::vector<std::pair<node::Edge*, std::move_only_function<void()>>> held_;
  std::shared_ptr<const std::atomic<bool>> last_cancelled_;
  std::optional<Error> publish_error_;
  bool hold_ = false;
  node::Options options_;
  NoGroups groups_{[this](node::Edge& edge, auto run) {
    const std::lock_guard lock(mutex_);
    send_unless_held(edge, std::move(run));
  }};
  FewHealed healing_{mutex_, parked_, [this](node::Edge& edge, auto run) {
                       const std::lock_guard lock(mutex_);
                       send_unless_held(edge, std::move(run));
                     }};
  NoQueues queues_;
  Sequence group_{0};
  std::uint32_t next_id_ = 1;
};

}  // namespace continuo::serve
