// Publishing NDJSON: the body is read while it is answered, one line for each chunk committed.
//
// A chunk is what has arrived when the one before it is durable, at most 1,000 events or 4 MiB; a
// larger event is a chunk of its own. All lines before a bad
// one are committed; the bad one and what follows are not. When the node is overloaded the chunk waits and is tried
// again: the client is held back by its own socket.
#include <fmt/format.h>

#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"

namespace continuo::serve {
namespace {

bool is_overload(Code code) { return code == Code::overloaded || code == Code::too_many_requests; }

class LinesPublish final : public Activity {
 public:
  LinesPublish(Exchange& exchange, const node::Topic& topic) : exchange_(exchange), topic_(topic) {}

  void body(bool last) override {
    last_ = last;
    if (!busy_) next_chunk();
  }

  bool has_enough() const override { return busy_; }

  void tick(Micros) override {
    if (!waiting_) return;
    waiting_ = busy_ = false;
    next_chunk();
  }

  void committed(Result<node::Published> published) {
    busy_ = false;
    if (!published) return not_committed(published.error());
    exchange_.decoded().erase(0, used_);
    used_ = 0;
    if (!exchange_.begun()) exchange_.begin(200, wire::http::ndjson_type, {});
    exchange_.send(chunk_line(*published));
    if (exchange_.gone()) return;
    next_chunk();
  }

 private:
  void next_chunk() {
    before_ = lines_;
    used_ = 0;
    std::vector<node::NewRecord> records = read_lines();
    if (!records.empty()) return commit(std::move(records));
    if (error_) return end_with(*error_);
    exchange_.decoded().erase(0, used_);  // blank lines
    used_ = 0;
    if (last_) return end();
    if (exchange_.decoded().size() >= exchange_.thread().door().options.max_body_bytes)
      return end_with(
          {Code::too_large, "one line is over the limit of a body", fmt::format("line {}", lines_.number() + 1), {}});
    exchange_.want_body();
  }

  std::vector<node::NewRecord> read_lines() {
    std::vector<node::NewRecord> records;
    RecordMaker maker(exchange_.thread(), topic_);
    std::string& text = exchange_.decoded();
    text.reserve(text.size() + record::json_padding);
    std::size_t bytes = 0;
    first_line_ = lines_.number() + 1;
    now_ = maker.now();
    error_.reset();
    while (records.size() < chunk_events && bytes < chunk_bytes) {
      const wire::http::Lines before = lines_;
      const std::size_t used = used_;
      const auto line = lines_.next(text, used_, last_);
      if (!line) break;
      auto event = exchange_.thread().event_reader().read_one(*line, lines_.number());
      if (!event) {
        error_ = std::move(event.error());
        lines_ = before;
        used_ = used;
        break;
      }
      node::NewRecord made = maker.make(*event);
      if (!records.empty() && bytes + made.body.size() > chunk_bytes) {  // begins the next chunk
        lines_ = before;
        used_ = used;
        break;
      }
      bytes += made.body.size();
      records.push_back(std::move(made));
    }
    return records;
  }

  void commit(std::vector<node::NewRecord> records) {
    busy_ = true;
    last_line_ = lines_.number();
    IoThread& thread = exchange_.thread();
    thread.node().publish(thread, std::move(records),
                          [self = exchange_.shared_from_this()](Result<node::Published> published) {
                            if (Activity* activity = self->activity())
                              static_cast<LinesPublish*>(activity)->committed(std::move(published));
                          });
  }

  void not_committed(const Error& error) {
    lines_ = before_;
    used_ = 0;
    if (!is_overload(error.code)) return end_with(error);
    busy_ = waiting_ = true;
  }

  std::string chunk_line(const node::Published& published) const {
    std::size_t duplicates = 0;
    for (const node::Place& place : published.places) duplicates += place.duplicate ? 1 : 0;
    return fmt::format("{{\"durable\":{},\"lines\":[{},{}],\"events\":{},\"duplicates\":{},\"position\":\"{}\"}}\n",
                       exchange_.thread().node().durable(), first_line_, last_line_, published.places.size(),
                       duplicates, position_after(topic_.id, now_, published.places));
  }

  void end() {
    if (!exchange_.begun()) exchange_.begin(200, wire::http::ndjson_type, {});
    exchange_.finish(false);
  }

  // As a problem document when nothing was answered yet, else as the last line.
  void end_with(const Error& error) {
    if (!exchange_.begun()) return exchange_.refuse(error, {});
    std::string line = "{\"error\":";
    wire::http::write_problem(error, line);
    exchange_.send(line + "}\n");
    exchange_.finish(false);
  }

  Exchange& exchange_;
  const node::Topic topic_;
  wire::http::Lines lines_;
  wire::http::Lines before_;  // as lines_ was at the chunk's beginning
  std::size_t used_ = 0;      // of the decoded body, by this chunk
  std::uint64_t first_line_ = 1;
  std::uint64_t last_line_ = 0;
  WallTime now_;
  std::optional<Error> error_;  // of the line after the chunk
  bool busy_ = false;
  bool waiting_ = false;  // to try the chunk again
  bool last_ = false;
};

}  // namespace

void publish_lines(Exchange& exchange, const wire::http::Publish& request) {
  with_topic(exchange, request.topic, [](Exchange& again, const node::Topic& topic) {
    again.set_activity(std::make_unique<LinesPublish>(again, topic));
    again.want_body();
  });
}

}  // namespace continuo::serve
