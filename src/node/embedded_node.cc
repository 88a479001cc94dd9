// The embedded node's threads, its start and its end.
#include "continuo/node/embedded_node.h"

#include "continuo/node/thread_name.h"

namespace continuo::node {
namespace {

constexpr unsigned few = 2;  // commands; more than these are load

// Of this thread: the node it works in rounds for, and how much it asked of it in this one.
thread_local const EmbeddedNode* round_of = nullptr;
thread_local unsigned asked = 0;

}  // namespace

// ---- the core, and who runs it --------------------------------------------------------------------------------------

void EmbeddedNode::wake_core() {
  if (round_of == this)
    ++asked;
  else
    wakeup_.wake();
}

void EmbeddedNode::core_loop() {
  name_thread("core");
  while (true) {
    if (!take_core()) {  // an edge runs it, and wakes this thread when it leaves anything
      wakeup_.prepare();
      if (core_taken_.load(std::memory_order_seq_cst))
        wakeup_.sleep(work_pause);
      else
        wakeup_.cancel();
      continue;
    }
    if (run_core()) {
      leave_core();
      continue;
    }
    const bool over = stopping_ && nothing_left();
    const Micros most = longest_sleep();
    const bool blocked = held_ != nullptr;  // what comes behind it waits too
    wakes_at_ = clock_.steady() + most;
    wakeup_.prepare();
    leave_core();
    if (over) return;
    if (most.count() > 0 && !anything_waits(blocked))
      wakeup_.sleep(most);
    else
      wakeup_.cancel();
  }
}

bool EmbeddedNode::take_core() { return !core_taken_.exchange(true, std::memory_order_seq_cst); }
void EmbeddedNode::leave_core() { core_taken_.store(false, std::memory_order_seq_cst); }

void EmbeddedNode::work_in_rounds() { round_of = this; }

// At low load the edge that asks runs the core itself: two wake-ups less. Under load it has better things to do than to
// wait for a flush: what comes next is parsed meanwhile.
void EmbeddedNode::end_round() {
  if (asked == 0) return;
  const bool alone = std::exchange(asked, 0) <= few && lately_.load(std::memory_order_relaxed) <= few;
  if (!alone) return wakeup_.wake();
  if (!take_core()) return;  // who has it looks again before it sleeps, or wakes the core thread
  run_core();
  const Micros until = clock_.steady() + longest_sleep();
  const bool left = held_ != nullptr || core_->anything_open() || !paced_.empty() || until < wakes_at_;
  leave_core();
  if (left || anything_waits(false)) wakeup_.wake();
}

bool EmbeddedNode::anything_waits(bool blocked) const {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return !internal_.empty() || (!blocked && !queue_.empty()) || write_done_.load(std::memory_order_acquire);
}

bool EmbeddedNode::nothing_left() const {
  return !flying_now_ && !core_->anything_open() && !held_ && paced_.empty() && queue_.empty() && internal_.empty();
}

// One turn of the core: what waits is decided, and written when nothing is in flight. True when anything was done.
bool EmbeddedNode::run_core() {
  bool worked = run_internal();
  worked = drain() || worked;
  if (flying_now_ && write_done_.load(std::memory_order_acquire)) {
    flying_now_ = false;
    write_done_ = false;
    finish(std::move(flying_), write_result_);
    worked = true;
  }
  if (ring_has_room(tick_bytes)) core_->tick();
  if (auto job = core_->keep_job()) {
    keep_jobs_.enqueue(std::move(*job));
    behind_wakeup_.wake();
  }
  worked = start_write() || worked;
  // Here nothing is open, however busy it is: a checkpoint takes units between groups only.
  if (auto job = core_->checkpoint(false)) {
    checkpoints_.enqueue(std::move(*job));
    behind_wakeup_.wake();
  }
  if ((stopping_ || leaving_ != 0) && home_->stats().disk_full && !flying_now_ && (core_->anything_open() || held_))
    stop_by({Code::shutting_down, "the disk is full, and what came last cannot be written", {}, {}}, nullptr);
  publish_stats();
  seal_when_idle();
  return worked;
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

// Puts what runs next into held_; false when there is nothing. While publishes are paced, others overtake them - except
// when an edge leaves, whose publishes must be gone before it is.
bool EmbeddedNode::next_command(bool pacing) {
  if (held_) return true;
  if (!pacing && !paced_.empty()) {
    held_ = std::move(paced_.front());
    paced_.pop_front();
    return true;
  }
  for (Command* command = nullptr; queue_.pop(command);) {
    std::unique_ptr<Command> owned{command};
    if (pacing && (owned->paced || (leaving_ != 0 && !paced_.empty()))) {
      paced_.push_back(std::move(owned));
      continue;
    }
    held_ = std::move(owned);
    return true;
  }
  return false;
}

// Runs what waits, as far as the open group has room. True when anything ran.
bool EmbeddedNode::drain() {
  int ran = 0;
  const bool pacing = !stopping_ && leaving_ == 0 && health_ != Health::failed && !pace_.open(clock_.steady());
  for (; ran < 4096 && next_command(pacing); ++ran) {
    if (!core_->has_room(held_->bytes) || !ring_has_room(held_->bytes)) break;
    held_->run(*core_);
    held_.reset();
  }
  if (ran != 0) lately_.store(static_cast<unsigned>(ran), std::memory_order_relaxed);
  return ran != 0;
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
  if (!group->log.batches().empty()) pace_.group_done(last_group_at_, home_->stats());
  const bool definitions = group->catalogue != nullptr;
  const auto catalogue = group->catalogue;
  if (definitions) catalogue_.store(catalogue);  // before the answers: who hears of a topic finds it
  for (const KeptChange& change : group->kept) kept_places_.tell(change);  // before the trim they were copied for
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
  if (!home_->has_room(0)) return;  // it comes as soon as there is room
  sealed_ = true;
  if (auto done = home_->seal(core_->now()); !done) stop_by(done.error(), nullptr);
}

// How long the core may be left alone when nobody asks anything of it.
Micros EmbeddedNode::longest_sleep() const {
  Micros most = sealed_ ? Micros{100'000} : idle_seal;
  if (const auto due = core_->next_due(); due && !core_->anything_open()) most = std::min<Micros>(most, *due);
  if (core_->checkpointing() || core_->anything_open()) most = std::min(most, Micros{1'000});
  if (!paced_.empty()) most = std::min(most, pace_.until(clock_.steady()));
  return most;
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
  name_thread("journal");
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
  name_thread("write-behind");
  Micros last_retention = clock_.steady();
  while (!behind_stopping_) {
    CheckpointJob job;
    const bool due = checkpoints_.try_dequeue(job);
    if (due) run_checkpoint(std::move(job));
    const bool kept = run_keep();
    if (auto worked = home_->work(clock_.steady()); !worked)
      return submit_internal([this, error = worked.error()](Core&) { stop_by(error, nullptr); });
    if (clock_.steady() - last_retention >= retention_pause) {
      last_retention = clock_.steady();
      run_retention();
    }
    if (due || kept) continue;
    behind_wakeup_.prepare();
    if (checkpoints_.size_approx() == 0 && keep_jobs_.size_approx() == 0)
      behind_wakeup_.sleep(work_pause);
    else
      behind_wakeup_.cancel();
  }
}

void EmbeddedNode::run_checkpoint(CheckpointJob job) {
  auto done = home_->checkpoint(job.upto, job.units, job.now);
  const bool full = !done && log::passes(done.error());
  if (!done && !full) return submit_internal([this, error = done.error()](Core&) { stop_by(error, nullptr); });
  if (full) std::this_thread::sleep_for(Millis{100});
  submit_internal([committed = done.has_value(), units = std::move(job.units)](Core& core) mutable {
    core.checkpoint_done(committed, std::move(units));
  });
}

// Reads what is in the way of a trim. True when there was anything.
bool EmbeddedNode::run_keep() {
  KeepJob job;
  if (!keep_jobs_.try_dequeue(job)) return false;
  const auto read = [this](PartitionRef partition, Offset offset) { return read_or_copy(partition, offset); };
  auto records = read_records(read, job, copied_bytes);
  if (!records) {
    submit_internal([this, error = records.error()](Core&) { stop_by(error, nullptr); });
    return true;
  }
  std::size_t room = control_bytes;
  for (const ReadRecord& record : *records)
    room += record::max_record_size(record.body.size()) + (job.dead_letters ? letter_bytes : 64);
  submit(room, [job = std::move(job), records = std::move(*records)](Core& core) mutable {
    core.keep(job, std::move(records));
  });
  return true;
}

void EmbeddedNode::run_retention() {
  const auto catalogue = catalogue_.load();
  if (!catalogue || trims_under_way_ != 0) return;
  for (const RetentionTrim& trim : due_trims(*home_, *catalogue, clock_.wall(), wall_trusted_)) {
    ++trims_under_way_;
    submit(control_bytes, [this, trim](Core& core) {
      // The clock may have jumped just before it was asked: the core looks again, and would rather wait than delete.
      (void)core.now();
      if (!core.wall_trusted()) {
        --trims_under_way_;
        return;
      }
      core.trim(no_edge(), trim.partition.topic, trim.partition.partition, trim.before,
                [this](Result<PartitionState>) { --trims_under_way_; });
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
  embedded.open_files = options_.open_topic_files;
  embedded.page_cache_bytes = options_.page_cache_bytes;
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
  core_->tell_kept([this](const KeptChange& kept) { kept_places_.tell(kept); });
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

Result<std::unique_ptr<Node>> Node::open(const Options& options, Clock& clock, Random& random) {
  auto node = std::make_unique<EmbeddedNode>(options, clock, random);
  if (auto opened = node->open(); !opened) return pass(opened);
  return node;
}

}  // namespace continuo::node
