// The node on this machine's disk: the core and its threads over the embedded log.
//
// Threads: core (decides; writes small groups itself), journal (writes large ones while the core fills the next),
// write-behind (topic files, checkpoints, retention). Commands reach the core through a lock-free queue within credits;
// answers leave by Edge::deliver.
#include <boost/lockfree/queue.hpp>

#include <concurrentqueue/concurrentqueue.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <thread>

#include "continuo/disk/disk.h"
#include "continuo/log/embedded_log.h"
#include "continuo/node/batch_cache.h"
#include "continuo/node/core.h"
#include "continuo/node/core_state.h"
#include "continuo/node/credit.h"
#include "continuo/node/flush_times.h"
#include "continuo/node/no_edge.h"
#include "continuo/node/retention.h"
#include "continuo/node/wakeup.h"

namespace continuo::node {
namespace {

constexpr std::size_t inline_write_bytes = 256 * 1024;  // larger groups go to the journal thread
constexpr Micros idle_seal{50'000};
constexpr Micros work_pause{10'000};
constexpr Micros stats_pause{100'000};
constexpr Micros retention_pause{1'000'000};
constexpr std::uint64_t cached_batch_bytes = 32u << 20;
constexpr std::size_t control_bytes = 64 * 1024;    // room a command without records may need
constexpr std::size_t definition_bytes = 1u << 20;  // a subscription has a cursor for each partition it reads
constexpr std::size_t tick_bytes = 5u << 20;        // timers and jobs of one group, at most
constexpr std::size_t entries_per_settle = 10'000;

struct Command {
  std::size_t bytes = 0;
  std::move_only_function<void(Core&)> run;
};

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

  void create_topic(Edge& edge, std::string name, TopicSettings settings, Answer<Put<Topic>> answer) override {
    control(edge, std::move(answer), [name = std::move(name), settings, &edge](Core& core, auto reply) mutable {
      core.create_topic(edge, std::move(name), settings, false, std::move(reply));
    });
  }
  void delete_topic(Edge& edge, std::string name, Answer<void> answer) override {
    control(edge, std::move(answer), [name = std::move(name), &edge](Core& core, auto reply) mutable {
      core.delete_topic(edge, std::move(name), std::move(reply));
    });
  }
  void trim(Edge& edge, TopicId topic, PartitionId partition, Offset before, Answer<PartitionState> answer) override {
    control(edge, std::move(answer),
            [=, &edge](Core& core, auto reply) { core.trim(edge, topic, partition, before, std::move(reply)); });
  }
  void put_subscription(Edge& edge, std::string name, SubscriptionSettings settings,
                        Answer<Put<Subscription>> answer) override {
    within(control_credit_, 1, definition_bytes, Code::too_many_requests, edge, std::move(answer),
           [name = std::move(name), settings = std::move(settings), &edge](Core& core, auto reply) mutable {
             core.put_subscription(edge, std::move(name), std::move(settings), std::move(reply));
           });
  }
  void delete_subscription(Edge& edge, std::string name, Answer<void> answer) override {
    control(edge, std::move(answer), [name = std::move(name), &edge](Core& core, auto reply) mutable {
      core.delete_subscription(edge, std::move(name), std::move(reply));
    });
  }
  void pause(Edge& edge, SubscriptionId id, bool paused, Answer<void> answer) override {
    control(edge, std::move(answer),
            [=, &edge](Core& core, auto reply) { core.pause(edge, id, paused, std::move(reply)); });
  }
  void subscription_state(Edge& edge, SubscriptionId id, Answer<SubscriptionState> answer) override {
    // The log knows when the oldest event came; it is asked on the edge's thread, where reading files is allowed.
    Answer<SubscriptionState> dated = [this, alive = std::weak_ptr<void>{alive_},
                                       answer = std::move(answer)](Result<SubscriptionState> state) mutable {
      if (state && !alive.expired())
        for (const auto& [partition, offset] : state->unsettled)
          if (const auto appended = home_->appended_at(partition, offset);
              appended && (!state->oldest || *appended < *state->oldest))
            state->oldest = *appended;
      answer(std::move(state));
    };
    control(edge, std::move(dated),
            [=, &edge](Core& core, auto reply) { core.subscription_state(edge, id, std::move(reply)); });
  }
  void parked(Edge& edge, SubscriptionId id, std::uint32_t limit, Answer<std::vector<ParkedKey>> answer) override {
    control(edge, std::move(answer),
            [=, &edge](Core& core, auto reply) { core.parked(edge, id, limit, std::move(reply)); });
  }
  void retry_parked(Edge& edge, SubscriptionId id, std::uint64_t key_hash, Answer<void> answer) override {
    control(edge, std::move(answer),
            [=, &edge](Core& core, auto reply) { core.retry_parked(edge, id, key_hash, std::move(reply)); });
  }
  void skip_parked(Edge& edge, SubscriptionId id, std::uint64_t key_hash, std::string reason,
                   Answer<void> answer) override {
    control(edge, std::move(answer), [=, reason = std::move(reason), &edge](Core& core, auto reply) mutable {
      core.skip_parked(edge, id, key_hash, std::move(reason), std::move(reply));
    });
  }
  void feed_positions(Edge& edge, Answer<std::vector<FeedPosition>> answer) override {
    submit(control_bytes,
           [&edge, answer = std::move(answer)](Core& core) mutable { core.feed_positions(edge, std::move(answer)); });
  }
  void offer(Edge& edge, Offer offer, Answer<OfferCredit> answer) override {
    const std::size_t bytes = offer.events.size() * 32 + control_bytes;
    submit(bytes, [&edge, offer = std::move(offer), answer = std::move(answer)](Core& core) mutable {
      core.offer(edge, std::move(offer), std::move(answer));
    });
  }
  void skip_damaged(Edge& edge, PartitionRef partition, Offset from, Offset next, std::string reason,
                    Answer<void> answer) override;
  void publish(Edge& edge, std::vector<NewRecord> records, Answer<Published> answer) override;
  void receive(Edge& edge, Receive receive, Answer<Received> answer) override;
  void settle(Edge& edge, Settle settle, Answer<Settled> answer) override;

  std::shared_ptr<const Catalogue> catalogue() const override { return catalogue_.load(); }
  Result<Batches> read(PartitionRef partition, Offset from, std::uint64_t max_bytes) override {
    return home_->read(partition, from, max_bytes);
  }
  Result<std::shared_ptr<const std::string>> read_one(PartitionRef partition, Offset offset) override;
  Result<Offset> offset_at(PartitionRef partition, WallTime time) override { return home_->offset_at(partition, time); }
  Result<PartitionState> partition_state(PartitionRef partition) override { return home_->state(partition); }

  void add_edge(Edge& edge) override {
    submit(0, [&edge](Core& core) { core.add_edge(edge); });
  }
  void remove_edge(Edge& edge) override;
  Health health() const override { return health_.load(); }
  std::string failure() const override { return health_ == Health::failed ? failure_ : std::string{}; }
  Stats stats() const override;
  bool durable() const override { return home_->durable(); }
  std::uint64_t secret() const override { return secret_; }
  const Options& options() const override { return options_; }

 private:
  void submit(std::size_t bytes, std::move_only_function<void(Core&)> run) {
    queue_.push(new Command{bytes, std::move(run)});
    wakeup_.wake();
  }
  void submit_internal(std::move_only_function<void(Core&)> run) {
    internal_.push(new Command{0, std::move(run)});
    wakeup_.wake();
  }
  // A command within the credits of its kind; `act(core, answer)`.
  template <class T, class Act>
  void within(const std::shared_ptr<Credit>& credit, std::uint64_t bytes, std::size_t room, Code refusal, Edge& edge,
              Answer<T> answer, Act act);
  template <class T, class Act>
  void control(Edge& edge, Answer<T> answer, Act act) {
    within(control_credit_, 1, control_bytes, Code::too_many_requests, edge, std::move(answer), std::move(act));
  }

  void core_loop();
  bool run_internal();
  bool drain();
  bool ring_has_room(std::size_t bytes) const;
  bool start_write();
  void finish(std::unique_ptr<ClosedGroup> group, const Result<void>& written);
  Result<void> write(ClosedGroup& group);
  void stop_by(const Error& error, std::unique_ptr<ClosedGroup> group);
  void pause_core(bool worked);
  void seal_when_idle();
  void publish_stats();
  void journal_loop();
  void behind_loop();
  void run_checkpoint(CheckpointJob job);
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
  mutable std::atomic<std::uint64_t> reads_{0};
  boost::lockfree::queue<Command*> queue_{4'096};  // first in, first out over all threads: remove_edge stands on that
  boost::lockfree::queue<Command*> internal_{64};  // of the node's own threads: never waits for room
  std::atomic<int> leaving_{0};                    // edges that wait to be removed
  std::atomic<int> trims_under_way_{0};
  std::unique_ptr<Command> held_;  // did not fit into the open group
  Wakeup wakeup_;
  std::atomic<bool> stopping_{false};
  std::atomic<Health> health_{Health::recovering};
  std::string failure_;
  std::atomic<std::shared_ptr<const Catalogue>> catalogue_;
  std::atomic<std::shared_ptr<const Stats>> stats_;
  std::atomic<bool> wall_trusted_{true};
  BatchCache cache_{cached_batch_bytes};

  // core thread
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
  std::atomic<bool> behind_stopping_{false};

  std::jthread core_thread_, journal_thread_, behind_thread_;
};

// ---- requests -------------------------------------------------------------------------------------------------------

// At once, without the core: nothing was done.
template <class T>
void refuse(Edge& edge, Answer<T> answer, Error error) {
  Mail mail;
  mail.answers.push_back(
      [answer = std::move(answer), error = std::move(error)]() mutable { answer(std::unexpected(std::move(error))); });
  edge.deliver(std::move(mail));
}

template <class T, class Act>
void EmbeddedNode::within(const std::shared_ptr<Credit>& credit, std::uint64_t bytes, std::size_t room, Code refusal,
                          Edge& edge, Answer<T> answer, Act act) {
  if (!credit->take(bytes)) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    return refuse(edge, std::move(answer), {refusal, "more is asked at once than may be in flight", {}, {}, 1});
  }
  // Given back with the answer, also when nobody runs it any more: its client left, or its edge.
  Answer<T> returning = [answer = std::move(answer), hold = CreditHold{credit, bytes}](Result<T> result) mutable {
    hold.release();
    answer(std::move(result));
  };
  submit(room, [act = std::move(act), returning = std::move(returning)](Core& core) mutable {
    act(core, std::move(returning));
  });
}

std::size_t room_of(const std::vector<NewRecord>& records) {
  std::size_t bytes = 1024;
  for (const NewRecord& record : records) bytes += record::max_record_size(record.body.size()) + 40;
  return bytes;
}

void EmbeddedNode::publish(Edge& edge, std::vector<NewRecord> records, Answer<Published> answer) {
  const std::size_t room = room_of(records);
  if (room > options_.limits.frame_bytes || room > group_budget)
    return refuse(edge, std::move(answer),
                  {Code::too_large,
                   fmt::format("the events take {} bytes in the log, one commit holds at most {}", room, group_budget),
                   {},
                   {}});
  within(publish_credit_, room, room, Code::overloaded, edge, std::move(answer),
         [&edge, records = std::move(records)](Core& core, auto reply) mutable {
           core.publish(edge, std::move(records), std::move(reply));
         });
}

void EmbeddedNode::skip_damaged(Edge& edge, PartitionRef partition, Offset from, Offset next, std::string reason,
                                Answer<void> answer) {
  const auto readable = home_->read(partition, from, 1);
  if (!readable && readable.error().code == Code::damaged_data)
    return control(edge, std::move(answer), [=, reason = std::move(reason), &edge](Core& core, auto reply) mutable {
      core.skip_damaged(edge, partition, from, next, std::move(reason), std::move(reply));
    });
  Error error =
      readable ? Error{Code::bad_request, fmt::format("the record at offset {} can be read", from.value), "from", {}}
               : readable.error();
  refuse(edge, std::move(answer), std::move(error));
}

void EmbeddedNode::receive(Edge& edge, Receive receive, Answer<Received> answer) {
  within(settle_credit_, 1, control_bytes, Code::too_many_requests, edge, std::move(answer),
         [&edge, receive = std::move(receive)](Core& core, auto reply) mutable {
           core.receive(edge, std::move(receive), std::move(reply));
         });
}

void EmbeddedNode::settle(Edge& edge, Settle settle, Answer<Settled> answer) {
  const std::size_t entries = settle.acks.size() + settle.nacks.size() + settle.extends.size();
  const std::size_t room = room_of(settle.publish) + entries * 96 + settle.nacks.size() * 4500;
  if (room > group_budget || entries > entries_per_settle)
    return refuse(edge, std::move(answer), {Code::too_large, "the request is too large for one commit", {}, {}});
  within(settle_credit_, room, room, Code::too_many_requests, edge, std::move(answer),
         [&edge, settle = std::move(settle)](Core& core, auto reply) mutable {
           core.settle(edge, std::move(settle), std::move(reply));
         });
}

Result<std::shared_ptr<const std::string>> EmbeddedNode::read_one(PartitionRef partition, Offset offset) {
  // What was trimmed or deleted meanwhile is not served from the cache either.
  const auto state = home_->state(partition);
  if (state && offset >= state->first)
    if (auto kept = cache_.find(partition, offset)) return kept;
  auto batches = home_->read(partition, offset, 1);
  if (!batches) return pass(batches);
  if (!batches->batches.empty()) {
    const auto header = record::read_batch_header(*batches->batches.front());
    if (header && header->base_offset <= offset) {
      cache_.keep(partition, header->base_offset, header->next_offset(), batches->batches.front());
      return batches->batches.front();
    }
  }
  return continuo::fail(Code::not_found, fmt::format("there is no record at offset {}", offset.value));
}

void EmbeddedNode::remove_edge(Edge& edge) {
  // The caller may be the edge's own thread: wait for the core, not for the answer.
  std::atomic<bool> removed{false};
  ++leaving_;
  if (core_thread_.joinable() && health_ != Health::stopped) {
    submit(0, [&](Core& core) {
      core.remove_edge(edge);
      removed.store(true, std::memory_order_release);
      removed.notify_all();
    });
    removed.wait(false);
  }
  --leaving_;
}

Stats EmbeddedNode::stats() const {
  const auto published = stats_.load();
  Stats stats = published ? *published : Stats{};
  stats.refused_overload = refused_;
  const log::HomeStats home = home_->stats();
  stats.checkpoints = home.checkpoints;
  stats.written_behind_bytes = home.written_behind_bytes;
  stats.cold_reads = home.cold_reads;
  stats.journal_used_bytes = home.used_slots * home.slot_bytes;
  stats.journal_size_bytes = home.slots * home.slot_bytes;
  stats.tail_bytes = home.tail_bytes;
  stats.disk_full = home.disk_full;
  return stats;
}

// ---- the core thread ------------------------------------------------------------------------------------------------

void EmbeddedNode::core_loop() {
  while (true) {
    bool worked = run_internal();
    worked = drain() || worked;
    if (flying_now_ && write_done_.load(std::memory_order_acquire)) {
      flying_now_ = false;
      write_done_ = false;
      finish(std::move(flying_), write_result_);
      worked = true;
    }
    if (ring_has_room(tick_bytes)) core_->tick();
    worked = start_write() || worked;
    // Here nothing is open, however busy it is: a checkpoint takes units between groups only.
    if (auto job = core_->checkpoint(false)) {
      checkpoints_.enqueue(std::move(*job));
      behind_wakeup_.wake();
    }
    if ((stopping_ || leaving_ != 0) && home_->stats().disk_full && !flying_now_ && (core_->anything_open() || held_))
      stop_by({Code::shutting_down, "the disk is full, and what came last cannot be written", {}, {}}, nullptr);
    publish_stats();
    if (stopping_ && !worked && !flying_now_ && !core_->anything_open() && !held_ && queue_.empty() &&
        internal_.empty())
      return;
    pause_core(worked);
  }
}

// Whether so much more in the open group can surely be written. What cannot waits outside: an open group would keep the
// checkpoint from beginning, and only a checkpoint makes room in the ring.
bool EmbeddedNode::ring_has_room(std::size_t bytes) const {
  if (health_ == Health::failed) return true;  // all is refused, and nothing written
  return flying_now_ ? spare_ : home_->has_room(core_->open_size() + bytes);
}

// What the node's own threads have to say adds nothing to a group and never waits behind those who want room: only this
// way does a full ring hear that a checkpoint is done.
bool EmbeddedNode::run_internal() {
  return internal_.consume_all([this](Command* command) {
    const std::unique_ptr<Command> owned{command};
    owned->run(*core_);
  }) != 0;
}

// Runs what waits, as far as the open group has room. True when anything ran.
bool EmbeddedNode::drain() {
  bool worked = false;
  for (int count = 0; count < 4096; ++count) {
    if (!held_) {
      Command* command = nullptr;
      if (!queue_.pop(command)) break;
      held_.reset(command);
    }
    if (!core_->has_room(held_->bytes) || !ring_has_room(held_->bytes)) break;
    held_->run(*core_);
    held_.reset();
    worked = true;
  }
  return worked;
}

// Small groups are written here: handing them over would cost two wake-ups. Large ones go to the journal thread, and
// the next fills meanwhile.
bool EmbeddedNode::start_write() {
  if (flying_now_) {
    if (!core_->anything_open()) core_->close();  // answers without effects join the group in flight
    return false;
  }
  if (core_->anything_open() && !home_->has_room(core_->open_size())) return false;  // the ring waits for a checkpoint
  const std::size_t size = core_->open_size();
  auto group = core_->close();
  if (!group) return false;
  sealed_ = false;
  if (size <= inline_write_bytes) {
    const auto written = write(*group);
    finish(std::move(group), written);
    return true;
  }
  spare_ = home_->stats().free_slots >= 2;
  flying_ = std::move(group);
  flying_now_ = true;
  to_write_.store(flying_.get(), std::memory_order_release);
  journal_wakeup_.wake();
  return true;
}

Result<void> EmbeddedNode::write(ClosedGroup& group) {
  const Micros before = clock_.steady();
  auto written = home_->write(group.log);
  write_took_ = clock_.steady() - before;
  return written;
}

void EmbeddedNode::finish(std::unique_ptr<ClosedGroup> group, const Result<void>& written) {
  last_group_at_ = clock_.steady();
  flushes_.add(write_took_);
  if (!written) return stop_by(written.error(), std::move(group));
  const bool definitions = group->catalogue != nullptr;
  const auto catalogue = group->catalogue;
  if (definitions) catalogue_.store(catalogue);  // before the answers: who hears of a topic finds it
  core_->written(std::move(group));
}

void EmbeddedNode::stop_by(const Error& error, std::unique_ptr<ClosedGroup> group) {
  if (health_ != Health::failed) {
    failure_ = to_string(error);
    health_ = Health::failed;
  }
  core_->fail(error, std::move(group));
}

void EmbeddedNode::seal_when_idle() {
  if (sealed_ || flying_now_ || health_ == Health::failed || clock_.steady() - last_group_at_ < idle_seal) return;
  sealed_ = true;
  if (!home_->has_room(0)) return;
  if (auto done = home_->seal(core_->now()); !done) stop_by(done.error(), nullptr);
}

void EmbeddedNode::pause_core(bool worked) {
  seal_when_idle();
  if (worked) return;
  Micros most = sealed_ ? Micros{100'000} : idle_seal;
  if (const auto due = core_->next_due(); due && !core_->anything_open()) most = std::min<Micros>(most, *due);
  if (core_->checkpointing() || core_->anything_open()) most = std::min(most, Micros{1'000});
  wakeup_.prepare();
  const bool nothing =
      internal_.empty() && (held_ || queue_.empty()) && !(flying_now_ && write_done_.load(std::memory_order_acquire));
  if (nothing && most.count() > 0)
    wakeup_.sleep(most);
  else
    wakeup_.cancel();
}

void EmbeddedNode::publish_stats() {
  const Micros current = clock_.steady();
  if (current - last_stats_at_ < stats_pause) return;
  last_stats_at_ = current;
  auto stats = std::make_shared<Stats>();
  core_->fill(*stats);
  stats->flush_p50_us = flushes_.percentile(0.5);
  stats->flush_p99_us = flushes_.percentile(0.99);
  stats_.store(std::move(stats));
  wall_trusted_ = core_->wall_trusted();
  if (health_ == Health::running || health_ == Health::disk_full)
    health_ = home_->stats().disk_full ? Health::disk_full : Health::running;
}

// ---- the journal thread ---------------------------------------------------------------------------------------------

void EmbeddedNode::journal_loop() {
  while (true) {  // the core may hand over groups until its own thread ends; behind_stopping_ says that it did
    ClosedGroup* group = to_write_.exchange(nullptr, std::memory_order_acquire);
    if (group == nullptr) {
      journal_wakeup_.prepare();
      if (to_write_.load() == nullptr && !behind_stopping_)
        journal_wakeup_.sleep(Micros{100'000});
      else
        journal_wakeup_.cancel();
      if (behind_stopping_ && to_write_.load() == nullptr) return;
      continue;
    }
    write_result_ = write(*group);
    write_done_.store(true, std::memory_order_release);
    wakeup_.wake();
  }
}

// ---- the write-behind thread ----------------------------------------------------------------------------------------

void EmbeddedNode::behind_loop() {
  Micros last_retention = clock_.steady();
  while (!behind_stopping_) {
    CheckpointJob job;
    const bool due = checkpoints_.try_dequeue(job);
    if (due) run_checkpoint(std::move(job));
    if (auto worked = home_->work(clock_.steady()); !worked)
      return submit_internal([this, error = worked.error()](Core&) { stop_by(error, nullptr); });
    if (clock_.steady() - last_retention >= retention_pause) {
      last_retention = clock_.steady();
      run_retention();
    }
    if (due) continue;
    behind_wakeup_.prepare();
    if (checkpoints_.size_approx() == 0)
      behind_wakeup_.sleep(work_pause);
    else
      behind_wakeup_.cancel();
  }
}

void EmbeddedNode::run_checkpoint(CheckpointJob job) {
  auto done = home_->checkpoint(job.upto, job.units, job.now);
  const bool full = !done && done.error().code == Code::disk_full;
  if (!done && !full) return submit_internal([this, error = done.error()](Core&) { stop_by(error, nullptr); });
  if (full) std::this_thread::sleep_for(Millis{100});
  submit_internal([committed = done.has_value(), units = std::move(job.units)](Core& core) mutable {
    core.checkpoint_done(committed, std::move(units));
  });
}

void EmbeddedNode::run_retention() {
  const auto catalogue = catalogue_.load();
  if (!catalogue || trims_under_way_ != 0) return;
  for (const RetentionTrim& trim : due_trims(*home_, *catalogue, clock_.wall(), wall_trusted_)) {
    ++trims_under_way_;
    submit(control_bytes, [this, trim](Core& core) {
      --trims_under_way_;
      // The clock may have jumped just before it was asked: the core looks again, and would rather wait than delete.
      (void)core.now();
      if (!core.wall_trusted()) return;
      core.trim(no_edge(), trim.partition.topic, trim.partition.partition, trim.before, [](Result<PartitionState>) {});
    });
  }
}

// ---- life -----------------------------------------------------------------------------------------------------------

Result<void> EmbeddedNode::open() {
  auto disk = disk::open_real_disk(options_.data);
  if (!disk) return pass(disk);
  disk_ = std::move(*disk);
  log::EmbeddedOptions embedded;
  embedded.journal.slots = options_.ring_segments;
  embedded.journal.slot_bytes = options_.ring_segment_bytes;
  embedded.journal.accept_loss = options_.accept_loss;
  embedded.topic_segment_bytes = options_.topic_segment_bytes;
  auto home = log::EmbeddedLog::open(*disk_, embedded, random_);
  if (!home) return pass(home);
  home_ = std::move(*home);
  core_ = std::make_unique<Core>(*home_, clock_, random_, options_.limits);
  if (auto recovered = core_->recover(); !recovered) return recovered;
  if (auto group = core_->close()) {
    if (auto written = home_->write(group->log); !written) return written;
    core_->written(std::move(group));
  }
  secret_ = core_->secret();
  catalogue_.store(core_->catalogue());
  health_ = Health::running;
  last_group_at_ = clock_.steady();
  behind_thread_ = std::jthread{[this] { behind_loop(); }};
  journal_thread_ = std::jthread{[this] { journal_loop(); }};
  core_thread_ = std::jthread{[this] { core_loop(); }};
  return {};
}

void EmbeddedNode::stop() {
  stopping_ = true;
  wakeup_.wake();
  if (core_thread_.joinable()) core_thread_.join();
  behind_stopping_ = true;
  behind_wakeup_.wake();
  journal_wakeup_.wake();
  if (behind_thread_.joinable()) behind_thread_.join();
  if (journal_thread_.joinable()) journal_thread_.join();
  if (home_ && core_ && health_ != Health::failed && health_ != Health::recovering)
    if (home_->has_room(0)) (void)home_->seal(core_->now());
  health_ = Health::stopped;
}

}  // namespace

Result<std::unique_ptr<Node>> Node::open(const Options& options, Clock& clock, Random& random) {
  auto node = std::make_unique<EmbeddedNode>(options, clock, random);
  if (auto opened = node->open(); !opened) return pass(opened);
  return node;
}

}  // namespace continuo::node
