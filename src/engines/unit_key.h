// How the engines name their units, and what they say of one that cannot be read. For the engines' own sources.
#pragma once

#include <fmt/format.h>

#include <expected>
#include <string>
#include <string_view>

#include "continuo/base/bytes.h"
#include "continuo/base/errors.h"
#include "continuo/base/ids.h"
#include "continuo/engines/unit.h"

namespace continuo::engines {

/// The kind's letter, then the numbers big-endian: keys sort as their numbers do.
std::string unit_key_of(UnitKind kind, auto... numbers) {
  std::string key{static_cast<char>(kind)};
  ByteWriter writer{key};
  (writer.be(numbers), ...);
  return key;
}

/// The part of a key that names a partition.
inline PartitionRef read_partition(ByteReader& key) {
  const TopicId topic{key.be<std::uint32_t>()};
  return {topic, PartitionId{key.be<std::uint32_t>()}};
}

inline std::unexpected<Error> bad_unit(std::string_view what) {
  return fail(Code::wrong_format, fmt::format("the checkpoint's {} cannot be read", what));
}

}  // namespace continuo::engines
