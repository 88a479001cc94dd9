// A set of strings, each with a number: 0, 1, ... in the order they came. Grows until nobody adds; then for any number
// of threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/hash.h"

namespace continuo::routing {

class StringTable {
 public:
  static constexpr std::uint32_t none = ~0u;

  /// The string's number; a new one when it is new.
  std::uint32_t add(std::string_view text) {
    if (const std::uint32_t known = find(text); known != none) return known;
    if (2 * (ends_.size() + 1) > slots_.size()) grow();
    texts_ += text;
    ends_.push_back(static_cast<std::uint32_t>(texts_.size()));
    lengths_ |= length_bit(text);
    const auto number = static_cast<std::uint32_t>(ends_.size() - 1);
    place(hash64(text), number);
    return number;
  }

  std::uint32_t find(std::string_view text) const {
    if ((lengths_ & length_bit(text)) == 0) return none;
    const std::uint64_t hash = hash64(text);
    for (std::size_t at = hash & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[at];
      if (slot.number == none) return none;
      if (slot.check == check_of(hash) && (*this)[slot.number] == text) return slot.number;
    }
  }

  std::string_view operator[](std::uint32_t number) const {
    const std::uint32_t begin = number == 0 ? 0 : ends_[number - 1];
    return std::string_view{texts_}.substr(begin, ends_[number] - begin);
  }
  std::size_t size() const { return ends_.size(); }
  bool empty() const { return ends_.empty(); }
  std::size_t bytes() const { return texts_.capacity() + ends_.capacity() * 4 + slots_.capacity() * sizeof(Slot); }
  void shrink() {
    texts_.shrink_to_fit();
    ends_.shrink_to_fit();
  }

 private:
  struct Slot {
    std::uint32_t check = 0;
    std::uint32_t number = none;
  };
  static std::uint32_t check_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }
  // Most values have a length that no key has.
  static std::uint64_t length_bit(std::string_view text) {
    return std::uint64_t{1} << std::min<std::size_t>(text.size(), 63);
  }
  void place(std::uint64_t hash, std::uint32_t number) {
    std::size_t at = hash & (slots_.size() - 1);
    while (slots_[at].number != none) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = {check_of(hash), number};
  }
  void grow() {
    slots_.assign(std::max<std::size_t>(4, 2 * slots_.size()), Slot{});
    for (std::uint32_t number = 0; number < ends_.size(); ++number) place(hash64((*this)[number]), number);
  }

  std::string texts_;
  std::vector<std::uint32_t> ends_;
  std::vector<Slot> slots_;
  std::uint64_t lengths_ = 0;
};

}  // namespace continuo::routing
