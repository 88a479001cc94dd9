// The bytes of the journal's headers. They are for ever: a change of them is a new format beside the old.
#include "continuo/log/journal_format.h"

#include <gtest/gtest.h>

#include <string>

#include "continuo/log/hex_test.h"

namespace continuo::log {
namespace {

SegmentHeader sample_segment() {
  SegmentHeader header;
  header.number = 3;
  header.salt = 0x1122334455667788;
  header.epoch = Epoch{2};
  header.first = Sequence{42};
  header.chain = 0xcafef00d;
  header.segment_bytes = 32u << 20;
  header.passed_over = 7;
  return header;
}

GroupHeader sample_group() {
  GroupHeader header;
  header.salt = 0x1122334455667788;
  header.epoch = Epoch{2};
  header.sequence = Sequence{42};
  header.chain = 0xcafef00d;
  header.body_length = 17;
  header.frame_count = 2;
  header.now = {WallTime{1'763'713'800'000}, Elapsed{5'000}};
  header.body_crc = 0x01020304;
  return header;
}

TEST(JournalFormat, GoldenSegmentHeader) {
  const char* golden =
      "43 4f 4e 54 53 45 47 31 "  // magic "CONTSEG1"
      "01 00 00 00 "              // format 1, reserved
      "0d f0 fe ca "              // chain: CRC of the last header of the log before it
      "03 00 00 00 00 00 00 00 "  // segment 3
      "88 77 66 55 44 33 22 11 "  // salt
      "02 00 00 00 "              // epoch 2
      "00 10 00 00 "              // blocks of 4096
      "2a 00 00 00 00 00 00 00 "  // its first group is 42
      "00 00 00 02 00 00 00 00 "  // 32 MiB
      "07 00 00 00 "              // 7 sequences passed over
      "ad 8a 2c 56 ";             // CRC-32C of all before
  std::string made;
  sample_segment().encode(made);
  EXPECT_EQ(hex(made), golden);
  EXPECT_EQ(made.size(), SegmentHeader::size);
}

TEST(JournalFormat, GoldenGroupHeader) {
  const char* golden =
      "43 47 52 50 "              // magic "CGRP"
      "01 00 00 00 "              // format 1, reserved
      "88 77 66 55 44 33 22 11 "  // salt of the segment
      "02 00 00 00 "              // epoch 2
      "0d f0 fe ca "              // chain: CRC of the header before
      "2a 00 00 00 00 00 00 00 "  // sequence 42
      "11 00 00 00 "              // 17 bytes of body
      "02 00 00 00 "              // 2 frames
      "40 d7 88 a5 9a 01 00 00 "  // wall time 1763713800000 ms
      "88 13 00 00 00 00 00 00 "  // elapsed 5000 ms
      "04 03 02 01 "              // CRC-32C of the body
      "fb 34 61 bf ";             // CRC-32C of all before
  std::string made(GroupHeader::size, '?');
  sample_group().encode(made.data());
  EXPECT_EQ(hex(made), golden);
}

TEST(JournalFormat, HeadersAreReadBack) {
  std::string segment;
  sample_segment().encode(segment);
  const auto read = SegmentHeader::decode(segment);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->number, 3u);
  EXPECT_EQ(read->salt, 0x1122334455667788u);
  EXPECT_EQ(read->epoch, Epoch{2});
  EXPECT_EQ(read->first, Sequence{42});
  EXPECT_EQ(read->chain, 0xcafef00du);
  EXPECT_EQ(read->segment_bytes, 32u << 20);
  EXPECT_EQ(read->passed_over, 7u);
  EXPECT_EQ(read->follows(), Sequence{35});

  std::string group(GroupHeader::size, '?');
  GroupHeader written = sample_group();
  written.encode(group.data());
  const auto header = GroupHeader::decode(group);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->salt, written.salt);
  EXPECT_EQ(header->epoch, written.epoch);
  EXPECT_EQ(header->sequence, written.sequence);
  EXPECT_EQ(header->chain, written.chain);
  EXPECT_EQ(header->body_length, written.body_length);
  EXPECT_EQ(header->frame_count, written.frame_count);
  EXPECT_EQ(header->now, written.now);
  EXPECT_EQ(header->body_crc, written.body_crc);
  EXPECT_EQ(header->crc, written.crc);
}

TEST(JournalFormat, AnyFlippedBitIsFound) {
  std::string segment, group(GroupHeader::size, '?');
  sample_segment().encode(segment);
  sample_group().encode(group.data());
  for (std::string* bytes : {&segment, &group})
    for (std::size_t bit = 0; bit < bytes->size() * 8; ++bit) {
      (*bytes)[bit / 8] ^= static_cast<char>(1 << bit % 8);
      EXPECT_FALSE(SegmentHeader::decode(*bytes)) << bit;
      EXPECT_FALSE(GroupHeader::decode(*bytes)) << bit;
      (*bytes)[bit / 8] ^= static_cast<char>(1 << bit % 8);
    }
}

TEST(JournalFormat, ShortOrImpossibleHeadersAreNone) {
  std::string segment, group(GroupHeader::size, '?');
  sample_segment().encode(segment);
  GroupHeader large = sample_group();
  large.encode(group.data());
  EXPECT_FALSE(SegmentHeader::decode(segment.substr(0, SegmentHeader::size - 1)));
  EXPECT_FALSE(GroupHeader::decode(group.substr(0, GroupHeader::size - 1)));
  EXPECT_FALSE(SegmentHeader::decode(group)) << "the one is not taken for the other";
  EXPECT_FALSE(GroupHeader::decode(segment));
  large.body_length = max_group_bytes;
  large.encode(group.data());
  EXPECT_FALSE(GroupHeader::decode(group)) << "with its header it would be over the limit";
}

TEST(JournalFormat, GroupsArePaddedToBlocks) {
  GroupHeader header;
  for (const auto& [body, padded] : {std::pair{0u, 4096u}, {4032u, 4096u}, {4033u, 8192u}, {8128u, 8192u}}) {
    header.body_length = body;
    EXPECT_EQ(header.padded_size(), padded) << body;
  }
}

}  // namespace
}  // namespace continuo::log
