#include "payload.h"

#include <algorithm>
#include <cstring>

#include "continuo/history/history.h"

namespace continuo::history {
namespace {

/// Letters that compress somewhat, another run for each value.
void fill(std::uint64_t value, char* begin, char* end) {
  std::uint64_t state = value * 0x9E3779B97F4A7C15u + 1;
  while (begin != end) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    for (auto bits = state; bits != 0 && begin != end; bits >>= 8) *begin++ = static_cast<char>('a' + (bits & 15));
  }
}

}  // namespace

std::string payload_of(std::uint64_t value, std::size_t size) {
  std::string payload(std::max(size, smallest_payload), '\0');
  const auto length = static_cast<std::uint32_t>(payload.size());
  std::memcpy(payload.data(), &value, sizeof value);
  std::memcpy(payload.data() + sizeof value, &length, sizeof length);
  fill(value, payload.data() + smallest_payload, payload.data() + payload.size());
  return payload;
}

std::uint64_t value_in(std::string_view payload) {
  if (payload.size() < smallest_payload) return no_value;
  std::uint64_t value = 0;
  std::memcpy(&value, payload.data(), sizeof value);
  return payload == payload_of(value, payload.size()) ? value : no_value;
}

}  // namespace continuo::history
