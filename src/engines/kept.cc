#include "continuo/engines/kept.h"

#include <fmt/format.h>

#include <algorithm>

#include "continuo/engines/codec.h"
#include "continuo/engines/unit_key.h"

namespace continuo::engines {
namespace {

constexpr std::uint8_t unit_version = 1;

std::string page_key(PartitionRef ref, std::uint64_t page) {
  return unit_key_of(UnitKind::kept, ref.topic.value, ref.partition.value, page);
}

std::uint64_t page_of(Offset offset) { return static_cast<std::uint64_t>(offset.value / KeptPage::offsets_per_page); }

}  // namespace

std::string KeptPage::unit_key() const { return page_key(partition, number); }

void KeptPage::encode(std::string& out) const {
  FieldWriter writer{out};
  writer(std::uint32_t{unit_version}, std::uint64_t{records.size()});
  for (const KeptRecord& record : records) writer(record.offset, record.copy, record.key_hash);
}

// ---- decide ---------------------------------------------------------------------------------------------------------

std::vector<RecordsKept> KeptRecordsEngine::decide_keep(PartitionRef partition,
                                                        std::span<const KeptRecord> records) const {
  std::map<std::uint64_t, RecordsKept> by_page;
  for (const KeptRecord& record : records) {
    if (find(partition, record.offset) != nullptr) continue;
    const std::uint64_t number = page_of(record.offset);
    RecordsKept& kept = by_page.try_emplace(number, RecordsKept{partition, number, {}}).first->second;
    kept.records.push_back(record);
  }
  std::vector<RecordsKept> effects;
  for (auto& [number, kept] : by_page) effects.push_back(std::move(kept));
  return effects;
}

std::vector<RecordsReleased> KeptRecordsEngine::decide_release(
    std::span<const std::pair<PartitionRef, Offset>> records) const {
  std::map<Place, RecordsReleased> by_page;
  for (const auto& [partition, offset] : records) {
    if (find(partition, offset) == nullptr) continue;
    const Place place{partition, page_of(offset)};
    by_page.try_emplace(place, RecordsReleased{partition, place.second, {}}).first->second.offsets.push_back(offset);
  }
  std::vector<RecordsReleased> effects;
  for (auto& [place, released] : by_page) effects.push_back(std::move(released));
  return effects;
}

// ---- apply ----------------------------------------------------------------------------------------------------------

KeptPage& KeptRecordsEngine::page(const Place& place) {
  KeptPage& found = pages_[place];
  found.partition = place.first;
  found.number = place.second;
  return found;
}

void KeptRecordsEngine::keep(KeptPage& page, const KeptRecord& record) {
  const auto at = std::ranges::lower_bound(page.records, record.offset, {}, &KeptRecord::offset);
  if (at != page.records.end() && at->offset == record.offset) return;  // never decided
  page.records.insert(at, record);
  copies_.insert(record.copy);
}

void KeptRecordsEngine::apply(const RecordsKept& effect) {
  if (effect.records.empty()) return;  // never decided; a page holds something
  KeptPage& found = page({effect.partition, effect.page});
  for (const KeptRecord& record : effect.records) keep(found, record);
  ledger_.touch(found);
}

void KeptRecordsEngine::apply(const RecordsReleased& effect) {
  const auto found = pages_.find({effect.partition, effect.page});
  if (found == pages_.end()) return;
  auto& records = found->second.records;
  for (const Offset offset : effect.offsets) {
    const auto at = std::ranges::lower_bound(records, offset, {}, &KeptRecord::offset);
    if (at == records.end() || at->offset != offset) continue;
    copies_.erase(at->copy);
    records.erase(at);
  }
  if (!records.empty()) return ledger_.touch(found->second);
  ledger_.erase(found->second);
  pages_.erase(found);
}

// ---- recovery -------------------------------------------------------------------------------------------------------

Result<void> KeptRecordsEngine::restore(std::string_view key, std::string_view bytes, Sequence stamp) {
  ByteReader name{key.substr(1)};
  const PartitionRef partition = read_partition(name);
  KeptPage& found = page({partition, name.be<std::uint64_t>()});
  FieldReader reader{bytes};
  std::uint32_t version = 0;
  std::uint64_t count = 0;
  reader(version, count);
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    KeptRecord record;
    reader(record.offset, record.copy, record.key_hash);
    keep(found, record);
  }
  if (version != unit_version || !reader.done() || !name.done() || found.records.empty())
    return bad_unit("page of kept records");
  ledger_.restored(found, stamp);
  return {};
}

Result<void> KeptRecordsEngine::replay(EffectType type, std::uint8_t version, std::string_view payload) {
  const auto take = [&](auto effect) -> Result<void> {
    if (!effect) return pass(effect);
    const auto found = pages_.find({effect->partition, effect->page});
    const Unit* unit = found == pages_.end() ? nullptr : &found->second;
    if (ledger_.wants(unit, page_key(effect->partition, effect->page))) apply(*effect);
    return {};
  };
  if (type == EffectType::records_kept) return take(decode<RecordsKept>(version, payload));
  if (type == EffectType::records_released) return take(decode<RecordsReleased>(version, payload));
  return fail(Code::wrong_format, fmt::format("the kept records engine knows no effect {}", static_cast<int>(type)));
}

// ---- questions ------------------------------------------------------------------------------------------------------

const KeptRecord* KeptRecordsEngine::find(PartitionRef partition, Offset offset) const {
  const auto found = pages_.find({partition, page_of(offset)});
  if (found == pages_.end()) return nullptr;
  const auto& records = found->second.records;
  const auto at = std::ranges::lower_bound(records, offset, {}, &KeptRecord::offset);
  return at == records.end() || at->offset != offset ? nullptr : &*at;
}

std::optional<Offset> KeptRecordsEngine::lowest_copy() const {
  if (copies_.empty()) return std::nullopt;
  return *copies_.begin();
}

std::vector<std::pair<PartitionRef, Offset>> KeptRecordsEngine::list(std::pair<PartitionRef, Offset> from,
                                                                     std::size_t most) const {
  std::vector<std::pair<PartitionRef, Offset>> all;
  for (auto at = pages_.lower_bound({from.first, page_of(from.second)}); at != pages_.end(); ++at)
    for (const KeptRecord& record : at->second.records) {
      if (all.size() >= most) return all;
      if (const std::pair each{at->first.first, record.offset}; each >= from) all.push_back(each);
    }
  return all;
}

}  // namespace continuo::engines
