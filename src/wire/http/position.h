// Positions: opaque tokens of how far a topic was read. Only the server looks inside.
//
// Inside, base64url of: version 1, topic id, milliseconds, count, then partition and offset for each (all varints,
// partitions growing). A partition that is not named is read from the first batch appended at or after the
// milliseconds: so the token of a publish names only where its events went.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/base/ids.h"
#include "continuo/base/time.h"

namespace continuo::wire::http {

struct Position {
  TopicId topic;
  WallTime since;
  std::vector<std::pair<PartitionId, Offset>> next;  ///< first offset not yet read; by partition, growing
};

std::string write_position(const Position& position);
/// Errors: bad_position.
Result<Position> parse_position(std::string_view token);

struct Earliest {};
struct Latest {};
/// Where a read starts.
using From = std::variant<Earliest, Latest, Offset, WallTime, Position>;

/// "earliest", "latest", "1000", "2026-11-21T08:30:00Z" or a position. Errors: bad_position; an offset where
/// `partition_given` is false.
Result<From> parse_from(std::string_view text, bool partition_given);

/// base64url without padding (RFC 4648, section 5).
void base64url_encode(std::string_view bytes, std::string& out);
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace continuo::wire::http
