#include "continuo/log/embedded_log.h"

#include <concurrentqueue/concurrentqueue.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "continuo/base/bytes.h"

namespace continuo::log {
namespace {

const std::string format_path = "FORMAT";
const std::string lock_path = "LOCK";
const std::string ballast_path = "ballast";

// Keys of the store: one letter, then what it names, so that a scan gives all of a kind together.
const std::string head_key = "h";
constexpr char unit_letter = 'u';
constexpr char partition_letter = 'p';

std::string partition_key(PartitionRef ref) {
  std::string key{partition_letter};
  ByteWriter writer{key};
  writer.be(ref.topic.value);
  writer.be(ref.partition.value);
  return key;
}

PartitionRef partition_of_key(std::string_view key) {
  ByteReader reader{key.substr(1)};
  const TopicId topic{reader.be<std::uint32_t>()};
  return {topic, PartitionId{reader.be<std::uint32_t>()}};
}

// A unit's value: u64 stamp, u8 present, bytes.
std::string encode_unit(const UnitImage& unit) {
  std::string value;
  ByteWriter writer{value};
  writer.u64(unit.stamp.value);
  writer.u8(unit.bytes ? 1 : 0);
  if (unit.bytes) writer.raw(*unit.bytes);
  return value;
}

std::unexpected<Error> bad_store(std::string_view what) {
  return fail(Code::wrong_format, fmt::format("the checkpoint's {} cannot be read", what), "state");
}

}  // namespace

struct EmbeddedLog::Removals {
  moodycamel::ConcurrentQueue<RemovedTopic> queue;
};

EmbeddedLog::EmbeddedLog(disk::Disk& disk, const EmbeddedOptions& options, Random& random)
    : disk_(disk),
      options_(options),
      random_(random),
      files_(disk, options.open_files),
      page_cache_(options.page_cache_bytes),
      removals_(std::make_unique<Removals>()) {
  set_table(std::make_shared<const Table>());
}

EmbeddedLog::~EmbeddedLog() = default;

// ---- opening --------------------------------------------------------------------------------------------------------

Result<std::unique_ptr<EmbeddedLog>> EmbeddedLog::open(disk::Disk& disk, const EmbeddedOptions& options,
                                                       Random& random) {
  if (options.topic_segment_bytes > max_topic_segment_bytes)
    return fail(Code::bad_setting,
                fmt::format("a topic segment of {} bytes is too large: the index counts to {}",
                            options.topic_segment_bytes, max_topic_segment_bytes),
                "topic_segment_bytes");
  std::unique_ptr<EmbeddedLog> log{new EmbeddedLog(disk, options, random)};
  if (auto opened = log->open_folder(); !opened) return pass(opened);
  return log;
}

Result<void> EmbeddedLog::open_folder() {
  auto lock = disk_.lock(lock_path);
  if (!lock) return pass(lock);
  lock_ = std::move(*lock);
  if (auto checked = check_format(); !checked) return checked;
  if (auto made = make_folders({"journal", "topics", "state"}); !made) return made;
  auto mode = disk_.probe("journal");
  if (!mode) return pass(mode);
  mode_ = *mode;
  auto journal = Journal::open(disk_, options_.journal, random_);
  if (!journal) return pass(journal);
  journal_ = std::move(*journal);
  const std::string native = disk_.native_root();
  auto store = native.empty() ? open_file_store(disk_) : open_lmdb_store(native + "/state");
  if (!store) return pass(store);
  store_ = std::move(*store);
  return {};
}

// In the root, where their names must last before anything in them is believed to.
Result<void> EmbeddedLog::make_folders(std::initializer_list<const char*> folders) {
  bool made_any = false;
  for (const char* folder : folders) {
    auto there = disk_.exists(folder);
    if (!there) return pass(there);
    if (*there) continue;
    if (auto made = disk_.make_folder(folder); !made) return made;
    made_any = true;
  }
  return made_any ? disk_.sync_folder("") : Result<void>{};
}

Result<void> EmbeddedLog::check_format() {
  const std::string mine = fmt::format("continuo data {}\n", data_format);
  auto there = disk_.exists(format_path);
  if (!there) return pass(there);
  auto file = disk_.open(format_path, {.create = true});
  if (!file) return pass(file);
  std::string found(64, '\0');
  auto got = (*file)->read(0, found);
  if (!got) return pass(got);
  found.resize(*got);
  if (found == mine) return {};
  // A first start may have been cut off before the line was on the disk; then there is no journal either.
  auto journal = disk_.list("journal");
  if (!journal) return pass(journal);
  if (!found.empty() && !journal->empty())
    return fail(Code::wrong_format,
                fmt::format("the folder says '{}', this version reads format {}", found.substr(0, found.find('\n')),
                            data_format),
                format_path);
  if (auto cut = (*file)->truncate(0); !cut) return cut;
  if (auto written = (*file)->write(0, mine); !written) return written;
  if (auto synced = (*file)->sync(); !synced) return synced;
  return disk_.sync_folder("");
}

// Space set aside, so that a full disk can be got out of: it is given back when the disk is full.
Result<void> EmbeddedLog::make_ballast() {
  if (options_.ballast_bytes == 0) return {};
  auto there = disk_.exists(ballast_path);
  if (!there || *there) return {};
  auto space = disk_.space();
  if (!space || space->free_bytes < 4 * options_.ballast_bytes) return {};
  auto file = disk_.open(ballast_path, {.create = true});
  if (!file) return pass(file);
  const std::string zeros(1u << 20, '\0');
  for (std::uint64_t at = 0; at < options_.ballast_bytes; at += zeros.size())
    if (auto written = (*file)->write(at, zeros); !written) return written;
  return {};
}

// ---- the table of partitions ----------------------------------------------------------------------------------------

void EmbeddedLog::set_table(std::shared_ptr<const Table> table) {
  core_table_ = table;
  table_.store(std::move(table));
}

std::shared_ptr<const EmbeddedLog::Table> EmbeddedLog::table() const { return table_.load(); }

void EmbeddedLog::make(Table& table, const PartitionsMade& made) {
  auto partitions = std::make_shared<Partitions>();
  if (const auto old = table.find(made.topic); old != table.end()) *partitions = *old->second;
  const auto sized = segment_bytes_.find(made.topic);
  const std::uint64_t bytes = sized == segment_bytes_.end() ? options_.topic_segment_bytes : sized->second;
  for (auto id = static_cast<std::uint32_t>(partitions->size()); id < made.partitions; ++id)
    partitions->push_back(
        std::make_shared<PartitionLog>(files_, PartitionRef{made.topic, PartitionId{id}}, bytes, &held_bytes_));
  table[made.topic] = std::move(partitions);
}

void EmbeddedLog::size_segments(TopicId topic, std::optional<std::uint64_t> bytes) {
  if (bytes)
    segment_bytes_[topic] = *bytes;
  else
    segment_bytes_.erase(topic);
  if (const auto found = core_table_->find(topic); found != core_table_->end())
    for (const auto& partition : *found->second) partition->size_segments(bytes.value_or(options_.topic_segment_bytes));
}

EmbeddedLog::RemovedTopic EmbeddedLog::take_out(Table& table, TopicId topic) {
  const auto found = table.find(topic);
  const std::size_t partitions = found == table.end() ? 0 : found->second->size();
  if (found != table.end()) table.erase(found);
  segment_bytes_.erase(topic);
  return {topic, partitions};
}

Result<std::shared_ptr<PartitionLog>> EmbeddedLog::find(PartitionRef ref) const {
  const auto all = table();
  const auto topic = all->find(ref.topic);
  if (topic == all->end())
    return fail(Code::unknown_topic, fmt::format("there is no topic with number {}", ref.topic.value));
  if (ref.partition.value >= topic->second->size())
    return fail(Code::unknown_partition,
                fmt::format("the topic has {} partitions, none is {}", topic->second->size(), ref.partition.value));
  return (*topic->second)[ref.partition.value];
}

PartitionLog* EmbeddedLog::writable(PartitionRef ref) {
  const auto topic = core_table_->find(ref.topic);
  if (topic == core_table_->end() || ref.partition.value >= topic->second->size()) return nullptr;
  return (*topic->second)[ref.partition.value].get();
}

// ---- recovery -------------------------------------------------------------------------------------------------------

Result<void> EmbeddedLog::recover(RecoverySink& sink) {
  Sequence from{1};
  if (auto loaded = load_store(sink, from); !loaded) return loaded;
  const auto visit = [&](const ReplayedGroup& group) -> Result<void> {
    if (auto begun = sink.group(group.sequence, group.now); !begun) return begun;
    return walk_effects(group.body, [&](const EffectView& effect) -> Result<void> {
      if (effect.type < first_engine_effect)
        if (auto replayed = replay_effect(group, effect); !replayed) return replayed;
      return sink.effect(effect);
    });
  };
  if (auto replayed = journal_->replay(from, visit); !replayed) return replayed;
  // What the checkpoint knows of was durable: without it the log ends in rot that looks like a tear.
  if (journal_->last() < newest_known_ && !options_.journal.accept_loss)
    return fail(Code::damaged_journal,
                fmt::format("the log ends at group {}, but the checkpoint knows of group {}", journal_->last().value,
                            newest_known_.value),
                "journal");
  return {};
}

Result<void> EmbeddedLog::load_store(RecoverySink& sink, Sequence& from) {
  auto made = std::make_shared<Table>(*core_table_);
  // Partition records come before units ('p' < 'u') and after the head ('h').
  const auto visit = [&](std::string_view key, std::string_view value) -> Result<void> {
    ByteReader reader{value};
    if (key == head_key) {
      from = Sequence{reader.u64() + 1};
      newest_known_ = Sequence{reader.u64()};
      const Now now{WallTime{reader.i64()}, Elapsed{reader.i64()}};
      if (!reader.done()) return bad_store("head");
      return sink.group(Sequence{from.value - 1}, now);
    }
    if (key.front() == partition_letter) {
      const PartitionRef ref = partition_of_key(key);
      make(*made, {ref.topic, ref.partition.value + 1});
      return (*made->at(ref.topic))[ref.partition.value]->restore(value);
    }
    if (key.front() != unit_letter) return bad_store("keys");
    const Sequence stamp{reader.u64()};
    const bool present = reader.u8() == 1;
    const std::string_view bytes = reader.rest();
    if (!reader.ok()) return bad_store("units");
    if (!present) tombstones_.emplace_back(key);
    return sink.unit(key.substr(1), stamp, present ? std::optional{bytes} : std::nullopt);
  };
  auto loaded = store_->load(visit);
  set_table(std::move(made));
  return loaded;
}

Result<void> EmbeddedLog::replay_effect(const ReplayedGroup& group, const EffectView& effect) {
  switch (static_cast<LogEffect>(effect.type)) {
    case LogEffect::appended: {
      auto view = read_appended(effect.payload);
      if (!view) return pass(view);
      PartitionLog* partition = writable(view->partition);
      // A topic removed later, whose removal the checkpoint knows already; or a batch that it holds already.
      if (partition == nullptr || view->base < partition->end()) return {};
      const AppendedBatch batch{view->partition, view->base, view->next, view->max_timestamp_ms,
                                std::make_shared<const std::string>(view->batch)};
      partition->append(batch, group.sequence, group.now.wall);
      return {};
    }
    case LogEffect::partitions_made: {
      auto made = read_partitions_made(effect.payload);
      if (!made) return pass(made);
      auto table = std::make_shared<Table>(*core_table_);
      make(*table, *made);
      set_table(std::move(table));
      return {};
    }
    case LogEffect::topic_removed: {
      auto removed = read_topic_removed(effect.payload);
      if (!removed) return pass(removed);
      auto table = std::make_shared<Table>(*core_table_);
      const RemovedTopic gone = take_out(*table, removed->topic);
      set_table(std::move(table));
      removals_->queue.enqueue(gone);
      return {};
    }
    case LogEffect::trimmed: {
      auto trimmed = read_trimmed(effect.payload);
      if (!trimmed) return pass(trimmed);
      if (PartitionLog* partition = writable(trimmed->partition)) partition->trim(trimmed->before);
      return {};
    }
    case LogEffect::skipped: {
      auto skipped = read_skipped(effect.payload);
      if (!skipped) return pass(skipped);
      if (PartitionLog* partition = writable(skipped->partition)) partition->skip(skipped->from, skipped->next);
      return {};
    }
    case LogEffect::raised: return {};  // by what the files hold: the core follows
  }
  return fail(Code::wrong_format,
              fmt::format("the journal holds an effect of type {} that this version does not know", effect.type));
}

// A stranger of this name may have come before.
Result<std::string> EmbeddedLog::free_place(const std::string& wanted) {
  for (int number = 1;; ++number) {
    std::string place = number == 1 ? wanted : fmt::format("{}.{}", wanted, number);
    auto taken = disk_.exists(place);
    if (!taken) return pass(taken);
    if (!*taken) return place;
  }
}

// Topics whose files could not be removed yet: for want of room, or of a descriptor.
std::vector<EmbeddedLog::RemovedTopic> EmbeddedLog::waiting_removals() {
  std::vector<RemovedTopic> all;
  for (RemovedTopic topic; removals_->queue.try_dequeue(topic);) all.push_back(topic);
  for (const RemovedTopic& topic : all) removals_->queue.enqueue(topic);
  return all;
}

// Nothing is deleted on doubt: what no frame explains is put aside.
Result<void> EmbeddedLog::quarantine_strangers() {
  auto names = disk_.list("topics");
  if (!names) return pass(names);
  std::set<std::string> known;
  for (const auto& [topic, partitions] : *core_table_) known.insert(PartitionLog::topic_folder(topic));
  for (const RemovedTopic& waiting : waiting_removals()) known.insert(PartitionLog::topic_folder(waiting.id));
  for (const std::string& name : *names) {
    const std::string path = "topics/" + name;
    if (known.contains(path)) continue;
    if (auto made = make_folders({"quarantine"}); !made) return made;
    auto place = free_place(fmt::format("quarantine/{}-{}", name, journal_->last().value));
    if (!place) return pass(place);
    if (auto moved = disk_.rename(path, *place); !moved) return moved;
  }
  return {};
}

Result<void> EmbeddedLog::start() {
  if (auto removed = remove_files(); !removed && !passes(removed.error())) return removed;
  if (auto moved = quarantine_strangers(); !moved) return moved;
  // Many starts in a row without a checkpoint use the ring up: each takes a slot.
  for (bool all = false; !all && journal_->free_slots() < 2;) {
    auto prepared = journal_->prepare();
    if (!prepared) {
      if (auto noted = note_full(prepared.error()); !noted) return pass(noted);
      break;  // one free slot is enough
    }
    all = *prepared;
  }
  if (auto started = journal_->start(next(newest_known_)); !started) return started;
  if (auto made = make_ballast(); !made && made.error().code != Code::disk_full) return made;
  return {};
}

// ---- writing and reading --------------------------------------------------------------------------------------------

Result<void> EmbeddedLog::write(Group& group) {
  const auto pieces = group.seal();
  auto written = journal_->write(group.now, group.frame_count(), pieces);
  if (!written) return pass(written);
  group.sequence = *written;
  return {};
}

void EmbeddedLog::publish(const Group& group) {
  if (!group.made().empty() || !group.removed().empty()) {
    auto changed = std::make_shared<Table>(*core_table_);
    for (const PartitionsMade& made : group.made()) make(*changed, made);
    std::vector<RemovedTopic> gone;
    for (const TopicRemoved& removed : group.removed()) gone.push_back(take_out(*changed, removed.topic));
    set_table(std::move(changed));
    // Only now: who removes the files must not find the topic in the table and write them again.
    for (const RemovedTopic& topic : gone) removals_->queue.enqueue(topic);
  }
  for (const AppendedBatch& batch : group.batches())
    if (PartitionLog* partition = writable(batch.partition)) partition->append(batch, group.sequence, group.now.wall);
  for (const Trimmed& trimmed : group.trims())
    if (PartitionLog* partition = writable(trimmed.partition)) partition->trim(trimmed.before);
  for (const Skipped& skipped : group.skips())
    if (PartitionLog* partition = writable(skipped.partition)) partition->skip(skipped.from, skipped.next);
  published_.store(group.sequence, std::memory_order_release);
}

Result<void> EmbeddedLog::seal(const Now& now) { return journal_->seal(now); }

Result<Batches> EmbeddedLog::read(PartitionRef ref, Offset from, std::uint64_t max_bytes) {
  auto partition = find(ref);
  if (!partition) return pass(partition);
  bool cold = false;
  const Sequence newest =
      published_.load(std::memory_order_acquire);  // before the read: all of these groups are seen by it
  auto batches = (*partition)->read(from, max_bytes, cold);
  if (batches) batches->newest = newest;
  if (cold) cold_reads_.fetch_add(1, std::memory_order_relaxed);
  return batches;
}

Result<void> EmbeddedLog::walk_batches(PartitionRef ref, const VisitBatch& visit) {
  auto partition = find(ref);
  if (!partition) return pass(partition);
  return (*partition)->walk_batches(visit);
}
Result<Offset> EmbeddedLog::offset_at(PartitionRef ref, WallTime time) {
  auto partition = find(ref);
  if (!partition) return pass(partition);
  return (*partition)->offset_at(time);
}

Result<WallTime> EmbeddedLog::appended_at(PartitionRef ref, Offset offset) {
  auto partition = find(ref);
  if (!partition) return pass(partition);
  return (*partition)->appended_at(offset);
}

Result<PartitionState> EmbeddedLog::state(PartitionRef ref) {
  auto partition = find(ref);
  if (!partition) return pass(partition);
  return PartitionState{ref.partition, (*partition)->first(), (*partition)->end(), (*partition)->stored_bytes()};
}

std::vector<PartitionRef> EmbeddedLog::partitions() const {
  std::vector<PartitionRef> all;
  for (const auto& [topic, partitions] : *table())
    for (const auto& partition : *partitions) all.push_back(partition->ref());
  std::ranges::sort(all);
  return all;
}

std::vector<OldSegment> EmbeddedLog::old_segments(PartitionRef ref) {
  auto partition = find(ref);
  return partition ? (*partition)->old_segments() : std::vector<OldSegment>{};
}

// ---- behind ---------------------------------------------------------------------------------------------------------

// True when the error only says that there is no room, on the disk or for another open file: background work stops
// until there is; the ballast is given up.
Result<bool> EmbeddedLog::note_full(const Error& error) {
  if (error.code == Code::overloaded) {  // no descriptor left: the same, but nothing can be given up
    short_of_files_ = true;
    return true;
  }
  if (error.code != Code::disk_full) return std::unexpected(error);
  if (!disk_full_.exchange(true))
    if (auto removed = disk_.remove(ballast_path); !removed) return pass(removed);
  return true;
}

Result<void> EmbeddedLog::remove_files() {
  RemovedTopic topic;
  while (removals_->queue.try_dequeue(topic)) {
    if (auto removed = disk_.remove(PartitionLog::topic_folder(topic.id)); !removed) {
      removals_->queue.enqueue(topic);  // once more in the next round
      return removed;
    }
    for (std::uint32_t id = 0; id < topic.partitions; ++id)
      removed_records_.push_back(partition_key({topic.id, PartitionId{id}}));
  }
  const auto all = table();
  for (const auto& [id, partitions] : *all)
    for (const auto& partition : *partitions)
      if (auto removed = partition->remove_trimmed(); !removed) return removed;
  return {};
}

Result<void> EmbeddedLog::work(Micros now) {
  bool full = false;
  if (auto removed = remove_files(); !removed) {
    if (auto noted = note_full(removed.error()); !noted) return pass(noted);
    full = true;
  }
  const auto all = table();
  for (const auto& [id, partitions] : *all)
    for (const auto& partition : *partitions) {
      if (!partition->due(now, options_.write_behind_piece, options_.write_behind_age)) continue;
      auto moved = partition->flush(options_.flush_step, page_cache_);
      if (moved) {
        written_behind_.fetch_add(*moved, std::memory_order_relaxed);
        continue;
      }
      auto noted = note_full(moved.error());
      if (!noted) return pass(noted);
      full = true;
    }
  auto prepared = journal_->prepare();
  if (!prepared) {
    auto noted = note_full(prepared.error());
    if (!noted) return pass(noted);
    full = true;
  }
  if (!full) short_of_files_ = false;
  if (!full && disk_full_) {
    auto space = disk_.space();
    // Room again, and some to spare, so that it does not flicker.
    if (space && space->free_bytes > 2 * options_.ballast_bytes) {
      disk_full_ = false;
      if (auto made = make_ballast(); !made && made.error().code != Code::disk_full) return made;
    }
  }
  return {};
}

Result<void> EmbeddedLog::checkpoint(Sequence upto, std::vector<UnitImage> units, const Now& now) {
  // Removals of these groups must be done, for good, before they can be forgotten.
  if (auto removed = remove_files(); !removed) return removed;
  if (!removed_records_.empty())
    if (auto synced = disk_.sync_folder("topics"); !synced) return synced;
  std::vector<StoreChange> changes;
  std::vector<std::shared_ptr<PartitionLog>> recorded;
  const auto all = table();
  for (const auto& [id, partitions] : *all)
    for (const auto& partition : *partitions) {
      auto record = partition->checkpoint(upto, options_.write_behind_piece, page_cache_);
      if (!record) {
        auto noted = note_full(record.error());
        if (!noted) return pass(noted);
        return pass(record);
      }
      if (!*record) continue;
      changes.push_back({partition_key(partition->ref()), std::move(**record)});
      recorded.push_back(partition);
    }
  for (const std::string& key : removed_records_) changes.push_back({key, std::nullopt});
  for (const std::string& key : tombstones_) changes.push_back({key, std::nullopt});
  std::map<std::string, bool> erased;  // a unit may be erased and made again in one checkpoint: the last word counts
  for (const UnitImage& unit : units) {
    std::string key = unit_letter + unit.key;
    erased[key] = !unit.bytes;
    changes.push_back({std::move(key), encode_unit(unit)});
  }
  std::string head;
  ByteWriter writer{head};
  writer.u64(upto.value);
  writer.u64(journal_->last().value);  // the newest that records and units may have something of
  writer.i64(now.wall.ms);
  writer.i64(now.elapsed.ms);
  changes.push_back({head_key, head});
  if (auto committed = store_->commit(changes); !committed) {
    auto noted = note_full(committed.error());
    if (!noted) return pass(noted);
    return committed;
  }
  tombstones_.clear();
  for (const auto& [key, gone] : erased)
    if (gone) tombstones_.push_back(key);
  removed_records_.clear();
  for (const auto& partition : recorded) partition->checkpoint_done();
  journal_->release(upto);
  checkpoints_.fetch_add(1, std::memory_order_relaxed);
  return {};
}

HomeStats EmbeddedLog::stats() const {
  const JournalUsage usage = journal_->usage();
  HomeStats stats;
  stats.slots = usage.slots;
  stats.used_slots = usage.used;
  stats.prepared_slots = usage.prepared;
  stats.free_slots = journal_->free_slots();
  stats.slot_bytes = options_.journal.slot_bytes;
  stats.written_behind_bytes = written_behind_;
  stats.cold_reads = cold_reads_;
  stats.checkpoints = checkpoints_;
  stats.disk_full = disk_full_;
  stats.short_of_files = short_of_files_;
  stats.tail_bytes = held_bytes_;
  return stats;
}

}  // namespace continuo::log
