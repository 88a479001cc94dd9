// A home in memory, and an edge that keeps its mail: what the core is tested on.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "continuo/node/core.h"

namespace continuo::node {

/// Keeps the bodies of groups; knows nothing of files.
class MemoryHome : public log::Home {
 public:
  Result<void> recover(log::RecoverySink& sink) override {
    if (checkpointed.value != 0)
      if (auto begun = sink.group(checkpointed, head); !begun) return begun;
    for (const auto& [key, image] : units)
      if (auto taken = sink.unit(key, image.stamp, image.bytes); !taken) return taken;
    for (const Kept& group : groups) {
      if (group.sequence <= checkpointed) continue;
      if (auto begun = sink.group(group.sequence, group.now); !begun) return begun;
      if (auto walked =
              log::walk_effects(group.body, [&](const log::EffectView& effect) { return sink.effect(effect); });
          !walked)
        return walked;
    }
    return {};
  }
  Result<void> start() override { return {}; }
  Result<void> write(log::Group& group) override {
    if (fails) return fail(Code::io_error, "the disk failed");
    Kept kept{Sequence{groups.size() + 1}, group.now, {}};
    for (const std::string_view piece : group.seal()) kept.body += piece;
    group.sequence = kept.sequence;
    groups.push_back(std::move(kept));
    return {};
  }
  bool has_room(std::size_t) const override { return true; }
  void publish(const log::Group& group) override {
    for (const log::AppendedBatch& batch : group.batches()) visible.push_back(batch);
  }
  Result<void> seal(const Now&) override { return {}; }
  Result<log::Batches> read(PartitionRef, Offset, std::uint64_t) override { return fail(Code::unsupported, ""); }
  Result<Offset> offset_at(PartitionRef, WallTime) override { return fail(Code::unsupported, ""); }
  Result<void> walk_batches(PartitionRef, const VisitBatch&) override { return fail(Code::unsupported, ""); }
  Result<log::PartitionState> state(PartitionRef) override { return fail(Code::unsupported, ""); }
  Result<WallTime> appended_at(PartitionRef, Offset) override { return fail(Code::unsupported, ""); }
  void size_segments(TopicId topic, std::optional<std::uint64_t> bytes) override { segment_bytes[topic] = bytes; }
  std::vector<log::OldSegment> old_segments(PartitionRef) override { return {}; }
  Result<void> checkpoint(Sequence upto, std::vector<log::UnitImage> images, const Now& now) override {
    for (log::UnitImage& image : images) {
      const std::string key = image.key;
      units[key] = std::move(image);
    }
    checkpointed = upto;
    head = now;
    return {};
  }
  Result<void> work(Micros) override { return {}; }
  log::HomeStats stats() const override { return numbers; }
  bool durable() const override { return true; }
  std::vector<PartitionRef> partitions() const override { return {}; }
  bool accepts_loss() const override { return false; }
  Sequence last() const override { return Sequence{groups.size()}; }

  struct Kept {
    Sequence sequence;
    Now now;
    std::string body;
  };
  std::vector<Kept> groups;
  std::vector<log::AppendedBatch> visible;
  std::map<std::string, log::UnitImage> units;
  Sequence checkpointed{0};
  Now head;
  std::map<TopicId, std::optional<std::uint64_t>> segment_bytes;
  log::HomeStats numbers{.slots = 16, .used_slots = 1, .free_slots = 15};
  bool fails = false;
};

/// Keeps its mail until it is read.
class MailBox final : public Edge {
 public:
  void deliver(Mail mail) override { mails.push_back(std::move(mail)); }
  /// Runs the answers that came; gives how many.
  std::size_t open() {
    std::size_t count = 0;
    for (Mail& mail : std::exchange(mails, {}))
      for (auto& answer : mail.answers) {
        answer();
        ++count;
      }
    return count;
  }
  std::vector<Mail> mails;
};

/// A clock that stands until it is moved.
class StandingClock final : public Clock {
 public:
  WallTime wall() override { return {1'763'713'800'000 + wall_ms}; }
  Micros steady() override { return Micros{steady_ms * 1'000}; }
  void pass(std::int64_t ms) { wall_ms += ms, steady_ms += ms; }
  std::int64_t wall_ms = 0;
  std::int64_t steady_ms = 5'000;
};

inline NewRecord sample_record(TopicId topic, std::uint64_t id = 0, const std::string& key = "k",
                               std::uint32_t partition = 0, std::size_t value_bytes = 10) {
  NewRecord record{topic, PartitionId{partition}, {}, 1'000, {}};
  record::BodyWriter{record.body}.key(key).value(std::string(value_bytes, 'v')).header_count(0);
  if (id != 0) record.fingerprint = {{id, id}, 1};
  return record;
}

}  // namespace continuo::node
