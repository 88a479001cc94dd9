// The commands that heal parked keys, the workflow that repairs, and going to another place.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/engines/lease_bounds.h"
#include "continuo/node/admission.h"
#include "continuo/node/core_state.h"
#include "continuo/node/no_edge.h"

namespace continuo::node {
namespace {

constexpr std::size_t cancelled_at_once = 1'000;  // effects in a frame

}  // namespace

// ---- verbs ----------------------------------------------------------------------------------------------------------

void Core::parked(Edge& edge, SubscriptionId id, const ParkedQuery& query, Answer<std::vector<ParkedKey>> answer) {
  if (refuse_if_failed(edge, answer)) return;
  if (subscriptions_.find(id) == nullptr)
    return reply<std::vector<ParkedKey>>(edge, std::move(answer),
                                         continuo::fail(Code::unknown_subscription, "the subscription was deleted"));
  reply<std::vector<ParkedKey>>(edge, std::move(answer), subscriptions_.parked(id, query));
}

void Core::find_parked(Edge& edge, SubscriptionId id, std::uint64_t key_hash, Answer<ParkedKey> answer) {
  if (refuse_if_failed(edge, answer)) return;
  reply<ParkedKey>(edge, std::move(answer), subscriptions_.parked_key(id, key_hash));
}

// One frame of effects of the subscription, or the refusal.
Result<void> Core::carry_out(SubscriptionId id, Result<std::vector<engines::Effect>> effects) {
  if (!effects) return pass(effects);
  begin_frame();
  for (const engines::Effect& each : *effects) apply(each);
  end_frame();
  maybe_ready(id);
  return {};
}

void Core::retry_parked(Edge& edge, SubscriptionId id, std::uint64_t key_hash, const Asked& asked,
                        Answer<void> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  reply<void>(edge, std::move(answer), carry_out(id, subscriptions_.decide_retry(id, key_hash, asked)));
}

void Core::skip_parked(Edge& edge, SubscriptionId id, std::uint64_t key_hash, const Asked& asked, Answer<void> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  reply<void>(edge, std::move(answer), carry_out(id, subscriptions_.decide_skip(id, key_hash, asked)));
}

void Core::cancel_parked(Edge& edge, SubscriptionId id, std::uint64_t key_hash, Asked asked,
                         Answer<std::uint64_t> answer) {
  if (refuse_if_failed(edge, answer)) return;
  auto found = subscriptions_.parked_key(id, key_hash);
  if (!found) return reply<std::uint64_t>(edge, std::move(answer), pass(found));
  cancels_.push_back({&edge, {id, found->partition, key_hash}, std::move(asked), std::move(answer), 0});
  if (cancels_.size() == 1) advance_cancel();
}

// A slice of the oldest. The key stays parked until the last one, so a crash between two leaves a shorter key.
void Core::advance_cancel() {
  if (cancels_.empty()) return;
  open();
  Cancelling& cancel = cancels_.front();
  auto slice = subscriptions_.decide_cancel(cancel.key, cancelled_at_once);
  if (!slice) return end_cancel(pass(slice));
  const auto head = subscriptions_.look_at(cancel.key);
  begin_frame();
  for (const engines::Effect& each : slice->effects) apply(each);
  end_frame();
  cancel.events += slice->events;
  if (!slice->complete) return;
  tell_key("continuo.key.cancelled", cancel.key, *head,
           fmt::format(R"("events":{},)", cancel.events) + who_and_why(cancel.asked.by, cancel.asked.reason));
  flush_told();
  maybe_ready(cancel.key.subscription);
  end_cancel(std::uint64_t{cancel.events});
}

void Core::end_cancel(Result<std::uint64_t> result) {
  Cancelling cancel = std::move(cancels_.front());
  cancels_.pop_front();
  reply<std::uint64_t>(*cancel.edge, std::move(cancel.answer), std::move(result));
}

// ---- edits ----------------------------------------------------------------------------------------------------------

// Inside a frame.
void Core::lay_edit(PartitionRef edits, EditedEvent event) {
  const Offset copy = topics_.head(edits)->next;
  lay({edits.topic, edits.partition, std::move(event.body), event.timestamp_ms, {}}, copy);
  topics_.appended(edits, copy + 1);
}

void Core::edit_parked(Edge& edge, EditParked edit, Answer<void> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  if (auto refused = may_publish(home_.stats()); !refused) return reply<void>(edge, std::move(answer), pass(refused));
  const engines::KeyRef key{edit.subscription, edit.partition, edit.key_hash};
  const auto there = subscriptions_.look_at(key);
  if (there && there->head != edit.head)
    return reply<void>(edge, std::move(answer),
                       continuo::fail(Code::not_parked, "another event is the head of the key by now", {},
                                      "look at the key again, and edit what is there"));
  const PartitionRef edits = system_partition(edits_topic);
  auto decided =
      subscriptions_.decide_edit(key, topics_.head(edits)->next, edit.event.difference, edit.release, edit.asked);
  if (!decided) return reply<void>(edge, std::move(answer), pass(decided));
  begin_frame();
  lay_edit(edits, std::move(edit.event));
  for (const engines::Effect& each : *decided) apply(each);
  end_frame();
  maybe_ready(edit.subscription);
  reply<void>(edge, std::move(answer), {});
}

// Behind the oldest edit that is still delivered; not for every single one.
void Core::trim_edits() {
  constexpr std::int64_t worth_it = 256;
  const engines::TopicUnit* topic = topics_.find(edits_topic);
  if (topic == nullptr) return;
  const PartitionRef edits{topic->definition.id, PartitionId{0}};
  const engines::HeadUnit& head = *topics_.head(edits);
  const Offset before = subscriptions_.lowest_edit().value_or(head.next);
  if (before - head.first < worth_it) return;
  lay_trim(edits, before);
}

// ---- releases -------------------------------------------------------------------------------------------------------

void Core::release_parked(Edge& edge, const ReleaseParked& release, Answer<Release> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  auto draft = subscriptions_.draft_release(release.subscription, release.filter, release.rate, release.stop_at_relapse,
                                            release.asked, now_);
  if (!draft || release.dry_run) return reply<Release>(edge, std::move(answer), std::move(draft));
  auto decided = subscriptions_.decide_release(std::move(*draft));
  if (!decided) return reply<Release>(edge, std::move(answer), pass(decided));
  begin_frame();
  apply(engines::encode(*decided));
  end_frame();
  reply<Release>(edge, std::move(answer), std::move(*decided));
}

void Core::stop_release(Edge& edge, SubscriptionId id, Answer<Release> answer) {
  if (refuse_if_failed(edge, answer)) return;
  auto decided = subscriptions_.decide_stop_release(id);
  if (!decided) return reply<Release>(edge, std::move(answer), pass(decided));
  begin_frame();
  apply(engines::encode(*decided));
  end_frame();
  reply<Release>(edge, std::move(answer), std::move(*decided));
}

void Core::last_release(Edge& edge, SubscriptionId id, Answer<std::optional<Release>> answer) {
  if (refuse_if_failed(edge, answer)) return;
  const Release* release = subscriptions_.release(id);
  reply<std::optional<Release>>(edge, std::move(answer), release == nullptr ? std::nullopt : std::optional{*release});
}

// ---- the workflow that repairs --------------------------------------------------------------------------------------

bool Core::serve_repairs(const ReceiveRepairs& receive, std::vector<RepairDelivery>& deliveries) {
  auto decision =
      subscriptions_.decide_repair(receive.subscription, receive.who, receive.max, receive.lease, now_.elapsed);
  if (!decision || decision->deliveries.empty()) return false;
  begin_frame();
  for (const engines::Effect& each : decision->effects) apply(each);
  end_frame();
  deliveries = std::move(decision->deliveries);
  return true;
}

void Core::receive_repairs(Edge& edge, ReceiveRepairs receive, Answer<std::vector<RepairDelivery>> answer) {
  using Deliveries = std::vector<RepairDelivery>;
  if (refuse_if_failed(edge, answer)) return;
  open();
  if (subscriptions_.find(receive.subscription) == nullptr)
    return reply<Deliveries>(edge, std::move(answer),
                             continuo::fail(Code::unknown_subscription, "the subscription was deleted"));
  if (!engines::is_lease(receive.lease))
    return reply<Deliveries>(edge, std::move(answer),
                             continuo::fail(Code::bad_setting, "a lease is 100ms to 12h", "lease"));
  Deliveries deliveries;
  if (!serve_repairs(receive, deliveries) && receive.wait.count() > 0) {
    const Elapsed deadline = now_.elapsed + receive.wait;
    repairers_.push_back({&edge, std::move(receive), deadline, std::move(answer)});
    return;
  }
  reply<Deliveries>(edge, std::move(answer), std::move(deliveries));
}

// Those who wait for something to repair; looked at when keys were parked or given back, and when their time is over.
void Core::serve_repairers() {
  if (repairers_.empty()) return;
  const Elapsed current = open_ ? now_.elapsed : now().elapsed;
  const bool look = std::exchange(broken_came_, false);
  for (auto at = repairers_.begin(); at != repairers_.end();) {
    const bool gone = at->receive.cancelled && at->receive.cancelled->load(std::memory_order_relaxed);
    const bool deleted = subscriptions_.find(at->receive.subscription) == nullptr;
    std::vector<RepairDelivery> deliveries;
    if (!gone && !deleted && look) {
      open();
      serve_repairs(at->receive, deliveries);
    }
    if (!gone && !deleted && deliveries.empty() && at->deadline > current) {
      ++at;
      continue;
    }
    if (!gone) {
      open();
      Result<std::vector<RepairDelivery>> result{std::move(deliveries)};
      if (deleted) result = continuo::fail(Code::unknown_subscription, "the subscription was deleted");
      reply<std::vector<RepairDelivery>>(*at->edge, std::move(at->answer), std::move(result));
    }
    at = repairers_.erase(at);
  }
}

void Core::settle_repairs(Edge& edge, SubscriptionId id, std::vector<SettleRepair> repairs, const std::string& by,
                          Answer<RepairsSettled> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  using Outcome = engines::RepairSettle::Outcome;
  if (subscriptions_.find(id) == nullptr)
    return reply<RepairsSettled>(edge, std::move(answer),
                                 continuo::fail(Code::unknown_subscription, "the subscription was deleted"));
  const bool edits_any =
      std::ranges::any_of(repairs, [](const SettleRepair& each) { return each.settle.outcome == Outcome::repaired; });
  if (auto refused = may_publish(home_.stats()); edits_any && !refused)
    return reply<RepairsSettled>(edge, std::move(answer), pass(refused));
  const PartitionRef edits = edits_any ? system_partition(edits_topic) : PartitionRef{};
  RepairsSettled settled;
  begin_frame();
  for (SettleRepair& each : repairs) {
    const bool repaired = each.settle.outcome == Outcome::repaired;
    const Offset copy = repaired ? topics_.head(edits)->next : Offset{0};
    auto decided = subscriptions_.decide_repaired(each.settle, copy, each.event.difference, by);
    if (!decided) {
      settled.refused.push_back({each.settle.lease, decided.error().code});
      continue;
    }
    if (repaired) lay_edit(edits, std::move(each.event));
    for (const engines::Effect& effect : *decided) apply(effect);
    ++settled.settled;
  }
  end_frame();
  maybe_ready(id);
  reply<RepairsSettled>(edge, std::move(answer), std::move(settled));
}

// A key that is being cancelled goes on so, and nobody hears of it.
void Core::forget_healing(const Edge& edge) {
  std::erase_if(repairers_, [&](const Repairer& repairer) { return repairer.edge == &edge; });
  for (Cancelling& cancel : cancels_)
    if (cancel.edge == &edge) cancel.edge = &no_edge(), cancel.answer = [](Result<std::uint64_t>) {};
}

void Core::fail_healing() {
  for (Repairer& each : std::exchange(repairers_, {}))
    reply<std::vector<RepairDelivery>>(*each.edge, std::move(each.answer), std::vector<RepairDelivery>{});
  while (!cancels_.empty()) end_cancel(continuo::fail(Code::node_failed, "the node stopped"));
}

// ---- going to another place -----------------------------------------------------------------------------------------

void Core::seek(Edge& edge, const Seek& seek, Answer<Subscription> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  const auto parked = subscriptions_.counts(seek.subscription).parked_keys;
  if (parked != 0 && seek.parked == ParkedFate::refuse)
    return reply<Subscription>(
        edge, std::move(answer),
        continuo::fail(Code::keys_parked, fmt::format("{} keys are parked", parked), "parked",
                       R"(say "parked":"keep" and they stay parked, or "discard" and they are forgotten)"));
  auto to = seek.to;
  for (auto& [partition, offset] : to)
    if (const engines::HeadUnit* head = topics_.head(partition)) offset = std::max(offset, first_of(*head));
  auto effects = subscriptions_.decide_seek(seek.subscription, to, seek.parked == ParkedFate::keep);
  if (!effects) return reply<Subscription>(edge, std::move(answer), pass(effects));
  const std::string name = subscriptions_.find(seek.subscription)->definition.name;
  begin_frame();
  for (const engines::Effect& each : *effects) apply(each);
  end_frame();
  const engines::SubscriptionUnit& moved = *subscriptions_.find(name);
  const SubscriptionId id = moved.definition.id;
  announce("continuo.subscription.moved", name,
           fmt::format(R"({{"epoch":{},"parked_keys":{},"parked":"{}",{}}})", moved.definition.epoch, parked,
                       seek.parked == ParkedFate::keep ? "kept" : "discarded",
                       who_and_why(seek.asked.by, seek.asked.reason)));
  changed_subscriptions_.insert(name);
  follow(seek.subscription, id);
  reply<Subscription>(edge, std::move(answer), subscription_of(moved));
}

// Who waits for events of the old number waits for those of the new one.
void Core::follow(SubscriptionId before, SubscriptionId now) {
  if (auto waiting = waiting_.extract(before)) {
    for (Waiter& waiter : waiting.mapped()) waiter.receive.subscription = now;
    waiting.key() = now;
    waiting_.insert(std::move(waiting));
  }
  for (Repairer& repairer : repairers_)
    if (repairer.receive.subscription == before) repairer.receive.subscription = now;
  remains_ = true;
  matched_.erase(before);
  maybe_ready(before);
  maybe_ready(now);
}

}  // namespace continuo::node
