// An event that is to be delivered in another's place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "continuo/base/errors.h"

namespace continuo::record {

struct EditedEvent {
  std::string body;        ///< encode_record_body
  std::string difference;  ///< RFC 6902, from the one to the other; longer ones are only named: json_difference
};

inline constexpr std::size_t longest_event_difference = 16 * 1024;

/// Both structured. Id, source and key must stay: the event goes where the failed one was. When it happened and what it
/// belongs to (time, correlationid) stay too where the new one does not say. Errors: bad_json, bad_utf8, bad_event with
/// `event` in `at`.
Result<EditedEvent> edit_event(std::string_view original, std::string_view edited);

}  // namespace continuo::record
