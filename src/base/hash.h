// Hashes. XXH3 (xxhash.com) behind one source file.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string_view>

namespace continuo::inline base {

struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  auto operator<=>(const Hash128&) const = default;
};

/// Keyed with a seed that outsiders do not know, so nobody can make ids collide on purpose.
Hash128 hash128(std::string_view bytes, std::uint64_t seed);
std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);

}  // namespace continuo::inline base

template <>
struct std::hash<continuo::Hash128> {
  std::size_t operator()(const continuo::Hash128& value) const noexcept { return value.low; }
};
