#include "continuo/record/batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "continuo/base/bytes.h"
#include "continuo/base/checksum.h"

namespace continuo::record {
namespace {

// length, attributes, timestamp delta, offset delta, key length, value length, header count: a byte each.
constexpr std::size_t min_record_size = 7;
// A header's key length and value length.
constexpr std::size_t min_header_size = 2;
constexpr int highest_compression = static_cast<int>(Compression::zstd);

template <class Int>
Int be_at(std::string_view bytes, std::size_t place) {
  return big_endian(load<Int>(bytes.data() + place));
}
template <class Int>
void put_be(char* batch, std::size_t place, Int value) {
  store(batch + place, big_endian(value));
}

std::unexpected<Error> damaged(std::string detail) { return fail(Code::damaged_data, std::move(detail), "batch"); }

BatchHeader load_header(std::string_view bytes) {
  using L = BatchLayout;
  return BatchHeader{
      .base_offset = Offset{be_at<std::int64_t>(bytes, L::base_offset)},
      .size = static_cast<std::uint32_t>(be_at<std::int32_t>(bytes, L::batch_length)) + std::uint32_t{L::before_length},
      .leader_epoch = be_at<std::int32_t>(bytes, L::leader_epoch),
      .crc = be_at<std::uint32_t>(bytes, L::crc),
      .attributes = be_at<std::uint16_t>(bytes, L::attributes),
      .last_offset_delta = be_at<std::int32_t>(bytes, L::last_offset_delta),
      .base_timestamp = be_at<std::int64_t>(bytes, L::base_timestamp),
      .max_timestamp = be_at<std::int64_t>(bytes, L::max_timestamp),
      .producer_id = be_at<std::int64_t>(bytes, L::producer_id),
      .producer_epoch = be_at<std::int16_t>(bytes, L::producer_epoch),
      .base_sequence = be_at<std::int32_t>(bytes, L::base_sequence),
      .record_count = be_at<std::int32_t>(bytes, L::record_count),
  };
}

Result<void> check_size(std::string_view bytes) {
  using L = BatchLayout;
  if (bytes.size() < L::records) return damaged(fmt::format("{} bytes are less than a batch header", bytes.size()));
  if (const int magic = static_cast<std::uint8_t>(bytes[L::magic]); magic != 2)
    return damaged(fmt::format("magic {} is not 2", magic));
  const std::int64_t length = be_at<std::int32_t>(bytes, L::batch_length);
  if (length < static_cast<std::int64_t>(L::records - L::before_length))
    return damaged(fmt::format("a batch length of {} is less than its header", length));
  if (length + static_cast<std::int64_t>(L::before_length) > static_cast<std::int64_t>(bytes.size()))
    return damaged(fmt::format("the batch says {} bytes, {} are there", length + L::before_length, bytes.size()));
  return {};
}

// Bounds what a walk will do: no more records than their bytes can hold, no offset beyond the last.
Result<void> check_counts(const BatchHeader& header) {
  if ((header.attributes & 7) > highest_compression)
    return damaged(fmt::format("compression {} is unknown", header.attributes & 7));
  if (header.base_offset.value < 0 || header.last_offset_delta < 0 ||
      header.base_offset.value >= max_offset.value - header.last_offset_delta)
    return damaged(fmt::format("offsets {} + {} cannot be", header.base_offset.value, header.last_offset_delta));
  if (header.record_count < 0 || header.record_count > std::int64_t{header.last_offset_delta} + 1)
    return damaged(fmt::format("{} records do not fit into {} offsets", header.record_count,
                               std::int64_t{header.last_offset_delta} + 1));
  const std::size_t room = (header.size - BatchLayout::records) / min_record_size;
  if (header.compression() == Compression::none && static_cast<std::size_t>(header.record_count) > room)
    return damaged(fmt::format("{} records do not fit into {} bytes", header.record_count, header.size));
  return {};
}

std::uint32_t batch_crc(std::string_view batch) { return crc32c(batch.substr(BatchLayout::attributes)); }

// Timestamps of 64 bits may lie further apart than 64 bits can say. They wrap, so what was written is read again.
std::int64_t wrapping_add(std::int64_t left, std::int64_t right) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) + static_cast<std::uint64_t>(right));
}
std::int64_t wrapping_subtract(std::int64_t left, std::int64_t right) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) - static_cast<std::uint64_t>(right));
}

// A key or value: its length, -1 for none, and its bytes.
std::optional<std::string_view> read_nullable(ByteReader& reader) {
  const std::int64_t length = reader.svarint();
  if (length == -1) return std::nullopt;
  // A length below -1 becomes one that is longer than any batch.
  return reader.raw(static_cast<std::uint64_t>(length));
}

Header read_header(ByteReader& reader) {
  Header header;
  header.key = reader.raw(static_cast<std::uint64_t>(reader.svarint()));
  header.value = read_nullable(reader);
  return header;
}

bool headers_add_up(std::string_view bytes, std::int64_t count) {
  if (count < 0 || count > static_cast<std::int64_t>(bytes.size() / min_header_size)) return false;
  ByteReader reader{bytes};
  for (; count > 0 && reader.ok(); --count) read_header(reader);
  return reader.done();
}

// Reads one record without its length; nothing when its parts do not add up to `bytes`.
std::optional<Record> read_record(std::string_view bytes, const BatchHeader& batch) {
  ByteReader reader{bytes};
  reader.u8();  // attributes: none are defined
  const std::int64_t timestamp_delta = reader.svarint();
  const std::int64_t offset_delta = reader.svarint();
  Record record;
  record.key = read_nullable(reader);
  record.value = read_nullable(reader);
  const std::int64_t header_count = reader.svarint();
  const bool whole = reader.ok();
  record.headers = reader.rest();
  if (!whole || offset_delta < 0 || offset_delta > batch.last_offset_delta) return std::nullopt;
  if (!headers_add_up(record.headers, header_count)) return std::nullopt;
  record.header_count = static_cast<std::int32_t>(header_count);
  record.offset = batch.base_offset + offset_delta;
  record.timestamp_ms =
      batch.log_append_time() ? batch.max_timestamp : wrapping_add(batch.base_timestamp, timestamp_delta);
  return record;
}

void write_nullable(std::string& out, std::optional<std::string_view> bytes) {
  ByteWriter writer{out};
  writer.svarint(bytes ? static_cast<std::int64_t>(bytes->size()) : -1);
  if (bytes) writer.raw(*bytes);
}

}  // namespace

Result<BatchHeader> read_batch_header(std::string_view bytes) {
  if (auto ok = check_size(bytes); !ok) return pass(ok);
  const BatchHeader header = load_header(bytes);
  if (auto ok = check_counts(header); !ok) return pass(ok);
  return header;
}

Result<BatchHeader> check_batch(std::string_view bytes) {
  auto header = read_batch_header(bytes);
  if (!header) return header;
  if (const std::uint32_t crc = batch_crc(bytes.substr(0, header->size)); crc != header->crc)
    return damaged(fmt::format("the CRC is {:08x}, the batch says {:08x}", crc, header->crc));
  return header;
}

void set_place(char* batch, Offset base, std::int32_t leader_epoch) {
  put_be(batch, BatchLayout::base_offset, base.value);
  put_be(batch, BatchLayout::leader_epoch, leader_epoch);
}

void set_append_time(std::string& batch, std::int64_t timestamp_ms) {
  using L = BatchLayout;
  const auto attributes = be_at<std::uint16_t>(batch, L::attributes);
  put_be<std::uint16_t>(batch.data(), L::attributes, attributes | L::append_time_bit);
  put_be(batch.data(), L::max_timestamp, timestamp_ms);
  put_be(batch.data(), L::crc, batch_crc(batch));
}

Result<BatchHeader> check_produced(std::string_view bytes, std::size_t most_bytes) {
  using L = BatchLayout;
  const auto refuse = [](std::string why) { return fail(Code::bad_request, std::move(why), "batch"); };
  if (bytes.size() > most_bytes)
    return fail(Code::too_large, fmt::format("a batch of {} bytes; at most {} are taken", bytes.size(), most_bytes),
                "batch");
  if (bytes.size() > L::magic && bytes[L::magic] != 2)
    return fail(Code::unsupported, fmt::format("records of format {}, not 2", static_cast<int>(bytes[L::magic])),
                "batch", "set the client to a broker version of 0.11 or later");
  if (bytes.size() < L::records) return refuse(fmt::format("{} bytes are no batch", bytes.size()));
  auto header = check_batch(bytes);
  if (!header) return header;
  if (header->size != bytes.size()) return refuse("there is more than one batch");
  if (header->control() || header->transactional()) return fail(Code::unsupported, "a batch of a transaction", "batch");
  if (header->record_count < 1 || header->record_count != header->last_offset_delta + 1)
    return refuse(fmt::format("{} records in {} offsets", header->record_count, header->last_offset_delta + 1));
  RecordWalk walk{bytes};
  for (Offset expected = header->base_offset; const auto record = walk.next(); expected = expected + 1)
    if (record->offset != expected) return refuse("the records are not numbered one after the other");
  if (walk.damaged()) return refuse("the records cannot be read");
  return header;
}

std::optional<Header> HeaderWalk::next() {
  if (left_ <= 0) return std::nullopt;
  --left_;
  ByteReader reader{bytes_};
  const Header header = read_header(reader);
  if (!reader.ok()) {
    left_ = 0;
    return std::nullopt;
  }
  bytes_ = reader.rest();
  return header;
}

RecordWalk::RecordWalk(std::string_view batch) {
  auto header = read_batch_header(batch);
  if (!header) {
    damaged_ = true;
    return;
  }
  header_ = *header;
  bytes_ = batch.substr(BatchLayout::records, header_.size - BatchLayout::records);
  if (header_.compression() != Compression::none) {
    auto inflated = inflate(header_.compression(), bytes_);
    damaged_ = !inflated;
    if (damaged_) return;
    inflated_ = std::make_unique<const std::string>(*std::move(inflated));
    bytes_ = *inflated_;
  }
  left_ = header_.record_count;
}

std::optional<Record> RecordWalk::next() {
  if (left_ == 0) {
    damaged_ = damaged_ || !bytes_.empty();
    return std::nullopt;
  }
  ByteReader reader{bytes_};
  const std::string_view bytes = reader.raw(static_cast<std::uint64_t>(reader.svarint()));
  auto record = reader.ok() ? read_record(bytes, header_) : std::nullopt;
  if (!record) {
    damaged_ = true;
    left_ = 0;
    return std::nullopt;
  }
  bytes_ = reader.rest();
  --left_;
  return record;
}

std::optional<Record> RecordWalk::find(Offset wanted) {
  while (left_ != 0) {
    ByteReader reader{bytes_};
    ByteReader record{reader.raw(static_cast<std::uint64_t>(reader.svarint()))};
    record.u8();       // attributes
    record.svarint();  // timestamp
    const std::int64_t offset_delta = record.svarint();
    const bool earlier = reader.ok() && record.ok() && offset_delta >= 0 && offset_delta < wanted - header_.base_offset;
    if (!earlier) break;
    bytes_ = reader.rest();
    --left_;
  }
  auto found = next();
  return found && found->offset == wanted ? found : std::nullopt;
}

BodyWriter& BodyWriter::key(std::optional<std::string_view> key) {
  write_nullable(out_, key);
  return *this;
}

BodyWriter& BodyWriter::value(std::optional<std::string_view> value) {
  write_nullable(out_, value);
  return *this;
}

BodyWriter& BodyWriter::header_count(std::size_t count) {
  ByteWriter{out_}.svarint(static_cast<std::int64_t>(count));
  return *this;
}

BodyWriter& BodyWriter::header(std::string_view key, std::optional<std::string_view> value) {
  write_nullable(out_, key);
  write_nullable(out_, value);
  return *this;
}

std::string with_headers(std::string_view body, std::span<const std::pair<std::string_view, std::string>> headers) {
  ByteReader reader{body};
  const auto key = read_nullable(reader);
  const auto value = read_nullable(reader);
  const std::int64_t count = reader.svarint();
  std::vector<std::pair<std::string_view, std::optional<std::string_view>>> kept;
  for (std::int64_t i = 0; i < count && reader.ok(); ++i) {
    const std::string_view name = read_nullable(reader).value_or(std::string_view{});
    const auto content = read_nullable(reader);
    if (reader.ok() && std::ranges::find(headers, name, [](const auto& each) { return each.first; }) == headers.end())
      kept.emplace_back(name, content);
  }
  std::string made;
  BodyWriter writer{made};
  writer.key(key).value(value).header_count(kept.size() + headers.size());
  for (const auto& [name, content] : kept) writer.header(name, content);
  for (const auto& [name, content] : headers) writer.header(name, content);
  return made;
}

std::size_t max_record_size(std::size_t body_size) {
  constexpr std::size_t longest_delta = 10;
  constexpr std::size_t prelude = 1 + longest_delta + varint_size(zigzag(max_built_batch_records));
  return varint_size(zigzag(static_cast<std::int64_t>(body_size + prelude))) + prelude + body_size;
}

bool BatchBuilder::fits(std::size_t body_size) const {
  if (empty()) return true;
  return count_ < max_built_batch_records && bytes_.size() + max_record_size(body_size) <= max_built_batch_bytes;
}

void BatchBuilder::add(std::string_view body, std::int64_t timestamp_ms) {
  if (empty()) {
    bytes_.reserve(last_size_);
    bytes_.assign(BatchLayout::records, '\0');
    base_timestamp_ = max_timestamp_ = timestamp_ms;
  }
  max_timestamp_ = std::max(max_timestamp_, timestamp_ms);
  const std::int64_t timestamp_delta = wrapping_subtract(timestamp_ms, base_timestamp_);
  const auto offset_delta = static_cast<std::int64_t>(count_);
  const std::size_t size = 1 + varint_size(zigzag(timestamp_delta)) + varint_size(zigzag(offset_delta)) + body.size();
  ByteWriter writer{bytes_};
  writer.svarint(static_cast<std::int64_t>(size));
  writer.u8(0);
  writer.svarint(timestamp_delta);
  writer.svarint(offset_delta);
  writer.raw(body);
  ++count_;
}

std::string BatchBuilder::finish(Offset base) {
  using L = BatchLayout;
  CHECK(!empty(), "a batch has at least one record");
  char* const batch = bytes_.data();
  set_place(batch, base, 0);
  put_be(batch, L::batch_length, static_cast<std::int32_t>(bytes_.size() - L::before_length));
  batch[L::magic] = 2;
  put_be<std::int16_t>(batch, L::attributes, 0);
  put_be(batch, L::last_offset_delta, static_cast<std::int32_t>(count_ - 1));
  put_be(batch, L::base_timestamp, base_timestamp_);
  put_be(batch, L::max_timestamp, max_timestamp_);
  put_be<std::int64_t>(batch, L::producer_id, -1);
  put_be<std::int16_t>(batch, L::producer_epoch, -1);
  put_be<std::int32_t>(batch, L::base_sequence, -1);
  put_be(batch, L::record_count, static_cast<std::int32_t>(count_));
  put_be(batch, L::crc, batch_crc(bytes_));
  count_ = 0;
  last_size_ = bytes_.size();
  return std::exchange(bytes_, {});
}

}  // namespace continuo::record
