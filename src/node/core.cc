#include "continuo/node/core.h"

#include <fmt/format.h>

#include <algorithm>

#include "continuo/node/admission.h"
#include "continuo/node/core_state.h"
#include "continuo/node/no_edge.h"
#include "continuo/node/queue_work.h"

namespace continuo::node {
namespace {

constexpr Millis wall_jump{5'000};
constexpr Millis distrust{600'000};
constexpr std::size_t effects_per_job = 1'000;

engines::TopicLimits topic_limits(const Limits& limits) {
  engines::TopicLimits out;
  out.topics = limits.topics;
  out.partitions_per_topic = limits.partitions_per_topic;
  out.partitions = limits.partitions;
  return out;
}

engines::SubscriptionLimits subscription_limits(const Limits& limits) {
  engines::SubscriptionLimits out;
  out.subscriptions = limits.subscriptions;
  out.outstanding = limits.outstanding_per_subscription;
  out.parked = limits.parked_per_subscription;
  out.all = limits.outstanding;
  return out;
}

}  // namespace

Core::Core(log::Home& home, Clock& clock, Random& random, const Limits& limits)
    : home_(home),
      clock_(clock),
      random_(random),
      limits_(limits),
      topics_(ledger_, topic_limits(limits)),
      subscriptions_(ledger_, subscription_limits(limits)),
      queues_(std::make_unique<QueueWork>(*this)) {}

Core::~Core() = default;

// ---- time -----------------------------------------------------------------------------------------------------------

// Wall time never goes back; elapsed time goes on from where the log stood. A jump of one against the other is noticed.
Now Core::now() {
  const Elapsed elapsed{elapsed_zero_.ms + (clock_.steady() - steady_zero_).count() / 1000};
  const WallTime wall = clock_.wall();
  const std::int64_t difference = wall.ms - elapsed.ms;
  if (std::abs(difference - wall_minus_elapsed_) > wall_jump.count()) {
    ++wall_jumps_;
    distrust_wall_until_ = elapsed + distrust;
  }
  wall_minus_elapsed_ = difference;
  return {std::max(wall, now_.wall), std::max(elapsed, now_.elapsed)};
}

// ---- groups ---------------------------------------------------------------------------------------------------------

Core::Open& Core::open() {
  if (!open_) {
    open_ = std::make_unique<Open>();
    now_ = now();
    open_->group.log.now = now_;
  }
  return *open_;
}

void Core::begin_frame() { open().group.log.begin_frame(); }
void Core::end_frame() {
  open_->group.log.end_frame();
  if (!told_.empty()) flush_told();
}

void Core::apply(const engines::Effect& effect) {
  note_leaving(effect);
  tell(effect);
  open_->group.log.effect(static_cast<std::uint8_t>(effect.type), effect.version, effect.payload);
  const auto applied = subscriptions_.apply(effect, now_.elapsed);
  CHECK(applied.has_value(), "an effect just decided can be applied");
}

void Core::lay(const NewRecord& record, Offset offset) {
  const PartitionRef partition{record.topic, record.partition};
  Open& group = open();
  auto found = group.builders.find(partition);
  if (found != group.builders.end() && !found->second.builder.fits(record.body.size())) {
    finish_batch(partition);
    found = group.builders.end();
  }
  if (found == group.builders.end()) {
    found = group.builders.try_emplace(partition).first;
    found->second.base = offset;
    found->second.max_timestamp_ms = record.timestamp_ms;
    group.laid += record::BatchLayout::records + log::Group::batch_overhead;
  }
  found->second.builder.add(record.body, record.timestamp_ms);
  found->second.max_timestamp_ms = std::max(found->second.max_timestamp_ms, record.timestamp_ms);
  group.laid += record::max_record_size(record.body.size());
}

void Core::finish_batch(PartitionRef partition) {
  Open::Building& building = open_->builders.at(partition);
  const auto count = static_cast<std::int64_t>(building.builder.record_count());
  std::string batch = building.builder.finish(building.base);
  const bool stamped = stamps_appends(partition.topic);
  if (stamped) record::set_append_time(batch, now_.wall.ms);
  open_->group.log.append({partition, building.base, building.base + count,
                           stamped ? now_.wall.ms : building.max_timestamp_ms,
                           std::make_shared<const std::string>(std::move(batch))});
  open_->builders.erase(partition);
}

// Whether a topic's records have the time of their appending.
bool Core::stamps_appends(TopicId topic) const {
  const engines::TopicUnit* unit = topics_.find(topic);
  return unit != nullptr && unit->definition.settings.timestamps == engines::Timestamps::appended;
}

bool Core::anything_open() const { return open_ != nullptr && !(open_->group.log.empty() && open_->builders.empty()); }

std::size_t Core::open_size() const { return open_ ? open_->size() : 0; }

bool Core::has_room(std::size_t bytes) const { return (open_ ? open_->size() : 0) + bytes <= group_budget; }

std::unique_ptr<ClosedGroup> Core::close() {
  if (!open_) return nullptr;
  if (!anything_open()) {
    // Nothing to write: these answers wait for the group in flight, if there is one.
    if (in_flight_) {
      for (auto& [edge, tasks] : open_->group.answers)
        std::ranges::move(tasks, std::back_inserter(after_flight_[edge]));
    } else {
      send(open_->group);
    }
    open_.reset();
    return nullptr;
  }
  while (!open_->builders.empty()) finish_batch(open_->builders.begin()->first);
  if (!changed_topics_.empty() || !changed_subscriptions_.empty()) open_->group.catalogue = build_catalogue();
  auto closed = std::make_unique<ClosedGroup>(std::move(open_->group));
  open_.reset();
  CHECK(!in_flight_, "one write at a time");
  closed_ = next(home_.last());  // seals take numbers too
  closed->log.sequence = closed_;
  in_flight_ = true;
  return closed;
}

void Core::written(std::unique_ptr<ClosedGroup> group) {
  in_flight_ = false;
  written_ = closed_ = group->log.sequence;
  home_.publish(group->log);
  ++written_groups_;
  frames_ += group->log.frame_count();
  journal_bytes_ += group->log.size();
  if (group->catalogue) catalogue_ = group->catalogue;
  for (auto& [edge, tasks] : after_flight_) std::ranges::move(tasks, std::back_inserter(group->answers[edge]));
  after_flight_.clear();
  send(*group);
  removed_.clear();
}

void Core::send(ClosedGroup& group) {
  std::shared_ptr<const std::vector<PartitionRef>> advanced;
  if (!group.log.batches().empty()) {
    std::vector<PartitionRef> partitions;
    for (const log::AppendedBatch& batch : group.log.batches()) partitions.push_back(batch.partition);
    advanced = std::make_shared<const std::vector<PartitionRef>>(std::move(partitions));
  }
  for (Edge* edge : edges_) {
    const bool news = (advanced || group.catalogue) && edge->wants_news.load(std::memory_order_relaxed);
    const bool definitions = group.catalogue && edge->wants_definitions.load(std::memory_order_relaxed);
    if (news || definitions) group.answers.try_emplace(edge);
  }
  for (auto& [edge, tasks] : group.answers) {
    if (removed_.contains(edge)) continue;
    const bool news = edge->wants_news.load(std::memory_order_relaxed);
    edge->deliver({std::move(tasks), news ? advanced : nullptr});
  }
}

void Core::deliver(Edge& edge, std::move_only_function<void()> task) {
  open().group.answers[&edge].push_back(std::move(task));
}

void Core::remove_edge(Edge& edge) {
  edges_.erase(&edge);
  if (in_flight_) removed_.insert(&edge);
  if (open_) open_->group.answers.erase(&edge);
  after_flight_.erase(&edge);
  for (auto& [id, feeders] : starved_)
    std::erase_if(feeders, [&](const Starved& starved) { return starved.edge == &edge; });
  for (auto& [id, waiters] : waiting_)
    std::erase_if(waiters, [&](const Waiter& waiter) { return waiter.edge == &edge; });
  forget_group_waiters(edge);
  queues_->forget(edge);
  forget_healing(edge);
  for (Trimming& trim : trims_)  // goes on, and nobody hears of it
    if (trim.edge == &edge) trim.edge = &no_edge(), trim.answer = [](Result<PartitionState>) {};
}

void Core::fail(const Error& error, std::unique_ptr<ClosedGroup> in_flight) {
  if (!failed_) {
    verdict_->error.detail = "the node stopped: " + to_string(error);
    verdict_->failed.store(true, std::memory_order_release);
    failed_ = true;
  }
  for (auto& [id, feeders] : std::exchange(starved_, {}))
    for (Starved& each : feeders) reply<OfferCredit>(*each.edge, std::move(each.answer), OfferCredit{});
  for (auto& [id, waiters] : waiting_)
    for (Waiter& waiter : waiters) reply<Received>(*waiter.edge, std::move(waiter.answer), Received{});
  waiting_.clear();
  fail_group_waiters();
  queues_->fail();
  fail_healing();
  while (!trims_.empty()) end_trim(continuo::fail(Code::node_failed, "the node stopped"));
  for (ClosedGroup* group : {in_flight.get(), open_ ? &open_->group : nullptr})
    if (group != nullptr)
      for (auto& [edge, tasks] : group->answers)
        if (!removed_.contains(edge)) edge->deliver({std::move(tasks), nullptr});
  for (auto& [edge, tasks] : after_flight_) edge->deliver({std::move(tasks), nullptr});
  open_.reset();
  after_flight_.clear();
  in_flight_ = false;
}

// ---- time passes ----------------------------------------------------------------------------------------------------

std::optional<Millis> Core::next_due() const {
  if (failed_) return std::nullopt;
  std::optional<Elapsed> due = subscriptions_.next_due();
  for (const auto other : {topics_.next_due(), producers_.next_due(), groups_.next_due()})
    if (other && (!due || *other < *due)) due = other;
  for (const auto& [id, waiters] : waiting_)
    for (const Waiter& waiter : waiters)
      if (!due || waiter.deadline < *due) due = waiter.deadline;
  for (const Repairer& repairer : repairers_)
    if (!due || repairer.deadline < *due) due = repairer.deadline;
  if (const auto idle = next_idle_look(); idle && (!due || *idle < *due)) due = idle;
  if (remains_ || !topics_gone_.empty() || !maybe_ready_.empty()) return Millis{0};
  if (!cancels_.empty() || (broken_came_ && !repairers_.empty())) return Millis{0};
  if (!keeping_ && subscriptions_.anything_given_up()) return Millis{node::may_publish(home_.stats()) ? 0 : 100};
  if ((!trims_.empty() && !keeping_) || !left_.empty() || unchecked_) return Millis{0};
  const Elapsed current{elapsed_zero_.ms + (clock_.steady() - steady_zero_).count() / 1000};
  const auto queues_due = queues_->next_due(current);
  if (!due) return queues_due;
  const Millis wait{std::max<std::int64_t>(0, due->ms - current.ms)};
  return queues_due ? std::min(*queues_due, wait) : wait;
}

void Core::tick() {
  if (failed_) return;
  const Now current = open_ ? now_ : now();
  // What does not fit into the open group any more comes with the next one.
  const std::size_t room = group_budget - std::min(group_budget, open_size());
  const std::size_t most = std::min(effects_per_job, room / engines::effect_room);
  if (const auto due = subscriptions_.next_due(); most > 0 && due && *due <= current.elapsed) {
    begin_frame();
    for (const engines::Effect& effect : subscriptions_.decide_due(now_, most)) apply(effect);
    end_frame();
    for (const auto& [id, waiters] : waiting_) maybe_ready(id);
    for (const auto& [id, feeders] : starved_) maybe_ready(id);
  }
  queues_->run_times(current, most);
  if (const auto due = groups_.next_due(); most > 0 && due && *due <= current.elapsed) {
    open();
    take(groups_.tick(now_.elapsed, most));
  }
  if (wall_jumps_ != wall_jumps_told_) {
    announce(
        "continuo.clock.jumped", {},
        fmt::format(R"({{"jumps":{},"retention_by_time_paused_for":"{}"}})", wall_jumps_, format_duration(distrust)));
    wall_jumps_told_ = wall_jumps_;
  }
  if (remains_ || !topics_gone_.empty() || !trims_.empty())
    for (const auto& [id, feeders] : starved_) maybe_ready(id);  // what goes took credit
  if (most == effects_per_job) run_jobs();
  queues_->note(maybe_ready_);
  wake_starved();
  serve_waiting();
  serve_repairers();
  expire_waiting();
}

void Core::run_jobs() {
  const auto run = [&](const std::vector<engines::Effect>& effects) {
    if (effects.empty()) return false;
    begin_frame();
    for (const engines::Effect& effect : effects) apply(effect);
    end_frame();
    return true;
  };
  if (const auto due = topics_.next_due(); due && *due <= (open_ ? now_ : now()).elapsed) {
    begin_frame();
    for (const engines::IdsDropped& dropped : topics_.decide_expired(now_.elapsed, effects_per_job)) {
      effect(dropped);
      topics_.apply(dropped, now_.elapsed);
    }
    end_frame();
  }
  if (const auto due = producers_.next_due(); due && *due <= (open_ ? now_ : now()).elapsed) {
    begin_frame();
    for (const engines::ProducerForgotten& forgotten : producers_.decide_expired(now_.elapsed, effects_per_job)) {
      effect(forgotten);
      producers_.apply(forgotten);
    }
    end_frame();
  }
  if (remains_) remains_ = run(subscriptions_.decide_remains(effects_per_job));
  if (!topics_gone_.empty()) {
    const TopicId gone = *topics_gone_.begin();
    const auto dropped = subscriptions_.decide_topic_gone(gone, effects_per_job);
    tell_dropped(dropped, gone_names_[gone]);
    if (!run(dropped)) topics_gone_.erase(gone), gone_names_.erase(gone);
  }
  queues_->run_jobs(effects_per_job);
  advance_trim(effects_per_job);
  release_kept();
  advance_cancel();
  begin_burying();
  trim_edits();
  end_idle();
}

// ---- checkpoints ----------------------------------------------------------------------------------------------------

std::optional<CheckpointJob> Core::checkpoint(bool force) {
  if (failed_ || (open_ && anything_open())) return std::nullopt;  // units are taken between groups only
  if (!round_) {
    const log::HomeStats stats = home_.stats();
    // The slot being written is never freed: a checkpoint that finds no other frees nothing.
    if (!force && (stats.used_slots < 2 || stats.used_slots * 4 < stats.slots)) return std::nullopt;
    if (closed_.value == 0) return std::nullopt;
    round_ = std::make_unique<Round>();
    round_->upto = closed_;
    round_->now = now_;
    round_->units = std::move(kept_images_);
    kept_images_.clear();
    ledger_.begin_round();
  }
  if (round_->handed_out) return std::nullopt;
  if (!round_->complete) {
    std::vector<engines::TakenUnit> taken;
    round_->complete = ledger_.take(limits_.checkpoint_slice_bytes, taken);
    round_->highest_stamp = closed_;
    for (engines::TakenUnit& unit : taken)
      round_->units.push_back(
          {std::move(unit.key), closed_, unit.erased ? std::nullopt : std::optional{std::move(unit.bytes)}});
  }
  if (!round_->complete || written_ < round_->highest_stamp) return std::nullopt;
  round_->handed_out = true;
  return CheckpointJob{round_->upto, round_->now, std::move(round_->units)};
}

void Core::checkpoint_done(bool committed, std::vector<log::UnitImage> units) {
  round_.reset();
  if (!committed) kept_images_ = std::move(units);
}

void Core::fill(Stats& stats) const {
  stats.groups = written_groups_;
  stats.frames = frames_;
  stats.journal_bytes = journal_bytes_;
  stats.published_events = published_;
  stats.duplicate_events = duplicates_;
  stats.settled = settled_;
  stats.leases_lost = leases_lost_;
  stats.dedup_ids = topics_.remembered_ids();
  stats.dedup_window = topics_.effective_window(now_.elapsed).value_or(Millis{0});
  stats.topics = topics_.by_name().size();
  stats.partitions = topics_.partition_count();
  stats.subscriptions = subscriptions_.by_name().size();
  stats.units = ledger_.units();
  stats.wall_jumps = wall_jumps_;
}

}  // namespace continuo::node
