#include "continuo/simulator/healing_oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "continuo/record/batch.h"

namespace continuo::simulator {
namespace {

// What stands behind `"name":` in the node's own JSON, without quotes; empty: nothing.
std::string_view member(std::string_view json, std::string_view name) {
  const std::string start = fmt::format("\"{}\":", name);
  const std::size_t found = json.find(start);
  if (found == std::string_view::npos) return {};
  std::string_view rest = json.substr(found + start.size());
  if (rest.starts_with('"')) return rest.substr(1, rest.find('"', 1) - 1);
  return rest.substr(0, rest.find_first_of(",}]"));
}

std::int64_t number_in(std::string_view text) {
  std::int64_t number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Whose name that was just then.
template <class T>
std::optional<T> at_that_time(const std::vector<std::pair<Offset, T>>& names, Offset at) {
  for (auto each = names.rbegin(); each != names.rend(); ++each)
    if (each->first <= at) return each->second;
  return std::nullopt;
}

std::string words(SubscriptionId id, const Place& place) {
  return fmt::format("subscription {}: topic {} partition {} offset {}", id.value, place.first.topic.value,
                     place.first.partition.value, place.second.value);
}

}  // namespace

struct HealingOracle::Telling {
  Offset at;
  std::string_view type, data;
  std::string name;
  SubscriptionId subscription;
  std::optional<Place> place;  ///< none: it is of no event, or of a topic that is gone
  WallTime wall;
  Event event() const { return {subscription, *place}; }
};

// ---- what is asked --------------------------------------------------------------------------------------------------

VerbNumber HealingOracle::asks(Verb verb) {
  const VerbNumber number = verbs_.size() + 1;
  verbs_[number] = std::move(verb);
  ++tally_.verbs;
  return number;
}

void HealingOracle::answered(Oracle& out, VerbNumber number, const Result<void>& answer) {
  out.heard();
  Verb& verb = verbs_.at(number);
  if (!answer && answer.error().code == Code::node_failed) return;
  verb.outcome = answer ? Outcome::done : Outcome::refused;
  if (!answer && !verb.told_of.empty()) out.breach(fmt::format("verb {} was refused, and is told", number));
  if (answer && verb.told != Verb::Told::quiet && verb.told_of != verb.heads)
    out.breach(
        fmt::format("verb {} was done to {} keys, and {} are told", number, verb.heads.size(), verb.told_of.size()));
}

void HealingOracle::decide(Oracle& out) {
  for (auto& [number, verb] : verbs_) {
    if (verb.outcome != Outcome::unanswered || verb.told == Verb::Told::quiet) continue;
    if (!verb.told_of.empty() && verb.told_of != verb.heads)
      out.breach(fmt::format("verb {} is half done: to {} of {} keys", number, verb.told_of.size(), verb.heads.size()));
    verb.outcome = verb.told_of.empty() ? Outcome::refused : Outcome::done;
  }
}

void HealingOracle::forget_lost(const node::Catalogue& catalogue) {
  const auto forget = [](auto& names, const auto& find) {
    for (auto& [name, all] : names)
      if (const auto* found = find(name)) std::erase_if(all, [&](const auto& each) { return each.second > found->id; });
  };
  forget(topics_, [&](const std::string& name) { return catalogue.find_topic(name); });
  forget(subscriptions_, [&](const std::string& name) { return catalogue.find_subscription(name); });
}

// ---- what is told ---------------------------------------------------------------------------------------------------

void HealingOracle::hear(Oracle& out, Offset at, std::string_view type, std::string_view subject, std::string_view data,
                         WallTime wall) {
  heard_ = at + 1;
  const auto who = subscriptions_.find(subject);
  if (who == subscriptions_.end()) return;
  const auto id = at_that_time(who->second, at);
  if (!id) return;
  Telling told{at, type, data, who->first, *id, {}, wall};
  if (const auto topic = topics_.find(member(data, "topic")); topic != topics_.end())
    if (const auto topic_id = at_that_time(topic->second, at))
      told.place = Place{{*topic_id, PartitionId{static_cast<std::uint32_t>(number_in(member(data, "partition")))}},
                         Offset{number_in(member(data, "offset"))}};
  if (told.place) last_told_[told.event()] = at;
  // However its last event ends, a key that drains is told as drained. Its text may be known only later: its id is.
  if (told.place && type.starts_with("continuo.key.")) {
    const std::tuple key{*id, told.place->first, std::string{member(data, "id")}};
    const bool drained = type == "continuo.key.drained";
    if (type == "continuo.key.released")
      drains_.insert(key);
    else if (type != "continuo.key.needs_person" && drains_.erase(key) == 0 && drained)
      out.breach(
          fmt::format("{} ends the draining of a key that did not drain", words(told.subscription, *told.place)));
  }
  if (type == "continuo.event.dead_lettered") return hear_of_letter(out, told);
  if (type == "continuo.key.cancelled") return hear_of_cancel(out, told);
  if (type.starts_with("continuo.key.") || type.starts_with("continuo.event.")) return hear_of_key(out, told);
  hear_of_subscription(out, told);
}

Verb* HealingOracle::verb_of(Oracle& out, const Telling& told, Verb::Told expected) {
  const std::string_view reason = member(told.data, "reason");
  if (!reason.starts_with("verb ")) return nullptr;
  const auto found = verbs_.find(static_cast<VerbNumber>(number_in(reason.substr(5))));
  if (found == verbs_.end()) return out.breach(fmt::format("'{}' is told, and nobody asked", reason)), nullptr;
  Verb& verb = found->second;
  if (verb.told != expected) return nullptr;  // what comes with it
  const Place place = expected == Verb::Told::moved ? Place{} : told.place.value_or(Place{});
  if (verb.outcome == Outcome::refused) out.breach(fmt::format("{} was refused, and is told", reason));
  if (!verb.heads.contains(place)) out.breach(fmt::format("{} is told of {}", reason, words(told.subscription, place)));
  if (!verb.told_of.insert(place).second) out.breach(fmt::format("{} is told twice", reason));
  return &verb;
}

void HealingOracle::pass_over(Oracle& out, const Event& event, const std::string& how) {
  auto& fate = out.readers()[event.first].fates[event.second];
  if (fate.done) out.breach(fmt::format("{} is {}, and was done before", words(event.first, event.second), how));
  fate.done = true;
}

void HealingOracle::hear_of_key(Oracle& out, const Telling& told) {
  if (told.type == "continuo.key.released") return hear_of_release(out, told);
  if (!told.place) return;
  const Event event = told.event();
  if (told.type == "continuo.key.parked") {
    ++tally_.parked;
    parked_.insert(event);
    const auto& settings = out.readers()[event.first].settings;
    if (storms_.contains(event.first) && settings.on_failure == engines::OnFailure::park)
      out.breach(words(event.first, event.second) + " is parked while the subscription holds still in a storm");
  } else if (told.type == "continuo.event.skipped") {
    verb_of(out, told, Verb::Told::skipped);
    ++tally_.skipped;
    pass_over(out, event, "passed over");
  } else if (told.type == "continuo.event.edited") {
    ++tally_.edited;
    if (verb_of(out, told, Verb::Told::edited) != nullptr) {
      edits_[event] = static_cast<VerbNumber>(number_in(member(told.data, "reason").substr(5)));
      return;
    }
    // The subscription was moved, and what it held went with it.
    const auto& names = subscriptions_[told.name];
    for (auto each = names.rbegin(); each != names.rend(); ++each)
      if (const auto edit = edits_.find({each->second, event.second}); edit != edits_.end()) {
        edits_[event] = edit->second;
        return;
      }
    out.breach(words(event.first, event.second) + " is told as edited, and nobody asked");
  }
}

void HealingOracle::hear_of_release(Oracle& out, const Telling& told) {
  if (told.place) {
    verb_of(out, told, Verb::Told::released);
    out.retries(told.subscription, told.place->first, told.place->second);
  }
  const auto number = static_cast<std::uint64_t>(number_in(member(told.data, "release")));
  if (number == 0) return;
  Release& release = releases_[{told.subscription, number}];
  ++release.keys;
  if (release.ended)
    out.breach(fmt::format("subscription {}: release {} ended and goes on", told.subscription.value, number));
}

void HealingOracle::hear_of_letter(Oracle& out, const Telling& told) {
  ++tally_.letters;
  if (!told.place) return;
  const std::string_view letter = told.data.substr(told.data.find("\"dead_letter\":") + 14);
  const auto topic = topics_.find(member(letter, "topic"));
  const auto id = topic == topics_.end() ? std::nullopt : at_that_time(topic->second, told.at);
  if (!id) return out.breach(fmt::format("a dead letter went to {}, which is no topic", member(letter, "topic")));
  const Place place{{*id, PartitionId{static_cast<std::uint32_t>(number_in(member(letter, "partition")))}},
                    Offset{number_in(member(letter, "offset"))}};
  if (!letters_.emplace(place, told.event()).second)
    out.breach(words(told.subscription, *told.place) + " went where another dead letter lies");
  pass_over(out, told.event(), "a dead letter");
}

void HealingOracle::hear_of_cancel(Oracle& out, const Telling& told) {
  const Verb* verb = verb_of(out, told, Verb::Told::cancelled);
  if (verb == nullptr) return;
  ++tally_.cancelled;
  const auto events = static_cast<std::size_t>(number_in(member(told.data, "events")));
  if (events < verb->goes.size() || events > verb->goes.size() + verb->may_go.size())
    out.breach(fmt::format("{} events of a key were cancelled, and {} to {} waited", events, verb->goes.size(),
                           verb->goes.size() + verb->may_go.size()));
  for (const Place& place : verb->may_go) ++out.readers()[told.subscription].fates[place].perhaps;
  for (const Place& place : verb->goes) pass_over(out, {told.subscription, place}, "cancelled");
}

void HealingOracle::hear_of_subscription(Oracle& out, const Telling& told) {
  const bool storm = member(told.data, "reason") == "storm";
  if (told.type == "continuo.subscription.moved") {
    ++tally_.moved;
    verb_of(out, told, Verb::Told::moved);
  } else if (told.type == "continuo.subscription.paused" && storm) {
    ++tally_.storms;
    storms_.insert(told.subscription);
  } else if (told.type == "continuo.subscription.resumed" && storm) {
    storms_.erase(told.subscription);
  } else if (told.type == "continuo.release.ended") {
    ++tally_.releases;
    const auto number = static_cast<std::uint64_t>(number_in(member(told.data, "release")));
    Release& release = releases_[{told.subscription, number}];
    if (release.ended) out.breach(fmt::format("subscription {}: a release ended twice", told.subscription.value));
    release.ended = true;
  } else if (told.type == "continuo.subscription.events_expired") {
    std::string_view rest = told.data;
    for (auto at = rest.find("{\"topic\""); at != std::string_view::npos; at = rest.find("{\"topic\"")) {
      rest = rest.substr(at + 1);
      ++tally_.expired;
      const auto topic = topics_.find(member(rest, "topic"));
      const auto id = topic == topics_.end() ? std::nullopt : at_that_time(topic->second, told.at);
      if (!id) continue;
      const Place place{{*id, PartitionId{static_cast<std::uint32_t>(number_in(member(rest, "partition")))}},
                        Offset{number_in(member(rest, "offset"))}};
      const SentEvent* event = out.event_at(place.first, place.second);
      if (event != nullptr && (event->expires == WallTime{} || event->expires > told.wall))
        out.breach(words(told.subscription, place) + " expired before its time");
      if (!out.readers()[told.subscription].fates[place].done)
        out.breach(words(told.subscription, place) + " expired, and is not told as passed over");
    }
  }
}

// ---- dead letters ---------------------------------------------------------------------------------------------------

void HealingOracle::read_letter(Oracle& out, PartitionRef partition, const record::Record& record) {
  const Place place{partition, record.offset};
  letters_read_[place] = std::string{record.value.value_or("")};
  const auto told = letters_.find(place);
  if (told == letters_.end())
    return out.breach(fmt::format("a dead letter lies at {}, and nothing is told of it", words({}, place)));
  const auto& [id, origin] = told->second;
  std::map<std::string, std::string, std::less<>> says;
  record::HeaderWalk walk{record};
  while (const auto header = walk.next()) says[std::string{header->key}] = std::string{header->value.value_or("")};
  if (says["ce_deadoffset"] != std::to_string(origin.second.value) ||
      says["ce_deadpartition"] != std::to_string(origin.first.partition.value) || says["ce_deadcode"].empty() ||
      number_in(says["ce_deadattempts"]) < 1)
    out.breach(words(id, origin) + " is a dead letter that says it is another, or not why");
  const SentEvent* event = out.event_at(origin.first, origin.second);
  const std::string* edit = edit_of(id, origin.first, origin.second);
  const bool same =
      event == nullptr || (record.key == event->key && letters_read_[place] == (edit ? *edit : *event->value));
  if (!same) out.breach(words(id, origin) + " is a dead letter with other content");
}

void HealingOracle::end_reading_letters(Oracle& out, const std::map<PartitionRef, node::PartitionState>& letters) {
  for (const auto& [place, event] : letters_) {
    const auto state = letters.find(place.first);
    if (state == letters.end() || place.second < state->second.first || letters_read_.contains(place)) continue;
    out.breach(words(event.first, event.second) + " is told as a dead letter, and it is not there");
  }
}

void HealingOracle::check_letters_settled(Oracle& out, SubscriptionId id, const std::vector<TopicId>& topics,
                                          const std::map<PartitionRef, node::PartitionState>& partitions) const {
  const auto& fates = out.readers()[id].fates;
  for (const auto& [place, event] : letters_) {
    if (!partitions.contains(place.first) || std::ranges::find(topics, place.first.topic) == topics.end()) continue;
    const auto fate = fates.find(place);
    if (fate == fates.end() || fate->second.open())
      out.breach(words(event.first, event.second) + " is a dead letter that nobody ever got");
  }
}

// ---- checks ---------------------------------------------------------------------------------------------------------

const std::string* HealingOracle::edit_of(SubscriptionId id, PartitionRef partition, Offset offset) const {
  const auto found = edits_.find({id, {partition, offset}});
  return found == edits_.end() ? nullptr : &verbs_.at(found->second).value;
}

void HealingOracle::check_drained(Oracle& out, SubscriptionId id, const node::Catalogue& catalogue) const {
  for (const auto& [of, partition, key] : drains_)
    if (of == id && !catalogue.topic_name(partition.topic).empty())
      out.breach(fmt::format("subscription {}: key {} of topic {} was released, and nobody was told that it is drained",
                             id.value, key, partition.topic.value));
}

void HealingOracle::check(Oracle& out, const engines::SubscriptionsEngine& engine, const node::Catalogue& catalogue) {
  for (const auto& [name, subscription] : catalogue.subscriptions) {
    const SubscriptionId id = subscription->id;
    for (const node::ParkedKey& key : engine.parked(id, {.limit = 1'000})) {
      const Place head{key.partition, key.head};
      if (catalogue.topic_name(head.first.topic).empty()) continue;  // it was deleted, and is told without a name
      if (!parked_.contains({id, head})) out.breach(words(id, head) + " is parked, and nobody was told");
      if (key.edited.has_value() != (edit_of(id, head.first, head.second) != nullptr))
        out.breach(words(id, head) + " is edited and was not told, or the other way round");
    }
    if ((engine.storm(id) != nullptr) != storms_.contains(id))
      out.breach(fmt::format("subscription {} is in a storm and was not told, or the other way round", id.value));
    const node::Release* last = engine.release(id);
    for (const auto& [which, release] : releases_) {
      if (which.first != id) continue;
      if (release.begun && (last == nullptr || last->number < which.second))
        out.breach(fmt::format("subscription {}: release {} was begun and is lost", id.value, which.second));
      if (last == nullptr || last->number != which.second) continue;
      if ((last->state != engines::ReleaseState::running) != release.ended || last->released != release.keys)
        out.breach(fmt::format("subscription {}: release {} says it released {}, {} are told", id.value, which.second,
                               last->released, release.keys));
    }
  }
}

}  // namespace continuo::simulator
