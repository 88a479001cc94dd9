// What is told on `continuo.events` of the subscriptions' effects, so that nobody has to ask: who depends on a key
// knows when it is stale, and an operator sees what was done, by whom and why.
#include <fmt/format.h>

#include "continuo/engines/fingerprint.h"
#include "continuo/node/core_state.h"
#include "continuo/record/cloudevents.h"

namespace continuo::node {
namespace {

std::string text(std::string_view value) {
  std::string out;
  record::write_json_string(value, out);
  return out;
}

// Cut between two characters.
std::string_view cut(std::string_view value) {
  if (value.size() <= longest_told_message) return value;
  std::size_t end = longest_told_message;
  while (end > 0 && (static_cast<unsigned char>(value[end]) & 0xc0) == 0x80) --end;
  return value.substr(0, end);
}

}  // namespace

std::string who_and_why(std::string_view by, std::string_view reason) {
  return fmt::format(R"("by":{},"reason":{})", text(by), text(reason));
}

// A settle was let in with room for its entries; which keys it drains only the engine knows.
Result<void> room_to_tell(const engines::SubscriptionsEngine& subscriptions,
                          const std::vector<engines::Effect>& effects, const std::vector<NewRecord>& publish,
                          std::size_t open) {
  if (!subscriptions.anything_drains()) return {};
  constexpr std::size_t event = 1'100, beside = 100;  // with the longest names; of a key's character, six bytes
  std::size_t told = 0, room = 0;
  for (const NewRecord& record : publish) room += record.body.size() + beside;
  for (const engines::Effect& effect : effects) {
    room += effect.payload.size() + beside;
    if (effect.type != engines::EffectType::key_settled) continue;
    const auto settled = engines::decode<engines::KeySettled>(effect.version, effect.payload);
    if (!settled) continue;
    if (const auto drained = subscriptions.drained_by(settled->key, settled->count))
      told += event + 6 * drained->key_text.size();
  }
  if (told == 0 || open + room + told <= group_budget) return {};
  if (room + told > group_budget)
    return fail(Code::too_large, "more parked keys would drain than one commit can tell of", {},
                "settle fewer events in one request");
  return fail(Code::too_many_requests, "the commit under way has no room to tell of the keys that drain");
}

void Core::tell(std::string type, SubscriptionId id, std::string data) {
  const engines::SubscriptionUnit* unit = subscriptions_.find(id);
  told_.push_back({std::move(type), unit == nullptr ? std::string{} : unit->definition.name, std::move(data)});
}

// `rest`: members of the event's data behind those that name the key and its head. The key is what the verbs of repair
// take: its text, or its id.
void Core::tell_key(std::string type, const engines::KeyRef& key, const ParkedKey& at, std::string rest) {
  const engines::TopicUnit* topic = topics_.find(key.partition.topic);
  const std::string id = fmt::format("~{:016x}", key.key_hash);
  tell(std::move(type), key.subscription,
       fmt::format(R"({{"key":{},"id":"{}","topic":"{}","partition":{},"offset":"{}",{}}})",
                   text(at.key_text.empty() ? id : at.key_text), id, topic == nullptr ? "" : topic->definition.name,
                   key.partition.partition.value, at.head.value, rest));
}

void Core::flush_told() {
  for (Told& each : std::exchange(told_, {})) announce(each.type, each.subject, each.data);
}

void Core::tell_parked(const engines::KeyParked& parked) {
  auto at = subscriptions_.look_at(parked.key);
  if (!at || parked.to != engines::GivenUp::parked) return;
  if (!parked.key_text.empty()) at->key_text = parked.key_text;
  tell_key("continuo.key.parked", parked.key, *at,
           fmt::format(R"("type":{},"error":{{"code":{},"message":{}}},"fingerprint":{},"attempts":{},"waiting":{})",
                       text(parked.event_type), text(parked.failure.code), text(cut(parked.failure.message)),
                       text(engines::fingerprint(parked.failure)), at->attempts, at->waiting));
}

void Core::tell_release(const engines::ReleaseChanged& release) {
  if (release.state == engines::ReleaseState::running || release.state == engines::ReleaseState::forgotten) return;
  const Release* before = subscriptions_.release(release.subscription);
  if (before != nullptr && before->number == release.number && before->state == release.state) return;
  tell("continuo.release.ended", release.subscription,
       fmt::format(R"({{"release":{},"state":"{}","released":{},"relapsed":{},{}}})", release.number,
                   engines::name(release.state), release.released, release.relapsed,
                   who_and_why(release.by, release.reason)));
}

void Core::tell_storm(const engines::StormChanged& storm) {
  const bool was = subscriptions_.storm(storm.subscription) != nullptr;
  if (storm.over)
    tell("continuo.subscription.resumed", storm.subscription,
         fmt::format(R"({{"reason":"storm","fingerprint":{},"since":"{}"}})", text(storm.fingerprint),
                     format_time(storm.since)));
  else if (!was)
    tell("continuo.subscription.paused", storm.subscription,
         fmt::format(R"({{"reason":"storm","fingerprint":{}}})", text(storm.fingerprint)));
}

// Of the few keys that drain, those that this ends.
void Core::tell_drained(const engines::KeyRef& key, std::size_t leaving) {
  const auto at = subscriptions_.drained_by(key, leaving);
  if (!at) return;
  const Millis after{std::max<std::int64_t>(0, now_.wall.ms - at->since.ms)};
  subscriptions_.note_healed(key.subscription, after);
  tell_key("continuo.key.drained", key, *at,
           fmt::format(R"("parked_since":"{}","after":"{}")", format_time(at->since), format_duration(after)));
}

// Before the effect is applied.
void Core::tell(const engines::Effect& effect) {
  using engines::EffectType;
  const auto with = [&]<class T>(auto&& told) {
    if (const auto read = engines::decode<T>(effect.version, effect.payload)) told(*read);
  };
  switch (effect.type) {
    case EffectType::key_settled:
      if (subscriptions_.anything_drains())
        with.operator()<engines::KeySettled>([&](const auto& it) { tell_drained(it.key, it.count); });
      return;
    case EffectType::key_parked:
      broken_came_ = true;
      return with.operator()<engines::KeyParked>([&](const auto& it) { tell_parked(it); });
    case EffectType::key_released:
      return with.operator()<engines::KeyReleased>([&](const engines::KeyReleased& it) {
        if (const auto at = subscriptions_.look_at(it.key))
          tell_key(
              "continuo.key.released", it.key, *at,
              fmt::format(R"("waiting":{},"release":{},{})", at->waiting, it.release, who_and_why(it.by, it.reason)));
      });
    case EffectType::key_skipped:
      return with.operator()<engines::KeySkipped>([&](const engines::KeySkipped& it) {
        if (const auto at = subscriptions_.look_at(it.key))
          tell_key("continuo.event.skipped", it.key, *at, who_and_why(it.by, it.reason));
        tell_drained(it.key, 1);
      });
    case EffectType::head_edited:
      return with.operator()<engines::HeadEdited>([&](const engines::HeadEdited& it) {
        if (const auto at = subscriptions_.look_at(it.key))
          tell_key("continuo.event.edited", it.key, *at,
                   fmt::format(R"({},"difference":{})", who_and_why(it.by, it.reason),
                               it.difference.empty() ? "[]" : it.difference));
      });
    case EffectType::repair_changed:
      broken_came_ = true;
      return with.operator()<engines::RepairChanged>([&](const engines::RepairChanged& it) {
        const auto at = subscriptions_.look_at(it.key);
        if (at && it.repair_by == engines::RepairBy::person && at->repair_by != it.repair_by)
          tell_key("continuo.key.needs_person", it.key, *at, who_and_why(it.by, it.reason));
      });
    case EffectType::release_changed:
      return with.operator()<engines::ReleaseChanged>([&](const auto& it) { tell_release(it); });
    case EffectType::storm_changed:
      return with.operator()<engines::StormChanged>([&](const auto& it) { tell_storm(it); });
    default: return;
  }
}

}  // namespace continuo::node
