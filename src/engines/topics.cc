#include "continuo/engines/topics.h"

#include <fmt/format.h>

#include <algorithm>

#include "continuo/engines/unit_key.h"

namespace continuo::engines {
namespace {

constexpr std::size_t ids_per_page = 1024;
constexpr std::uint8_t unit_version = 1;

std::string topic_key(TopicId id) { return unit_key_of(UnitKind::topic, id.value); }
std::string head_key(PartitionRef ref) { return unit_key_of(UnitKind::head, ref.topic.value, ref.partition.value); }

}  // namespace

std::string TopicUnit::unit_key() const { return topic_key(definition.id); }
void TopicUnit::encode(std::string& out) const { out += engines::encode(definition).payload; }

std::string HeadUnit::unit_key() const { return head_key(partition); }
void HeadUnit::encode(std::string& out) const {
  FieldWriter writer{out};
  writer(std::uint32_t{unit_version}, next, first);
}

void TopicsEngine::NodeUnit::encode(std::string& out) const {
  FieldWriter writer{out};
  writer(std::uint32_t{unit_version}, engine_.next_topic_, engine_.secret_);
}

std::string TopicsEngine::page_key(PartitionRef ref, std::uint64_t page) {
  return unit_key_of(UnitKind::ids, ref.topic.value, ref.partition.value, page);
}

// ---- questions ------------------------------------------------------------------------------------------------------

const TopicUnit* TopicsEngine::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

const TopicUnit* TopicsEngine::find(TopicId id) const {
  const auto found = topics_.find(id);
  return found == topics_.end() ? nullptr : found->second.get();
}

TopicsEngine::Partition* TopicsEngine::partition(PartitionRef ref) {
  const auto topic = partitions_.find(ref.topic);
  if (topic == partitions_.end() || ref.partition.value >= topic->second.size()) return nullptr;
  return topic->second[ref.partition.value].get();
}

const TopicsEngine::Partition* TopicsEngine::partition(PartitionRef ref) const {
  return const_cast<TopicsEngine*>(this)->partition(ref);
}

const HeadUnit* TopicsEngine::head(PartitionRef ref) const {
  const Partition* found = partition(ref);
  return found == nullptr ? nullptr : &found->head;
}

void TopicsEngine::set_secret(std::uint64_t secret) {
  secret_ = secret;
  ledger_.touch(node_);
}

// ---- decide ---------------------------------------------------------------------------------------------------------

// Of a topic that has so many partitions already.
Result<void> TopicsEngine::check(const TopicSettings& settings, std::uint32_t partitions_there) const {
  if (settings.partitions == 0 || settings.partitions > limits_.partitions_per_topic)
    return fail(
        Code::bad_setting,
        fmt::format("a topic has 1 to {} partitions, not {}", limits_.partitions_per_topic, settings.partitions),
        "partitions");
  if (settings.partitions < partitions_there)
    return fail(Code::bad_setting,
                fmt::format("the topic has {} partitions, and none of them can go", partitions_there), "partitions");
  if (partition_count_ + settings.partitions - partitions_there > limits_.partitions)
    return fail(Code::limit_reached, fmt::format("there are {} partitions already, at most {} are allowed",
                                                 partition_count_, limits_.partitions));
  if (settings.max_batch_bytes == 0 || settings.max_batch_bytes > most_batch_bytes)
    return fail(Code::bad_setting,
                fmt::format("a batch has 1 to {} bytes, not {}", most_batch_bytes, settings.max_batch_bytes),
                "max_batch");
  if (const auto bytes = settings.segment_bytes; bytes && (*bytes < least_segment_bytes || *bytes > most_segment_bytes))
    return fail(Code::bad_setting,
                fmt::format("a file of a partition has {} to {} bytes, not {}", least_segment_bytes, most_segment_bytes,
                            *bytes),
                "segment");
  return {};
}

Result<TopicChanged> TopicsEngine::decide_change(const std::string& name, const TopicChange& change) const {
  const TopicUnit* topic = find(name);
  if (topic == nullptr) return fail(Code::unknown_topic, fmt::format("there is no topic '{}'", name));
  const TopicSettings& there = topic->definition.settings;
  TopicChanged changed{topic->definition.id, change.applied_to(there)};
  if (auto checked = check(changed.settings, there.partitions); !checked) return pass(checked);
  return changed;
}

Result<TopicsEngine::CreateDecision> TopicsEngine::decide_create(const std::string& name, const TopicSettings& settings,
                                                                 WallTime now, bool by_system) const {
  if (auto checked = check_name(name); !checked) return pass(checked);
  if (is_system_name(name) && !by_system)
    return fail(Code::system_name, fmt::format("'{}' begins with 'continuo.'", name));
  const TopicUnit* existing = find(name);
  if (existing != nullptr && existing->definition.settings == settings) return CreateDecision{existing, {}};
  if (existing != nullptr)
    return fail(Code::topic_exists, fmt::format("the topic '{}' exists with other settings", name));
  if (auto checked = check(settings, 0); !checked) return pass(checked);
  if (topics_.size() >= limits_.topics)
    return fail(Code::limit_reached, fmt::format("there are {} topics already", topics_.size()));
  return CreateDecision{nullptr, {TopicId{next_topic_}, name, settings, now}};
}

Result<TopicDeleted> TopicsEngine::decide_delete(const std::string& name) const {
  const TopicUnit* topic = find(name);
  if (topic == nullptr) return fail(Code::unknown_topic, fmt::format("there is no topic '{}'", name));
  return TopicDeleted{topic->definition.id};
}

Result<Offset> TopicsEngine::decide_trim(PartitionRef ref, Offset before) const {
  if (find(ref.topic) == nullptr) return fail(Code::unknown_topic, "the topic was deleted");
  const HeadUnit* found = head(ref);
  if (found == nullptr)
    return fail(Code::unknown_partition, fmt::format("there is no partition {}", ref.partition.value));
  if (before == max_offset) before = found->next;
  if (before > found->next)
    return fail(Code::offset_out_of_range,
                fmt::format("offset {} lies past the end, which is {}", before.value, found->next.value));
  return std::max(before, found->first);
}

// What the request itself said so far.
struct TopicsEngine::Request {
  struct Id {
    PartitionRef partition;
    Hash128 identity;
    bool operator==(const Id&) const = default;
  };
  struct HashId {
    std::size_t operator()(const Id& id) const noexcept {
      return id.identity.low ^ std::hash<PartitionRef>{}(id.partition) * 0x9e3779b97f4a7c15u;
    }
  };
  const bool single;                                   // nothing can repeat in it
  std::vector<std::pair<PartitionRef, Offset>> nexts;  // few partitions a request: a list is faster than a map
  boost::unordered_flat_map<Id, SeenId, HashId> ids;
};

Result<PublishDecision> TopicsEngine::decide_publish(std::span<const NewId> events, Elapsed now) const {
  PublishDecision decision;
  decision.places.reserve(events.size());
  Request request{events.size() == 1, {}, {}};
  for (const NewId& event : events)
    if (auto decided = decide_one(event, now, decision, request); !decided) return pass(decided);
  for (const IdsRemembered& remembered : decision.remembered)
    if (decision.dropped.size() < 64)  // a decision is bounded; what is left is dropped by the next one
      decide_drops(remembered.partition, *partition(remembered.partition), now, decision);
  return decision;
}

Result<void> TopicsEngine::decide_one(const NewId& event, Elapsed now, PublishDecision& decision,
                                      Request& request) const {
  const Partition* found = partition(event.partition);
  if (found == nullptr)
    return find(event.partition.topic) == nullptr
               ? fail(Code::unknown_topic, "the topic was deleted")
               : fail(Code::unknown_partition,
                      fmt::format("there is no partition {}", event.partition.partition.value));
  auto next = std::ranges::find(request.nexts, event.partition, &std::pair<PartitionRef, Offset>::first);
  if (next == request.nexts.end())
    next = request.nexts.insert(request.nexts.end(), {event.partition, found->head.next});
  const TopicUnit* topic = find(event.partition.topic);
  const bool deduplicated =
      event.identity != Hash128{} && topic != nullptr && topic->definition.settings.dedup_window.count() > 0;
  if (deduplicated) {
    const auto seen_before = [&](const SeenId& seen) -> Result<void> {
      if (seen.content != event.content)
        return fail(Code::id_reused,
                    fmt::format("event {} of the request has the source and id of another event, at offset {}",
                                decision.places.size(), seen.offset.value),
                    fmt::format("[{}].id", decision.places.size()));
      decision.places.push_back({seen.offset, true});
      return {};
    };
    const Window<SeenId>& ids = found->ids;
    if (const SeenId* seen = ids.find(event.identity);
        seen != nullptr && now <= seen->at + topic->definition.settings.dedup_window)
      return seen_before(*seen);
    if (!request.single) {
      const auto [before, first] =
          request.ids.try_emplace({event.partition, event.identity}, SeenId{event.content, next->second, now});
      if (!first) return seen_before(before->second);
    }
  }
  decision.places.push_back({next->second, false});
  if (deduplicated) remember(event, next->second, decision);
  next->second = next->second + 1;
  return {};
}

// Puts the id onto the page it belongs on: the newest, or the one after it when that is full.
void TopicsEngine::remember(const NewId& event, Offset offset, PublishDecision& decision) const {
  IdsRemembered* last = nullptr;
  for (IdsRemembered& each : decision.remembered)
    if (each.partition == event.partition) last = &each;
  const WindowPage<SeenId>* newest = partition(event.partition)->ids.newest();
  std::uint64_t page = last != nullptr ? last->page : (newest != nullptr ? newest->number : 0);
  std::size_t filled = last != nullptr ? last->ids.size() : 0;
  if (newest != nullptr && newest->number == page) filled += newest->entries.size();
  if (filled >= ids_per_page) ++page, last = nullptr;
  if (last == nullptr) last = &decision.remembered.emplace_back(IdsRemembered{event.partition, page, {}});
  last->ids.push_back({event.identity, event.content, offset});
}

// Oldest pages leave when their window is over, or when there are more ids than the budgets allow.
void TopicsEngine::decide_drops(PartitionRef ref, const Partition& partition, Elapsed now,
                                PublishDecision& decision) const {
  const Millis window = find(ref.topic)->definition.settings.dedup_window;
  std::uint64_t own = partition.ids.size();
  std::uint64_t all = id_count_;
  for (const auto& page : partition.ids.pages()) {
    if (decision.dropped.size() >= 64 || page.get() == partition.ids.newest()) return;
    const bool over = page->newest + window < now;
    if (!over && own <= limits_.ids_per_partition && all <= limits_.ids) return;
    const bool already = std::ranges::any_of(decision.dropped, [&](const IdsDropped& dropped) {
      return dropped.partition == ref && dropped.page == page->number;
    });
    if (!already) decision.dropped.push_back({ref, page->number});
    own -= std::min<std::uint64_t>(own, page->entries.size());
    all -= std::min<std::uint64_t>(all, page->entries.size());
  }
}

std::vector<IdsDropped> TopicsEngine::decide_expired(Elapsed now, std::size_t most) const {
  std::vector<IdsDropped> dropped;
  std::uint64_t all = id_count_;
  for (const auto& end : ends_) {
    if (dropped.size() >= most || (end.at > now && all <= limits_.ids)) break;
    dropped.push_back({end.owner, end.page});
    all -= std::min<std::uint64_t>(all, partition(end.owner)->ids.find_page(end.page)->entries.size());
  }
  return dropped;
}

std::optional<Elapsed> TopicsEngine::next_due() const {
  if (ends_.empty()) return std::nullopt;
  return id_count_ > limits_.ids ? Elapsed{0} : ends_.begin()->at;
}

std::optional<Millis> TopicsEngine::window(TopicId id) const {
  const TopicUnit* topic = find(id);
  if (topic == nullptr) return std::nullopt;
  return topic->definition.settings.dedup_window;
}

std::optional<Millis> TopicsEngine::effective_window(Elapsed now) const {
  std::optional<Millis> shortest;
  if (!windows_.empty()) shortest = windows_.begin()->first;
  for (const auto& [ref, since] : cut_) {
    const Millis reach{now.ms - since.ms};
    if (reach < window(ref.topic).value_or(reach)) shortest = std::min(shortest.value_or(reach), reach);
  }
  return shortest;
}

// ---- apply ----------------------------------------------------------------------------------------------------------

void TopicsEngine::apply(const TopicDefined& effect) {
  auto topic = std::make_unique<TopicUnit>();
  topic->definition = effect;
  ledger_.touch(*topic);
  define(std::move(topic));
  if (effect.id.value >= next_topic_) {
    next_topic_ = effect.id.value + 1;
    ledger_.touch(node_);
  }
}

// Pages of ids may be there before their topic while a checkpoint is read.
void TopicsEngine::define(std::unique_ptr<TopicUnit> topic) {
  begin_window(*topic);
  by_name_[topic->definition.name] = topic.get();
  topics_[topic->definition.id] = std::move(topic);
}

void TopicsEngine::begin_window(const TopicUnit& topic) {
  const Millis window = topic.definition.settings.dedup_window;
  if (window.count() > 0) ++windows_[window];
  if (const auto found = partitions_.find(topic.definition.id); found != partitions_.end())
    for (const auto& partition : found->second)
      for (const auto& page : partition->ids.pages()) ends_.note(partition->head.partition, *page, window);
}

void TopicsEngine::end_window(const TopicUnit& topic) {
  const auto window = windows_.find(topic.definition.settings.dedup_window);
  if (window != windows_.end() && --window->second == 0) windows_.erase(window);
}

void TopicsEngine::apply(const TopicChanged& effect) {
  const auto found = topics_.find(effect.id);
  if (found == topics_.end()) return;
  TopicUnit& topic = *found->second;
  end_window(topic);
  topic.definition.settings = effect.settings;
  begin_window(topic);
  ledger_.touch(topic);
}

void TopicsEngine::apply(const TopicDeleted& effect) {
  const auto found = topics_.find(effect.id);
  if (found == topics_.end()) return;
  by_name_.erase(found->second->definition.name);
  end_window(*found->second);
  ledger_.erase(*found->second);
  topics_.erase(found);
}

TopicsEngine::Partition& TopicsEngine::make_partition(PartitionRef ref) {
  auto& all = partitions_[ref.topic];
  while (all.size() <= ref.partition.value) {
    auto made = std::make_unique<Partition>();
    made->head.partition = {ref.topic, PartitionId{static_cast<std::uint32_t>(all.size())}};
    all.push_back(std::move(made));
    ++partition_count_;
  }
  return *all[ref.partition.value];
}

void TopicsEngine::partitions_made(TopicId topic, std::uint32_t count) {
  for (std::uint32_t id = 0; id < count; ++id) ledger_.touch(make_partition({topic, PartitionId{id}}).head);
}

void TopicsEngine::topic_removed(TopicId topic) {
  // Its number is not given again, also when the group that made it is lost.
  if (topic.value >= next_topic_) {
    next_topic_ = topic.value + 1;
    ledger_.touch(node_);
  }
  const auto found = partitions_.find(topic);
  if (found == partitions_.end()) return;
  for (auto& partition : found->second) {
    id_count_ -= partition->ids.size();
    for (const auto& page : partition->ids.pages()) {
      ledger_.erase(*page);
      ends_.forget(partition->head.partition, *page);
    }
    cut_.erase(partition->head.partition);
    ledger_.erase(partition->head);
    --partition_count_;
  }
  partitions_.erase(found);
}

void TopicsEngine::apply(const IdsRemembered& effect, Elapsed now) {
  Partition* found = partition(effect.partition);
  if (found == nullptr) return;
  WindowPage<SeenId>* page = found->ids.page(effect.page);
  if (page == nullptr) page = &found->ids.add_page(page_key(effect.partition, effect.page), effect.page);
  const std::size_t before = found->ids.size();
  for (const RememberedId& id : effect.ids) found->ids.remember(*page, id.identity, {id.content, id.offset, now}, now);
  id_count_ += found->ids.size() - before;
  if (const auto over = window(effect.partition.topic)) ends_.note(effect.partition, *page, *over);
  ledger_.touch(*page);
}

void TopicsEngine::apply(const IdsDropped& effect, Elapsed now) {
  Partition* found = partition(effect.partition);
  WindowPage<SeenId>* page = found == nullptr ? nullptr : found->ids.page(effect.page);
  if (page == nullptr) return;
  ledger_.erase(*page);
  ends_.forget(effect.partition, *page);
  const bool over = page->newest + window(effect.partition.topic).value_or(Millis{0}) < now;
  if (!over) cut_[effect.partition] = page->newest;
  const std::size_t before = found->ids.size();
  found->ids.drop(*page);
  id_count_ -= before - found->ids.size();
}

void TopicsEngine::appended(PartitionRef ref, Offset next) {
  if (Partition* found = partition(ref)) {
    found->head.next = next;
    ledger_.touch(found->head);
  }
}

void TopicsEngine::trimmed(PartitionRef ref, Offset before) {
  if (Partition* found = partition(ref)) {
    found->head.first = std::max(found->head.first, before);
    ledger_.touch(found->head);
  }
}

// ---- recovery -------------------------------------------------------------------------------------------------------

Result<void> TopicsEngine::restore(UnitKind kind, std::string_view key, std::string_view bytes, Sequence stamp) {
  ByteReader name{key.substr(1)};
  FieldReader reader{bytes};
  std::uint32_t version = 0;
  if (kind == UnitKind::node) {
    reader(version, next_topic_, secret_);
    if (version != unit_version || !reader.done()) return bad_unit("node");
    ledger_.restored(node_, stamp);
    return {};
  }
  if (kind == UnitKind::topic) {
    // The unit does not tell its version, but neither version's bytes can be read as the other's.
    auto definition = decode<TopicDefined>(TopicDefined::version, bytes);
    if (!definition) definition = decode<TopicDefined>(1, bytes);
    if (!definition) return pass(definition);
    auto topic = std::make_unique<TopicUnit>();
    topic->definition = std::move(*definition);
    ledger_.restored(*topic, stamp);
    define(std::move(topic));
    return {};
  }
  const PartitionRef ref = read_partition(name);
  Partition& found = make_partition(ref);
  if (kind == UnitKind::head) {
    reader(version, found.head.next, found.head.first);
    if (version != unit_version || !reader.done()) return bad_unit("partition head");
    ledger_.restored(found.head, stamp);
    return {};
  }
  const auto number = name.be<std::uint64_t>();
  auto& page = found.ids.add_page(std::string{key}, number);
  const std::size_t before = found.ids.size();
  if (!name.done() || !found.ids.restore(page, bytes)) return bad_unit("page of ids");
  id_count_ += found.ids.size() - before;
  if (const auto over = window(ref.topic)) ends_.note(ref, page, *over);
  ledger_.restored(page, stamp);
  return {};
}

Result<void> TopicsEngine::replay(EffectType type, std::uint8_t version, std::string_view payload, Elapsed now) {
  switch (type) {
    case EffectType::node_made: {
      auto effect = decode<NodeMade>(version, payload);
      if (!effect) return pass(effect);
      if (ledger_.wants(&node_, {})) set_secret(effect->secret);
      return {};
    }
    case EffectType::topic_defined: {
      auto effect = decode<TopicDefined>(version, payload);
      if (!effect) return pass(effect);
      if (ledger_.wants(find(effect->id), topic_key(effect->id))) apply(*effect);
      next_topic_ = std::max(next_topic_, effect->id.value + 1);
      return {};
    }
    case EffectType::topic_changed: {
      auto effect = decode<TopicChanged>(version, payload);
      if (!effect) return pass(effect);
      if (ledger_.wants(find(effect->id), topic_key(effect->id))) apply(*effect);
      return {};
    }
    case EffectType::topic_deleted: {
      auto effect = decode<TopicDeleted>(version, payload);
      if (!effect) return pass(effect);
      if (ledger_.wants(find(effect->id), topic_key(effect->id))) apply(*effect);
      return {};
    }
    case EffectType::ids_remembered: {
      auto effect = decode<IdsRemembered>(version, payload);
      if (!effect) return pass(effect);
      Partition* found = partition(effect->partition);
      if (found != nullptr && ledger_.wants(found->ids.page(effect->page), page_key(effect->partition, effect->page)))
        apply(*effect, now);
      return {};
    }
    case EffectType::ids_dropped: {
      auto effect = decode<IdsDropped>(version, payload);
      if (!effect) return pass(effect);
      Partition* found = partition(effect->partition);
      if (found != nullptr && ledger_.wants(found->ids.page(effect->page), page_key(effect->partition, effect->page)))
        apply(*effect, now);
      return {};
    }
    default:
      return fail(Code::wrong_format, fmt::format("the topics engine knows no effect {}", static_cast<int>(type)));
  }
}

}  // namespace continuo::engines
