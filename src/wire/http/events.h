// Events on their way in: the four shapes a publish request can have, and what the door adds to an event.
//
// CloudEvents 1.0.2, HTTP protocol binding: binary mode (3.1), structured (3.2), batched (3.3); and lines of structured
// events.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "continuo/base/errors.h"
#include "continuo/base/time.h"
#include "continuo/record/cloudevents.h"
#include "continuo/wire/http/head.h"

namespace continuo::wire::http {

enum class EventFormat : std::uint8_t { binary, structured, batch, lines };

/// By Content-Type and the ce-* headers. Errors: unsupported_media_type.
Result<EventFormat> event_format(const Request& request);

/// Reads the events of a body. Keeps its buffers between calls: one per thread.
class EventReader {
 public:
  EventReader();
  ~EventReader();
  EventReader(const EventReader&) = delete;
  EventReader& operator=(const EventReader&) = delete;

  using Each = std::function<Result<void>(const record::Event&)>;

  /// All events of a request, in order. Not for lines. The body needs record::json_padding readable bytes behind it;
  /// events' views live until `each` returns. Errors: bad_json, bad_utf8, bad_event, and what `each` gives; where a
  /// batch is at fault, `at` begins with the index.
  Result<void> read(EventFormat format, const Request& request, const Each& each);

  /// One structured event; `line` is its number in a body of lines and stands in `at`, 0: it is alone.
  Result<record::Event> read_one(std::string_view json, std::uint64_t line = 0);

 private:
  Result<record::Event> read_binary(const Request& request);
  struct State;
  std::unique_ptr<State> state_;
};

/// Adds what the contract says the server adds: `time` and `correlationid` (traceparent's trace id, else the event's
/// own id).
class Stamp {
 public:
  /// The time given to events from here on.
  void set_time(WallTime now);
  /// The event with what was absent; views into the argument and this stamp, valid until the next call.
  const record::Event& operator()(const record::Event& as_sent);
  /// As above, for what a consumer publishes while settling: absent correlationid and causationid are taken from the
  /// event it consumed.
  const record::Event& caused(const record::Event& as_sent, std::string_view correlationid,
                              std::string_view causationid);

 private:
  WallTime now_{-1};
  std::string time_;
  record::Event event_;
};

/// Cuts whole lines off the front of a growing text: `while (auto line = lines.next())`. A line ends with \n or \r\n;
/// blank lines are passed over but counted.
class Lines {
 public:
  /// `last`: the text ends here, so its last line needs no line end.
  std::optional<std::string_view> next(std::string_view text, std::size_t& used, bool last);
  std::uint64_t number() const { return number_; }

 private:
  std::uint64_t number_ = 0;
  std::size_t searched_ = 0;  // of the unfinished line
};

}  // namespace continuo::wire::http
