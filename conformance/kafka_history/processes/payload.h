// The bytes of a record: they follow from its value and size, so that a reader knows each byte.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace continuo::history {

constexpr std::size_t smallest_payload = 12;

/// `size` bytes for the value; it is at least smallest_payload.
std::string payload_of(std::uint64_t value, std::size_t size);
/// The value these bytes were made for, or no_value when one of them is not as it was.
std::uint64_t value_in(std::string_view payload);

}  // namespace continuo::history
