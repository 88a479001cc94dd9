// Reads: a batch of events, waited for if asked, or a live tail of server-sent events.
//
// Woken by the node's news of partitions (Mail::advanced), never by polling. Records far from the end of their
// partition are read by the reader pool: that may take the disk. A tail reads on only when the socket took the last
// piece, so a slow reader costs one piece of memory.
#include <fmt/format.h>

#include <array>

#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"
#include "continuo/serve/reading.h"

namespace continuo::serve {
namespace {

constexpr std::uint64_t near_the_end = 2'000;  // offsets; as in reading_aside.h, over all partitions
constexpr std::size_t piece_bytes = 256 * 1024;
constexpr Micros comment_every{15'000'000};
constexpr std::string_view comment = ": \n\n";

/// What one look at the log found. Made on an I/O or a reader thread; nothing of the session is touched.
struct Found {
  std::string text;
  std::uint32_t events = 0;
  bool all = false;  // all there was
  std::optional<Error> error;
};

class ReadWork {
 public:
  ReadWork(node::Node& node, const node::Topic& topic, wire::http::Read request)
      : reading_(node, topic, request.partition, wanted_by(request)), request_(std::move(request)) {}

  const wire::http::Read& request() const { return request_; }
  std::string next() const { return reading_.next(); }
  Result<void> locate() { return reading_.locate(request_.from); }
  bool near_end() const { return reading_.lag() <= near_the_end; }

  Found look(std::uint32_t most) {
    Found found;
    const Reading::Limits limits{.events = most, .bytes = request_.stream ? piece_bytes : read_answer_bytes};
    auto all = reading_.run(limits, [&](const record::Event& event, const record::RecordPlace& place, Offset offset) {
      add(event, place, offset, found);
    });
    if (all)
      found.all = *all;
    else
      found.error = std::move(all.error());
    return found;
  }

 private:
  static Reading::Wanted wanted_by(const wire::http::Read& request) {
    Reading::Wanted wanted{request.correlation, nullptr};
    if (request.filter) wanted.filter = routing::Matcher::compile(std::array{&*request.filter});
    return wanted;
  }

  void add(const record::Event& event, const record::RecordPlace& place, Offset offset, Found& found) {
    ++found.events;
    if (!request_.stream) {
      found.text += found.events == 1 ? "[" : ",";
      return record::write_json(event, &place, offset, found.text);
    }
    json_.clear();
    record::write_json(event, &place, offset, json_);
    wire::http::write_server_sent_event(reading_.next(), json_, found.text);
  }

  Reading reading_;
  const wire::http::Read request_;
  std::string json_;
};

class ReadActivity final : public Activity {
 public:
  ReadActivity(Exchange& exchange, std::shared_ptr<ReadWork> work, Micros now)
      : exchange_(exchange), work_(std::move(work)), deadline_(now + work_->request().wait), last_sent_(now) {}

  void start() {
    const wire::http::Read& request = work_->request();
    if (request.stream) exchange_.begin(200, wire::http::stream_type, "Cache-Control: no-store\r\n");
    look(!work_->near_end());
  }

  void news() override {
    if (busy_)
      news_ = true;
    else if (waiting_)
      look(false);
  }

  void drained() override {
    if (work_->request().stream && !busy_ && !waiting_) look(!work_->near_end());
  }

  // A stream that looks through much of which nothing is wanted says that it is there, as one that waits.
  void tick(Micros now) override {
    if (!work_->request().stream) {
      if (waiting_ && now >= deadline_) answer({});
      return;
    }
    if ((!waiting_ && !busy_) || now - last_sent_ < comment_every) return;
    last_sent_ = now;
    exchange_.send(comment);
  }

  void stopping() override {
    stopping_ = true;
    if (busy_) return;
    if (work_->request().stream)
      exchange_.finish(false);
    else
      answer({});
  }

  void found(Found found) {
    busy_ = false;
    if (work_->request().stream) return found_for_stream(std::move(found));
    if (found.error) return exchange_.refuse(*found.error, {});
    if (found.events == 0 && !stopping_ && exchange_.thread().clock().steady() < deadline_)
      return wait_unless(found.all);
    answer(std::move(found));
  }

 private:
  void look(bool pooled) {
    busy_ = true;
    waiting_ = news_ = false;
    const std::uint32_t most = left();
    IoThread& thread = exchange_.thread();
    if (!pooled || thread.door().readers.empty()) return found(work_->look(most));
    thread.door().readers.run([self = exchange_.shared_from_this(), work = work_, most, &thread]() mutable {
      thread.post([self = std::move(self), result = work->look(most)]() mutable {
        if (Activity* activity = self->activity()) static_cast<ReadActivity*>(activity)->found(std::move(result));
      });
    });
  }

  std::uint32_t left() const {
    const wire::http::Read& request = work_->request();
    if (!request.stream) return request.limit.value_or(wire::http::Read::default_limit);
    return request.limit ? *request.limit - events_ : wire::http::Read::max_limit;
  }

  void wait_unless(bool all) {
    if (!all || news_) return look(!all);
    waiting_ = true;
  }

  void found_for_stream(Found found) {
    events_ += found.events;
    const bool done = stopping_ || found.error || (work_->request().limit && events_ >= *work_->request().limit);
    if (!done && found.all && !news_) waiting_ = true;
    if (!found.text.empty()) {
      last_sent_ = exchange_.thread().clock().steady();
      busy_ = true;  // drained() may be called from within
      exchange_.send(found.text);
      busy_ = false;
    }
    if (exchange_.gone()) return;
    if (found.error) send_error(*found.error);
    if (done) return exchange_.finish(found.error.has_value());
    if (!waiting_ && exchange_.unsent() == 0) look(!found.all);
  }

  // A stream that breaks says why in an event of its own.
  void send_error(const Error& error) {
    std::string text = "event: error\ndata: ";
    wire::http::write_problem(error, text);
    exchange_.send(text + "\n\n");
  }

  void answer(Found found) {
    if (found.events == 0) found.text = "[";
    found.text += "]";
    exchange_.answer(200, wire::http::batch_type, found.text, "Continuo-Next: " + work_->next() + "\r\n");
  }

  Exchange& exchange_;
  const std::shared_ptr<ReadWork> work_;
  const Micros deadline_;
  Micros last_sent_;
  std::uint32_t events_ = 0;
  bool busy_ = false;     // a look is under way
  bool waiting_ = false;  // for news
  bool news_ = false;     // came while busy
  bool stopping_ = false;
};

}  // namespace

void read(Exchange& exchange, const wire::http::Read& request) {
  IoThread& thread = exchange.thread();
  if (thread.door().budget.exhausted())
    return exchange.refuse({Code::overloaded, "too many answers are under way", {}, {}, 1}, {});
  const auto catalogue = thread.node().catalogue();
  const node::Topic* topic = catalogue->find_topic(request.topic);
  if (!topic) return exchange.refuse(unknown_topic(request.topic), {});
  if (request.partition && request.partition->value >= topic->settings.partitions)
    return exchange.refuse(unknown_partition(*topic, *request.partition), {});
  auto work = std::make_shared<ReadWork>(thread.node(), *topic, request);
  // Watching comes before looking: what is appended in between is found by one or told by the other.
  if (request.stream || request.wait.count() > 0) exchange.watch(topic->id);
  if (auto located = work->locate(); !located) return exchange.refuse(located.error(), {});
  auto activity = std::make_unique<ReadActivity>(exchange, std::move(work), thread.clock().steady());
  ReadActivity* const reading = activity.get();
  exchange.set_activity(std::move(activity));
  reading->start();
}

}  // namespace continuo::serve
