// An embedded log over a simulated disk, started as often as a test wants.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "continuo/disk/simulated_disk.h"
#include "continuo/log/embedded_log.h"
#include "continuo/log/sample_batch_test.h"

namespace continuo::log {
inline constexpr TopicId topic{1};
inline constexpr PartitionRef partition{topic, PartitionId{0}};

// Keeps what recovery gives.
class Sink final : public RecoverySink {
 public:
  Result<void> unit(std::string_view key, Sequence stamp, std::optional<std::string_view> bytes) override {
    units[std::string{key}] = {stamp, bytes ? std::optional<std::string>{*bytes} : std::nullopt};
    return {};
  }
  Result<void> group(Sequence sequence, const Now& now) override {
    groups.push_back(sequence);
    last = now;
    return {};
  }
  Result<void> effect(const EffectView& effect) override {
    types.push_back(effect.type);
    return {};
  }
  std::map<std::string, std::pair<Sequence, std::optional<std::string>>> units;
  std::vector<Sequence> groups;
  std::vector<std::uint8_t> types;
  Now last;
};

inline EmbeddedOptions tiny() {
  EmbeddedOptions options;
  options.journal.slots = 4;
  options.journal.slot_bytes = 64 * journal_block;
  options.journal.max_group = 8 * journal_block;
  options.topic_segment_bytes = 20'000;
  options.write_behind_piece = 2'000;
  options.ballast_bytes = 0;
  options.page_cache_bytes = 8'192;
  return options;
}

class EmbeddedLogTest : public testing::Test {
 protected:
  Result<void> try_start(const EmbeddedOptions& options = tiny()) {
    log_.reset();
    sink_ = {};
    auto opened = EmbeddedLog::open(*disk_, options, random_);
    if (!opened) return pass(opened);
    log_ = std::move(*opened);
    if (auto recovered = log_->recover(sink_); !recovered) return recovered;
    return log_->start();
  }
  void start(const EmbeddedOptions& options = tiny()) {
    const auto started = try_start(options);
    ASSERT_TRUE(started) << to_string(started.error());
  }
  Result<void> commit(Group& group) {
    group.now = {WallTime{++time_ * 10}, Elapsed{time_}};
    if (auto written = log_->write(group); !written) return written;
    log_->publish(group);
    return {};
  }
  void make_topic(TopicId id = topic, std::uint32_t partitions = 1) {
    Group group;
    group.begin_frame();
    group.make_partitions({id, partitions});
    group.end_frame();
    ASSERT_TRUE(commit(group));
  }
  Result<void> append(PartitionRef ref = partition, std::size_t value_bytes = 100) {
    Group group;
    group.append(sample_batch(ref, log_->state(ref).value().next, 1, value_bytes));
    return commit(group);
  }
  void append_many(int count, PartitionRef ref = partition) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(append(ref)) << i;
  }
  Result<void> checkpoint(std::vector<UnitImage> units = {}) {
    return log_->checkpoint(log_->last(), std::move(units), {WallTime{time_ * 10}, Elapsed{time_}});
  }
  std::int64_t count(PartitionRef ref = partition) {
    std::int64_t found = 0;
    Offset at = log_->state(ref).value().first;
    while (true) {
      const auto batches = log_->read(ref, at, 1'000);
      if (!batches || batches->batches.empty()) return batches ? found : -1;
      found += static_cast<std::int64_t>(batches->batches.size());
      at = batches->next;
    }
  }

  SeededRandom random_{3};
  std::unique_ptr<disk::SimulatedDisk> disk_ = std::make_unique<disk::SimulatedDisk>();
  std::unique_ptr<EmbeddedLog> log_;
  Sink sink_;
  std::int64_t time_ = 0;
};

}  // namespace continuo::log
