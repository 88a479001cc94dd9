// The node on this machine's disk: the core and its threads over the embedded log.
//
// Threads: core (decides; writes small groups itself; an edge takes its place for a turn at low load), journal (writes
// large ones while the core fills the next), write-behind (topic files, checkpoints, retention). Commands reach the
// core through a lock-free queue within credits; answers leave by Edge::deliver.
#pragma once

#include <boost/lockfree/queue.hpp>

#include <concurrentqueue/concurrentqueue.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <thread>

#include "continuo/disk/disk.h"
#include "continuo/log/embedded_log.h"
#include "continuo/node/admission.h"
#include "continuo/node/batch_cache.h"
#include "continuo/node/core.h"
#include "continuo/node/core_state.h"
#include "continuo/node/credit.h"
#include "continuo/node/embedded_groups.h"
#include "continuo/node/embedded_healing.h"
#include "continuo/node/embedded_queues.h"
#include "continuo/node/flush_times.h"
#include "continuo/node/kept_places.h"
#include "continuo/node/no_edge.h"
#include "continuo/node/retention.h"
#include "continuo/node/wakeup.h"

namespace continuo::node {

inline constexpr std::size_t inline_write_bytes = 256 * 1024;  // larger groups go to the journal thread
inline constexpr Micros idle_seal{50'000};
inline constexpr Micros work_pause{10'000};
inline constexpr Micros stats_pause{100'000};
inline constexpr Micros retention_pause{1'000'000};
inline constexpr std::uint64_t cached_batch_bytes = 32u << 20;
inline constexpr std::size_t control_bytes = 64 * 1024;    // room a command without records may need
inline constexpr std::size_t definition_bytes = 1u << 20;  // a subscription has a cursor for each partition it reads
inline constexpr std::size_t tick_bytes = 5u << 20;        // timers and jobs of one group, at most
inline constexpr std::size_t copied_bytes = 1u << 20;      // of records read before a trim, in one commit
// Of a dead letter, beside its record: headers that say why, with a failure's message of up to 4 KiB, and the event
// that tells of it, which names places and holds no message. A record that cannot be read has its key parked instead:
// that message in an effect, and 512 bytes of it in the event, escaped. Well below this, all of it.
inline constexpr std::size_t letter_bytes = 36 * 1024;
inline constexpr std::size_t entries_per_settle = 10'000;

struct Command {
  std::size_t bytes = 0;
  std::move_only_function<void(Core&)> run;
  bool paced = false;  ///< waits while the ring is being worked off: a publish
};

// At once, without the core: nothing was done.
template <class T>
void refuse(Edge& edge, Answer<T> answer, Error error) {
  Mail mail;
  mail.answers.push_back(
      [answer = std::move(answer), error = std::move(error)]() mutable { answer(std::unexpected(std::move(error))); });
  edge.deliver(std::move(mail));
}

class EmbeddedNode final : public Node {
 public:
  EmbeddedNode(const Options& options, Clock& clock, Random& random)
      : options_(options),
        clock_(clock),
        random_(random),
        publish_credit_(
            std::make_shared<Credit>(options.limits.publish_credit_items, options.limits.publish_credit_bytes)),
        settle_credit_(std::make_shared<Credit>(options.limits.settle_credit_items, 256u << 20)),
        control_credit_(std::make_shared<Credit>(options.limits.control_credit_items, 256u << 20)) {}
  ~EmbeddedNode() override {
    stop();
    for (auto* queue : {&queue_, &internal_}) queue->consume_all([](Command* command) { delete command; });
  }

  Result<void> open();

  void create_topic(Edge& edge, std::string name, TopicSettings settings, Answer<Put<Topic>> answer) override;
  void change_topic(Edge& edge, std::string name, TopicChange change, bool only_checked, Answer<Topic> answer) override;
  void delete_topic(Edge& edge, std::string name, Answer<void> answer) override;
  void trim(Edge& edge, TopicId topic, PartitionId partition, Offset before, Answer<PartitionState> answer) override {
    control(edge, std::move(answer),
            [=, &edge](Core& core, auto reply) { core.trim(edge, topic, partition, before, std::move(reply)); });
  }
  using Node::put_subscription;
  void put_subscription(Edge& edge, std::string name, SubscriptionSettings settings,
                        std::vector<std::pair<PartitionRef, Offset>> begin, Answer<Put<Subscription>> answer) override;
  void change_subscription(Edge& edge, std::string name, SubscriptionChange change,
                           Answer<ChangedSubscription> answer) override;
  void delete_subscription(Edge& edge, std::string name, Answer<void> answer) override {
    control(edge, std::move(answer), [name = std::move(name), &edge](Core& core, auto reply) mutable {
      core.delete_subscription(edge, name, std::move(reply));
    });
  }
  void pause(Edge& edge, SubscriptionId id, bool paused, Answer<void> answer) override {
    within(control_credit_, 1, definition_bytes, Code::too_many_requests, edge, std::move(answer),
           [=, &edge](Core& core, auto reply) { core.pause(edge, id, paused, std::move(reply)); });
  }
  void subscription_state(Edge& edge, SubscriptionId id, Answer<SubscriptionState> answer) override;
  void survey_subscriptions(Edge& edge, SurveySubscriptions wanted, Answer<SubscriptionsSurvey> answer) override;
  void feed_positions(Edge& edge, std::vector<SubscriptionId> of, Answer<std::vector<FeedPosition>> answer) override {
    submit(control_bytes, [&edge, of = std::move(of), answer = std::move(answer)](Core& core) mutable {
      core.feed_positions(edge, of, std::move(answer));
    });
  }
  void offer(Edge& edge, Offer offer, Answer<OfferCredit> answer) override {
    const std::size_t bytes = offer.events.size() * 48 + control_bytes;
    submit(bytes, [&edge, offer = std::move(offer), answer = std::move(answer)](Core& core) mutable {
      core.offer(edge, std::move(offer), std::move(answer));
    });
  }
  void offer_all(Edge& edge, std::vector<Offer> offers, Answer<std::vector<Result<OfferCredit>>> answer) override;
  // Never refused for want of credit: each follows a receive that had some.
  void return_leases(Edge& edge, std::vector<Lease> leases, Answer<void> answer) override {
    submit(control_bytes, [&edge, leases = std::move(leases), answer = std::move(answer)](Core& core) mutable {
      core.return_leases(edge, std::move(leases), std::move(answer));
    });
  }
  void skip_damaged(Edge& edge, PartitionRef partition, Offset from, Offset next, std::string reason,
                    Answer<void> answer) override;
  void publish(Edge& edge, std::vector<NewRecord> records, Answer<Published> answer) override;
  Result<void> may_publish(std::uint64_t bytes) override;
  void produce(Edge& edge, std::vector<NewBatch> batches, Answer<std::vector<Result<BatchPlace>>> answer) override;
  void number_producer(Edge& edge, Answer<std::int64_t> answer) override {
    control(edge, std::move(answer), [&edge](Core& core, auto reply) { core.number_producer(edge, std::move(reply)); });
  }
  void producers_of(Edge& edge, PartitionRef partition, Answer<std::vector<ProducerState>> answer) override {
    control(edge, std::move(answer),
            [=, &edge](Core& core, auto reply) { core.producers_of(edge, partition, std::move(reply)); });
  }
  void receive(Edge& edge, Receive receive, Answer<Received> answer) override;
  void settle(Edge& edge, Settle settle, Answer<Settled> answer) override;

  std::shared_ptr<const Catalogue> catalogue() const override { return catalogue_.load(); }
  Result<Batches> read(PartitionRef partition, Offset from, std::uint64_t max_bytes) override {
    reads_.fetch_add(1, std::memory_order_relaxed);
    return home_->read(partition, from, max_bytes);
  }
  Result<std::shared_ptr<const std::string>> read_one(PartitionRef partition, Offset offset) override;
  Result<Offset> offset_at(PartitionRef partition, WallTime time) override { return home_->offset_at(partition, time); }
  Result<WallTime> appended_at(PartitionRef partition, Offset offset) override {
    return home_->appended_at(partition, offset);
  }
  Result<std::optional<RecordTime>> first_record_since(PartitionRef partition, std::int64_t timestamp_ms) override;
  Result<std::optional<RecordTime>> newest_record(PartitionRef partition) override;
  Result<PartitionState> partition_state(PartitionRef partition) override { return home_->state(partition); }

  Groups& groups() override { return groups_; }
  Queues& queues() override { return queues_; }
  Healing& healing() override { return healing_; }

  void add_edge(Edge& edge) override {
    submit(0, [&edge](Core& core) { core.add_edge(edge); });
  }
  void remove_edge(Edge& edge) override;
  void work_in_rounds() override;
  void end_round() override;
  Health health() const override { return health_.load(); }
  std::string failure() const override { return health_ == Health::failed ? failure_ : std::string{}; }
  Stats stats() const override;
  bool durable() const override { return home_->durable(); }
  std::uint64_t secret() const override { return secret_; }
  const Options& options() const override { return options_; }

 private:
  void submit(std::size_t bytes, std::move_only_function<void(Core&)> run, bool paced = false) {
    queue_.push(new Command{bytes, std::move(run), paced});
    wake_core();
  }
  void submit_internal(std::move_only_function<void(Core&)> run) {
    internal_.push(new Command{0, std::move(run)});
    wakeup_.wake();
  }
  Error no_credit(Code refusal);
  // A command within the credits of its kind; `act(core, answer)`.
  template <class T, class Act>
  void within(const std::shared_ptr<Credit>& credit, std::uint64_t bytes, std::size_t room, Code refusal, Edge& edge,
              Answer<T> answer, Act act, bool paced = false);
  template <class T, class Act>
  void append(std::size_t room, std::string_view what, Edge& edge, Answer<T> answer, Act act);
  template <class T, class Act>
  void control(Edge& edge, Answer<T> answer, Act act) {
    within(control_credit_, 1, control_bytes, Code::too_many_requests, edge, std::move(answer), std::move(act));
  }

  void core_loop();
  bool run_internal();
  bool next_command(bool pacing);
  bool drain();
  bool ring_has_room(std::size_t bytes) const;
  bool start_write();
  void finish(std::unique_ptr<ClosedGroup> group, const Result<void>& written);
  Result<void> write(ClosedGroup& group);
  void stop_by(const Error& error, std::unique_ptr<ClosedGroup> group);
  Micros longest_sleep() const;
  void wake_core();
  bool take_core();
  void leave_core();
  bool run_core();
  bool anything_waits(bool blocked) const;
  bool nothing_left() const;
  void seal_when_idle();
  void publish_stats();
  void journal_loop();
  void behind_loop();
  void run_checkpoint(CheckpointJob job);
  bool run_keep();
  Result<std::shared_ptr<const std::string>> read_or_copy(PartitionRef partition, Offset offset);
  void run_retention();
  void stop();

  Options options_;
  Clock& clock_;
  Random& random_;
  std::unique_ptr<disk::Disk> disk_;
  std::unique_ptr<log::EmbeddedLog> home_;
  std::unique_ptr<Core> core_;
  std::uint64_t secret_ = 0;

  // Shared with the answers: an edge may run the last of them when the node is gone.
  std::shared_ptr<Credit> publish_credit_, settle_credit_, control_credit_;
  std::shared_ptr<void> alive_ = std::make_shared<char>();
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> reads_{0};
  EmbeddedHealing healing_{[this](std::size_t bytes, auto run) { submit(bytes, std::move(run)); }};
  EmbeddedGroups groups_{[this](std::size_t bytes, auto run) { submit(bytes, std::move(run)); }};
  EmbeddedQueues queues_{[this](std::size_t bytes, auto run) { submit(bytes, std::move(run)); }};
  boost::lockfree::queue<Command*> queue_{4'096};  // first in, first out over all threads: remove_edge stands on that
  boost::lockfree::queue<Command*> internal_{64};  // of the node's own threads: never waits for room
  std::atomic<int> leaving_{0};                    // edges that wait to be removed
  std::atomic<int> trims_under_way_{0};
  std::unique_ptr<Command> held_;        // did not fit into the open group
  std::atomic<bool> core_taken_{false};  // by the core thread, or by an edge at the end of its round
  std::atomic<unsigned> lately_{0};      // commands of the last turn
  Wakeup wakeup_;                        // of the core thread
  std::atomic<bool> stopping_{false};
  std::atomic<Health> health_{Health::recovering};
  std::string failure_;
  std::atomic<std::shared_ptr<const Catalogue>> catalogue_;
  std::atomic<std::shared_ptr<const Stats>> stats_;
  std::atomic<bool> wall_trusted_{true};
  BatchCache cache_{cached_batch_bytes};
  KeptPlaces kept_places_;  // core -> readers

  // Whoever has taken the core.
  Micros wakes_at_{0};  // the core thread, at the latest
  Pace pace_;
  std::deque<std::unique_ptr<Command>> paced_;  // publishes that wait, within their credit
  Micros last_group_at_{0};
  Micros last_stats_at_{0};
  bool sealed_ = true;
  FlushTimes flushes_;

  // core -> journal -> core
  Wakeup journal_wakeup_;
  std::atomic<ClosedGroup*> to_write_{nullptr};
  std::atomic<bool> write_done_{false};
  std::unique_ptr<ClosedGroup> flying_;
  Result<void> write_result_;
  Micros write_took_{0};
  bool flying_now_ = false;
  bool spare_ = false;  // the ring takes another group after the one in flight, wherever that ends

  // core -> write-behind
  Wakeup behind_wakeup_;
  moodycamel::ConcurrentQueue<CheckpointJob> checkpoints_;
  moodycamel::ConcurrentQueue<KeepJob> keep_jobs_;
  std::atomic<bool> behind_stopping_{false};

  std::jthread core_thread_, journal_thread_, behind_thread_;
};

template <class T, class Act>
void EmbeddedNode::within(const std::shared_ptr<Credit>& credit, std::uint64_t bytes, std::size_t room, Code refusal,
                          Edge& edge, Answer<T> answer, Act act, bool paced) {
  if (!credit->take(bytes)) return refuse(edge, std::move(answer), no_credit(refusal));
  // Given back with the answer, also when nobody runs it any more: its client left, or its edge.
  Answer<T> returning = [answer = std::move(answer), hold = CreditHold{credit, bytes}](Result<T> result) mutable {
    hold.release();
    answer(std::move(result));
  };
  submit(
      room,
      [act = std::move(act), returning = std::move(returning)](Core& core) mutable { act(core, std::move(returning)); },
      paced);
}

}  // namespace continuo::node
