// Browsing a queue: what is not settled, in the order of the log, with how it stands; nothing is leased.
//
// Pieces of the log are read, aside where that may take the disk, and the core is asked how their events stand; what is
// settled is passed over.
#include <fmt/format.h>

#include "continuo/node/queues.h"
#include "continuo/record/cloudevents.h"
#include "continuo/record/partitioner.h"
#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"
#include "continuo/serve/reading_aside.h"

namespace continuo::serve {
namespace {

constexpr std::uint64_t piece_bytes = 256 * 1024;
constexpr std::size_t most_looked_at = 50'000;  // records, for one answer

std::string_view name_of(node::EventState::Is state) {
  switch (state) {
    case node::EventState::Is::settled: return "settled";
    case node::EventState::Is::waiting: return "waiting";
    case node::EventState::Is::leased: return "leased";
    case node::EventState::Is::delayed: return "delayed";
    case node::EventState::Is::parked: return "parked";
  }
  return {};
}

/// A piece of one partition.
struct Piece {
  Result<node::Batches> batches;
  std::vector<node::EventPlace> places;
  Offset next;
};

class Peeking : public std::enable_shared_from_this<Peeking> {
 public:
  Peeking(Exchange& exchange, const wire::http::PeekQueue& request, const node::Subscription& queue,
          const node::Topic& topic)
      : exchange_(exchange.shared_from_this()),
        request_(request),
        id_(queue.id),
        topic_(topic),
        at_{topic.id, request.partition},
        offset_(request.offset) {}

  void next() {
    node::Node& node = exchange_->thread().node();
    if (exchange_->gone()) return;
    if (at_.partition.value >= topic_.settings.partitions) return answer(false);
    if (found_ == request_.max || looked_at_ > most_looked_at) return answer(true);
    const auto state = node.partition_state(at_);
    if (!state) return exchange_->refuse(state.error(), {});
    offset_ = std::max(offset_, state->first);
    if (offset_ >= state->next) return next_partition();
    read_aside(
        *exchange_, !is_near_end(node, at_, offset_),
        [&node, at = at_, offset = offset_] { return read(node, at, offset); },
        [self = shared_from_this()](Exchange&, Piece piece) { self->ask(std::move(piece)); });
  }

 private:
  static Piece read(node::Node& node, PartitionRef at, Offset from) {
    Piece piece{node.read(at, from, piece_bytes), {}, from};
    if (!piece.batches) return piece;
    for (const auto& batch : piece.batches->batches) {
      record::RecordWalk walk{*batch};
      if (!walk.header().control())
        while (const auto record = walk.next())
          if (record->offset >= from) piece.places.push_back({at, record->offset, record::key_hash(*record)});
      piece.next = std::max(piece.next, walk.header().next_offset());
    }
    piece.next = std::max(piece.next, piece.batches->next);
    return piece;
  }

  void next_partition() {
    ++at_.partition.value;
    offset_ = Offset{0};
    next();
  }

  void ask(Piece piece) {
    if (exchange_->gone()) return;
    if (!piece.batches) return exchange_->refuse(piece.batches.error(), {});
    if (piece.next == offset_) return next_partition();
    looked_at_ += piece.places.size();
    IoThread& thread = exchange_->thread();
    auto places = piece.places;
    thread.node().queues().states(
        thread, id_, std::move(places),
        [self = shared_from_this(), piece = std::move(piece)](const Result<std::vector<node::EventState>>& states) {
          if (!states) return self->exchange_->refuse(states.error(), {});
          self->take(piece, *states);
        });
  }

  void take(const Piece& piece, const std::vector<node::EventState>& states) {
    std::size_t place = 0;
    for (const auto& batch : piece.batches->batches) {
      record::RecordWalk walk{*batch};
      if (walk.header().control()) continue;
      while (const auto record = walk.next()) {
        if (record->offset < offset_) continue;
        const node::EventState& state = states[place++];
        if (state.state == node::EventState::Is::settled) continue;
        if (found_ == request_.max || (found_ != 0 && out_.size() + size_of(*record) > read_answer_bytes)) {
          offset_ = record->offset;
          return answer(true);
        }
        write(*record, state);
      }
    }
    offset_ = piece.next;
    next();
  }

  void write(const record::Record& record, const node::EventState& state) {
    const record::RecordPlace place{topic_.name, at_.partition};
    out_ += fmt::format(R"({}{{"state":"{}","attempts":{},"event":)", found_ == 0 ? "" : ",", name_of(state.state),
                        state.attempts);
    record::write_json(record::event_of(record, place, scratch_), &place, record.offset, out_);
    out_ += "}";
    ++found_;
  }

  void answer(bool more) {
    out_ += "]";
    if (more) out_ += fmt::format(R"(,"next":"{}:{}")", at_.partition.value, offset_.value);
    exchange_->answer_json(out_ + "}");
  }

  const std::shared_ptr<Exchange> exchange_;
  const wire::http::PeekQueue request_;
  const SubscriptionId id_;
  const node::Topic topic_;
  PartitionRef at_;
  Offset offset_;
  std::size_t looked_at_ = 0;
  std::uint32_t found_ = 0;
  std::string out_ = "{\"messages\":[", scratch_;
};

}  // namespace

void peek_queue(Exchange& exchange, const wire::http::PeekQueue& request) {
  const auto queue = find_queue(exchange, request.queue);
  if (!queue) return;
  const auto catalogue = exchange.thread().node().catalogue();
  const node::Topic* topic = catalogue->find_topic(request.queue);
  if (topic == nullptr) return exchange.refuse(unknown_topic(request.queue), {});
  std::make_shared<Peeking>(exchange, request, *queue, *topic)->next();
}

}  // namespace continuo::serve
