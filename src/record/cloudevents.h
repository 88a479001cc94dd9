// CloudEvents 1.0.2 in its JSON format and in the Kafka binding's binary mode: between JSON text, Event, and record.
//
// A record of an event: key = what order is kept by, value = data, headers = `ce_specversion`, `ce_id`, `ce_source`,
// ... and `content-type` (Kafka protocol binding 1.0.2, section 3.2). Kafka's binding keeps no types: readers give
// every extension as a string.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "continuo/base/hash.h"
#include "continuo/record/batch.h"
#include "continuo/record/event.h"

namespace continuo::record {

/// Bytes that must be readable after the end of any JSON text given to EventParser (simdjson reads past the end).
constexpr std::size_t json_padding = 64;

/// Reads events from JSON text. Keeps its buffers between calls: make one per thread or session. Not thread-safe.
class EventParser {
 public:
  explicit EventParser(const EventLimits& limits = {});
  ~EventParser();
  EventParser(const EventParser&) = delete;
  EventParser& operator=(const EventParser&) = delete;

  /// One structured event (application/cloudevents+json). The event's views point into `json` and into the parser:
  /// valid until its next call. `json` needs json_padding readable bytes behind it. The whole text is validated, `data`
  /// included (depth, UTF-8, numbers): what this accepts is valid JSON. Errors: bad_json with "line L, column C" in
  /// `at`; bad_utf8; bad_event with the attribute in `at`; an attribute of the wrong type is bad_event.
  Result<Event> parse(std::string_view json);

  /// A JSON array of events (application/cloudevents-batch+json), calling `each` for every one in order; stops at the
  /// first error, which names the index in `at` ("[3].id"). Events' views are valid until the next parse call, all of
  /// them together.
  Result<void> parse_batch(std::string_view json, const std::function<Result<void>(const Event&)>& each);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Checks that `json` is one valid JSON value (UTF-8, depth). Needs json_padding readable bytes behind it. Errors as
/// above.
Result<void> validate_json(std::string_view json, std::size_t max_depth = 512);

/// Appends the body of the event's record (see BodyWriter).
void encode_record_body(const Event& event, std::string& out);

/// Reads a record as an event. Records of other producers (no ce_ headers, or structured mode) become events too: what
/// is missing is computed - id "<partition>-<offset>", source "/topics/<topic>", type "continuo.record", subject none,
/// partitionkey = the key when it is UTF-8, time = the record's timestamp - and correlationid always has a value: the
/// header, else traceparent's trace id, else the id. Views point into the record and `scratch`, which is cleared first.
/// The kind of data goes by the content type: `json` says what the producer claims, not that it was checked (write_json
/// does). A foreign record without a content type is looked at: JSON, text, or binary.
struct RecordPlace {
  std::string_view topic;
  PartitionId partition;
};
Event event_of(const Record& record, const RecordPlace& place, std::string& scratch);

/// Appends the event as structured JSON (`specversion` first). JSON data is written as it is when it is valid JSON,
/// text as a JSON string, else `data_base64`. `place` non-null adds the extensions `partition` and `offset` (strings).
void write_json(const Event& event, const RecordPlace* place, Offset offset, std::string& out);

/// Appends `text` as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD.
void write_json_string(std::string_view text, std::string& out);

/// The trace id of a W3C traceparent ("00-<32 hex>-<16 hex>-<2 hex>"), or empty when it is none.
std::string_view trace_id(std::string_view traceparent);

/// What deduplication compares: the identity (source, id) and the content as the sender gave it (all attributes but
/// what the server stamps, and data). Extensions count in name order. `seed` is the node's secret.
struct Fingerprint {
  Hash128 identity;
  std::uint64_t content = 0;
};
Fingerprint fingerprint(const Event& as_sent, std::uint64_t seed);

/// "line L, column C" (from 1, columns in bytes) of a byte offset: how errors in JSON say where.
std::string line_and_column(std::string_view text, std::size_t byte);

}  // namespace continuo::record
