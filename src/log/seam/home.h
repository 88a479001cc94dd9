// The seam between the core and where the log lives: commit a group, read batches, recover. The embedded log
// (log/embedded_log.h) is one home; an existing Kafka cluster may become another. Nothing above this header knows
// files.
//
// Threads: `write` by the core or journal thread, one at a time; `publish` by the core thread; reads by any thread;
// `work` and `checkpoint` by the write-behind thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/base/ids.h"
#include "continuo/base/time.h"

namespace continuo::log {

/// What the body of one group may have at most; homes take at least this.
constexpr std::size_t max_group_body = (8u << 20) - 64;

/// Effects the log itself understands. The engines' effects have numbers from first_engine_effect on, and are only
/// carried.
enum class LogEffect : std::uint8_t {
  appended = 1,
  partitions_made = 2,
  topic_removed = 3,
  trimmed = 4,
  skipped = 5,
  raised = 6
};
constexpr std::uint8_t first_engine_effect = 16;

/// One batch with its place.
struct AppendedBatch {
  PartitionRef partition;
  Offset base;
  Offset next;
  std::int64_t max_timestamp_ms = 0;
  std::shared_ptr<const std::string> bytes;  ///< base offset set, CRC right
};

struct PartitionsMade {
  TopicId topic;
  std::uint32_t partitions = 0;
};
struct TopicRemoved {
  TopicId topic;
};
struct Trimmed {
  PartitionRef partition;
  Offset before;
};

/// Damaged records that readers pass over from now on: somebody decided so, and said why.
struct Skipped {
  PartitionRef partition;
  Offset from;
  Offset next;
  std::string reason;
};

/// The partition's next record gets this offset or a later one. Only an accepted loss makes it necessary: the files may
/// hold more than what is left of the log says.
struct Raised {
  PartitionRef partition;
  Offset next;
};

/// One atomic write while it is filled: frames of effects, and the batches they append. Not thread-safe.
///
/// Body of a group: frames. Frame: u32 length of what follows, u16 shard, u16 effect count, effects. Effect: u8 type,
/// u8 version, varint length, payload. The batches of all frames stand in one last frame, so that single records of
/// many requests can share a batch; the group is valid as a whole or not at all, so they are atomic with their
/// requests.
class Group {
 public:
  Now now;
  Sequence sequence{0};  ///< set by Home::write

  void begin_frame();
  /// Inside a frame.
  void effect(std::uint8_t type, std::uint8_t version, std::string_view payload);
  void end_frame();
  void append(AppendedBatch batch);
  void make_partitions(PartitionsMade made);  // the next five are effects too: inside a frame
  void remove_topic(TopicRemoved removed);
  void trim(Trimmed trimmed);
  void skip(Skipped skipped);
  void raise(Raised raised);

  bool empty() const { return frame_count_ == 0 && batches_.empty(); }
  /// Bytes the body will have so far, at most.
  std::size_t size() const { return frames_.size() + batch_bytes_ + frame_head; }
  /// What a frame takes beside its effects.
  static constexpr std::size_t frame_head = 8;
  std::uint32_t frame_count() const { return frame_count_; }
  /// The frames so far, without batches.
  std::string_view frames() const { return frames_; }
  const std::vector<AppendedBatch>& batches() const { return batches_; }
  const std::vector<PartitionsMade>& made() const { return made_; }
  const std::vector<TopicRemoved>& removed() const { return removed_; }
  const std::vector<Trimmed>& trims() const { return trims_; }
  const std::vector<Skipped>& skips() const { return skips_; }
  /// The body in pieces, in order; views into the group and its batches. Adds the frame of the batches: call once, at
  /// the end.
  std::vector<std::string_view> seal();

  /// Room each batch takes in the body beside its own bytes, at most.
  static constexpr std::size_t batch_overhead = 64;

 private:
  std::string frames_;
  std::string batch_heads_;
  std::size_t frame_start_ = 0;
  std::uint16_t effects_in_frame_ = 0;
  std::uint32_t frame_count_ = 0;
  std::size_t batch_bytes_ = 0;
  std::vector<AppendedBatch> batches_;
  std::vector<PartitionsMade> made_;
  std::vector<TopicRemoved> removed_;
  std::vector<Trimmed> trims_;
  std::vector<Skipped> skips_;
};

/// One effect as it stands in a body.
struct EffectView {
  std::uint8_t type;
  std::uint8_t version;
  std::string_view payload;
};

/// Walks all effects of a body in order. damaged_journal when it does not add up.
Result<void> walk_effects(std::string_view body, const std::function<Result<void>(const EffectView&)>& visit);

/// An `appended` effect's payload, read back; `bytes` stay in the payload.
struct AppendedView {
  PartitionRef partition;
  Offset base;
  Offset next;
  std::int64_t max_timestamp_ms = 0;
  std::string_view batch;
};
Result<AppendedView> read_appended(std::string_view payload);
Result<PartitionsMade> read_partitions_made(std::string_view payload);
Result<TopicRemoved> read_topic_removed(std::string_view payload);
Result<Trimmed> read_trimmed(std::string_view payload);
Result<Skipped> read_skipped(std::string_view payload);
Result<Raised> read_raised(std::string_view payload);

/// Takes what recovery finds: first all units of the checkpoint, then the groups after it in order.
class RecoverySink {
 public:
  virtual ~RecoverySink() = default;
  /// `bytes` none: erased at `stamp`.
  virtual Result<void> unit(std::string_view key, Sequence stamp, std::optional<std::string_view> bytes) = 0;
  virtual Result<void> group(Sequence sequence, const Now& now) = 0;
  /// Every effect of the group, the log's own too.
  virtual Result<void> effect(const EffectView& effect) = 0;
};

/// A run of whole batches, from memory or from a file.
struct Batches {
  std::vector<std::shared_ptr<const std::string>>
      batches;   ///< each one batch with its base offset set; in order, no overlap
  Offset next;   ///< where to read on: always greater than or equal to the offset asked for
  Offset first;  ///< first offset kept at the time of the read
  Offset end;    ///< one past the last visible record at the time of the read
  /// The journal group of each batch, and the newest visible group at the time of the read: what puts partitions read
  /// together into the order they were appended in.
  std::vector<Sequence> groups;
  Sequence newest;
};

/// One partition as readers see it: durable records only.
struct PartitionState {
  PartitionId partition;
  Offset first;
  Offset next;
  std::uint64_t bytes = 0;  ///< stored
};

/// A unit of engine state for a checkpoint.
struct UnitImage {
  std::string key;
  Sequence stamp;                    ///< last group whose effects it contains
  std::optional<std::string> bytes;  ///< none: erased
};

/// What retention may remove of a partition.
struct OldSegment {
  Offset next;      ///< trimming before this removes the segment
  WallTime newest;  ///< append time of its last batch
  std::uint64_t bytes = 0;
};

struct HomeStats {
  std::uint32_t slots = 0, used_slots = 0, free_slots = 0, prepared_slots = 0;
  std::uint64_t slot_bytes = 0;
  std::uint64_t tail_bytes = 0;  ///< durable, in memory, not yet in topic files
  std::uint64_t written_behind_bytes = 0;
  std::uint64_t cold_reads = 0;  ///< reads that went to files
  std::uint64_t checkpoints = 0;
  bool disk_full = false;
  bool short_of_files = false;  ///< the process may not open another one: writing behind waits
};

/// An error of background work that says only that there is no room now, on the disk or for another open file: nothing
/// was changed, and it is to be tried again.
inline bool passes(const Error& error) { return error.code == Code::disk_full || error.code == Code::overloaded; }

class Home {
 public:
  virtual ~Home() = default;

  /// Gives all that is durable to the sink. Once, first of all.
  virtual Result<void> recover(RecoverySink& sink) = 0;
  /// Opens for writing.
  virtual Result<void> start() = 0;
  /// Durable when it returns. After an error nothing more can be written.
  virtual Result<void> write(Group& group) = 0;
  /// Whether a group with a body of this size can be written now; false while the ring is full and waits for a
  /// checkpoint.
  virtual bool has_room(std::size_t body_bytes) const = 0;
  /// Makes a durable group visible to readers. In order of the groups.
  virtual void publish(const Group& group) = 0;
  /// Tells damage to the last group from a tear; when idle and at the end.
  virtual Result<void> seal(const Now& now) = 0;

  virtual Result<Batches> read(PartitionRef partition, Offset from, std::uint64_t max_bytes) = 0;
  virtual Result<Offset> offset_at(PartitionRef partition, WallTime time) = 0;
  virtual Result<PartitionState> state(PartitionRef partition) = 0;
  /// Walks all batches there are, in order, until `visit` says it has seen enough: their first offset and highest
  /// record time (ms). Reads files: not on a thread of sessions.
  using VisitBatch = std::function<bool(Offset base, std::int64_t max_timestamp_ms)>;
  virtual Result<void> walk_batches(PartitionRef partition, const VisitBatch& visit) = 0;
  /// Append time of the batch that holds `offset` or the next one after it.
  virtual Result<WallTime> appended_at(PartitionRef partition, Offset offset) = 0;
  /// Files of the topic's partitions grow to about this size from now on; none: as all others. Core thread. Not kept:
  /// to be said again after each start.
  virtual void size_segments(TopicId topic, std::optional<std::uint64_t> bytes) = 0;
  /// Whole files that lie before the newest data, oldest first.
  virtual std::vector<OldSegment> old_segments(PartitionRef partition) = 0;

  /// Makes everything up to and including group `upto` independent of the journal: topic bytes, and these units. The
  /// group with the highest stamp must be durable. `now` is that of group `upto`. An error that passes: nothing
  /// changed, try again when there is room.
  virtual Result<void> checkpoint(Sequence upto, std::vector<UnitImage> units, const Now& now) = 0;
  /// One round of background work: writes what is due to topic files, removes what was trimmed. `now` is steady time.
  /// What passes is not an error here: it is told by stats and retried in later rounds.
  virtual Result<void> work(Micros now) = 0;

  virtual HomeStats stats() const = 0;
  virtual bool durable() const = 0;  ///< false when the files live in memory
  /// All there are, in order.
  virtual std::vector<PartitionRef> partitions() const = 0;
  /// Damage was to be taken for the end of the log: what `recover` gave may be older than what the partitions hold.
  virtual bool accepts_loss() const = 0;
  virtual Sequence last() const = 0;
};

}  // namespace continuo::log
