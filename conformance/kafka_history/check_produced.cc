#include "continuo/history/check_produced.h"

#include <fmt/format.h>

#include <algorithm>

namespace continuo::history {
namespace {

constexpr std::size_t nowhere = ~std::size_t{0};

struct Sent {
  std::size_t begun = nowhere;
  std::size_t ended = nowhere;
  std::size_t drained = nowhere;  ///< where it was found first
  std::int64_t acknowledged_at = -1;
  std::int64_t floor = -1;           ///< the highest offset of its place that was acknowledged before it was sent
  std::size_t floor_said = nowhere;  ///< by this operation
  Kind outcome = Kind::none;
  std::uint16_t place = 0;
  bool found_where_acknowledged = false;
};

class Produced {
 public:
  Produced(const History& history, const FinalLog& log, Findings& findings)
      : history_(history), log_(log), findings_(findings), sent_(history.producers.size()) {}

  void run() {
    collect();
    for (std::size_t place = 0; place < history_.places.size(); ++place) look_through(place);
    for (const auto& of_producer : sent_) {
      for (const Sent& sent : of_producer) look_for(sent);
    }
  }

 private:
  void collect() {
    std::vector<std::pair<std::int64_t, std::size_t>> highest(history_.places.size(), {-1, nowhere});
    for (std::size_t index = 0; index < history_.operations.size(); ++index) {
      const Operation& operation = history_.operations[index];
      if (operation.kind == Kind::sent) {
        const auto [floor, said] = highest.at(operation.place);
        Sent& sent = entry(operation.value);
        sent.begun = index;
        sent.place = operation.place;
        sent.floor = floor;
        sent.floor_said = said;
      } else if (operation.kind >= Kind::acknowledged && operation.kind <= Kind::unknown) {
        Sent& sent = entry(operation.value);
        sent.ended = index;
        sent.outcome = operation.kind;
        if (operation.kind != Kind::acknowledged) continue;
        sent.acknowledged_at = operation.offset;
        highest.at(operation.place) = std::max(highest[operation.place], {operation.offset, index});
      }
    }
  }

  Sent& entry(std::uint64_t value) {
    auto& of_producer = sent_.at(producer_of(value));
    const auto sequence = sequence_of(value);
    if (of_producer.size() <= sequence) of_producer.resize(sequence + 1);
    return of_producer[sequence];
  }

  Sent* find(std::uint64_t value) {
    if (value == no_value || producer_of(value) >= sent_.size()) return nullptr;
    auto& of_producer = sent_[producer_of(value)];
    if (sequence_of(value) >= of_producer.size()) return nullptr;
    Sent& sent = of_producer[sequence_of(value)];
    return sent.begun == nowhere ? nullptr : &sent;
  }

  void look_through(std::size_t place) {
    std::vector<const FinalLog::Record*> last(history_.producers.size(), nullptr);
    for (const auto& record : log_.of(place)) {
      Sent* sent = find(record.value);
      if (sent == nullptr || sent->place != place) {
        findings_.add(Anomaly::invented, "a record that nobody sent to this place", {record.drained});
        continue;
      }
      if (history_.producers[producer_of(record.value)].idempotent) {
        look_at_order(record, *sent, last[producer_of(record.value)]);
      }
      look_at(record, *sent);
    }
  }

  void look_at_order(const FinalLog::Record& record, const Sent& sent, const FinalLog::Record*& last) {
    if (sent.drained != nowhere) {
      findings_.add(Anomaly::doubled, "sent once by an idempotent producer, and there twice",
                    {sent.begun, sent.drained, record.drained});
      return;
    }
    if (last != nullptr && last->value > record.value) {
      findings_.add(Anomaly::reordered, "stands behind what its producer sent later",
                    {sent.begun, last->drained, record.drained});
      return;
    }
    last = &record;
  }

  void look_at(const FinalLog::Record& record, Sent& sent) {
    if (sent.outcome == Kind::refused) {
      findings_.add(Anomaly::refused_but_there, "its producer was told that it is not there",
                    {sent.begun, sent.ended, record.drained});
    }
    if (record.offset <= sent.floor) {
      findings_.add(Anomaly::overtaken,
                    fmt::format("sent when offset {} was acknowledged, and stands at {}", sent.floor, record.offset),
                    {sent.floor_said, sent.begun, record.drained});
    }
    if (sent.drained == nowhere) sent.drained = record.drained;
    if (record.offset == sent.acknowledged_at) sent.found_where_acknowledged = true;
  }

  void look_for(const Sent& sent) {
    if (sent.outcome != Kind::acknowledged || sent.begun == nowhere) return;
    if (sent.drained == nowhere) {
      findings_.add(Anomaly::lost, fmt::format("acknowledged at offset {}, and not there", sent.acknowledged_at),
                    {sent.begun, sent.ended});
    } else if (sent.acknowledged_at >= 0 && !sent.found_where_acknowledged) {
      findings_.add(Anomaly::inconsistent_offset,
                    fmt::format("acknowledged at offset {}, and elsewhere", sent.acknowledged_at),
                    {sent.ended, sent.drained});
    }
  }

  const History& history_;
  const FinalLog& log_;
  Findings& findings_;
  std::vector<std::vector<Sent>> sent_;
};

}  // namespace

void check_produced(const History& history, const FinalLog& log, Findings& findings) {
  Produced(history, log, findings).run();
}

}  // namespace continuo::history
