// The closed list of what can go wrong, and the value that carries one of it.
//
// Every refusal Continuo gives - over HTTP, in a log line, from the command line - is one of these codes. The table in
// errors.cc says for each what HTTP status it is, what it means and how to mend it; `continuo explain CODE` prints it.
// A broken invariant is not an error: CHECK stops the process.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>

namespace continuo::inline base {

// name, HTTP status, title
#define CONTINUO_ERRORS(X)                                               \
  X(bad_request, 400, "Bad request")                                     \
  X(bad_json, 400, "Invalid JSON")                                       \
  X(bad_utf8, 400, "Invalid UTF-8")                                      \
  X(bad_event, 400, "Invalid CloudEvent")                                \
  X(bad_name, 400, "Invalid name")                                       \
  X(bad_pattern, 400, "Invalid event pattern")                           \
  X(bad_setting, 400, "Invalid setting")                                 \
  X(unknown_field, 400, "Unknown field")                                 \
  X(bad_position, 400, "Invalid position")                               \
  X(unknown_topic, 404, "Unknown topic")                                 \
  X(unknown_partition, 404, "Unknown partition")                         \
  X(unknown_subscription, 404, "Unknown subscription")                   \
  X(unknown_queue, 404, "Unknown queue")                                 \
  X(unknown_key, 404, "Unknown key")                                     \
  X(unknown_group, 404, "Unknown consumer group")                        \
  X(not_found, 404, "Not found")                                         \
  X(method_not_allowed, 405, "Method not allowed")                       \
  X(topic_exists, 409, "Topic exists with other settings")               \
  X(subscription_exists, 409, "Subscription exists with other settings") \
  X(id_reused, 409, "Event id used for other content")                   \
  X(lease_lost, 409, "Lease lost")                                       \
  X(settle_refused, 409, "Settle refused")                               \
  X(out_of_order, 409, "Batch out of order")                             \
  X(fenced, 409, "Producer replaced")                                    \
  X(group_not_empty, 409, "Consumer group has members")                  \
  X(keys_parked, 409, "Keys are parked")                                 \
  X(not_parked, 409, "Key is not parked")                                \
  X(release_running, 409, "A release is under way")                      \
  X(no_release, 404, "No release is under way")                          \
  X(system_name, 403, "Name belongs to the system")                      \
  X(too_large, 413, "Too large")                                         \
  X(header_too_large, 431, "Request header too large")                   \
  X(unsupported_media_type, 415, "Unsupported media type")               \
  X(offset_out_of_range, 416, "Offset out of range")                     \
  X(limit_reached, 422, "Limit reached")                                 \
  X(request_timeout, 408, "Request took too long to arrive")             \
  X(reply_timeout, 504, "No reply came in time")                         \
  X(overloaded, 503, "Overloaded")                                       \
  X(too_many_requests, 429, "Too many requests in flight")               \
  X(too_many_connections, 503, "Too many connections")                   \
  X(disk_full, 507, "Disk full")                                         \
  X(shutting_down, 503, "Shutting down")                                 \
  X(not_ready, 503, "Not ready")                                         \
  X(node_failed, 503, "The node has failed")                             \
  X(unsupported, 501, "Not supported")                                   \
  X(damaged_data, 500, "Stored data is damaged")                         \
  X(damaged_journal, 500, "The journal is damaged")                      \
  X(wrong_format, 500, "Data written by another format version")         \
  X(data_locked, 500, "The data folder is in use")                       \
  X(io_error, 500, "Input/output error")                                 \
  X(connection_failed, 502, "Connection failed")                         \
  X(bad_usage, 400, "Invalid command line")                              \
  X(breach, 500, "A promise was broken")

enum class Code : unsigned char {
#define CONTINUO_CODE(NAME, STATUS, TITLE) NAME,
  CONTINUO_ERRORS(CONTINUO_CODE)
#undef CONTINUO_CODE
};

/// What the table says of one code. All strings live for ever.
struct CodeInfo {
  Code code;
  std::string_view name;  ///< stable, snake_case: "unknown_topic"
  int http_status;
  std::string_view title;    ///< a few words
  std::string_view meaning;  ///< what happened, for `continuo explain`
  std::string_view mend;     ///< what to do about it
};

const CodeInfo& info(Code code);
std::span<const CodeInfo> all_codes();
/// The entry of that name, or nullptr.
const CodeInfo* find_code(std::string_view name);
inline std::string_view name(Code code) { return info(code).name; }

/// One refusal: what, where, and how to mend it.
struct [[nodiscard]] Error {
  Code code;
  std::string detail;     ///< one sentence, for a person
  std::string at;         ///< where: a field path, line and column, file and offset; empty when the code says it all
  std::string hint;       ///< what to do; empty takes the table's
  int retry_after_s = 0;  ///< seconds until a retry is worth it; 0: no promise
};

/// Says what the error's place lies in: `id` within `event` is at "event.id", `[2].id` at "event[2].id", a line and a
/// column at "event (line 1, column 5)", and what has no place of its own at "event".
void place_within(Error& error, std::string_view whole);

/// "unknown_topic: there is no topic 'x' (at ...)": for logs and command-line errors.
std::string to_string(const Error& error);

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Code code, std::string detail, std::string at = {}, std::string hint = {}) {
  return std::unexpected(Error{code, std::move(detail), std::move(at), std::move(hint)});
}

/// Hands an error on unchanged into a Result of another type.
template <class T>
std::unexpected<Error> pass(Result<T>& failed) {
  return std::unexpected(std::move(failed.error()));
}

[[noreturn]] void check_failed(const char* file, int line, const char* what, std::string_view why);

}  // namespace continuo::inline base

/// A broken invariant ends the process at once, in release too: going on would risk the data.
#define CHECK(CONDITION, ...)                                                                        \
  do {                                                                                               \
    if (!(CONDITION)) [[unlikely]]                                                                   \
      ::continuo::base::check_failed(__FILE__, __LINE__, #CONDITION, std::string_view{__VA_ARGS__}); \
  } while (false)
