// A topic segment: a file of record batches one after the other, and beside it the batch index that says where each is.
//
// docs/formats/segment.md. The index is primary data: append time and group sequence cannot be rebuilt once the journal
// moved on. Each entry has its own CRC and checks the header fields that Kafka's CRC leaves out (base offset, length,
// leader epoch, magic).
//
// Written by the write-behind thread only; read by any thread within the sizes the caller knows to be written.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "continuo/base/ids.h"
#include "continuo/base/time.h"
#include "continuo/disk/disk.h"
#include "continuo/log/open_files.h"
#include "continuo/log/seam/home.h"

namespace continuo::log {

/// One batch in the index: 64 bytes, little-endian.
struct IndexEntry {
  static constexpr std::size_t size = 64;
  Offset base;
  Offset next;
  Sequence sequence;  ///< of the group that appended it
  WallTime appended;  ///< log time of that group
  std::int64_t max_timestamp_ms = 0;
  std::uint32_t position = 0;  ///< in the segment file
  std::uint32_t length = 0;
  std::uint32_t batch_crc = 0;   ///< as it stands in the batch
  std::uint32_t head_check = 0;  ///< CRC-32C of the batch's first 17 bytes
  std::uint32_t flags = 0;

  void encode(std::string& out) const;
  /// damaged_data when its CRC does not hold.
  static Result<IndexEntry> decode(std::string_view bytes);
};

/// A batch held in memory: durable in the journal, or carried by a checkpoint. A node of its partition's chain;
/// `following` is set by the core thread before the next offset is made visible, and read only by those who saw that.
struct HeldBatch {
  IndexEntry entry;
  std::atomic<std::shared_ptr<const std::string>> bytes;  ///< null once the files have them
  std::shared_ptr<HeldBatch> following;
  HeldBatch() = default;
  HeldBatch(const HeldBatch&) = delete;
  HeldBatch& operator=(const HeldBatch&) = delete;
  ~HeldBatch();
};

/// The index entry of a batch at no place yet.
IndexEntry entry_of(const AppendedBatch& batch, Sequence sequence, WallTime appended);
/// damaged_data unless the bytes are the ones the entry was made for.
Result<void> verify(const IndexEntry& entry, std::string_view batch, const std::string& path);

/// How much of a segment is there for readers.
struct SegmentExtent {
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
  Offset next;      ///< one past its last record
  WallTime newest;  ///< append time of its last batch
  bool operator==(const SegmentExtent&) const = default;
};

class SegmentFile {
 public:
  /// `files` outlives it.
  SegmentFile(OpenFiles& files, std::string folder, Offset base);
  ~SegmentFile();
  SegmentFile(const SegmentFile&) = delete;
  SegmentFile& operator=(const SegmentFile&) = delete;

  Offset base() const { return base_; }
  const std::string& log_path() const { return log_path_; }
  const std::string& index_path() const { return index_path_; }

  /// Writes the held batches behind `extent`, which grows by them. Creates the files when they are not there.
  Result<void> write(std::span<const std::shared_ptr<HeldBatch>> batches, SegmentExtent& extent);
  Result<void> sync();
  void start_write_back(std::uint64_t from, std::uint64_t to);
  /// See disk::File::drop_cached; also nothing when the file cannot be opened just now.
  Result<void> drop_cached(std::uint64_t from, std::uint64_t to);

  /// Batches from the one holding `from` (or the next) up to max_bytes, at least one if there is one.
  Result<void> read(const SegmentExtent& extent, Offset from, std::uint64_t max_bytes, Batches& out);
  /// The entry that holds `from`, or the next after it; none when all lie before.
  Result<std::optional<IndexEntry>> find(const SegmentExtent& extent, Offset from);
  /// The first entry appended at or after `time`.
  Result<std::optional<IndexEntry>> find(const SegmentExtent& extent, WallTime time);
  /// All entries in order, until `visit` says it has seen enough.
  Result<void> walk(const SegmentExtent& extent, const std::function<bool(const IndexEntry&)>& visit);
  /// Entries from number `first` on to the end of the extent, with their batches.
  Result<std::vector<std::shared_ptr<HeldBatch>>> load(const SegmentExtent& extent, std::uint64_t first_entry);

 private:
  // Open as long as it lives.
  struct Files {
    OpenFiles::File log;
    OpenFiles::File index;
  };
  Result<Files> files();
  Result<Files> files_to_write();
  struct Found {
    std::uint64_t number = 0;
    IndexEntry entry;
  };
  Result<IndexEntry> entry(Files& files, std::uint64_t number);
  Result<std::string> entries(Files& files, std::uint64_t number, const SegmentExtent& extent);
  Result<Found> intact(Files& files, std::uint64_t number, std::uint64_t limit);
  std::atomic<std::uint64_t>& hint(Offset from);
  Result<std::uint64_t> locate(Files& files, const SegmentExtent& extent, Offset from);
  std::unexpected<Error> hidden(Files& files, const SegmentExtent& extent, std::uint64_t number, std::uint64_t after);
  template <class Before>
  Result<std::uint64_t> lower_bound(Files& files, std::uint64_t entries, Before before);

  OpenFiles& open_;
  std::string folder_;
  Offset base_;
  std::string log_path_;
  std::string index_path_;
  bool made_ = false;  // by this process, or found; write-behind thread
  // Where those who read from front to back go on, by offset: one more than the entry's number; 0: nobody knows; may be
  // wrong.
  std::array<std::atomic<std::uint64_t>, 8> hints_{};
};

}  // namespace continuo::log
