// The first names of patterns of Scope::event: what of an event they stand for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace continuo::routing {

enum class EventPart : std::uint8_t {
  attribute,  ///< or extension, or the key: one text
  headers,    ///< texts by name
  data,       ///< JSON
};

/// Nothing: no event has anything of that name.
std::optional<EventPart> find_event_part(std::string_view name);

/// What may have been meant by a name that is none, or that has fields where it cannot have any.
std::string guess_event_name(std::string_view name, bool has_fields);

}  // namespace continuo::routing
