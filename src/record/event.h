// A CloudEvents 1.0.2 event as the doors and readers hand it around: views into memory that somebody else owns.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/base/time.h"

namespace continuo::record {

constexpr std::size_t max_extension_name = 20;

/// An attribute beyond the standard ones. Names are [a-z0-9]{1,20}; values are what the JSON format's strings hold:
/// integers and booleans are kept as their text ("42", "true") and `kind` says what they were.
struct Extension {
  enum class Kind : std::uint8_t { string, integer, boolean };
  std::string_view name;
  std::string_view value;
  Kind kind = Kind::string;
};

/// What `data` holds.
enum class DataKind : std::uint8_t {
  none,    ///< the event has no data
  json,    ///< valid JSON text, as the sender wrote it
  text,    ///< valid UTF-8 that is not JSON by its content type
  binary,  ///< anything
};

/// Views only: valid as long as the buffer they were read from. An empty view means the attribute is absent
/// (CloudEvents allows no empty attributes).
struct Event {
  std::string_view id;
  std::string_view source;
  std::string_view type;
  std::string_view subject;
  std::string_view time;  ///< RFC 3339, checked
  std::string_view datacontenttype;
  std::string_view dataschema;
  std::vector<Extension> extensions;  ///< in the order given; no name twice
  std::string_view data;
  DataKind data_kind = DataKind::none;

  /// The extension's value, or an empty view.
  std::string_view extension(std::string_view name) const;
  /// What order is kept by: `partitionkey`, else `subject`, else empty: no key.
  std::string_view key() const;
};

/// The limits of one event; checked before anything is allocated for it.
struct EventLimits {
  std::size_t attribute_bytes = 64 * 1024;  ///< one attribute's value
  std::size_t extensions = 64;
  std::size_t json_depth = 512;
};

/// Checks what CloudEvents asks: id, source, type present; names of extensions; time is RFC 3339; text is UTF-8 without
/// control characters. `bad_event` names the attribute in `at`.
Result<void> validate(const Event& event, const EventLimits& limits = {});

}  // namespace continuo::record
