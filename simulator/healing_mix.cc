#include "continuo/simulator/healing_mix.h"

#include <fmt/format.h>

#include <array>

namespace continuo::simulator {
namespace {

using engines::OnFailure;
using engines::OrderBy;

constexpr std::array strict_names{"h0", "h1", "h2", "h3"};
constexpr std::array subscription_names{"s0", "s1", "s2", "s3", "h0", "h1", "h2", "h3", "q0", "q1"};
constexpr std::array queue_names{"q0", "q1"};

template <std::size_t N>
std::string any_of(Random& dice, const std::array<const char*, N>& names) {
  return names[dice.below(N)];
}

}  // namespace

std::span<const HealingMix::Choice> HealingMix::choices() {
  using Mix = HealingMix;
  static constexpr Choice all[] = {
      {"put-strict", 5, &Mix::put_subscription, true},
      {"put-queue", 3, &Mix::put_queue, true},
      {"fail", 8, &Mix::fail},
      {"retry", 2, &Mix::retry},
      {"skip", 1, &Mix::skip},
      {"cancel", 1, &Mix::cancel},
      {"edit", 2, &Mix::edit},
      {"receive-repairs", 3, &Mix::receive_repairs},
      {"settle-repair", 3, &Mix::settle_repair},
      {"release", 1, &Mix::release},
      {"stop-release", 1, &Mix::stop_release},
      {"change-of-place", 1, &Mix::change_of_place},
      {"send-messages", 8, &Mix::send_messages},
      {"receive-messages", 5, &Mix::receive_messages},
      {"settle-messages", 4, &Mix::settle_messages},
      {"purge", 1, &Mix::purge},
      {"redrive", 2, &Mix::redrive},
      {"remove-queue", 1, &Mix::remove_queue},
  };
  return all;
}

// One that is there, if there is any.
std::string HealingMix::any_subscription() {
  std::vector<std::string> there;
  for (const char* name : subscription_names)
    if (world_.oracle().subscription(name)) there.emplace_back(name);
  return there.empty() ? subscription_names.front() : there[dice_.below(there.size())];
}

// One with parked keys, if there is any.
std::string HealingMix::any_healed() {
  std::vector<std::string> there;
  for (const char* name : subscription_names)
    if (!world_.parked(name).empty()) there.emplace_back(name);
  return there.empty() ? any_subscription() : there[dice_.below(there.size())];
}

std::string HealingMix::any_queue() { return any_of(dice_, queue_names); }

std::optional<node::ParkedKey> HealingMix::any_parked(const std::string& name) {
  const auto all = world_.parked(name);
  if (all.empty()) return std::nullopt;
  return all[dice_.below(all.size())];
}

// ---- definitions ----------------------------------------------------------------------------------------------------

void HealingMix::put_subscription() { put_subscription(any_of(dice_, strict_names)); }

void HealingMix::put_all() {
  for (const char* name : strict_names) put_subscription(name);
  for (const char* name : queue_names) put_queue(name);
}

void HealingMix::put_subscription(const std::string& name) {
  node::SubscriptionSettings settings;
  settings.topics = {"t0"};
  settings.from = engines::StartFrom::earliest;
  settings.lease = Millis{2'000};
  settings.retry = {{.attempts = 1, .base = Millis{150}}, {}};
  if (name == "h1") {  // dead letters, in order
    settings.topics = {"t1", "t3"};
    settings.on_failure = OnFailure::dead_letter;
    settings.dead_letter = "h1.dead";
    settings.retry.attempts = 2;
  }
  if (name == "h2") {  // in storms
    settings.topics = {"t0", "t2"};
    settings.storm = {3, Millis{2'000}, Millis{300}};
    settings.retry.attempts = 2;
  }
  if (name == "h3") {  // passed over, in order
    settings.on_failure = OnFailure::drop;
    settings.retry = {{.attempts = 2, .base = Millis{200}, .backoff = engines::Backoff::exponential}, {}};
    settings.topics = {"t3"};
  }
  if (name == "h0") settings.repairs = "[{}]";
  world_.put_subscription(name, settings);
}

void HealingMix::put_queue() { put_queue(any_queue()); }

void HealingMix::put_queue(const std::string& name) {
  node::SubscriptionSettings settings;
  settings.lease = Millis{2'000};
  settings.retry = {{.attempts = 2, .base = Millis{150}}, {}};
  if (name == "q1") {
    settings.order_by = OrderBy::none;
    settings.on_failure = OnFailure::dead_letter;
    settings.dead_letter = "q1.dead";
    settings.retry.attempts = 1;
  }
  world_.put_queue(name, settings);
}

void HealingMix::remove_queue() { world_.remove_queue(any_queue()); }

// Anywhere between the beginning and the end of what is known.
void HealingMix::change_of_place() {
  const std::string name = any_subscription();
  const auto id = world_.oracle().subscription(name);
  if (!id || name.starts_with('q') || !world_.running()) return;
  std::vector<std::pair<PartitionRef, Offset>> to;
  for (const engines::CursorMoved& each : world_.node().core().subscriptions().cursors(*id)) {
    const Offset end = world_.oracle().known_end(each.partition);
    if (dice_.chance(3, 4))
      to.emplace_back(each.partition,
                      Offset{static_cast<std::int64_t>(dice_.below(static_cast<std::uint64_t>(end.value) + 1))});
  }
  constexpr std::array fates{node::ParkedFate::refuse, node::ParkedFate::keep, node::ParkedFate::keep,
                             node::ParkedFate::discard};
  world_.seek(name, to, fates[dice_.below(fates.size())]);
}

// ---- failing --------------------------------------------------------------------------------------------------------

void HealingMix::fail() {
  const std::string name = any_subscription();
  const auto id = world_.oracle().subscription(name);
  if (!id || !world_.running()) return;
  if (dice_.chance(1, 2)) {
    if (dice_.chance(1, 2)) world_.feed();
    world_.receive(name, 1 + static_cast<std::uint32_t>(dice_.below(8)));
    world_.flush();
    if (!world_.running()) return;
  }
  std::map<std::pair<PartitionRef, std::uint64_t>, node::Lease> firsts;
  for (const HeldLease& held : world_.oracle().readers()[*id].held)
    if (!held.settling) firsts.emplace(std::pair{held.lease.partition, held.lease.key_hash}, held.lease);
  const std::string code = dice_.chance(2, 3) ? "down" : "bad";
  std::vector<node::Nack> nacks;
  for (const auto& [key, lease] : firsts)
    if (nacks.size() < 6 && dice_.chance(2, 3))
      nacks.push_back({lease, {code, "it is not 5"}, std::nullopt, dice_.chance(1, 2) ? "paid" : "moved"});
  if (!nacks.empty()) world_.settle(*id, {}, std::move(nacks), {});
}

// ---- healing --------------------------------------------------------------------------------------------------------

void HealingMix::retry() {
  const std::string name = any_healed();
  if (const auto key = any_parked(name)) world_.retry(name, key->key_hash);
}

void HealingMix::skip() {
  const std::string name = any_healed();
  if (const auto key = any_parked(name)) world_.skip(name, key->key_hash);
}

void HealingMix::cancel() {
  const std::string name = any_healed();
  if (const auto key = any_parked(name)) world_.cancel(name, *key);
}

void HealingMix::edit() {
  const std::string name = any_healed();
  if (const auto key = any_parked(name)) world_.edit(name, *key, dice_.chance(1, 2));
}

void HealingMix::receive_repairs() {
  world_.receive_repairs(any_healed(), dice_.chance(1, 2) ? node::RepairBy::workflow : node::RepairBy::declared,
                         Millis{dice_.chance(1, 3) ? 300 : 0});
}

void HealingMix::settle_repair() {
  using How = engines::RepairSettle::Outcome;
  const std::size_t all = world_.repairs().size();
  if (all == 0) return;
  constexpr std::array outcomes{How::repaired, How::repaired, How::needs_person, How::skip};
  world_.settle_repair(all - 1 - dice_.below(std::min<std::size_t>(all, 5)), outcomes[dice_.below(outcomes.size())]);
}

void HealingMix::release() {
  const std::string name = any_healed();
  node::ReleaseFilter filter;
  if (const auto key = any_parked(name); key && dice_.chance(1, 2)) filter.fingerprint = key->fingerprint;
  if (dice_.chance(1, 4)) filter.event_type = "paid";
  world_.release(name, filter, dice_.chance(1, 2) ? 0 : 1 + static_cast<std::uint32_t>(dice_.below(20)),
                 dice_.chance(1, 2));
}

void HealingMix::stop_release() { world_.stop_release(any_subscription()); }

// ---- queues ---------------------------------------------------------------------------------------------------------

void HealingMix::send_messages() {
  std::vector<Draft> drafts;
  const std::string name = any_queue();
  for (std::uint64_t count = 1 + dice_.below(3); count > 0; --count) {
    Draft draft{name, 0, fmt::format("k{}", dice_.below(4)), dice_.below(120), {}, 0};
    if (dice_.chance(1, 4)) draft.delay = Millis{static_cast<std::int64_t>(dice_.below(3'000))};
    if (dice_.chance(1, 5)) draft.ttl = Millis{200 + static_cast<std::int64_t>(dice_.below(4'000))};
    drafts.push_back(std::move(draft));
  }
  world_.publish(drafts);
}

void HealingMix::receive_messages() {
  world_.receive(dice_.chance(1, 4) ? "q1.dead" : any_queue(), 1 + static_cast<std::uint32_t>(dice_.below(6)));
}

void HealingMix::settle_messages() { world_.settle_all(dice_.chance(1, 4) ? "q1.dead" : any_queue()); }
void HealingMix::purge() { world_.purge(any_queue()); }
void HealingMix::redrive() { world_.redrive("q1"); }

}  // namespace continuo::simulator
