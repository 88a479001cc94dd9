// The bytes of the journal; docs/formats/journal.md explains them with an example. Little-endian.
//
// A ring of files of one size, `journal/00` to `journal/NN`. One lap of one file is a *segment*: a header block, then
// groups. A *group* is one write: it starts on a block, is padded to a block, and holds whole frames. Nothing is ever
// rewritten in place.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "continuo/base/ids.h"
#include "continuo/base/time.h"

namespace continuo::log {

constexpr std::uint16_t journal_format = 1;
constexpr std::size_t journal_block = 4096;
/// One group at most, header and padding included; a frame at most.
constexpr std::size_t max_group_bytes = 8u << 20;

/// First block of a segment.
struct SegmentHeader {
  static constexpr std::uint64_t magic = 0x31474553544e4f43;  // "CONTSEG1"
  static constexpr std::size_t size = 64;

  std::uint64_t number = 0;         ///< of the segment, +1 for each lap of any slot
  std::uint64_t salt = 0;           ///< random: groups of another lap are told by it
  Epoch epoch;                      ///< of the start that opened it
  Sequence first;                   ///< sequence its first group has
  std::uint32_t chain = 0;          ///< of the log before it: with follows() it names the point where that ends
  std::uint64_t segment_bytes = 0;  ///< length of the file
  std::uint32_t passed_over = 0;    ///< sequences between the log before it and `first`: an accepted loss had them

  /// The sequence the log before it would have gone on with.
  Sequence follows() const { return Sequence{first.value - passed_over}; }

  /// Appends the header's bytes (not the padding).
  void encode(std::string& out) const;
  /// None when magic, format or CRC do not hold.
  static std::optional<SegmentHeader> decode(std::string_view block);
};

/// Front of a group's first block.
struct GroupHeader {
  static constexpr std::uint32_t magic = 0x50524743;  // "CGRP"
  static constexpr std::size_t size = 64;

  std::uint64_t salt = 0;
  Epoch epoch;
  Sequence sequence;
  std::uint32_t chain = 0;  ///< header CRC of the group before
  std::uint32_t body_length = 0;
  std::uint32_t frame_count = 0;
  Now now;  ///< log time, the same for everything in the group
  std::uint32_t body_crc = 0;
  std::uint32_t crc = 0;  ///< of this header; filled by encode and decode

  /// Writes `size` bytes to `out` and sets crc.
  void encode(char* out);
  /// None when magic, format or CRC do not hold, or the length cannot be.
  static std::optional<GroupHeader> decode(std::string_view block);

  /// Bytes the group takes in the file.
  std::size_t padded_size() const { return (size + body_length + journal_block - 1) / journal_block * journal_block; }
};

}  // namespace continuo::log
