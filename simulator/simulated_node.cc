#include "continuo/simulator/simulated_node.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "continuo/base/bytes.h"
#include "continuo/base/hash.h"
#include "continuo/delivery/feeder.h"
#include "continuo/node/retention.h"
#include "continuo/record/cloudevents.h"
#include "continuo/routing/matcher.h"

namespace continuo::simulator {
namespace {

constexpr std::size_t group_slack = 1024;    // heads of frames and batches
constexpr std::size_t control_bytes = 4096;  // what a timer or a job may write
constexpr std::size_t copied_bytes = 2048;
constexpr std::size_t told_bytes = 1536;  // of a dead letter's headers and of the event that tells of it
constexpr std::uint64_t read_bytes = 8u << 10;
constexpr std::uint32_t events_per_offer = 64;

std::uint64_t fold_number(std::uint64_t value, std::uint64_t sum) {
  std::string bytes;
  ByteWriter{bytes}.u64(value);
  return hash64(bytes, sum);
}

}  // namespace

SimulatedNode::SimulatedNode(disk::SimulatedDisk& disk, VirtualClock& clock, Random& random,
                             const NodeSettings& settings)
    : disk_(disk), clock_(clock), random_(random), settings_(settings) {}

SimulatedNode::~SimulatedNode() = default;

Result<std::unique_ptr<SimulatedNode>> SimulatedNode::start(disk::SimulatedDisk& disk, VirtualClock& clock,
                                                            Random& random, const NodeSettings& settings) {
  std::unique_ptr<SimulatedNode> node{new SimulatedNode(disk, clock, random, settings)};
  if (auto opened = node->open(); !opened) return pass(opened);
  return node;
}

Result<void> SimulatedNode::open() {
  log::EmbeddedOptions options;
  options.journal.slots = settings_.slots;
  options.journal.slot_bytes = settings_.slot_bytes;
  options.journal.max_group = settings_.max_group;
  options.journal.accept_loss = settings_.accept_loss;
  options.topic_segment_bytes = settings_.topic_segment_bytes;
  options.write_behind_piece = settings_.write_behind_piece;
  options.write_behind_age = settings_.write_behind_age;
  options.flush_step = 4 * settings_.write_behind_piece;
  options.ballast_bytes = settings_.ballast_bytes;
  auto home = log::EmbeddedLog::open(disk_, options, random_);
  if (!home) return pass(home);
  home_ = std::move(*home);
  core_ = std::make_unique<node::Core>(*home_, clock_, random_, settings_.limits);
  if (auto recovered = core_->recover(); !recovered) return recovered;
  core_->tell_kept([this](const node::KeptChange& kept) { kept_places_.tell(kept); });
  flush();
  if (failure_) return std::unexpected(*failure_);
  return {};
}

void SimulatedNode::fail(const Error& error) {
  if (failure_) return;
  failure_ = error;
  core_->fail(error, std::move(flying_));
}

// ---- the core's thread ----------------------------------------------------------------------------------------------

bool SimulatedNode::admit(std::size_t bytes) {
  if (failed()) return false;
  if (core_->open_size() + bytes + group_slack > settings_.max_group) flush();
  if (failed()) return false;
  // What is in flight and what is open must fit, or nobody could take a checkpoint any more.
  const std::size_t flying = flying_ && !flying_written_ ? flying_->log.size() + log::journal_block : 0;
  return home_->has_room(flying + settings_.max_group - log::GroupHeader::size);
}

void SimulatedNode::tick() {
  if (admit(control_bytes)) core_->tick();
}

bool SimulatedNode::close() {
  if (failed()) return false;
  if (flying_) {
    if (!core_->anything_open()) core_->close();  // answers without effects join the group in flight
    return true;
  }
  const std::size_t most = core_->open_size();
  flying_ = core_->close();
  CHECK(!flying_ || flying_->log.size() <= most, "a group is never larger than the core thought");
  flying_written_ = false;
  return flying_ != nullptr;
}

bool SimulatedNode::write() {
  if (failed() || !flying_ || flying_written_) return false;
  if (auto written = home_->write(flying_->log); !written) {
    fail(written.error());
    return false;
  }
  flying_written_ = true;
  fold(flying_->log);
  return true;
}

void SimulatedNode::publish() {
  if (failed() || !flying_ || !flying_written_) return;
  for (const node::KeptChange& change : flying_->kept) kept_places_.tell(change);
  core_->written(std::move(flying_));
}

void SimulatedNode::flush() {
  while (!failed()) {
    write();
    publish();
    if (!close()) return;
  }
}

void SimulatedNode::seal() {
  if (failed() || flying_ || core_->anything_open() || !home_->has_room(0)) return;
  if (auto sealed = home_->seal(core_->now()); !sealed) fail(sealed.error());
}

// ---- the write-behind thread ----------------------------------------------------------------------------------------

void SimulatedNode::work() {
  if (failed()) return;
  if (auto worked = home_->work(clock_.steady()); !worked) fail(worked.error());
}

void SimulatedNode::keep() {
  if (failed()) return;
  if (!keep_job_) keep_job_ = core_->keep_job();
  if (!keep_job_) return;
  auto records = node::read_records(
      [this](PartitionRef partition, Offset offset) { return read_one(partition, offset); }, *keep_job_, copied_bytes);
  if (!records) return fail(records.error());
  // What is told of a dead letter takes more than the letter. The core takes those that come, and asks for the rest.
  const auto takes = [&](const node::ReadRecord& record) {
    return record::max_record_size(record.body.size()) + (keep_job_->dead_letters ? told_bytes : 64);
  };
  std::size_t room = control_bytes, fit = 0;
  for (const node::ReadRecord& record : *records)
    if (fit == 0 || room + takes(record) + group_slack < settings_.max_group) room += takes(record), ++fit;
  records->resize(fit);
  if (!admit(room)) return;
  core_->keep(*keep_job_, std::move(*records));
  keep_job_.reset();
}

bool SimulatedNode::checkpoint(bool force) {
  if (failed() || job_) return job_.has_value();
  job_ = core_->checkpoint(force);
  return job_.has_value();
}

void SimulatedNode::run_checkpoint() {
  if (failed() || !job_) return;
  node::CheckpointJob job = std::move(*job_);
  job_.reset();
  auto done = home_->checkpoint(job.upto, job.units, job.now);
  if (!done && !log::passes(done.error())) return fail(done.error());
  core_->checkpoint_done(done.has_value(), std::move(job.units));
}

void SimulatedNode::checkpoint_now() {
  flush();
  if (!failed() && !job_)
    for (int slice = 0; slice < 1000 && !checkpoint(true); ++slice) flush();
  run_checkpoint();
}

void SimulatedNode::retention(const std::function<void(PartitionRef, Offset)>& told) {
  if (failed()) return;
  for (const node::RetentionTrim& trim :
       node::due_trims(*home_, *core_->catalogue(), clock_.wall(), core_->wall_trusted())) {
    if (!admit(control_bytes)) return;
    told(trim.partition, trim.before);
    core_->trim(edge_, trim.partition.topic, trim.partition.partition, trim.before,
                [](Result<node::PartitionState>) {});
  }
}

// ---- feeding --------------------------------------------------------------------------------------------------------

bool SimulatedNode::feed() {
  if (failed()) return false;
  bool any = false;
  for (const node::FeedPosition& position : core_->subscriptions().feed_positions()) any = offer(position) || any;
  return any;
}

const engines::SubscriptionSettings& SimulatedNode::settings_of(SubscriptionId id) const {
  return core_->subscriptions().find(id)->definition.settings;
}

bool SimulatedNode::offer(const node::FeedPosition& position) {
  if (position.credit == 0) return false;
  node::Offer offer;
  offer.subscription = position.subscription;
  offer.epoch = position.epoch;
  offer.filter = position.filter;
  offer.partition = position.partition;
  offer.from = offer.next = position.next;
  auto batches = home_->read(position.partition, position.next, read_bytes);
  if (!batches && batches.error().code == Code::offset_out_of_range) {
    const auto state = home_->state(position.partition);
    if (!state || state->first <= position.next) return false;
    offer.next = state->first;
  } else if (!batches || batches->batches.empty() ||
             !delivery::collect(*batches, position.next, std::min(position.credit, events_per_offer), position.by_key,
                                offer, delivery::times_wanted(settings_of(position.subscription)))) {
    return false;
  } else {
    leave_out(*batches, settings_of(position.subscription).filter, offer);
  }
  if (!admit(control_bytes + offer.events.size() * 32)) return false;
  core_->offer(edge_, std::move(offer), [](Result<node::OfferCredit>) {});
  return true;
}

// What the filter does not match; cursors and credit go as they do without one.
void SimulatedNode::leave_out(const log::Batches& batches, const std::string& filter, node::Offer& offer) {
  if (filter.empty()) return;
  const auto pattern = routing::Pattern::parse(filter);
  CHECK(pattern.has_value(), "scenarios have good filters");
  routing::Matching matching{routing::Matcher::compile(std::array{&*pattern})};
  std::set<Offset> wanted;
  std::string scratch;
  for (const auto& batch : batches.batches) {
    record::RecordWalk walk{*batch};
    while (const auto record = walk.next()) {
      const record::Event event = record::event_of(*record, {"t", offer.partition.partition}, scratch);
      if (!matching.match({&event, record->key, &*record}).empty()) wanted.insert(record->offset);
    }
  }
  std::erase_if(offer.events, [&](const node::Offer::Event& event) { return !wanted.contains(event.offset); });
}

Result<std::shared_ptr<const std::string>> SimulatedNode::read_one(PartitionRef partition, Offset offset) {
  // Not what the core knows: its state runs ahead of the disk, and a copy may be given up in it while an answer that
  // needs it is on its way.
  return node::read_or_copy(*home_, kept_places_, [this] { return core_->catalogue(); }, partition, offset);
}

// ---- hashes ---------------------------------------------------------------------------------------------------------

void SimulatedNode::fold(const log::Group& group) {
  effects_ = fold_number(group.sequence.value, effects_);
  effects_ = fold_number(static_cast<std::uint64_t>(group.now.wall.ms), effects_);
  effects_ = fold_number(static_cast<std::uint64_t>(group.now.elapsed.ms), effects_);
  effects_ = hash64(group.frames(), effects_);
  for (const log::AppendedBatch& batch : group.batches()) effects_ = hash64(*batch.bytes, effects_);
}

std::string SimulatedNode::members_of(const std::string& group) const {
  std::string text;
  if (const auto there = core_->groups().describe(group))
    for (const auto& each : there->members)
      text += fmt::format("{} {} {}\n", each.id, each.instance.value_or(""), each.assignment);
  return text;
}

std::uint64_t SimulatedNode::visible_state() {
  std::string text;
  const auto catalogue = core_->catalogue();
  for (const auto& [name, topic] : catalogue->topics) {
    text += fmt::format("topic {} {} {}\n", name, topic->id.value, topic->settings.partitions);
    for (std::uint32_t id = 0; id < topic->settings.partitions; ++id) {
      const PartitionRef ref{topic->id, PartitionId{id}};
      const auto state = home_->state(ref);
      CHECK(state.has_value(), "a topic of the catalogue has its partitions");
      const auto* head = core_->topics().head(ref);
      text += fmt::format("{} {} {} {}\n", state->first.value, state->next.value, head->first.value, head->next.value);
      for (Offset at = state->first; at < state->next;) {
        const auto batches = home_->read(ref, at, 1u << 20);
        if (!batches || batches->batches.empty()) {
          text += "unreadable";
          break;
        }
        for (const auto& batch : batches->batches) text += *batch;
        at = batches->next;
      }
    }
  }
  for (const auto& [name, subscription] : catalogue->subscriptions) {
    const auto& engine = core_->subscriptions();
    const auto counts = engine.counts(subscription->id);
    text += fmt::format("subscription {} {} {} {} {} {} {}\n", name, subscription->id.value, subscription->paused,
                        counts.queued, counts.leased, counts.delayed, counts.parked_events);
    for (const auto& cursor : engine.cursors(subscription->id)) text += fmt::format("cursor {}\n", cursor.next.value);
    for (const auto& [ref, offset] : engine.oldest(subscription->id)) text += fmt::format("oldest {}\n", offset.value);
    for (const auto& key : engine.parked(subscription->id, {.limit = 1000}))
      text += fmt::format("parked {} {}\n", key.key_hash, key.attempts);
  }
  for (const auto& [name, topic] : catalogue->topics)
    for (std::uint32_t id = 0; id < topic->settings.partitions; ++id)
      for (const auto* producer : core_->producers().of({topic->id, PartitionId{id}})) producer->encode(text);
  for (const auto& group : core_->groups().list())
    for (const auto* offset : core_->groups().committed(group.name)) offset->encode(text);
  text += fmt::format("next producer {}\n", core_->producers().next().value);
  text += fmt::format("kept {}\n", core_->kept_records());
  text += fmt::format("ids {} secret {}\n", core_->topics().remembered_ids(), core_->secret());
  return hash64(text);
}

}  // namespace continuo::simulator
