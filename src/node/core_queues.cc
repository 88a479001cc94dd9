// Queues: defined and removed as one, purged, trimmed behind what is settled; and events whose time comes.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/node/core_state.h"
#include "continuo/node/no_edge.h"
#include "continuo/node/queue_work.h"

namespace continuo::node {
namespace {

constexpr Millis trim_pause{5'000};       // of one queue
constexpr Millis longest_look{10'000};    // a wall clock that jumps forward is noticed after so long
constexpr std::size_t places_told = 100;  // of events that expired, in one event that tells of them

std::unexpected<Error> unknown_queue(std::string_view name) {
  return continuo::fail(Code::unknown_queue, fmt::format("there is no queue '{}'", name), "queue");
}

// Why a queue cannot be made, or have other settings, of what has its name already. `code`: what stands in the way.
std::unexpected<Error> taken(Code code, std::string_view name, bool by_queue) {
  if (by_queue)
    return continuo::fail(
        code, fmt::format("the queue '{}' exists with other settings", name), "queue",
        fmt::format("GET /v1/queues/{0} shows them; PATCH /v1/queues/{0} makes them different", name));
  const std::string_view what = code == Code::topic_exists ? "topic" : "subscription";
  return continuo::fail(code, fmt::format("there is a {} '{}' that is not a queue", what, name), "queue",
                        fmt::format("choose another name, or delete the {}: a queue's is its own", what));
}

}  // namespace

QueueSettings dead_letter_queue(const std::string& name) {
  QueueSettings settings;
  settings.subscription.topics = {name};
  settings.subscription.from = engines::StartFrom::earliest;
  settings.subscription.order_by = engines::OrderBy::none;
  settings.subscription.queue = true;
  return settings;
}

// ---- definitions ----------------------------------------------------------------------------------------------------

// A topic is the queue's own: one that others use, or that holds something, is not trimmed because of a slip in a name.
Result<Core::QueueWork::Plan> Core::QueueWork::plan(const std::string& name, const QueueSettings& settings) const {
  const engines::SubscriptionUnit* there = core_.subscriptions_.find(name);
  const bool by_queue = there != nullptr && there->definition.settings.queue;
  auto topic = core_.topics_.decide_create(name, settings.topic, core_.now_.wall, false);
  if (!topic && topic.error().code == Code::topic_exists) return taken(Code::topic_exists, name, by_queue);
  if (!topic) return pass(topic);
  Plan plan;
  if (topic->existing == nullptr) plan.topic = topic->defined;
  const TopicId id = plan.topic ? plan.topic->id : topic->existing->definition.id;
  std::vector<std::pair<PartitionRef, Offset>> starts;
  bool empty = true;
  for (std::uint32_t each = 0; each < settings.topic.partitions; ++each) {
    const engines::HeadUnit* head = core_.topics_.head({id, PartitionId{each}});
    starts.emplace_back(PartitionRef{id, PartitionId{each}}, head == nullptr ? Offset{0} : core_.first_of(*head));
    empty = empty && (head == nullptr || head->next == Offset{0});
  }
  auto subscription = core_.subscriptions_.decide_define(name, settings.subscription, {id}, starts);
  if (!subscription && subscription.error().code == Code::subscription_exists)
    return taken(Code::subscription_exists, name, by_queue);
  if (!subscription) return pass(subscription);
  plan.existing = subscription->existing;
  if (plan.existing != nullptr) return plan;
  if (!plan.topic && (!empty || !core_.subscriptions_.readers_of(id).empty()))
    return taken(Code::topic_exists, name, false);
  plan.subscription = std::move(subscription->defined);
  plan.cursors = std::move(subscription->cursors);
  return plan;
}

// Inside a frame.
void Core::QueueWork::make(const Plan& plan) {
  if (plan.topic) core_.make_topic(*plan.topic);
  if (plan.existing != nullptr) return;
  core_.apply(engines::encode(plan.subscription));
  for (const engines::CursorMoved& cursor : plan.cursors) core_.apply(engines::encode(cursor));
  core_.changed_subscriptions_.insert(plan.subscription.name);
}

// Dead letters wait in a queue too, unless something else has the name.
void Core::QueueWork::make_dead_letters(const std::string& name) {
  if (name.empty() || core_.subscriptions_.find(name) != nullptr) return;
  if (const auto queue = plan(name, dead_letter_queue(name))) make(*queue);
}

void Core::QueueWork::put(Edge& edge, const std::string& name, const QueueSettings& settings,
                          Answer<Put<Subscription>> answer) {
  if (core_.refuse_if_failed(edge, answer)) return;
  core_.open();
  auto planned = plan(name, settings);
  if (!planned) return core_.reply<Put<Subscription>>(edge, std::move(answer), pass(planned));
  core_.begin_frame();
  make(*planned);
  make_dead_letters(settings.subscription.dead_letter);
  core_.end_frame();
  const bool created = planned->existing == nullptr;
  core_.reply<Put<Subscription>>(edge, std::move(answer),
                                 Put<Subscription>{core_.subscription_of(*core_.subscriptions_.find(name)), created});
}

// Both have decided before either is changed.
Result<Core::QueueWork::Change> Core::QueueWork::plan(const std::string& name, const QueueChange& wanted) const {
  const engines::SubscriptionUnit* there = core_.subscriptions_.find(name);
  const engines::TopicUnit* topic = core_.topics_.find(name);
  if (there == nullptr || !there->definition.settings.queue || topic == nullptr) return unknown_queue(name);
  const SubscriptionSettings& settings = there->definition.settings;
  const bool fifo = settings.order_by == engines::OrderBy::key;
  if (wanted.fifo.value_or(fifo) != fifo)
    return continuo::fail(Code::unsupported, "whether a queue is fifo cannot be changed", "fifo",
                          fmt::format("make another queue; redrive moves into it what waits here: POST "
                                      "/v1/queues/NAME/redrive {{\"from\":\"{}\"}}",
                                      name));
  const std::uint32_t partitions = topic->definition.settings.partitions;
  if (fifo && wanted.topic.partitions.value_or(partitions) > partitions)
    return continuo::fail(Code::bad_setting,
                          "with more partitions what comes of a group would overtake what waits of it", "partitions",
                          "make another queue with so many");
  engines::SubscriptionChange change = wanted.subscription;
  if (change.retry || wanted.receives) {
    if (!change.retry) change.retry = settings.retry;
    change.retry->attempts = wanted.receives.value_or(settings.retry.attempts);
  }
  auto changed_topic = core_.plan_change(name, wanted.topic);
  if (!changed_topic) return pass(changed_topic);
  auto changed = core_.subscriptions_.decide_change(name, change);
  if (!changed) return pass(changed);
  Change plan{.topic = {}, .subscription = std::move(*changed)};
  if (changed_topic->settings != topic->definition.settings) plan.topic = std::move(*changed_topic);
  return plan;
}

void Core::QueueWork::change(Edge& edge, const std::string& name, const QueueChange& wanted,
                             Answer<Subscription> answer) {
  if (core_.refuse_if_failed(edge, answer)) return;
  core_.open();
  auto planned = plan(name, wanted);
  if (!planned) return core_.reply<Subscription>(edge, std::move(answer), pass(planned));
  core_.begin_frame();
  if (planned->topic) core_.make_change(*planned->topic);
  if (planned->subscription) {
    core_.apply(engines::encode(*planned->subscription));
    core_.changed_subscriptions_.insert(name);
    core_.maybe_ready(planned->subscription->id);  // more leases at once, perhaps
    make_dead_letters(planned->subscription->settings.dead_letter);
  }
  core_.end_frame();
  core_.reply<Subscription>(edge, std::move(answer), core_.subscription_of(*core_.subscriptions_.find(name)));
}

void Core::QueueWork::remove(Edge& edge, const std::string& name, Answer<void> answer) {
  if (core_.refuse_if_failed(edge, answer)) return;
  core_.open();
  const engines::SubscriptionUnit* found = core_.subscriptions_.find(name);
  if (found == nullptr || !found->definition.settings.queue)
    return core_.reply<void>(edge, std::move(answer), unknown_queue(name));
  const SubscriptionId id = found->definition.id;
  const auto topic = core_.topics_.decide_delete(name);
  core_.begin_frame();
  core_.apply(engines::encode(engines::SubscriptionDeleted{id}));
  if (topic) core_.drop_topic(*topic, name);
  core_.end_frame();
  core_.changed_subscriptions_.insert(name);
  core_.remains_ = true;
  core_.matched_.erase(id);
  core_.maybe_ready(id);
  core_.reply<void>(edge, std::move(answer), {});
}

void Core::QueueWork::states(Edge& edge, SubscriptionId id, const std::vector<EventPlace>& events,
                             Answer<std::vector<EventState>> answer) {
  if (core_.refuse_if_failed(edge, answer)) return;
  core_.reply<std::vector<EventState>>(edge, std::move(answer), core_.subscriptions_.states_of(id, events));
}

// ---- purges ---------------------------------------------------------------------------------------------------------

void Core::QueueWork::purge(Edge& edge, SubscriptionId id, Asked asked, Answer<std::uint64_t> answer) {
  if (core_.refuse_if_failed(edge, answer)) return;
  core_.open();
  if (core_.subscriptions_.find(id) == nullptr)
    return core_.reply<std::uint64_t>(edge, std::move(answer),
                                      continuo::fail(Code::unknown_queue, "the queue was deleted", "queue"));
  Purge purge{&edge, id, std::move(asked), {}, 0, std::move(answer)};
  for (const engines::CursorMoved& cursor : core_.subscriptions_.cursors(id))
    if (const engines::HeadUnit* head = core_.topics_.head(cursor.partition); head != nullptr)
      purge.passes.push_back({cursor.partition, head->first, head->next, id});
  purges_.push_back(std::move(purge));
}

void Core::QueueWork::advance_purge(std::size_t most) {
  if (purges_.empty()) return;
  Purge& purge = purges_.front();
  core_.open();
  if (!purge.passes.empty()) {
    const engines::TrimSlice slice = core_.subscriptions_.decide_purge(purge.passes.front(), most);
    core_.begin_frame();
    for (const engines::Effect& each : slice.effects) core_.apply(each);
    core_.end_frame();
    for (const engines::TrimLoss& loss : slice.losses) purge.events += loss.waiting + loss.unread_at_most;
    purge.passes.front() = slice.next;
    if (slice.complete) purge.passes.pop_front();
    core_.maybe_ready(purge.id);
    if (!purge.passes.empty()) return;
  }
  if (const engines::SubscriptionUnit* unit = core_.subscriptions_.find(purge.id))
    core_.announce("continuo.queue.purged", unit->definition.name,
                   fmt::format(R"({{"events":{},{}}})", purge.events, who_and_why(purge.asked.by, purge.asked.reason)));
  core_.reply<std::uint64_t>(*purge.edge, std::move(purge.answer), std::uint64_t{purge.events});
  purges_.pop_front();
}

void Core::QueueWork::forget(const Edge& edge) {
  for (Purge& purge : purges_)
    if (purge.edge == &edge) purge.edge = &no_edge(), purge.answer = [](Result<std::uint64_t>) {};
}

void Core::QueueWork::fail() {
  for (Purge& each : std::exchange(purges_, {}))
    core_.reply<std::uint64_t>(*each.edge, std::move(each.answer),
                               continuo::fail(Code::node_failed, "the node stopped"));
}

// ---- trims ----------------------------------------------------------------------------------------------------------

void Core::QueueWork::note(const std::set<SubscriptionId>& changed) {
  for (const SubscriptionId id : changed) {
    const engines::SubscriptionUnit* unit = core_.subscriptions_.find(id);
    if (unit == nullptr || !unit->definition.settings.queue || !trimmed_soon_.insert(id).second) continue;
    trims_.emplace_back((core_.open_ ? core_.now_ : core_.now()).elapsed + trim_pause, id);
  }
}

void Core::QueueWork::trim() {
  while (!trims_.empty() && trims_.front().first <= (core_.open_ ? core_.now_ : core_.now()).elapsed) {
    const SubscriptionId id = trims_.front().second;
    trims_.pop_front();
    trimmed_soon_.erase(id);
    trim(id);
  }
}

void Core::QueueWork::trim(SubscriptionId id) {
  for (const engines::CursorMoved& cursor : core_.subscriptions_.cursors(id)) {
    const engines::HeadUnit* head = core_.topics_.head(cursor.partition);
    const auto before = core_.subscriptions_.settled_below(cursor.partition);
    if (head == nullptr || !before || *before <= head->first) continue;
    const engines::TrimPass pass{cursor.partition, head->first, *before};
    core_.trims_.push_back({&no_edge(), pass, [](Result<PartitionState>) {}, {}, false});
  }
}

void Core::QueueWork::run_jobs(std::size_t most) {
  advance_purge(most);
  trim();
}

// ---- times of events ------------------------------------------------------------------------------------------------

std::optional<Millis> Core::QueueWork::next_due(Elapsed current) const {
  if (!purges_.empty()) return Millis{0};
  std::optional<Millis> due;
  const auto note = [&](Millis wait) { due = std::min(due.value_or(wait), std::max(wait, Millis{0})); };
  if (!trims_.empty()) note(Millis{trims_.front().first.ms - current.ms});
  const bool trusted = current >= core_.distrust_wall_until_;
  const auto at = core_.subscriptions_.next_time(trusted);
  const WallTime wall = std::max(core_.clock_.wall(), core_.now_.wall);
  if (at) note(std::min(Millis{at->ms - wall.ms}, longest_look));
  if (!trusted && core_.subscriptions_.next_time(true) != at) note(Millis{core_.distrust_wall_until_.ms - current.ms});
  return due;
}

void Core::QueueWork::run_times(const Now& current, std::size_t most) {
  const bool trusted = current.elapsed >= core_.distrust_wall_until_;
  const auto at = core_.subscriptions_.next_time(trusted);
  if (most == 0 || !at || *at > current.wall) return;
  std::map<SubscriptionId, Expired> expired;
  core_.begin_frame();
  for (const engines::Effect& effect : core_.subscriptions_.decide_times(core_.now_.wall, most, trusted)) {
    if (effect.type == engines::EffectType::key_skipped) {
      const auto skipped = engines::decode<engines::KeySkipped>(effect.version, effect.payload);
      Expired& told = expired[skipped->key.subscription];
      if (++told.count <= places_told)
        std::ranges::copy(core_.subscriptions_.leaving(effect), std::back_inserter(told.places));
      core_.maybe_ready(skipped->key.subscription);
    } else if (effect.type == engines::EffectType::key_time_came) {
      core_.maybe_ready(engines::decode<engines::KeyTimeCame>(effect.version, effect.payload)->key.subscription);
    }
    core_.apply(effect);
  }
  core_.end_frame();
  for (const auto& [id, told] : expired) tell(id, told);
}

void Core::QueueWork::tell(SubscriptionId id, const Expired& expired) {
  const engines::SubscriptionUnit* unit = core_.subscriptions_.find(id);
  if (unit == nullptr) return;
  std::string data = fmt::format(R"({{"count":{},"events":[)", expired.count);
  for (const auto& [partition, offset] : expired.places) {
    const engines::TopicUnit* topic = core_.topics_.find(partition.topic);
    data += fmt::format(R"({}{{"topic":"{}","partition":{},"offset":"{}"}})", data.back() == '[' ? "" : ",",
                        topic == nullptr ? "" : topic->definition.name, partition.partition.value, offset.value);
  }
  core_.announce("continuo.subscription.events_expired", unit->definition.name, data + "]}");
}

}  // namespace continuo::node
