// Kafka record batches, magic 2: the format of topic data on the wire, in the journal and in segment files.
//
// Source: Apache Kafka, "Record Batch" and "Record" in the protocol guide; docs/formats/batch.md has the layout with an
// example. This file knows the outer header, uncompressed records, and how single records are laid into one batch. All
// integers of the header are big-endian. The batch CRC covers everything from `attributes` on, so base offset and
// leader epoch can be set without touching it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "continuo/base/errors.h"
#include "continuo/base/ids.h"
#include "continuo/record/compression.h"

namespace continuo::record {

/// Byte places in the header.
struct BatchLayout {
  static constexpr std::size_t base_offset = 0;         // i64
  static constexpr std::size_t batch_length = 8;        // i32, bytes after this field
  static constexpr std::size_t leader_epoch = 12;       // i32
  static constexpr std::size_t magic = 16;              // i8
  static constexpr std::size_t crc = 17;                // u32, CRC-32C of [attributes, end)
  static constexpr std::size_t attributes = 21;         // i16
  static constexpr std::size_t last_offset_delta = 23;  // i32
  static constexpr std::size_t base_timestamp = 27;     // i64, ms
  static constexpr std::size_t max_timestamp = 35;      // i64, ms
  static constexpr std::size_t producer_id = 43;        // i64, -1: none
  static constexpr std::size_t producer_epoch = 51;     // i16
  static constexpr std::size_t base_sequence = 53;      // i32
  static constexpr std::size_t record_count = 57;       // i32
  static constexpr std::size_t records = 61;
  static constexpr std::uint16_t append_time_bit = 8;  // of attributes: max_timestamp is the time of all records
  static constexpr std::size_t before_length = 12;     // bytes that batch_length does not count
};

struct BatchHeader {
  Offset base_offset;
  std::uint32_t size = 0;  ///< of the whole batch in bytes, header included
  std::int32_t leader_epoch = 0;
  std::uint32_t crc = 0;
  std::uint16_t attributes = 0;
  std::int32_t last_offset_delta = 0;
  std::int64_t base_timestamp = 0;
  std::int64_t max_timestamp = 0;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::int32_t base_sequence = -1;
  std::int32_t record_count = 0;

  Compression compression() const { return static_cast<Compression>(attributes & 7); }
  bool log_append_time() const { return (attributes & BatchLayout::append_time_bit) != 0; }
  bool transactional() const { return (attributes & 16) != 0; }
  bool control() const { return (attributes & 32) != 0; }
  Offset last_offset() const { return base_offset + last_offset_delta; }
  Offset next_offset() const { return base_offset + last_offset_delta + 1; }
};

/// Limits of the batches the group builder makes (CORE 3.7).
constexpr std::size_t max_built_batch_bytes = 1 << 20;
constexpr std::size_t max_built_batch_records = 4096;

/// Reads the header at the front of `bytes`. Errors (damaged_data): fewer bytes than the header or than the batch says,
/// magic not 2, unknown compression, a length, count or delta that cannot be. Does not look at the records or the CRC.
Result<BatchHeader> read_batch_header(std::string_view bytes);

/// read_batch_header, and the CRC holds.
Result<BatchHeader> check_batch(std::string_view bytes);

/// check_batch for what a producer sends: one whole batch and nothing behind it, of at least one record, at most
/// `most_bytes`; its records follow each other without gaps and can be read, uncompressed too. Errors: damaged_data,
/// too_large, unsupported (an older format, a control batch, a transaction), bad_request (anything else).
Result<BatchHeader> check_produced(std::string_view bytes, std::size_t most_bytes);

/// Sets base offset and leader epoch of a whole batch in place; the CRC does not cover them.
void set_place(char* batch, Offset base, std::int32_t leader_epoch);

/// Gives all records of a whole batch the time of its appending (Kafka's LogAppendTime), and the batch its new CRC.
void set_append_time(std::string& batch, std::int64_t timestamp_ms);

/// One record inside a batch; views into the batch, or into the walk when it is compressed.
struct Record {
  Offset offset;
  std::int64_t timestamp_ms = 0;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::int32_t header_count = 0;
  std::string_view headers;  ///< encoded: header_count times (key length, key, value length or -1, value)
};

/// One header of a record.
struct Header {
  std::string_view key;
  std::optional<std::string_view> value;
};

/// Walks the headers of a record: `while (auto h = walk.next())`.
class HeaderWalk {
 public:
  explicit HeaderWalk(const Record& record) : bytes_(record.headers), left_(record.header_count) {}
  std::optional<Header> next();

 private:
  std::string_view bytes_;
  std::int32_t left_;
};

/// Walks the records of one batch that passed check_batch.
///   RecordWalk walk{batch}; while (auto record = walk.next()) ...; if (walk.damaged()) ...
/// Ends early, with damaged() true, at a record whose lengths do not add up (headers are checked too), or when the
/// records of a compressed batch cannot be had.
class RecordWalk {
 public:
  explicit RecordWalk(std::string_view batch);
  std::optional<Record> next();
  /// The record at an offset behind those that came; those between are passed over by their lengths. None: there is
  /// none, and the walk is behind its place.
  std::optional<Record> find(Offset wanted);
  bool damaged() const { return damaged_; }
  const BatchHeader& header() const { return header_; }

 private:
  BatchHeader header_;
  std::unique_ptr<const std::string> inflated_;  // when the batch is compressed; stays where it is when the walk moves
  std::string_view bytes_;
  std::int32_t left_ = 0;
  bool damaged_ = false;
};

/// The part of a record that does not depend on its place in a batch: everything after the offset delta (key length,
/// key, value length, value, header count, headers). Doors encode it once; the group builder lays it into a batch as it
/// is.
///   std::string body; BodyWriter{body}.key("k").value("v").headers(2).header("a","1").header("b",{})
class BodyWriter {
 public:
  explicit BodyWriter(std::string& out) : out_(out) {}
  BodyWriter& key(std::optional<std::string_view> key);
  BodyWriter& value(std::optional<std::string_view> value);
  BodyWriter& header_count(std::size_t count);
  BodyWriter& header(std::string_view key, std::optional<std::string_view> value);

 private:
  std::string& out_;
};

/// The body with these headers behind its own, of which those with one of their names are left out. The body must be
/// one: what cannot be read ends it.
std::string with_headers(std::string_view body, std::span<const std::pair<std::string_view, std::string>> headers);

/// The bytes a record takes in a batch at most, prelude included.
std::size_t max_record_size(std::size_t body_size);

/// Lays record bodies into one uncompressed batch. Not thread-safe.
///   BatchBuilder builder; builder.add(body, timestamp_ms); ...; std::string batch = builder.finish(base_offset);
class BatchBuilder {
 public:
  /// True when the body still fits: the limits above. The first record of a batch always fits.
  bool fits(std::size_t body_size) const;
  void add(std::string_view body, std::int64_t timestamp_ms);
  std::size_t record_count() const { return count_; }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return count_ == 0; }
  /// The whole batch with its CRC; the builder is empty again. CHECKs that there is at least one record.
  std::string finish(Offset base);

 private:
  std::string bytes_;
  std::size_t last_size_ = 0;  // of the batch before: what to reserve for the next
  std::size_t count_ = 0;
  std::int64_t base_timestamp_ = 0;
  std::int64_t max_timestamp_ = 0;
};

}  // namespace continuo::record
