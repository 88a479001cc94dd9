// The subscriptions engine against a slow and obvious model, and against its own log: whatever happens in whatever
// order, events of a key come in order, one lease at a time, nothing settled comes again, and a restart changes
// nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "continuo/base/random.h"
#include "continuo/engines/recorded_test.h"
#include "continuo/engines/subscriptions.h"
#include "continuo/engines/subscriptions_test.h"

namespace continuo::engines {
namespace {

constexpr std::uint32_t outstanding = 60;
// Small: keys of a few events already have pages behind their front.
const SubscriptionLimits limits{.subscriptions = 10, .outstanding = outstanding, .run = 4, .front = 5, .page = 3};

using Machine = subscriptions_test::MachineOf<limits>;

// What is known of a key, the obvious way.
struct ModelKey {
  enum class State { ready, leased, waiting, parked };
  std::vector<Offset> events;  // not settled, in order
  State state = State::ready;
  std::uint32_t leased = 0;
  std::uint32_t attempts = 0;  // of the first event
  std::uint64_t number = 0;
  Elapsed until;

  bool holds(const Lease& lease, std::size_t place) const {
    return state == State::leased && lease.number == number && place < leased && events[place] == lease.offset;
  }
  void settle(std::uint32_t count) {
    if (count == 0) return;
    events.erase(events.begin(), events.begin() + count);
    leased -= count;
    attempts = leased == 0 ? 0 : 1;
    if (leased == 0) state = State::ready;
  }
  void cut(std::uint32_t kept) {
    leased = kept;
    if (kept != 0) return;
    --attempts;
    state = State::ready;
  }
};

struct ModelSubscription {
  SubscriptionSettings settings;
  bool paused = false;
  std::uint32_t filter = 1;
  std::map<PartitionRef, Offset> next;
  std::map<KeyRef, ModelKey> keys;

  void fail(const KeyRef& ref, std::optional<Millis> delay, Elapsed now) {
    ModelKey& key = keys.at(ref);
    key.leased = 0;
    if (key.attempts < settings.retry.attempts) {
      const Millis wait = delay.value_or(settings.retry.base);
      key.state = wait.count() == 0 ? ModelKey::State::ready : ModelKey::State::waiting;
      key.until = now + wait;
      return;
    }
    if (settings.on_failure == OnFailure::park) {
      key.state = ModelKey::State::parked;
      return;
    }
    pass_over(ref);
  }
  void pass_over(const KeyRef& ref) {
    ModelKey& key = keys.at(ref);
    key.events.erase(key.events.begin());
    key.attempts = 0;
    key.state = ModelKey::State::ready;
    drop_if_empty(ref);
  }
  void drop_if_empty(const KeyRef& ref) {
    if (keys.at(ref).events.empty()) keys.erase(ref);
  }
  std::size_t count(ModelKey::State state) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(keys, [&](const auto& each) { return each.second.state == state; }));
  }
  std::uint64_t events(ModelKey::State state) const {
    std::uint64_t sum = 0;
    for (const auto& [ref, key] : keys) sum += key.state == state ? key.events.size() : 0;
    return sum;
  }
};

class Play {
 public:
  explicit Play(std::uint64_t seed) : random_(seed) {}

  void define() {
    const SubscriptionId id{static_cast<std::uint32_t>(model_.size() + 1)};
    SubscriptionSettings settings;
    settings.topics = {"t"};
    settings.order_by = random_.chance(1, 4) ? OrderBy::none : OrderBy::key;
    settings.concurrency = static_cast<std::uint32_t>(1 + random_.below(6));
    settings.lease = Millis{1'000};
    settings.retry = {static_cast<std::uint32_t>(1 + random_.below(3)), Millis{random_.chance(1, 3) ? 0 : 500}};
    settings.on_failure = random_.chance(1, 3) ? OnFailure::drop : OnFailure::park;
    std::vector<std::pair<PartitionRef, Offset>> starts;
    for (std::uint32_t partition = 0; partition < 2; ++partition)
      starts.push_back({{TopicId{1}, PartitionId{partition}}, Offset{0}});
    const auto decision = engine().decide_define("s" + std::to_string(id.value), settings, {TopicId{1}}, starts);
    ASSERT_TRUE(decision);
    ASSERT_EQ(decision->defined.id, id);
    std::vector<Effect> effects{encode(decision->defined)};
    for (const CursorMoved& cursor : decision->cursors) effects.push_back(encode(cursor));
    commit(std::move(effects));
    for (const auto& [partition, next] : starts) model_[id].next[partition] = next;
    model_[id].settings = settings;
  }

  void offer() {
    auto& [id, model] = any_subscription();
    auto& [partition, next] = *std::next(model.next.begin(), static_cast<std::ptrdiff_t>(random_.below(2)));
    Offer offer{id, 1, partition, next, next, {}};
    for (auto left = random_.below(8); left > 0; --left) {
      offer.next = offer.next + static_cast<std::int64_t>(random_.below(3));              // what the filter left out
      offer.events.push_back({offer.next, random_.chance(1, 2) ? 0 : random_.below(5)});  // one key is hot
      offer.next = offer.next + 1;
    }
    offer.filter = model.filter;
    if (random_.chance(1, 10)) ++offer.epoch;
    if (random_.chance(1, 8)) offer.filter -= std::min<std::uint32_t>(offer.filter, 1 + random_.below(2));
    if (random_.chance(1, 10)) offer.from = offer.from + 1;
    const auto decision = engine().decide_offer(offer);
    ASSERT_TRUE(decision);
    const std::uint64_t used = model.events(ModelKey::State::ready) + model.events(ModelKey::State::leased) +
                               model.events(ModelKey::State::waiting);
    const std::uint64_t credit = used >= outstanding ? 0 : outstanding - used;
    ASSERT_EQ(decision->credit.filter, model.filter);
    if (offer.epoch != 1 || offer.filter != model.filter || offer.from != next || offer.events.size() > credit) {
      ASSERT_TRUE(decision->effects.empty());
      ASSERT_EQ(decision->credit.next, next);
      ASSERT_EQ(decision->credit.credit, credit);
      return;
    }
    ASSERT_EQ(decision->credit.next, offer.next);
    ASSERT_EQ(decision->credit.credit, credit - offer.events.size());
    commit(decision->effects);
    for (const Offer::Event& event : offer.events) {
      const bool by_key = model.settings.order_by == OrderBy::key;
      const KeyRef ref{id, partition, by_key ? event.key_hash : static_cast<std::uint64_t>(event.offset.value)};
      model.keys[ref].events.push_back(event.offset);
    }
    next = offer.next;
  }

  void receive() {
    auto& [id, model] = any_subscription();
    const Receive receive{id, static_cast<std::uint32_t>(1 + random_.below(10)), std::nullopt};
    const auto decision = engine().decide_receive(receive, now_);
    ASSERT_TRUE(decision);
    const auto ready_before = model.count(ModelKey::State::ready);
    const auto leased_before = model.count(ModelKey::State::leased);
    commit(decision->effects());
    std::set<KeyRef> seen;
    const std::uint64_t numbered = last_number_;
    for (const KeyLeased& lease : decision->leases) {
      ASSERT_TRUE(seen.insert(lease.key).second) << "one lease a key";
      ModelKey& key = model.keys.at(lease.key);
      ASSERT_EQ(key.state, ModelKey::State::ready);
      ASSERT_GT(lease.number, numbered) << "numbers fence, also those of keys that were gone meanwhile";
      last_number_ = std::max(last_number_, lease.number);
      ASSERT_TRUE(lease.count >= 1 && lease.count <= key.events.size());
      key.state = ModelKey::State::leased;
      key.leased = lease.count;
      key.number = lease.number;
      key.until = now_ + model.settings.lease;
      ++key.attempts;
    }
    const auto& deliveries = decision->received.deliveries;
    ASSERT_LE(deliveries.size(), receive.max);
    std::map<KeyRef, std::uint32_t> places;
    for (const Delivery& delivery : deliveries) {
      const KeyRef ref{id, delivery.lease.partition, delivery.lease.key_hash};
      const ModelKey& key = model.keys.at(ref);
      const std::uint32_t place = places[ref]++;
      ASSERT_TRUE(key.holds(delivery.lease, place)) << "in order, from the first unsettled one on";
      ASSERT_EQ(delivery.attempt, place == 0 ? key.attempts : 1);
      given_.push_back(delivery.lease);
    }
    for (const auto& [ref, count] : places) ASSERT_EQ(count, model.keys.at(ref).leased);
    ASSERT_LE(model.count(ModelKey::State::leased), model.settings.concurrency);
    const auto room = std::min<std::size_t>(receive.max, model.settings.concurrency - leased_before);
    ASSERT_EQ(deliveries.empty(), model.paused || ready_before == 0 || room == 0);
    if (!model.paused && deliveries.size() < receive.max) {
      ASSERT_GE(seen.size(), std::min(ready_before, room));
    }
  }

  // As for leases that did not fit into an answer: any that still hold.
  void give_back() {
    if (given_.empty()) return;
    std::vector<Lease> leases;
    for (auto left = 1 + random_.below(4); left > 0; --left) leases.push_back(any_lease());
    for (const Lease& lease : leases) {
      auto& model = model_.at(lease.subscription);
      const auto found = model.keys.find({lease.subscription, lease.partition, lease.key_hash});
      if (found == model.keys.end()) continue;
      ModelKey& key = found->second;
      for (std::uint32_t place = 0; place < key.leased; ++place)
        if (key.holds(lease, place)) key.cut(place);
    }
    commit(engine().decide_return(leases));
  }

  void settle() {
    if (given_.empty()) return;
    Settle request{any_lease().subscription, {}, {}, {}};
    std::map<KeyRef, std::vector<Lease>> acks;
    std::map<KeyRef, Nack> nacks;
    std::map<KeyRef, std::vector<Extend>> extends;
    std::set<Lease> named;
    for (auto left = 1 + random_.below(8); left > 0; --left) {
      const Lease lease = any_lease();
      if (lease.subscription != request.subscription || !named.insert(lease).second) continue;
      const KeyRef ref{lease.subscription, lease.partition, lease.key_hash};
      if (random_.chance(2, 3))
        acks[ref].push_back(lease);
      else if (random_.chance(2, 3))
        nacks.try_emplace(ref, Nack{lease, {"code", "why"}, random_delay()});
      else
        extends[ref].push_back({lease, Millis{random_.chance(1, 2) ? 2'000 : 1'500}});
    }
    for (const auto& [ref, leases] : acks) request.acks.insert(request.acks.end(), leases.begin(), leases.end());
    for (const auto& [ref, nack] : nacks) request.nacks.push_back(nack);
    for (const auto& [ref, each] : extends) request.extends.insert(request.extends.end(), each.begin(), each.end());
    const bool publishes = random_.chance(1, 3);
    const Now now{WallTime{now_.ms}, now_};
    const auto decision = engine().decide_settle(request, publishes, now);
    settle_model(acks, nacks, extends, publishes, decision);
  }

  void settle_model(std::map<KeyRef, std::vector<Lease>>& acks, const std::map<KeyRef, Nack>& nacks,
                    const std::map<KeyRef, std::vector<Extend>>& extends, bool publishes,
                    const Result<SubscriptionsEngine::SettleDecision>& decision) {
    const auto before = model_;
    std::set<Lease> refused;
    std::uint32_t settled = 0;
    std::set<KeyRef> refs;
    for (const auto* each : {&acks})
      for (const auto& [ref, leases] : *each) refs.insert(ref);
    for (const auto& [ref, nack] : nacks) refs.insert(ref);
    for (const auto& [ref, extend] : extends) refs.insert(ref);
    for (const KeyRef& ref : refs) {
      auto& model = model_.at(ref.subscription);
      ModelKey absent;
      const auto found = model.keys.find(ref);
      ModelKey& key = found == model.keys.end() ? absent : found->second;
      std::uint32_t count = 0;
      std::ranges::sort(acks[ref], {}, &Lease::offset);
      for (const Lease& lease : acks[ref]) {
        if (key.holds(lease, count))
          ++count;
        else
          refused.insert(lease);
      }
      const auto nack = nacks.find(ref);
      const auto extend = extends.find(ref);
      const bool nacked = nack != nacks.end() && key.holds(nack->second.lease, count);
      if (nack != nacks.end() && !nacked) refused.insert(nack->second.lease);
      std::optional<Millis> longest;
      for (const Extend& each : extend == extends.end() ? std::vector<Extend>{} : extend->second) {
        bool holds = false;
        for (std::uint32_t place = count; place < key.leased && !nacked; ++place)
          holds = holds || key.holds(each.lease, place);
        if (holds) longest = std::max(longest.value_or(each.by), each.by);
        if (!holds) refused.insert(each.lease);
      }
      settled += count + (nacked ? 1 : 0);
      key.settle(count);
      if (nacked)
        model.fail(ref, nack->second.delay, now_);
      else if (longest)
        key.until = now_ + *longest;
      if (model.keys.contains(ref)) model.drop_if_empty(ref);
    }
    if (publishes && !refused.empty()) {
      ASSERT_FALSE(decision);
      ASSERT_EQ(decision.error().code, Code::settle_refused);
      model_ = before;
      return;
    }
    ASSERT_TRUE(decision);
    std::set<Lease> really;
    for (const RefusedLease& each : decision->settled.refused) really.insert(each.lease);
    ASSERT_EQ(really, refused) << "late settles, and those out of order, are refused";
    ASSERT_EQ(decision->settled.settled, settled);
    commit(decision->effects);
  }

  void pass_time() {
    now_ = now_ + Millis{static_cast<std::int64_t>(random_.below(900))};
    const Now now{WallTime{now_.ms}, now_};
    while (true) {
      const auto effects = engine().decide_due(now, 3);
      if (effects.empty()) break;
      commit(effects);
    }
    for (auto& [id, model] : model_) {
      std::vector<KeyRef> refs;
      for (const auto& [ref, key] : model.keys) refs.push_back(ref);
      for (const KeyRef& ref : refs) {
        ModelKey& key = model.keys.at(ref);
        if (key.until > now_) continue;
        if (key.state == ModelKey::State::leased)
          model.fail(ref, std::nullopt, now_);
        else if (key.state == ModelKey::State::waiting)
          key.state = ModelKey::State::ready;
      }
    }
    const auto due = engine().next_due();
    ASSERT_TRUE(!due || *due > now_);
  }

  void heal() {
    auto& [id, model] = any_subscription();
    const auto parked = engine().parked(id, {.limit = 100});
    ASSERT_EQ(parked.size(), model.count(ModelKey::State::parked));
    if (parked.empty()) {
      ASSERT_EQ(engine().decide_retry(id, 3).error().code, Code::not_parked);
      ASSERT_EQ(engine().decide_skip(id, 3, {}).error().code, Code::not_parked);
      return;
    }
    const std::uint64_t chosen = parked[random_.below(parked.size())].key_hash;
    const bool retry = random_.chance(1, 2);
    commit(retry ? *engine().decide_retry(id, chosen) : *engine().decide_skip(id, chosen, {"ann", "by hand"}));
    for (const ParkedKey& each : parked) {
      const KeyRef ref{id, each.partition, chosen};
      if (each.key_hash != chosen) continue;
      ModelKey& key = model.keys.at(ref);
      ASSERT_EQ(key.state, ModelKey::State::parked);
      ASSERT_EQ(each.head, key.events.front());
      ASSERT_EQ(each.waiting, key.events.size() - 1);
      key.attempts = 0;
      key.state = ModelKey::State::ready;
      if (!retry) model.pass_over(ref);
    }
  }

  void pause() {
    auto& [id, model] = any_subscription();
    model.paused = random_.chance(1, 2);
    commit({encode(*engine().decide_pause(id, model.paused))});
  }

  void change_filter() {
    auto& [id, model] = any_subscription();
    const std::string filter = random_.chance(1, 4) ? "" : R"({"type":[")" + std::to_string(random_.below(3)) + "\"]}";
    const bool keep = random_.chance(1, 2);
    const auto decision =
        engine().decide_change("s" + std::to_string(id.value), {.filter = filter, .keep_parked = keep});
    if (filter != model.settings.filter && !keep && model.count(ModelKey::State::parked) != 0) {
      ASSERT_EQ(decision.error().code, Code::keys_parked);
      return;
    }
    ASSERT_TRUE(decision);
    ASSERT_EQ(decision->has_value(), filter != model.settings.filter);
    if (!*decision) return;
    commit({encode(**decision)});
    model.settings.filter = filter;
    ++model.filter;
  }

  void checkpoint() { recorded_.checkpoint(random_.chance(1, 3) ? 100'000 : random_.below(120)); }
  void restart() { recorded_.restart(); }

  void check() {
    for (auto& [id, model] : model_) {
      const auto counts = engine().counts(id);
      ASSERT_EQ(engine().find(id)->definition.filter_version, model.filter);
      ASSERT_EQ(engine().find(id)->definition.settings.filter, model.settings.filter);
      ASSERT_EQ(counts.parked_keys, model.count(ModelKey::State::parked));
      ASSERT_EQ(counts.parked_events, model.events(ModelKey::State::parked));
      ASSERT_EQ(counts.delayed, model.events(ModelKey::State::waiting));
      std::uint64_t leased = 0;
      for (const auto& [ref, key] : model.keys) leased += key.leased;
      ASSERT_EQ(counts.leased, leased);
      ASSERT_EQ(counts.queued, model.events(ModelKey::State::ready) + model.events(ModelKey::State::leased) - leased);
      ASSERT_EQ(engine().has_ready(id), !model.paused && model.count(ModelKey::State::ready) != 0 &&
                                            model.count(ModelKey::State::leased) < model.settings.concurrency);
      for (const CursorMoved& cursor : engine().cursors(id)) ASSERT_EQ(cursor.next, model.next.at(cursor.partition));
      std::map<PartitionRef, Offset> oldest;
      for (const auto& [ref, key] : model.keys) {
        const auto at = oldest.try_emplace(ref.partition, key.events.front()).first;
        at->second = std::min(at->second, key.events.front());
      }
      const auto found = engine().oldest(id);
      ASSERT_EQ((std::map<PartitionRef, Offset>{found.begin(), found.end()}), oldest);
    }
  }
  void check_log() { ASSERT_EQ(recorded_.content(), recorded_.replayed_content()); }

 private:
  const SubscriptionsEngine& engine() { return recorded_.live().engine; }
  void commit(std::vector<Effect> effects) { recorded_.commit(std::move(effects), now_); }
  std::pair<const SubscriptionId, ModelSubscription>& any_subscription() {
    return *std::next(model_.begin(), static_cast<std::ptrdiff_t>(random_.below(model_.size())));
  }
  // Mostly one of the last: those still hold more often.
  Lease any_lease() {
    const auto back = random_.below(std::min<std::size_t>(given_.size(), random_.chance(1, 5) ? given_.size() : 12));
    return given_[given_.size() - 1 - back];
  }
  std::optional<Millis> random_delay() {
    if (random_.chance(1, 2)) return std::nullopt;
    return Millis{static_cast<std::int64_t>(random_.below(2) * 300)};
  }

  SeededRandom random_;
  Recorded<Machine> recorded_;
  std::map<SubscriptionId, ModelSubscription> model_;
  std::vector<Lease> given_;
  std::uint64_t last_number_ = 0;
  Elapsed now_{1};

 public:
  SeededRandom& random() { return random_; }
};

TEST(SubscriptionsModel, EngineAndModelAgreeOverRestarts) {
  for (std::uint64_t seed = 1; seed <= 300 && !testing::Test::HasFatalFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Play play{seed};
    play.define();
    play.define();
    for (int step = 0; step < 150 && !testing::Test::HasFatalFailure(); ++step) {
      switch (play.random().below(18)) {
        case 0:
        case 1:
        case 2: play.offer(); break;
        case 3:
        case 4:
        case 5: play.receive(); break;
        case 6:
        case 7:
        case 8:
        case 9: play.settle(); break;
        case 10: play.pass_time(); break;
        case 11: play.heal(); break;
        case 12: play.checkpoint(); break;
        case 13: play.checkpoint(); break;
        case 14: play.restart(); break;
        case 15: play.give_back(); break;
        case 16: play.change_filter(); break;
        default: play.pause(); break;
      }
      if (testing::Test::HasFatalFailure()) return;
      play.check();
    }
    play.check_log();
  }
}

}  // namespace
}  // namespace continuo::engines
