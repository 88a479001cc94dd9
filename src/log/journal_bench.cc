#include <benchmark/benchmark.h>

#include "continuo/disk/simulated_disk.h"
#include "continuo/log/journal.h"

namespace continuo::log {
namespace {

// Takes every write and keeps nothing: what is left is the journal's own work.
class NoFile final : public disk::File {
 public:
  explicit NoFile(std::uint64_t size) : size_(size) {}
  Result<std::size_t> read(std::uint64_t, std::span<const std::span<char>>) override { return 0; }
  Result<void> write(std::uint64_t, std::span<const std::string_view>) override { return {}; }
  Result<void> write_durable(std::uint64_t, std::string_view blocks) override {
    benchmark::DoNotOptimize(blocks.data());
    return {};
  }
  Result<void> sync() override { return {}; }
  void start_write_back(std::uint64_t, std::uint64_t) override {}
  Result<void> drop_cached(std::uint64_t, std::uint64_t) override { return {}; }
  Result<std::uint64_t> size() override { return size_; }
  Result<void> truncate(std::uint64_t) override { return {}; }

 private:
  std::uint64_t size_;
};

class NoDisk final : public disk::Disk {
 public:
  explicit NoDisk(std::uint64_t file_size) : file_size_(file_size) {}
  Result<std::unique_ptr<disk::File>> open(const std::string&, const disk::OpenOptions&) override {
    return std::make_unique<NoFile>(file_size_);
  }
  Result<void> make_folder(const std::string&) override { return {}; }
  Result<std::vector<std::string>> list(const std::string&) override { return std::vector<std::string>{}; }
  Result<bool> exists(const std::string&) override { return true; }
  Result<void> rename(const std::string&, const std::string&) override { return {}; }
  Result<void> remove(const std::string&) override { return {}; }
  Result<void> sync_folder(const std::string&) override { return {}; }
  Result<std::unique_ptr<disk::Lock>> lock(const std::string&) override { return std::make_unique<disk::Lock>(); }
  Result<disk::Mode> probe(const std::string&) override { return disk::Mode{}; }
  Result<disk::Space> space() override { return disk::Space{}; }
  std::string native_root() const override { return {}; }

 private:
  std::uint64_t file_size_;
};

// A group's header, checksum and copy, without a disk.
void WriteGroup(benchmark::State& state) {
  JournalOptions options;
  NoDisk disk{options.slot_bytes};
  SeededRandom random{1};
  auto journal = std::move(*Journal::open(disk, options, random));
  CHECK(journal->replay(Sequence{1}, [](const ReplayedGroup&) { return Result<void>{}; }).has_value() &&
        journal->start().has_value());
  const std::string body(static_cast<std::size_t>(state.range(0)), 'x');
  const std::string_view view = body;
  for (auto _ : state) {
    if (!journal->has_room(body.size())) journal->release(journal->last());
    CHECK(journal->write({}, 1, std::span{&view, 1}).has_value());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(WriteGroup)->Arg(256)->Arg(4096)->Arg(64 << 10)->Arg(1 << 20);

// Replay of a full ring that lies in memory.
void Replay(benchmark::State& state) {
  JournalOptions options;
  options.slots = 4;
  SeededRandom random{1};
  disk::SimulatedDisk disk;
  {
    auto journal = std::move(*Journal::open(disk, options, random));
    CHECK(journal->replay(Sequence{1}, [](const ReplayedGroup&) { return Result<void>{}; }).has_value());
    while (!journal->prepare().value()) {
    }
    CHECK(journal->start().has_value());
    const std::string body(static_cast<std::size_t>(state.range(0)), 'x');
    const std::string_view view = body;
    while (journal->has_room(body.size())) CHECK(journal->write({}, 1, std::span{&view, 1}).has_value());
  }
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    auto journal = std::move(*Journal::open(disk, options, random));
    CHECK(journal
              ->replay(Sequence{1},
                       [&](const ReplayedGroup& group) {
                         bytes += group.body.size();
                         return Result<void>{};
                       })
              .has_value());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}
BENCHMARK(Replay)->Arg(4000)->Arg(64 << 10)->Arg(1 << 20)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace continuo::log
