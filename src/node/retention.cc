#include "continuo/node/retention.h"

#include <algorithm>

namespace continuo::node {
namespace {

Offset by_time(log::Home& home, PartitionRef ref, Offset first, WallTime before) {
  const auto offset = home.offset_at(ref, before);
  return offset ? std::max(*offset, first) : first;
}

Offset by_bytes(log::Home& home, PartitionRef ref, Offset first, std::uint64_t keep) {
  const auto segments = home.old_segments(ref);
  std::uint64_t total = 0;
  for (const log::OldSegment& segment : segments) total += segment.bytes;
  for (std::size_t i = 0; i + 1 < segments.size() && total - segments[i].bytes >= keep; ++i) {
    total -= segments[i].bytes;
    first = std::max(first, segments[i].next);
  }
  return first;
}

}  // namespace

std::vector<RetentionTrim> due_trims(log::Home& home, const Catalogue& catalogue, WallTime wall, bool wall_trusted) {
  std::vector<RetentionTrim> trims;
  for (const auto& [name, topic] : catalogue.topics) {
    const TopicSettings& settings = topic->settings;
    if (!settings.retention_time && !settings.retention_bytes) continue;
    for (std::uint32_t id = 0; id < settings.partitions; ++id) {
      const PartitionRef ref{topic->id, PartitionId{id}};
      const auto state = home.state(ref);
      if (!state) continue;
      Offset before = state->first;
      if (settings.retention_time && wall_trusted)
        before = by_time(home, ref, before, WallTime{wall.ms - settings.retention_time->count()});
      if (settings.retention_bytes) before = by_bytes(home, ref, before, *settings.retention_bytes);
      if (before > state->first) trims.push_back({ref, before});
    }
  }
  return trims;
}

}  // namespace continuo::node
