// The commands that define subscriptions, and what of all definitions the other threads see.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/node/core_state.h"

namespace continuo::node {
namespace {

constexpr Millis idle_look_every{10'000};

}  // namespace

// ---- the catalogue --------------------------------------------------------------------------------------------------

std::shared_ptr<std::atomic<std::uint64_t>>& Core::matched(SubscriptionId id) {
  auto& count = matched_[id];
  if (!count) count = std::make_shared<std::atomic<std::uint64_t>>(0);
  return count;
}

Subscription Core::subscription_of(const engines::SubscriptionUnit& unit) {
  const engines::SubscriptionDefined& defined = unit.definition;
  return {defined.id,     defined.name,   defined.epoch,          defined.settings,
          defined.topics, defined.paused, defined.filter_version, matched(defined.id)};
}

// At the price of what changed: there may be thousands, with long filters.
std::shared_ptr<const Catalogue> Core::build_catalogue() {
  auto catalogue = std::make_shared<Catalogue>(*catalogue_);
  for (const std::string& name : std::exchange(changed_topics_, {}))
    if (const engines::TopicUnit* unit = topics_.find(name))
      catalogue->topics.set(name, std::make_shared<const Topic>(topic_of(*unit)));
    else
      catalogue->topics.erase(name);
  for (const std::string& name : std::exchange(changed_subscriptions_, {}))
    if (const engines::SubscriptionUnit* unit = subscriptions_.find(name))
      catalogue->subscriptions.set(name, std::make_shared<const Subscription>(subscription_of(*unit)));
    else
      catalogue->subscriptions.erase(name);
  return catalogue;
}

// ---- commands -------------------------------------------------------------------------------------------------------

std::vector<std::pair<PartitionRef, Offset>> Core::starts(const std::vector<TopicId>& topics,
                                                          engines::StartFrom from) const {
  std::vector<std::pair<PartitionRef, Offset>> all;
  for (const TopicId topic : topics)
    for (std::uint32_t id = 0; id < topics_.find(topic)->definition.settings.partitions; ++id) {
      const engines::HeadUnit& head = *topics_.head({topic, PartitionId{id}});
      all.emplace_back(head.partition, from == engines::StartFrom::earliest ? first_of(head) : head.next);
    }
  return all;
}

void Core::put_subscription(Edge& edge, const std::string& name, const SubscriptionSettings& settings,
                            const std::vector<std::pair<PartitionRef, Offset>>& begin,
                            Answer<Put<Subscription>> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  std::vector<TopicId> topics;
  for (const std::string& topic : settings.topics) {
    const engines::TopicUnit* found = topics_.find(topic);
    if (found == nullptr)
      return reply<Put<Subscription>>(
          edge, std::move(answer),
          continuo::fail(Code::unknown_topic, fmt::format("there is no topic '{}'", topic), "topics"));
    topics.push_back(found->definition.id);
  }
  auto from = starts(topics, settings.from);
  for (const auto& [partition, offset] : begin)
    for (auto& [each, start] : from)
      if (each == partition) start = std::max(offset, first_of(*topics_.head(partition)));
  auto decision = subscriptions_.decide_define(name, settings, std::move(topics), from);
  if (!decision) return reply<Put<Subscription>>(edge, std::move(answer), pass(decision));
  if (decision->existing != nullptr)
    return reply<Put<Subscription>>(edge, std::move(answer),
                                    Put<Subscription>{subscription_of(*decision->existing), false});
  begin_frame();
  apply(engines::encode(decision->defined));
  for (const engines::CursorMoved& cursor : decision->cursors) apply(engines::encode(cursor));
  note_use(decision->defined.id);
  end_frame();
  changed_subscriptions_.insert(name);
  reply<Put<Subscription>>(edge, std::move(answer),
                           Put<Subscription>{subscription_of(*subscriptions_.find(decision->defined.id)), true});
}

// The commit says where: of what lies before each cursor the filter before decided.
void Core::change_subscription(Edge& edge, const std::string& name, SubscriptionChange change,
                               Answer<ChangedSubscription> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  auto decision = subscriptions_.decide_change(name, change);
  if (!decision) return reply<ChangedSubscription>(edge, std::move(answer), pass(decision));
  const SubscriptionId id = subscriptions_.find(name)->definition.id;
  if (const auto& defined = *decision) {
    begin_frame();
    apply(engines::encode(*defined));
    end_frame();
    changed_subscriptions_.insert(name);
    maybe_ready(id);  // feeders that wait for credit hear of it
  }
  ChangedSubscription changed{subscription_of(*subscriptions_.find(id)), {}};
  for (const engines::CursorMoved& cursor : subscriptions_.cursors(id))
    changed.from.emplace_back(cursor.partition, cursor.next);
  reply<ChangedSubscription>(edge, std::move(answer), std::move(changed));
}

void Core::delete_subscription(Edge& edge, const std::string& name, Answer<void> answer) {
  if (refuse_if_failed(edge, answer)) return;
  auto deleted = subscriptions_.decide_delete(name);
  if (!deleted) return reply<void>(edge, std::move(answer), pass(deleted));
  begin_frame();
  apply(engines::encode(*deleted));
  end_frame();
  changed_subscriptions_.insert(name);
  remains_ = true;
  matched_.erase(deleted->id);
  maybe_ready(deleted->id);
  reply<void>(edge, std::move(answer), {});
}

void Core::pause(Edge& edge, SubscriptionId id, bool paused, Answer<void> answer) {
  if (refuse_if_failed(edge, answer)) return;
  auto defined = subscriptions_.decide_pause(id, paused);
  if (!defined) return reply<void>(edge, std::move(answer), pass(defined));
  begin_frame();
  apply(engines::encode(*defined));
  end_frame();
  changed_subscriptions_.insert(defined->name);
  announce(paused ? "continuo.subscription.paused" : "continuo.subscription.resumed", defined->name,
           R"({"reason":"asked"})");
  maybe_ready(id);
  reply<void>(edge, std::move(answer), {});
}

// ---- subscriptions that nobody uses ---------------------------------------------------------------------------------

// Inside a frame.
void Core::note_use(SubscriptionId id) {
  if (const auto used = subscriptions_.decide_used(id, now_.wall)) apply(engines::encode(*used));
}

std::optional<Elapsed> Core::next_idle_look() const {
  if (!subscriptions_.anything_may_idle()) return std::nullopt;
  return idle_looked_at_ + idle_look_every;
}

void Core::end_idle() {
  const auto due = next_idle_look();
  if (!due || *due > now().elapsed) return;
  open();
  idle_looked_at_ = now_.elapsed;
  for (const engines::SubscriptionDeleted& gone : subscriptions_.decide_idle(now_.wall)) {
    const std::string name = subscriptions_.find(gone.id)->definition.name;
    begin_frame();
    apply(engines::encode(gone));
    end_frame();
    announce("continuo.subscription.expired", name, R"({"reason":"nobody received from it"})");
    changed_subscriptions_.insert(name);
    remains_ = true;
    matched_.erase(gone.id);
    maybe_ready(gone.id);
  }
}

}  // namespace continuo::node
