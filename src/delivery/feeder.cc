#include "continuo/delivery/feeder.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>

#include "continuo/delivery/router.h"
#include "continuo/node/thread_name.h"
#include "continuo/record/batch.h"
#include "continuo/record/partitioner.h"

namespace continuo::delivery {
namespace {

constexpr std::uint64_t read_bytes = 256 * 1024;
constexpr std::uint64_t read_bytes_each = 1024;  // little credit: little is read
constexpr std::uint32_t events_per_offer = 500;
constexpr Millis damaged_pause{1'000};

}  // namespace

Result<void> collect(const node::Batches& batches, Offset from, std::uint32_t limit, bool by_key, node::Offer& offer,
                     const TimesWanted& times) {
  offer.next = from;
  for (const auto& batch : batches.batches) {
    const auto header = record::read_batch_header(*batch);
    if (!header) return std::unexpected(header.error());
    if (header->control()) {
      offer.next = std::max(offer.next, header->next_offset());
      continue;
    }
    record::RecordWalk walk{*batch};
    while (const auto record = walk.next()) {
      if (record->offset < from) continue;
      if (offer.events.size() >= limit) return {};
      add_times(*record, times, offer.events.emplace_back(record->offset, by_key ? record::key_hash(*record) : 0));
      offer.next = record->offset + 1;
    }
    if (walk.damaged()) return fail(Code::damaged_data, "a batch cannot be read");
    offer.next = std::max(offer.next, header->next_offset());
  }
  offer.next = std::max(offer.next, batches.next);
  return {};
}

class Feeder::Work final : public node::Edge {
 public:
  explicit Work(node::Node& node) : node_(node) {}

  void deliver(node::Mail mail) override {
    if (mail.answers.empty() && !concerns(mail)) return;
    const std::scoped_lock lock{mutex_};
    mail_.push_back(std::move(mail));
    ready_.notify_one();
  }

  void start() {
    wants_news = true;
    node_.add_edge(*this);
    thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
  }

  void stop() {
    if (!thread_.joinable()) return;
    {
      const std::scoped_lock lock{mutex_};
      thread_.request_stop();
    }
    ready_.notify_one();
    thread_.join();
    node_.remove_edge(*this);
  }

 private:
  using Key = std::pair<SubscriptionId, PartitionRef>;
  using Positions = std::vector<node::FeedPosition>;
  // What there is to feed, for the core thread: most news are of topics without a subscription.
  struct Fed {
    std::shared_ptr<const node::Catalogue> catalogue;
    std::set<TopicId> topics;
  };
  struct Position {
    node::FeedPosition at;
    TimesWanted times;
    bool due = false;   // in due_
    bool busy = false;  // an offer is under way
    // Damaged data is told once for a place, and tried again: it may have been given up meanwhile.
    Micros again_at{0};
    Offset told{-1};
  };

  // Core thread. Whoever makes a topic fed reads all of it afterwards, and the fences order that against this look: one
  // of both sees the other.
  bool concerns(const node::Mail& mail) const {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const auto fed = fed_.load();
    if (!fed || fed->catalogue != node_.catalogue() || !mail.advanced) return true;
    return std::ranges::any_of(*mail.advanced, [&](PartitionRef ref) { return fed->topics.contains(ref.topic); });
  }

  void tell_what_is_fed() {
    auto fed = std::make_shared<Fed>();
    fed->catalogue = catalogue_;
    for (const auto& [partition, all] : readers_) fed->topics.insert(partition.topic);
    router_.add_topics(fed->topics);
    fed_.store(std::move(fed));
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }

  void run(const std::stop_token& stop) {
    node::name_thread("feeder");
    while (!stop.stop_requested()) {
      follow();
      to_ask_.merge(router_.take_refused());
      ask_positions();
      look_again_.reset();
      for (const Key& key : std::exchange(due_, {}))
        if (const auto found = positions_.find(key); found != positions_.end()) feed(found->second);
      router_.step();
      if (const auto again = router_.look_again()) look_again(*again);
      if (router_.has_more()) look_again(Micros{0});
      wait(stop);
    }
  }

  // Who was defined or changed is asked for, and who reads a topic that has other partitions now.
  void follow() {
    const auto current = node_.catalogue();
    if (current == catalogue_) return;
    const auto before = std::exchange(catalogue_, current);
    std::set<TopicId> topics;
    NameMap<node::Topic>::differences(before->topics, current->topics, [&](const auto&, const auto& old, const auto&) {
      if (old) topics.insert(old->id);
    });
    NameMap<node::Subscription>::differences(before->subscriptions, current->subscriptions,
                                             [this](const auto&, const auto& old, const auto& now) {
                                               if (old && (!now || now->id != old->id)) forget(old->id);
                                               if (now) know(now);
                                             });
    if (!topics.empty())
      for (const auto& [id, subscription] : subscriptions_)
        if (std::ranges::any_of(subscription->topics, [&](TopicId topic) { return topics.contains(topic); }))
          to_ask_.insert(id);
    to_ask_.merge(std::exchange(lost_, {}));
    to_ask_.merge(router_.take_lost());
    router_.settle();
    tell_what_is_fed();
  }

  void know(const std::shared_ptr<const node::Subscription>& subscription) {
    subscriptions_[subscription->id] = subscription;
    to_ask_.insert(subscription->id);
  }

  void forget(SubscriptionId id) {
    subscriptions_.erase(id);
    take_positions(id);
    router_.forget(id);
  }

  void wait(const std::stop_token& stop) {
    std::deque<node::Mail> mail;
    {
      std::unique_lock lock{mutex_};
      const auto something = [&] { return !mail_.empty() || stop.stop_requested(); };
      if (look_again_)
        ready_.wait_for(lock, std::max(*look_again_ - system_clock().steady(), Micros{0}), something);
      else
        ready_.wait(lock, something);
      mail.swap(mail_);
    }
    for (node::Mail& each : mail) {
      if (each.advanced)
        for (const PartitionRef partition : *each.advanced) news(partition);
      for (auto& answer : each.answers) answer();
    }
  }

  void news(PartitionRef partition) {
    router_.news(partition);
    if (const auto found = readers_.find(partition); found != readers_.end())
      for (const SubscriptionId reader : found->second) make_due({reader, partition});
  }

  void make_due(const Key& key) {
    if (const auto found = positions_.find(key); found != positions_.end() && !std::exchange(found->second.due, true))
      due_.push_back(key);
  }

  // One question at a time: who is to be asked for while there is an answer to come, is asked for after it.
  void ask_positions() {
    if (asking_ || to_ask_.empty()) return;
    asking_ = true;
    std::vector<SubscriptionId> asked(to_ask_.begin(), to_ask_.end());
    to_ask_.clear();
    node_.feed_positions(*this, asked, [this, asked](const Result<Positions>& answer) {
      asking_ = false;
      if (answer) stand(asked, *answer);
    });
  }

  void stand(const std::vector<SubscriptionId>& asked, const Positions& all) {
    std::unordered_map<SubscriptionId, Positions> by_id;
    for (const node::FeedPosition& at : all) by_id[at.subscription].push_back(at);
    for (const SubscriptionId id : asked) stand(id, by_id[id]);
    router_.settle();
    tell_what_is_fed();
  }

  // Those without a filter are fed here, the others by the router. One of which the catalogue does not know what the
  // core knows - it has another filter by now - comes with the next catalogue.
  void stand(SubscriptionId id, const Positions& all) {
    std::map<Key, Position> before = take_positions(id);
    const auto found = subscriptions_.find(id);
    if (found == subscriptions_.end() || all.empty() || all.front().filter != found->second->filter_version)
      return router_.forget(id);
    const node::Subscription& subscription = *found->second;
    if (!subscription.settings.filter.empty()) return router_.stand(*catalogue_, subscription, all);
    router_.forget(id);
    for (const node::FeedPosition& at : all) {
      const Key key{id, at.partition};
      Position& position = positions_[key];
      // One whose offer is under way hears of its position by the answer.
      const auto known = before.find(key);
      if (known != before.end() && known->second.busy)
        position = known->second;
      else
        position.at = at;
      position.times = times_wanted(subscription.settings);
      position.due = false;
      readers_[at.partition].insert(id);
      make_due(key);
    }
  }

  // A subscription's; it has none afterwards.
  std::map<Key, Position> take_positions(SubscriptionId id) {
    std::map<Key, Position> taken;
    for (auto at = positions_.lower_bound({id, {}}); at != positions_.end() && at->first.first == id;) {
      taken.insert(*at);
      drop(at++);
    }
    return taken;
  }

  void drop(std::map<Key, Position>::iterator position) {
    const auto readers = readers_.find(position->first.second);
    readers->second.erase(position->first.first);
    if (readers->second.empty()) readers_.erase(readers);
    positions_.erase(position);
  }

  // What comes next is offered; then it is the answer that makes it due again, and at the end of the partition, news.
  void feed(Position& position) {
    position.due = false;
    if (position.busy) return;
    if (system_clock().steady() < position.again_at) return feed_again(position);
    if (position.at.credit == 0) return ask_credit(position);
    node::Offer offer = engines::offer_at(position.at);
    const auto bytes = std::min(read_bytes, position.at.credit * read_bytes_each);
    auto batches = node_.read(position.at.partition, position.at.next, bytes);
    if (!batches && batches.error().code == Code::offset_out_of_range)
      return pass_over_trimmed(position, std::move(offer));
    if (!batches) return tell(position, batches.error());
    if (batches->batches.empty() && batches->next == position.at.next)
      return;  // at the end; else over records that were given up
    const auto limit = std::min(position.at.credit, events_per_offer);
    if (auto collected = collect(*batches, position.at.next, limit, position.at.by_key, offer, position.times);
        !collected)
      return tell(position, collected.error());
    submit(position, std::move(offer));
  }

  // Retention was faster than the subscription: it goes on at the first record kept.
  void pass_over_trimmed(Position& position, node::Offer offer) {
    const auto state = node_.partition_state(position.at.partition);
    if (!state || state->first <= position.at.next) return;
    offer.next = state->first;
    submit(position, std::move(offer));
  }

  // An offer of nothing: it is answered when there is credit.
  void ask_credit(Position& position) { submit(position, engines::offer_at(position.at)); }

  void submit(Position& position, node::Offer offer) {
    position.busy = true;
    const Key key{offer.subscription, offer.partition};
    node_.offer(*this, std::move(offer), [this, key](Result<node::OfferCredit> answer) {
      const auto found = positions_.find(key);
      if (found == positions_.end()) return;
      found->second.busy = false;
      if (!answer) {  // deleted; if not, the next change of definitions brings it back
        lost_.insert(key.first);
        return drop(found);
      }
      if (answer->filter != found->second.at.filter) {
        to_ask_.insert(key.first);
        return drop(found);
      }
      found->second.at.next = answer->next;
      found->second.at.credit = answer->credit;
      make_due(key);
    });
  }

  void feed_again(Position& position) {
    look_again(position.again_at);
    make_due({position.at.subscription, position.at.partition});
  }

  void look_again(Micros at) {
    if (!look_again_ || at < *look_again_) look_again_ = at;
  }

  void tell(Position& position, const Error& error) {
    if (error.code == Code::unknown_topic || error.code == Code::unknown_partition) return;
    position.again_at = system_clock().steady() + damaged_pause;
    feed_again(position);
    if (position.told == position.at.next) return;
    position.told = position.at.next;
    std::fprintf(stderr, "continuo: a subscription cannot read on: %s\n", to_string(error).c_str());
  }

  node::Node& node_;
  std::shared_ptr<const node::Catalogue> catalogue_ = std::make_shared<const node::Catalogue>();
  std::unordered_map<SubscriptionId, std::shared_ptr<const node::Subscription>> subscriptions_;  // of catalogue_
  std::map<Key, Position> positions_;
  std::map<PartitionRef, std::set<SubscriptionId>> readers_;  // of positions_
  std::vector<Key> due_;
  Router router_{node_, *this};
  std::set<SubscriptionId> to_ask_, lost_;
  bool asking_ = false;
  std::optional<Micros> look_again_;

  std::atomic<std::shared_ptr<const Fed>> fed_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<node::Mail> mail_;
  std::jthread thread_;
};

Feeder::Feeder(node::Node& node) : work_(std::make_unique<Work>(node)) {}
Feeder::~Feeder() { stop(); }
void Feeder::start() { work_->start(); }
void Feeder::stop() { work_->stop(); }

}  // namespace continuo::delivery
