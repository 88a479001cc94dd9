// One partition: batches in memory that are durable but not yet in its files, and its segment files.
//
// The core thread appends and publishes without a lock: it hangs a node on the chain's end and then moves
// `visible_end`. Readers see only nodes below that. What the files hold is guarded by a mutex between readers and the
// write-behind thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "continuo/base/ids.h"
#include "continuo/base/time.h"
#include "continuo/disk/disk.h"
#include "continuo/log/page_cache.h"
#include "continuo/log/segment_file.h"

namespace continuo::log {

class PartitionLog {
 public:
  /// `files` outlives it, and so does `held_by_all`: the sum of what all partitions hold, kept up by each.
  PartitionLog(OpenFiles& files, PartitionRef ref, std::uint64_t segment_bytes,
               std::atomic<std::uint64_t>* held_by_all = nullptr);
  ~PartitionLog();

  PartitionRef ref() const { return ref_; }
  const std::string& folder() const { return folder_; }
  static std::string topic_folder(TopicId topic);

  // --- core thread ---
  void append(const AppendedBatch& batch, Sequence sequence, WallTime appended);
  void trim(Offset before);
  /// Readers pass over these offsets from now on.
  void skip(Offset from, Offset next);
  /// Of files that are begun, and those that are not yet so large.
  void size_segments(std::uint64_t bytes) { segment_bytes_.store(bytes, std::memory_order_relaxed); }

  // --- any thread ---
  Offset first() const { return Offset{first_.load(std::memory_order_acquire)}; }
  Offset end() const { return Offset{visible_end_.load(std::memory_order_acquire)}; }
  /// Errors: offset_out_of_range, damaged_data. `cold` says whether files were read.
  Result<Batches> read(Offset from, std::uint64_t max_bytes, bool& cold);
  Result<Offset> offset_at(WallTime time);
  Result<void> walk_batches(const Home::VisitBatch& visit);
  Result<WallTime> appended_at(Offset offset);
  std::uint64_t stored_bytes() const { return stored_bytes_.load() + held_bytes_.load(); }
  std::uint64_t held_bytes() const { return held_bytes_.load(); }
  std::vector<OldSegment> old_segments();

  // --- write-behind thread ---
  /// True when enough is held, or it is held long enough.
  bool due(Micros now, std::uint64_t piece_bytes, Micros max_age);
  /// Moves held batches to the files, at most about `max_bytes`; gives the bytes moved.
  Result<std::uint64_t> flush(std::uint64_t max_bytes, PageCache& cache);
  /// Removes segment files that lie before the first offset.
  Result<void> remove_trimmed();
  /// The partition's record for a checkpoint of all groups up to this one, after making it true: syncs files, or
  /// carries a small tail. None: nothing changed since the last one.
  Result<std::optional<std::string>> checkpoint(Sequence upto, std::uint64_t carry_below, PageCache& cache);
  /// The checkpoint with the last record is committed.
  void checkpoint_done();

  // --- recovery ---
  Result<void> restore(std::string_view record);

 private:
  struct Segment {
    std::shared_ptr<SegmentFile> file;
    SegmentExtent extent;  // written
    SegmentExtent synced;
  };
  // What there is at one moment: the segments, and the node before the first held one.
  struct View {
    std::vector<Segment> segments;
    std::shared_ptr<HeldBatch> before;
    Offset end;
  };
  View view(std::optional<Offset> from);
  static std::shared_ptr<HeldBatch> held_from(const View& view, Offset from);
  Result<bool> read_once(Offset from, std::uint64_t max_bytes, bool& cold, Batches& out);
  static bool take_held(const View& view, Offset from, std::uint64_t max_bytes, Batches& out);
  Segment& segment_for(std::uint64_t next_batch_bytes, Offset base);
  Result<std::string> encode(Sequence upto);
  Result<void> sync_files();
  Offset past_skips(Offset from) const;
  bool must_sync(std::uint64_t carry_below, Sequence upto) const;
  void hang(std::shared_ptr<HeldBatch> batch);
  void add_held(std::uint64_t bytes);
  void remove_held(std::uint64_t bytes);
  std::uint64_t unsynced_bytes() const;

  OpenFiles& files_;
  disk::Disk& disk_;
  const PartitionRef ref_;
  std::atomic<std::uint64_t> segment_bytes_;
  const std::string folder_;

  std::atomic<std::int64_t> first_{0};
  std::atomic<std::int64_t> visible_end_{0};
  std::atomic<std::uint64_t> held_bytes_{0};
  std::atomic<std::uint64_t>* held_by_all_;
  std::atomic<std::uint64_t> stored_bytes_{0};

  std::shared_ptr<HeldBatch> last_;  // core thread: end of the chain

  std::mutex mutex_;  // the next two: readers and write-behind
  std::shared_ptr<HeldBatch>
      written_;  // the newest node that is in the files, or a node of no batch at the front: what follows is held
  std::vector<Segment> segments_;  // by base offset

  // Ranges passed over, by first offset: replaced as a whole, so that the core thread takes no lock.
  using Skips = std::map<Offset, Offset>;
  std::atomic<bool> skips_changed_{false};
  std::atomic<std::shared_ptr<const Skips>> skips_{std::make_shared<const Skips>()};

  // write-behind thread
  Micros held_since_{-1};
  bool folder_changed_ = false;
  bool removed_names_ = false;                         // since the folder was synced
  std::vector<std::shared_ptr<SegmentFile>> trimmed_;  // their files are to be removed
  Offset checkpointed_first_{-1};
  Offset checkpointed_end_{-1};
  Offset recorded_first_{-1};  // what the record given last says; true only once it is committed
  Offset recorded_end_{-1};
  bool changed_ = true;  // not yet in a committed checkpoint
};

}  // namespace continuo::log
