#include "continuo/log/journal_format.h"

#include <string>

#include "continuo/base/bytes.h"
#include "continuo/base/checksum.h"

namespace continuo::log {

void SegmentHeader::encode(std::string& out) const {
  const std::size_t start = out.size();
  ByteWriter writer{out};
  writer.u64(magic);
  writer.u16(journal_format);
  writer.u16(0);
  writer.u32(chain);
  writer.u64(number);
  writer.u64(salt);
  writer.u32(epoch.value);
  writer.u32(journal_block);
  writer.u64(first.value);
  writer.u64(segment_bytes);
  writer.u32(passed_over);
  writer.u32(crc32c(std::string_view{out}.substr(start, size - 4)));
}

std::optional<SegmentHeader> SegmentHeader::decode(std::string_view block) {
  if (block.size() < size) return std::nullopt;
  ByteReader reader{block.substr(0, size)};
  SegmentHeader header;
  if (reader.u64() != magic || reader.u16() != journal_format) return std::nullopt;
  reader.u16();
  header.chain = reader.u32();
  header.number = reader.u64();
  header.salt = reader.u64();
  header.epoch = Epoch{reader.u32()};
  if (reader.u32() != journal_block) return std::nullopt;
  header.first = Sequence{reader.u64()};
  header.segment_bytes = reader.u64();
  header.passed_over = reader.u32();
  if (reader.u32() != crc32c(block.substr(0, size - 4)) || header.passed_over > header.first.value) return std::nullopt;
  return header;
}

void GroupHeader::encode(char* out) {
  std::string bytes;
  ByteWriter writer{bytes};
  writer.u32(magic);
  writer.u16(journal_format);
  writer.u16(0);
  writer.u64(salt);
  writer.u32(epoch.value);
  writer.u32(chain);
  writer.u64(sequence.value);
  writer.u32(body_length);
  writer.u32(frame_count);
  writer.i64(now.wall.ms);
  writer.i64(now.elapsed.ms);
  writer.u32(body_crc);
  crc = crc32c(bytes);
  writer.u32(crc);
  bytes.copy(out, size);
}

std::optional<GroupHeader> GroupHeader::decode(std::string_view block) {
  if (block.size() < size) return std::nullopt;
  ByteReader reader{block.substr(0, size)};
  GroupHeader header;
  if (reader.u32() != magic || reader.u16() != journal_format) return std::nullopt;
  reader.u16();
  header.salt = reader.u64();
  header.epoch = Epoch{reader.u32()};
  header.chain = reader.u32();
  header.sequence = Sequence{reader.u64()};
  header.body_length = reader.u32();
  header.frame_count = reader.u32();
  header.now.wall.ms = reader.i64();
  header.now.elapsed.ms = reader.i64();
  header.body_crc = reader.u32();
  header.crc = reader.u32();
  if (header.crc != crc32c(block.substr(0, size - 4))) return std::nullopt;
  if (header.body_length > max_group_bytes - size) return std::nullopt;
  return header;
}

}  // namespace continuo::log
