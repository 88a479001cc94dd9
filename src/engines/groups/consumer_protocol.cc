#include "continuo/engines/groups/consumer_protocol.h"

#include "continuo/base/bytes.h"

namespace continuo::engines {
namespace {

std::optional<std::string_view> read_name(ByteReader& reader) {
  const auto size = reader.be<std::int16_t>();
  if (size < 0 || !reader.ok()) return std::nullopt;
  return reader.raw(static_cast<std::uint64_t>(size));
}

// Topics with their partitions; nothing when that cannot be read.
ConsumerPartitions read_partitions(ByteReader& reader) {
  ConsumerPartitions partitions;
  const auto topics = reader.be<std::int32_t>();
  for (std::int32_t i = 0; i < topics && reader.ok(); ++i) {
    const auto topic = read_name(reader);
    const auto count = reader.be<std::int32_t>();
    if (!topic || count < 0) return {};
    for (std::int32_t each = 0; each < count && reader.ok(); ++each)
      partitions.emplace(*topic, reader.be<std::int32_t>());
  }
  return reader.ok() ? partitions : ConsumerPartitions{};
}

}  // namespace

std::optional<std::set<std::string, std::less<>>> subscribed_topics(std::string_view metadata) {
  ByteReader reader{metadata};
  const auto version = reader.be<std::int16_t>();
  const auto count = reader.be<std::int32_t>();
  if (version < 0 || count < 0) return std::nullopt;
  std::set<std::string, std::less<>> topics;
  for (std::int32_t i = 0; i < count && reader.ok(); ++i) {
    const auto name = read_name(reader);
    if (!name) return std::nullopt;
    topics.emplace(*name);
  }
  if (!reader.ok()) return std::nullopt;
  return topics;
}

ConsumerPartitions owned_partitions(std::string_view metadata) {
  ByteReader reader{metadata};
  if (reader.be<std::int16_t>() < 1) return {};
  const auto topics = reader.be<std::int32_t>();
  for (std::int32_t i = 0; i < topics && reader.ok(); ++i)
    if (!read_name(reader)) return {};
  if (const auto user_data = reader.be<std::int32_t>(); user_data > 0)
    reader.raw(static_cast<std::uint64_t>(user_data));
  return read_partitions(reader);
}

ConsumerPartitions assigned_partitions(std::string_view assignment) {
  ByteReader reader{assignment};
  if (reader.be<std::int16_t>() < 0) return {};
  return read_partitions(reader);
}

}  // namespace continuo::engines
