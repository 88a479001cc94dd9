// A CloudEvent that owns its texts: what programs publish and what they get.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/base/ids.h"
#include "continuo/record/event.h"

namespace continuo::client {

using record::DataKind;

/// A value; copy it freely. Empty means absent.
struct Event {
  std::string id;  ///< made when empty at publish
  std::string source;
  std::string type;
  std::string subject;
  std::string time;  ///< RFC 3339; the server adds it
  std::string datacontenttype;
  std::string dataschema;
  std::vector<std::pair<std::string, std::string>> extensions;  ///< without `partition` and `offset`
  std::string data;  ///< JSON text as the sender wrote it, other text, or bytes: see data_kind
  DataKind data_kind = DataKind::none;
  std::optional<PartitionId> partition;  ///< where it was read from; not sent
  std::optional<Offset> offset;

  /// Sets `data` to JSON text.
  Event& json(std::string text);
  /// The extension's value, or an empty view; valid until the extensions change.
  std::string_view extension(std::string_view name) const;
  /// Sets or replaces an extension.
  Event& extend(std::string_view name, std::string value);
  /// What order is kept by: `partitionkey`, else `subject`.
  std::string_view key() const;
};

/// The event as structured JSON, on one line unless `data` has line ends of its own.
std::string to_json(const Event& event);
void write_json(const Event& event, std::string& out);

/// Reads one structured event. Errors: bad_json, bad_utf8, bad_event.
Result<Event> parse_event(std::string_view json);
/// Reads a JSON array of events. Errors: as above.
Result<std::vector<Event>> parse_events(std::string_view json);

/// A new id nobody else has: 32 hex digits of the system's randomness.
std::string new_id();
/// The event, with a new id when it has none.
Event with_id(const Event& event);

}  // namespace continuo::client
