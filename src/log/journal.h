// The journal: a ring of pre-written files to which groups of frames are written, one at a time, durable when write
// returns.
//
// Life: open -> replay -> start -> write* -> seal. Until `start`, nothing is written: recovery trusts what is on the
// disk and leaves it as it is. One thread at a time may write (the core thread or the journal thread); `prepare`,
// `release` and `usage` may be called from another one meanwhile.
//
// A write that fails, for whatever reason, leaves the journal failed: every later write is refused (node_failed),
// nothing is retried.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/base/ids.h"
#include "continuo/base/random.h"
#include "continuo/base/time.h"
#include "continuo/disk/disk.h"
#include "continuo/log/journal_format.h"

namespace continuo::log {

struct JournalOptions {
  std::uint32_t slots = 16;                 ///< files of the ring; at least 4
  std::uint64_t slot_bytes = 32u << 20;     ///< of each; a multiple of the block, and larger than the largest group
  std::size_t max_group = max_group_bytes;  ///< smaller only in tests
  bool accept_loss = false;                 ///< go on over rot, taking the log to end where it begins
};

/// One group as replay finds it.
struct ReplayedGroup {
  Sequence sequence;
  Epoch epoch;
  Now now;
  std::uint32_t frame_count;
  std::string_view body;  ///< valid during the call
};

/// Where the ring stands.
struct JournalUsage {
  std::uint32_t slots = 0;
  std::uint32_t used = 0;      ///< slots that hold groups not yet released, the one being written included
  std::uint32_t prepared = 0;  ///< slots that exist in full
  std::uint64_t bytes = 0;     ///< in used slots
};

class Journal {
 public:
  /// Opens the folder `journal` on the disk. Makes and prepares two slots when there are none.
  static Result<std::unique_ptr<Journal>> open(disk::Disk& disk, const JournalOptions& options, Random& random);

  /// Reads every group from sequence `from` on, in order, and finds where the log ends. An error from `visit` ends it
  /// and is given back. Errors: damaged_journal when an acknowledged group is damaged (file, place and sequence in
  /// `at`), or when the group `from` asks for is not there any more.
  Result<void> replay(Sequence from, const std::function<Result<void>(const ReplayedGroup&)>& visit);

  /// Opens a new segment under a new epoch after the end that replay found. The next group gets a sequence of at least
  /// `at_least`: numbers that a lost group had are not given again. Errors: limit_reached when no slot is free.
  Result<void> start(Sequence at_least = Sequence{1});

  /// Writes one group: header, the pieces one after the other, padding. On the disk when it returns. Errors: any disk
  /// error (the journal is failed then); limit_reached when the ring is full, which callers rule out by `usage`;
  /// too_large over the group limit.
  Result<Sequence> write(const Now& now, std::uint32_t frame_count, std::span<const std::string_view> body);

  /// Writes an empty group, unless the last one is empty: from now on damage to the group before it is told from a torn
  /// write.
  Result<void> seal(const Now& now);

  /// Groups up to and including this one are no longer needed.
  void release(Sequence upto);

  /// Makes the next slot that is missing. True when all are there. May take long: call from the write-behind thread.
  Result<bool> prepare();

  JournalUsage usage() const;
  /// Whether a body of this size can be written now. Writing thread.
  bool has_room(std::size_t body_bytes) const;
  /// Free slots: those a write may still roll into.
  std::uint32_t free_slots() const;
  Sequence last() const { return Sequence{next_.load().value - 1}; }
  Epoch epoch() const { return epoch_; }
  bool failed() const { return failed_; }
  /// How many bytes a body of this size takes on the disk.
  static std::size_t padded(std::size_t body_bytes);

  ~Journal();

 private:
  struct Slot;
  class Scan;

  // A segment header found at the front of a slot.
  struct Segment {
    std::uint32_t slot = 0;
    SegmentHeader header;
  };

  Journal(disk::Disk& disk, const JournalOptions& options, Random& random);
  Result<void> open_slots();
  Result<void> refuse_other_shape();
  std::unexpected<Error> other_size(std::uint64_t bytes, const std::string& path) const;
  Result<void> prepare_slot(std::uint32_t index);
  Result<void> read_headers();
  Result<void> flush_all();
  Result<std::uint32_t> next_free_slot() const;
  std::uint32_t append_and_check(std::span<const std::string_view> body);
  Result<void> open_segment();
  Result<void> fail_with(Error error);

  disk::Disk& disk_;
  JournalOptions options_;
  Random& random_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<Segment> found_;  // by number; what replay walks
  Epoch epoch_{0};
  std::uint64_t segment_number_ = 0;  // newest used or seen
  std::atomic<Sequence> next_{Sequence{1}};
  std::uint32_t chain_ = 0;
  std::uint32_t passed_over_ = 0;          // before next_, told by the next segment
  std::atomic<std::uint32_t> current_{0};  // slot being written
  std::uint64_t position_ = 0;             // in it
  std::uint64_t salt_ = 0;
  bool started_ = false;
  bool sealed_ = false;
  bool failed_ = false;
  disk::AlignedBuffer buffer_;
};

}  // namespace continuo::log
