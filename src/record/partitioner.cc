#include "continuo/record/partitioner.h"

#include <string>

#include "continuo/base/bytes.h"
#include "continuo/base/errors.h"
#include "continuo/base/hash.h"

namespace continuo::record {
namespace {

constexpr std::uint32_t seed = 0x9747b28c;
constexpr std::uint32_t factor = 0x5bd1e995;

// The one to three bytes after the last whole word. Java's bytes are masked there, so they count as unsigned.
std::uint32_t mix_tail(std::uint32_t hash, std::string_view tail) {
  switch (tail.size()) {
    case 3: hash ^= static_cast<std::uint32_t>(static_cast<std::uint8_t>(tail[2])) << 16; [[fallthrough]];
    case 2: hash ^= static_cast<std::uint32_t>(static_cast<std::uint8_t>(tail[1])) << 8; [[fallthrough]];
    case 1: hash = (hash ^ static_cast<std::uint8_t>(tail[0])) * factor; break;
    default: break;
  }
  return hash;
}

}  // namespace

std::uint32_t murmur2(std::string_view bytes) {
  std::uint32_t hash = seed ^ static_cast<std::uint32_t>(bytes.size());
  std::size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4) {
    std::uint32_t word = load<std::uint32_t>(bytes.data() + at) * factor;
    word = (word ^ (word >> 24)) * factor;
    hash = hash * factor ^ word;
  }
  hash = mix_tail(hash, bytes.substr(at));
  hash = (hash ^ (hash >> 13)) * factor;
  return hash ^ (hash >> 15);
}

PartitionId partition_of(std::string_view key, std::uint32_t partitions) {
  CHECK(partitions > 0);
  return PartitionId{(murmur2(key) & 0x7fffffffu) % partitions};
}

PartitionId partition_of(const Event& event, std::uint32_t partitions) {
  if (const std::string_view key = event.key(); !key.empty()) return partition_of(key, partitions);
  std::string identity{event.source};
  identity += '\0';
  identity += event.id;
  return partition_of(identity, partitions);
}

std::uint64_t key_hash(const Record& record) {
  if (record.key) return hash64(*record.key);
  std::string bytes;
  ByteWriter{bytes}.i64(record.offset.value);
  return hash64(bytes, 1);
}

}  // namespace continuo::record
