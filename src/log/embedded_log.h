// The log on this machine's disk: a journal in front, topic files behind, checkpoints in the state store.
//
//   data/FORMAT                     version of the folder's layout
//   data/LOCK                       held while a process has it open
//   data/ballast                    given up when the disk is full, so that deletes and settles have room
//   data/journal/00 .. NN           the ring
//   data/topics/<id>/<partition>/   segment files and their indexes
//   data/state/                     checkpoints
//   data/quarantine/                folders nobody knows
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "continuo/base/random.h"
#include "continuo/disk/disk.h"
#include "continuo/log/journal.h"
#include "continuo/log/partition_log.h"
#include "continuo/log/seam/home.h"
#include "continuo/log/state_store.h"

namespace continuo::log {

constexpr std::uint32_t data_format = 1;

/// The batch index has 32 bits for a place in a segment.
constexpr std::uint64_t max_topic_segment_bytes = 0xffffffff;

struct EmbeddedOptions {
  JournalOptions journal;
  std::uint64_t topic_segment_bytes = 256u << 20;
  std::uint64_t write_behind_piece = 64u << 10;  ///< a partition is written when it holds this much
  Micros write_behind_age{1'000'000};            ///< or the first of it is this old
  std::uint64_t flush_step = 8u << 20;           ///< of one partition at a time
  std::uint64_t ballast_bytes = 8u << 20;
  std::size_t open_files = 1'024;               ///< of topics, at once, about
  std::uint64_t page_cache_bytes = 256u << 20;  ///< of topics, written last, that stay in the page cache
};

class EmbeddedLog final : public Home {
 public:
  /// Locks the folder, checks its format, opens journal and store. Errors: data_locked, wrong_format, io_error,
  /// disk_full, bad_setting.
  static Result<std::unique_ptr<EmbeddedLog>> open(disk::Disk& disk, const EmbeddedOptions& options, Random& random);
  ~EmbeddedLog() override;

  Result<void> recover(RecoverySink& sink) override;
  Result<void> start() override;
  Result<void> write(Group& group) override;
  bool has_room(std::size_t body_bytes) const override { return journal_->has_room(body_bytes); }
  void publish(const Group& group) override;
  Result<void> seal(const Now& now) override;
  Result<Batches> read(PartitionRef partition, Offset from, std::uint64_t max_bytes) override;
  Result<Offset> offset_at(PartitionRef partition, WallTime time) override;
  Result<void> walk_batches(PartitionRef partition, const VisitBatch& visit) override;
  Result<PartitionState> state(PartitionRef partition) override;
  Result<WallTime> appended_at(PartitionRef partition, Offset offset) override;
  void size_segments(TopicId topic, std::optional<std::uint64_t> bytes) override;
  std::vector<OldSegment> old_segments(PartitionRef partition) override;
  Result<void> checkpoint(Sequence upto, std::vector<UnitImage> units, const Now& now) override;
  Result<void> work(Micros now) override;
  HomeStats stats() const override;
  bool durable() const override { return mode_.lasting; }
  std::vector<PartitionRef> partitions() const override;
  bool accepts_loss() const override { return options_.journal.accept_loss; }
  Sequence last() const override { return journal_->last(); }
  const disk::Mode& mode() const { return mode_; }

 private:
  using Partitions = std::vector<std::shared_ptr<PartitionLog>>;
  using Table = std::unordered_map<TopicId, std::shared_ptr<const Partitions>>;

  EmbeddedLog(disk::Disk& disk, const EmbeddedOptions& options, Random& random);
  Result<void> open_folder();
  Result<void> make_folders(std::initializer_list<const char*> folders);
  Result<std::string> free_place(const std::string& wanted);
  Result<void> check_format();
  Result<void> make_ballast();
  Result<void> load_store(RecoverySink& sink, Sequence& from);
  Result<void> replay_effect(const ReplayedGroup& group, const EffectView& effect);
  Result<void> quarantine_strangers();
  Result<std::shared_ptr<PartitionLog>> find(PartitionRef ref) const;
  PartitionLog* writable(PartitionRef ref);
  void make(Table& table, const PartitionsMade& made);
  void set_table(std::shared_ptr<const Table> table);
  std::shared_ptr<const Table> table() const;
  Result<void> remove_files();
  Result<bool> note_full(const Error& error);

  disk::Disk& disk_;
  EmbeddedOptions options_;
  Random& random_;
  OpenFiles files_;                           // this and the next before the partitions, which use them
  std::atomic<std::uint64_t> held_bytes_{0};  // by all partitions
  PageCache page_cache_;                      // write-behind
  disk::Mode mode_;
  std::unique_ptr<disk::Lock> lock_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<StateStore> store_;

  std::shared_ptr<const Table> core_table_;          // core thread's own copy
  std::map<TopicId, std::uint64_t> segment_bytes_;   // core thread: of topics that have a size of their own
  std::atomic<std::shared_ptr<const Table>> table_;  // everyone else's

  // Topics removed, with the number of their partitions, from core to write-behind.
  struct RemovedTopic {
    TopicId id;
    std::size_t partitions = 0;
  };
  RemovedTopic take_out(Table& table, TopicId topic);
  std::vector<RemovedTopic> waiting_removals();
  struct Removals;
  std::unique_ptr<Removals> removals_;

  std::vector<std::string> removed_records_;      // of topics whose files are gone; the next checkpoint drops them
  Sequence newest_known_{0};                      // to the last checkpoint
  std::vector<std::string> tombstones_;           // units erased by the last checkpoint; its entries go with the next
  std::atomic<Sequence> published_{Sequence{0}};  // newest visible group
  std::atomic<bool> disk_full_{false};
  std::atomic<bool> short_of_files_{false};
  std::atomic<std::uint64_t> written_behind_{0};
  mutable std::atomic<std::uint64_t> cold_reads_{0};
  std::atomic<std::uint64_t> checkpoints_{0};
};

}  // namespace continuo::log
