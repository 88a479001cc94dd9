#include "continuo/record/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>

#include "continuo/base/bytes.h"
#include "continuo/base/checksum.h"
#include "continuo/record/compressed_batch_test.h"

namespace continuo::record {
namespace {

using testing::HasSubstr;

// A record with memory of its own.
struct Sample {
  std::optional<std::string> key, value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  std::int64_t timestamp_ms = 0;
  bool operator==(const Sample&) const = default;
};

rc::Gen<std::optional<std::string>> any_optional() {
  return rc::gen::map(rc::gen::arbitrary<std::pair<bool, std::string>>(),
                      [](const auto& drawn) { return drawn.first ? std::optional{drawn.second} : std::nullopt; });
}

rc::Gen<Sample> any_sample() {
  auto headers = rc::gen::container<std::vector<std::pair<std::string, std::optional<std::string>>>>(
      rc::gen::pair(rc::gen::arbitrary<std::string>(), any_optional()));
  return rc::gen::build<Sample>(rc::gen::set(&Sample::key, any_optional()),
                                rc::gen::set(&Sample::value, any_optional()), rc::gen::set(&Sample::headers, headers),
                                rc::gen::set(&Sample::timestamp_ms));
}

std::string body_of(const Sample& sample) {
  std::string body;
  BodyWriter writer{body};
  writer.key(sample.key).value(sample.value).header_count(sample.headers.size());
  for (const auto& [key, value] : sample.headers) writer.header(key, value);
  return body;
}

std::optional<std::string> owned(std::optional<std::string_view> view) {
  return view ? std::optional<std::string>{*view} : std::nullopt;
}

Sample sample_of(const Record& record) {
  Sample sample{owned(record.key), owned(record.value), {}, record.timestamp_ms};
  HeaderWalk walk{record};
  while (const auto header = walk.next()) sample.headers.emplace_back(header->key, owned(header->value));
  return sample;
}

std::string batch_of(const std::vector<Sample>& samples, Offset base = Offset{0}) {
  BatchBuilder builder;
  for (const Sample& sample : samples) builder.add(body_of(sample), sample.timestamp_ms);
  return builder.finish(base);
}

const std::vector<Sample> two_records{{"k", "v", {{"a", "1"}}, 1000}, {std::nullopt, std::nullopt, {}, 1003}};

// Sets a big-endian field and makes the CRC fit again: damage that only the checks of the fields can find.
template <class Int>
std::string with(std::string batch, std::size_t place, Int value) {
  store(batch.data() + place, big_endian(value));
  store(batch.data() + BatchLayout::crc, big_endian(crc32c(std::string_view{batch}.substr(BatchLayout::attributes))));
  return batch;
}

std::string detail(const std::string& batch) {
  const auto header = check_batch(batch);
  if (header) return "";
  EXPECT_EQ(header.error().code, Code::damaged_data);
  return header.error().detail;
}

// The same bytes come from kafka-python 2's DefaultRecordBatchBuilder (base offset aside). docs/formats/batch.md walks
// through them.
TEST(Batch, GoldenBytes) {
  const unsigned char golden[] = {0,    0,    0,    0,    0,    0,    0,    5,  // base offset 5
                                  0,    0,    0,    0x45,                       // 69 bytes follow
                                  0,    0,    0,    0,                          // leader epoch
                                  2,                                            // magic
                                  0xc7, 0xbb, 0x89, 0x48,                       // CRC-32C of all that follows
                                  0,    0,              // attributes: not compressed, create time
                                  0,    0,    0,    1,  // last offset delta
                                  0,    0,    0,    0,    0,    0,    0x03, 0xe8,  // base timestamp 1000
                                  0,    0,    0,    0,    0,    0,    0x03, 0xeb,  // max timestamp 1003
                                  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,  // no producer id
                                  0xff, 0xff,                                      // no producer epoch
                                  0xff, 0xff, 0xff, 0xff,                          // no sequence
                                  0,    0,    0,    2,                             // two records
                                  0x18, 0,    0,    0,          // 12 bytes; attributes; +0 ms; +0 offsets
                                  0x02, 'k',  0x02, 'v',        // key of 1 byte, value of 1 byte
                                  0x02, 0x02, 'a',  0x02, '1',  // 1 header: a = 1
                                  0x0c, 0,    0x06, 0x02,       // 6 bytes; attributes; +3 ms; +1 offset
                                  0x01, 0x01, 0x00};            // no key, no value, no headers
  EXPECT_EQ(batch_of(two_records, Offset{5}), std::string(golden, golden + sizeof golden));
}

TEST(Batch, TheHeaderSaysWhatIsInside) {
  const std::string batch = batch_of(two_records, Offset{5});
  const auto header = check_batch(batch);
  ASSERT_TRUE(header) << to_string(header.error());
  EXPECT_EQ(header->size, batch.size());
  EXPECT_EQ(header->record_count, 2);
  EXPECT_EQ(header->last_offset(), Offset{6});
  EXPECT_EQ(header->next_offset(), Offset{7});
  EXPECT_EQ(header->base_timestamp, 1000);
  EXPECT_EQ(header->max_timestamp, 1003);
  EXPECT_EQ(header->producer_id, -1);
  EXPECT_EQ(header->compression(), Compression::none);
  EXPECT_FALSE(header->transactional() || header->control() || header->log_append_time());
}

TEST(Batch, WalkingGivesWhatWasLaidIn) {
  EXPECT_TRUE(rc::check([] {
    const auto samples = *rc::gen::nonEmpty(rc::gen::container<std::vector<Sample>>(any_sample()));
    const auto base = *rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 60);
    const std::string batch = batch_of(samples, Offset{base});
    RC_ASSERT(check_batch(batch).has_value());
    RecordWalk walk{batch};
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const auto record = walk.next();
      RC_ASSERT(record.has_value());
      RC_ASSERT(record->offset.value == base + static_cast<std::int64_t>(i));
      RC_ASSERT((sample_of(*record) == samples[i]));
    }
    RC_ASSERT(!walk.next().has_value());
    RC_ASSERT(!walk.damaged());
  }));
}

TEST(Batch, TheBaseOffsetIsNotUnderTheCrc) {
  std::string batch = batch_of(two_records);
  set_place(batch.data(), Offset{1'000'000}, 0);
  EXPECT_EQ(check_batch(batch)->last_offset(), Offset{1'000'001});
}

TEST(Batch, WhatFollowsTheBatchDoesNotCount) {
  const std::string batch = batch_of(two_records);
  const auto header = check_batch(batch + batch + "x");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->size, batch.size());
}

TEST(Batch, EveryCutAndEveryFlippedBitUnderTheCrcIsFound) {
  const std::string batch = batch_of(two_records);
  for (std::size_t size = 0; size < batch.size(); ++size)
    EXPECT_FALSE(check_batch(std::string_view{batch}.substr(0, size)));
  for (std::size_t bit = BatchLayout::magic * 8; bit < batch.size() * 8; ++bit) {
    std::string flipped = batch;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(check_batch(flipped)) << bit;
  }
}

TEST(Batch, RefusesHeadersThatCannotBe) {
  using L = BatchLayout;
  const std::string batch = batch_of(two_records);
  EXPECT_EQ(detail(batch), "");
  EXPECT_THAT(detail(with<std::int32_t>(batch, L::batch_length, 48)), HasSubstr("less than its header"));
  EXPECT_THAT(detail(with<std::int32_t>(batch, L::batch_length, -1)), HasSubstr("less than its header"));
  EXPECT_THAT(detail(with<std::int32_t>(batch, L::batch_length, 0x7fffffff)), HasSubstr("are there"));
  EXPECT_THAT(detail(with<std::int8_t>(batch, L::magic, 1)), HasSubstr("magic"));
  EXPECT_THAT(detail(with<std::int16_t>(batch, L::attributes, 5)), HasSubstr("compression 5"));
  EXPECT_THAT(detail(with<std::int32_t>(batch, L::last_offset_delta, -1)), HasSubstr("offsets"));
  EXPECT_THAT(detail(with<std::int64_t>(batch, L::base_offset, -1)), HasSubstr("offsets"));
  EXPECT_THAT(detail(with<std::int64_t>(batch, L::base_offset, max_offset.value)), HasSubstr("offsets"));
  EXPECT_THAT(detail(with<std::int32_t>(batch, L::record_count, -1)), HasSubstr("do not fit"));
  EXPECT_THAT(detail(with<std::int32_t>(batch, L::record_count, 3)), HasSubstr("2 offsets"));
}

TEST(Batch, RecordsAreBoundedByTheirBytes) {
  std::string batch = with<std::int32_t>(batch_of(two_records), BatchLayout::last_offset_delta, 1'000'000);
  EXPECT_EQ(detail(batch), "");  // offsets may have gaps
  EXPECT_THAT(detail(with<std::int32_t>(batch, BatchLayout::record_count, 3)), HasSubstr("bytes"));
}

TEST(RecordWalk, WithLogAppendTimeEveryRecordHasTheTimeOfTheBatch) {
  const std::string batch = with<std::int16_t>(batch_of(two_records), BatchLayout::attributes, 8);
  RecordWalk walk{batch};
  EXPECT_EQ(walk.next()->timestamp_ms, 1003);
}

TEST(RecordWalk, ReadsCompressedBatchesLikeOthers) {
  const std::string plain = batch_of(two_records);
  for (const Compression compression : {Compression::gzip, Compression::snappy, Compression::lz4, Compression::zstd}) {
    const std::string batch = compressed_batch(plain, compression);
    ASSERT_TRUE(check_batch(batch).has_value());
    RecordWalk before{batch};
    RecordWalk walk{std::move(before)};
    RecordWalk expected{plain};
    while (const auto record = expected.next()) {
      const auto found = walk.next();
      ASSERT_TRUE(found.has_value()) << name(compression);
      EXPECT_TRUE(sample_of(*found) == sample_of(*record));
    }
    EXPECT_FALSE(walk.next());
    EXPECT_FALSE(walk.damaged());
  }
}

TEST(RecordWalk, FindsARecordBehindThoseThatCame) {
  const std::vector<Sample> samples = {two_records[0], two_records[1], two_records[0], two_records[1]};
  const std::string batch = batch_of(samples, Offset{40});
  for (std::int64_t from = 39; from <= 45; ++from) {
    RecordWalk walk{batch};
    EXPECT_TRUE(walk.next());
    const auto found = walk.find(Offset{from});
    ASSERT_EQ(found.has_value(), from >= 41 && from <= 43) << from;
    if (!found) continue;
    EXPECT_EQ(found->offset.value, from);
    EXPECT_TRUE(sample_of(*found) == samples[static_cast<std::size_t>(from - 40)]);
    const auto next = walk.next();
    EXPECT_EQ(next.has_value(), from < 43);
    EXPECT_EQ(next ? next->offset.value : from + 1, from + 1);
  }
  RecordWalk cut{batch.substr(0, batch.size() - 1)};
  EXPECT_FALSE(cut.find(Offset{43}));
  EXPECT_TRUE(cut.damaged());
}

TEST(RecordWalk, FindsDamageInCompressedRecords) {
  const std::string batch = with<std::int16_t>(batch_of(two_records), BatchLayout::attributes, 4);
  RecordWalk walk{batch};
  EXPECT_FALSE(walk.next());
  EXPECT_TRUE(walk.damaged());
}

constexpr std::size_t much = 1 << 20;

TEST(CheckProduced, TakesWhatProducersSend) {
  const std::string batch = batch_of(two_records);
  EXPECT_TRUE(check_produced(batch, much).has_value());
  EXPECT_TRUE(check_produced(compressed_batch(batch, Compression::zstd), much).has_value());
  EXPECT_TRUE(check_produced(batch, batch.size()).has_value());
}

TEST(CheckProduced, RefusesWhatTheyDoNot) {
  const std::string batch = batch_of(two_records);
  const auto code = [](std::string_view bytes, std::size_t most = much) {
    const auto checked = check_produced(bytes, most);
    return checked ? Code::breach : checked.error().code;
  };
  EXPECT_EQ(code(""), Code::bad_request);
  EXPECT_EQ(code(batch + batch), Code::bad_request);
  EXPECT_EQ(code(batch, batch.size() - 1), Code::too_large);
  EXPECT_EQ(code(std::string_view{batch}.substr(0, batch.size() - 1)), Code::damaged_data);
  EXPECT_EQ(code(with<std::int8_t>(batch, BatchLayout::magic, 1)), Code::unsupported);
  EXPECT_EQ(code(with<std::int16_t>(batch, BatchLayout::attributes, 16)), Code::unsupported) << "a transaction";
  EXPECT_EQ(code(with<std::int16_t>(batch, BatchLayout::attributes, 32)), Code::unsupported) << "a control batch";
  EXPECT_EQ(code(with<std::int16_t>(batch, BatchLayout::attributes, 3)), Code::bad_request) << "no lz4";
  EXPECT_EQ(code(with<std::int32_t>(batch, BatchLayout::last_offset_delta, 5)), Code::bad_request) << "gaps";
  EXPECT_EQ(code(with<std::int32_t>(batch, BatchLayout::record_count, 0)), Code::bad_request);
}

// Replaces one byte of the golden batch's records and says how many records the walk gave before it found the damage;
// -1: it did not.
int records_before_damage(std::size_t at_in_records, char byte) {
  std::string batch = batch_of(two_records);
  batch[BatchLayout::records + at_in_records] = byte;
  RecordWalk walk{batch};
  int count = 0;
  while (walk.next()) ++count;
  return walk.damaged() ? count : -1;
}

TEST(RecordWalk, EndsAtARecordThatDoesNotAddUp) {
  EXPECT_EQ(records_before_damage(0, 0x1a), 0);   // the length is one more
  EXPECT_EQ(records_before_damage(0, 0x16), 0);   // the length is one less
  EXPECT_EQ(records_before_damage(0, 0x01), 0);   // the length is -1
  EXPECT_EQ(records_before_damage(3, 0x04), 0);   // an offset beyond the last
  EXPECT_EQ(records_before_damage(3, 0x01), 0);   // a negative offset
  EXPECT_EQ(records_before_damage(4, 0x03), 0);   // a key length of -2
  EXPECT_EQ(records_before_damage(4, 0x20), 0);   // a key longer than the record
  EXPECT_EQ(records_before_damage(8, 0x01), 0);   // -1 headers
  EXPECT_EQ(records_before_damage(8, 0x04), 0);   // two headers where there is one
  EXPECT_EQ(records_before_damage(8, 0x00), 0);   // no headers, but bytes left
  EXPECT_EQ(records_before_damage(9, 0x01), 0);   // a header without a key
  EXPECT_EQ(records_before_damage(13, 0x0e), 1);  // the second record is cut off
  EXPECT_EQ(records_before_damage(5, 'K'), -1);   // content is the CRC's business
}

TEST(RecordWalk, BytesBehindTheLastRecordAreDamage) {
  std::string batch = batch_of(two_records) + '\0';
  batch = with<std::int32_t>(batch, BatchLayout::batch_length,
                             static_cast<std::int32_t>(batch.size() - BatchLayout::before_length));
  RecordWalk walk{batch};
  while (walk.next()) continue;
  EXPECT_TRUE(walk.damaged());
}

TEST(RecordWalk, AnyBytesAreWalkedWithoutLeavingThem) {
  EXPECT_TRUE(rc::check([](const std::vector<std::pair<std::uint16_t, char>>& changes) {
    std::string batch = batch_of(two_records);
    for (const auto& [place, byte] : changes) batch[place % batch.size()] = byte;
    RecordWalk walk{batch};
    std::int32_t count = 0;
    while (const auto record = walk.next()) {
      sample_of(*record);
      RC_ASSERT(++count <= walk.header().record_count);
    }
  }));
}

TEST(HeaderWalk, ANullValueIsNotAnEmptyOne) {
  const std::string batch = batch_of({{"k", "v", {{"none", std::nullopt}, {"empty", ""}}, 0}});
  const auto record = RecordWalk{batch}.next();
  HeaderWalk walk{*record};
  EXPECT_EQ(walk.next()->value, std::nullopt);
  EXPECT_EQ(walk.next()->value, "");
  EXPECT_FALSE(walk.next());
}

TEST(BatchBuilder, TakesRecordsUpToTheLimit) {
  BatchBuilder builder;
  const std::string body = body_of({"key", std::string(100, 'x'), {}});
  while (builder.fits(body.size())) builder.add(body, 0);
  EXPECT_EQ(builder.record_count(), max_built_batch_records);
  EXPECT_TRUE(check_batch(builder.finish(Offset{0})));
}

TEST(BatchBuilder, TakesBytesUpToTheLimit) {
  BatchBuilder builder;
  const std::string body = body_of({"key", std::string(10'000, 'x'), {}});
  for (std::int64_t time = 0; builder.fits(body.size()); time += 1'000'000'000) builder.add(body, time);
  EXPECT_LE(builder.size(), max_built_batch_bytes);
  EXPECT_GT(builder.size() + 2 * body.size(), max_built_batch_bytes);
}

TEST(BatchBuilder, TheFirstRecordAlwaysFits) {
  BatchBuilder builder;
  const std::string body = body_of({"key", std::string(2 * max_built_batch_bytes, 'x'), {}});
  ASSERT_TRUE(builder.fits(body.size()));
  builder.add(body, 0);
  EXPECT_FALSE(builder.fits(0));
  EXPECT_TRUE(check_batch(builder.finish(Offset{0})));
  EXPECT_TRUE(builder.empty());
}

TEST(BatchBuilder, StartsAnewAfterABatch) {
  BatchBuilder builder;
  builder.add(body_of(two_records[0]), 50'000);
  builder.finish(Offset{0});
  for (const Sample& sample : two_records) builder.add(body_of(sample), sample.timestamp_ms);
  EXPECT_EQ(builder.finish(Offset{5}), batch_of(two_records, Offset{5}));
}

TEST(BatchBuilder, ARecordTakesNoMoreThanSaid) {
  EXPECT_TRUE(rc::check([](std::int64_t first, std::int64_t second, const std::string& body) {
    BatchBuilder builder;
    builder.add(body, first);
    const std::size_t before = builder.size();
    builder.add(body, second);
    RC_ASSERT(builder.size() - before <= max_record_size(body.size()));
  }));
}

TEST(BatchBuilderDeathTest, AnEmptyBatchIsABrokenInvariant) {
  BatchBuilder builder;
  EXPECT_DEATH(builder.finish(Offset{0}), "at least one record");
}

}  // namespace
}  // namespace continuo::record
