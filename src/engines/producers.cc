#include "continuo/engines/producers.h"

#include <fmt/format.h>

#include <algorithm>

#include "continuo/engines/codec.h"
#include "continuo/engines/unit_key.h"

namespace continuo::engines {
namespace {

constexpr std::uint8_t unit_version = 1;

std::string producer_key(PartitionRef partition, ProducerId producer) {
  return unit_key_of(UnitKind::producer, partition.topic.value, partition.partition.value,
                     static_cast<std::uint64_t>(producer.value));
}

}  // namespace

template <class Io, class T>
  requires std::same_as<std::remove_const_t<T>, SentBatch>
void fields(Io& io, T& batch) {
  io(batch.first_sequence, batch.last_sequence, batch.base);
}

std::string ProducerUnit::unit_key() const { return producer_key(partition, producer); }

void ProducerUnit::encode(std::string& out) const {
  FieldWriter{out}(std::uint32_t{unit_version}, epoch, batches, last_timestamp, heard_of);
}

std::string ProducersEngine::Counter::unit_key() const { return unit_key_of(UnitKind::producer_counter); }

void ProducersEngine::Counter::encode(std::string& out) const {
  FieldWriter{out}(std::uint32_t{unit_version}, engine_.next_);
}

// ---- decide ---------------------------------------------------------------------------------------------------------

const ProducerUnit* ProducersEngine::find(const Key& key) const {
  const auto found = producers_.find(key);
  return found == producers_.end() ? nullptr : found->second.get();
}

Result<std::optional<Offset>> ProducersEngine::decide(const NumberedBatch& batch) const {
  const ProducerUnit* known = find({batch.partition, batch.producer});
  // Of a producer nobody knows any number is taken: what was known may have been forgotten with its records.
  if (known == nullptr) return std::nullopt;
  if (batch.epoch < known->epoch)
    return fail(Code::fenced, fmt::format("producer {} has epoch {} by now, the batch has {}", batch.producer.value,
                                          known->epoch, batch.epoch));
  if (batch.epoch > known->epoch) {
    if (batch.first_sequence == 0) return std::nullopt;
    return fail(Code::out_of_order, fmt::format("the first batch of epoch {} of producer {} has number {}, not 0",
                                                batch.epoch, batch.producer.value, batch.first_sequence));
  }
  for (const SentBatch& sent : known->batches)
    if (sent.first_sequence == batch.first_sequence && sent.last_sequence == batch.last_sequence) return sent.base;
  const std::uint32_t expected = sequence_after(known->batches.back().last_sequence, 1);
  if (batch.first_sequence == expected) return std::nullopt;
  return fail(Code::out_of_order, fmt::format("the next record of producer {} has number {}, the batch begins at {}",
                                              batch.producer.value, expected, batch.first_sequence));
}

std::vector<ProducerForgotten> ProducersEngine::decide_expired(Elapsed now, std::size_t most) const {
  std::vector<ProducerForgotten> gone;
  std::size_t left = producers_.size();
  for (auto at = heard_.begin(); at != heard_.end() && gone.size() < most; ++at, --left) {
    if (left <= limits_.producers && at->heard_of + limits_.forgotten_after > now) break;
    gone.push_back({at->partition, at->producer});
  }
  return gone;
}

// ---- apply ----------------------------------------------------------------------------------------------------------

ProducerUnit& ProducersEngine::make(const Key& key) {
  auto& unit = producers_[key];
  if (!unit) {
    unit = std::make_unique<ProducerUnit>();
    unit->partition = key.first;
    unit->producer = key.second;
  }
  return *unit;
}

void ProducersEngine::apply(const ProducersNumbered& effect) {
  next_ = ProducerId{static_cast<std::int64_t>(effect.next)};
  ledger_.touch(counter_);
}

void ProducersEngine::apply(const BatchProduced& effect, Elapsed now) {
  ProducerUnit& unit = make({effect.partition, effect.producer});
  if (effect.epoch != unit.epoch) unit.batches.clear();
  unit.epoch = effect.epoch;
  if (unit.batches.size() == ProducerUnit::most_batches) unit.batches.erase(unit.batches.begin());
  unit.batches.push_back({effect.first_sequence, effect.last_sequence, effect.base});
  unit.last_timestamp = effect.timestamp;
  unit.heard_of = now;
  unit.hook.unlink();
  heard_.push_back(unit);
  ledger_.touch(unit);
}

void ProducersEngine::apply(const ProducerForgotten& effect) {
  const auto found = producers_.find({effect.partition, effect.producer});
  if (found == producers_.end()) return;
  ledger_.erase(*found->second);
  producers_.erase(found);
}

void ProducersEngine::topic_removed(TopicId topic) {
  const auto first = producers_.lower_bound({{topic, PartitionId{0}}, ProducerId{0}});
  auto last = first;
  for (; last != producers_.end() && last->first.first.topic == topic; ++last) ledger_.erase(*last->second);
  producers_.erase(first, last);
}

// ---- recovery -------------------------------------------------------------------------------------------------------

Result<void> ProducersEngine::restore(std::string_view key, std::string_view bytes, Sequence stamp) {
  ByteReader name{key.substr(1)};
  FieldReader reader{bytes};
  std::uint32_t version = 0;
  if (static_cast<UnitKind>(key.front()) == UnitKind::producer_counter) {
    reader(version, next_);
    if (version != unit_version || !reader.done() || !name.done()) return bad_unit("counter of producers");
    ledger_.restored(counter_, stamp);
    return {};
  }
  const PartitionRef partition = read_partition(name);
  ProducerUnit& unit = make({partition, ProducerId{static_cast<std::int64_t>(name.be<std::uint64_t>())}});
  reader(version, unit.epoch, unit.batches, unit.last_timestamp, unit.heard_of);
  if (version != unit_version || !reader.done() || !name.done() || unit.batches.empty() ||
      unit.batches.size() > ProducerUnit::most_batches)
    return bad_unit("producer");
  unit.hook.unlink();
  heard_.push_back(unit);
  ledger_.restored(unit, stamp);
  return {};
}

Result<void> ProducersEngine::replay(EffectType type, std::uint8_t version, std::string_view payload, Elapsed now) {
  const auto wants = [this](const auto& effect) {
    return ledger_.wants(find({effect.partition, effect.producer}), producer_key(effect.partition, effect.producer));
  };
  switch (type) {
    case EffectType::producers_numbered: {
      auto numbered = decode<ProducersNumbered>(version, payload);
      if (!numbered) return pass(numbered);
      if (ledger_.wants(&counter_, counter_.unit_key())) apply(*numbered);
      return {};
    }
    case EffectType::batch_produced: {
      auto produced = decode<BatchProduced>(version, payload);
      if (!produced) return pass(produced);
      if (wants(*produced)) apply(*produced, now);
      return {};
    }
    case EffectType::producer_forgotten: {
      auto forgotten = decode<ProducerForgotten>(version, payload);
      if (!forgotten) return pass(forgotten);
      if (wants(*forgotten)) apply(*forgotten);
      return {};
    }
    default:
      return fail(Code::wrong_format, fmt::format("the producers engine knows no effect {}", static_cast<int>(type)));
  }
}

void ProducersEngine::recovered() {
  heard_.sort([](const ProducerUnit& left, const ProducerUnit& right) {
    return std::tie(left.heard_of, left.partition, left.producer) <
           std::tie(right.heard_of, right.partition, right.producer);
  });
}

// ---- questions ------------------------------------------------------------------------------------------------------

std::optional<Elapsed> ProducersEngine::next_due() const {
  if (heard_.empty()) return std::nullopt;
  if (producers_.size() > limits_.producers) return heard_.front().heard_of;
  return heard_.front().heard_of + limits_.forgotten_after;
}

std::vector<const ProducerUnit*> ProducersEngine::of(PartitionRef partition) const {
  std::vector<const ProducerUnit*> all;
  for (auto at = producers_.lower_bound({partition, ProducerId{0}});
       at != producers_.end() && at->first.first == partition; ++at)
    all.push_back(at->second.get());
  return all;
}

}  // namespace continuo::engines
