// Batches from outside. The input is taken as a whole batch, and again as the records of one whose header is sound, so
// that the fuzzer need not find a header first.
#include <cstdint>
#include <string>

#include "continuo/base/bytes.h"
#include "continuo/record/padded_text.h"

namespace continuo::record {
namespace {

void check_inside(std::string_view outer, std::string_view inner) {
  CHECK(inner.data() >= outer.data() && inner.data() + inner.size() <= outer.data() + outer.size());
}

void check_views(std::string_view batch, const Record& record) {
  if (record.key) check_inside(batch, *record.key);
  if (record.value) check_inside(batch, *record.value);
  std::int32_t headers = 0;
  HeaderWalk walk{record};
  while (const auto header = walk.next()) {
    check_inside(batch, header->key);
    if (header->value) check_inside(batch, *header->value);
    ++headers;
  }
  CHECK(headers == record.header_count, "the walk checked the headers before");
}

// Any record is an event that can be written as valid JSON.
void check_event(const Record& record) {
  const RecordPlace place{"topic", PartitionId{1}};
  std::string scratch, json;
  const Event event = event_of(record, place, scratch);
  CHECK(!event.id.empty() && !event.source.empty() && !event.type.empty());
  CHECK(!event.extension("correlationid").empty());
  write_json(event, &place, record.offset, json);
  CHECK(validate_json(PaddedText{json}.view()).has_value());
}

std::string body_of(const Record& record) {
  std::string body;
  BodyWriter writer{body};
  writer.key(record.key).value(record.value).header_count(static_cast<std::size_t>(record.header_count));
  HeaderWalk walk{record};
  while (const auto header = walk.next()) writer.header(header->key, header->value);
  return body;
}

void check_same(const Record& left, const Record& right) {
  CHECK(left.key == right.key && left.value == right.value && left.timestamp_ms == right.timestamp_ms);
  CHECK(body_of(left) == body_of(right));
}

// Laid into a batch of our own, the record comes out as it was.
void check_rebuilt(const Record& record) {
  BatchBuilder builder;
  const std::string body = body_of(record);
  builder.add(body, record.timestamp_ms);
  const std::size_t size = builder.size() - BatchLayout::records;
  CHECK(size <= max_record_size(body.size()));
  const std::string batch = builder.finish(record.offset);
  CHECK(check_batch(batch).has_value());
  RecordWalk walk{batch};
  const auto again = walk.next();
  CHECK(again.has_value());
  check_same(record, *again);
  CHECK(again->offset == record.offset);
  CHECK(!walk.next() && !walk.damaged());
}

void walk_batch(std::string_view batch) {
  RecordWalk walk{batch};
  std::int32_t count = 0;
  while (const auto record = walk.next()) {
    CHECK(++count <= walk.header().record_count);
    CHECK(record->offset >= walk.header().base_offset && record->offset <= walk.header().last_offset());
    check_views(batch, *record);
    check_event(*record);
    check_rebuilt(*record);
  }
  CHECK(walk.damaged() || count == walk.header().record_count);
}

std::string under_sound_header(std::string_view records) {
  using L = BatchLayout;
  BatchBuilder builder;
  builder.add("", 0);
  std::string batch = builder.finish(Offset{7}).substr(0, L::records);
  const std::int32_t count = records.empty() ? 0 : static_cast<std::uint8_t>(records.front()) % 8;
  batch += records.substr(records.empty() ? 0 : 1);
  store(batch.data() + L::batch_length, big_endian(static_cast<std::int32_t>(batch.size() - L::before_length)));
  store(batch.data() + L::last_offset_delta, big_endian(std::int32_t{63}));
  store(batch.data() + L::record_count, big_endian(count));
  return batch;
}

}  // namespace
}  // namespace continuo::record

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace continuo::record;
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  if (check_batch(input)) CHECK(read_batch_header(input).has_value());
  walk_batch(input);
  walk_batch(under_sound_header(input));
  return 0;
}
