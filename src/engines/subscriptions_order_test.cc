// The order oracle: whatever fails, is repaired, crashes, is settled twice or too late, consumers are successful with
// the events of a key in the order of the log - less what was passed over and told, with edits in their places - and
// in the end nothing is missing.
//
// The oracle knows only the log and what happened; it never asks the engine how a key stands.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <set>

#include "continuo/base/random.h"
#include "continuo/engines/recorded_test.h"
#include "continuo/engines/subscriptions.h"
#include "continuo/engines/subscriptions_test.h"

namespace continuo::engines {
namespace {

const SubscriptionLimits limits{.subscriptions = 40, .outstanding = 80, .run = 4, .front = 5, .page = 3};
using Machine = subscriptions_test::MachineOf<limits>;

constexpr std::uint32_t partitions = 2;
constexpr std::uint64_t keys = 6;
PartitionRef partition_of(std::uint64_t number) {
  return {TopicId{1}, PartitionId{static_cast<std::uint32_t>(number)}};
}

// One name, whatever number it has now.
struct Reader {
  SubscriptionId id;
  std::uint32_t epoch = 1;
  SubscriptionSettings settings;
  // What the log holds of each key and was neither successful nor passed over, in its order.
  std::map<std::pair<PartitionRef, std::uint64_t>, std::deque<Offset>> owed;
  std::map<std::pair<PartitionRef, Offset>, Offset> edits;  // what is to be delivered in an event's place
};

class Story {
 public:
  explicit Story(std::uint64_t seed) : random_(seed) {}

  void define(const std::string& name) {
    SubscriptionSettings settings;
    settings.topics = {"t"};
    settings.lease = Millis{1'000};
    settings.concurrency = static_cast<std::uint32_t>(1 + random_.below(6));
    settings.retry = {{static_cast<std::uint32_t>(1 + random_.below(3)), Millis{300}}, {}};
    const auto dice = random_.below(6);
    settings.on_failure = dice == 0 ? OnFailure::drop : dice == 1 ? OnFailure::dead_letter : OnFailure::park;
    if (dice == 1) settings.dead_letter = "dead";
    if (random_.chance(1, 3)) settings.repairs = "[{}]";
    if (random_.chance(1, 3)) settings.storm = {3, Millis{2'000}, Millis{400}};
    std::vector<std::pair<PartitionRef, Offset>> starts;
    for (std::uint32_t i = 0; i < partitions; ++i) starts.emplace_back(partition_of(i), Offset{0});
    const auto decided = engine().decide_define(name, settings, {TopicId{1}}, starts);
    ASSERT_TRUE(decided);
    std::vector<Effect> effects{encode(decided->defined)};
    for (const CursorMoved& cursor : decided->cursors) effects.push_back(encode(cursor));
    commit(std::move(effects));
    readers_[name] = {decided->defined.id, 1, settings, {}, {}};
  }

  void step() {
    switch (random_.below(24)) {
      case 0:
      case 1: return append();
      case 2:
      case 3:
      case 4: return offer();
      case 5:
      case 6:
      case 7:
      case 8: return receive();
      case 9:
      case 10:
      case 11:
      case 12: return settle(false);
      case 13: return settle(true);
      case 14: return pass_time(Millis{static_cast<std::int64_t>(random_.below(900))});
      case 15: return retry_or_skip();
      case 16: return edit();
      case 17: return repair();
      case 18: return release();
      case 19: return random_.chance(1, 4) ? cancel() : bury();
      case 20: return random_.chance(1, 6) ? seek() : bury();
      case 21: return recorded_.checkpoint(random_.chance(1, 3) ? 100'000 : random_.below(200));
      case 22: return random_.chance(1, 3) ? crash() : give_back();
      default: return pause();
    }
  }

  // Everybody is successful from now on: what is owed comes, all of it, in order.
  void finish() {
    for (auto& [name, reader] : readers_) commit({encode(*engine().decide_pause(reader.id, false))});
    for (int round = 0; round < 3'000 && owed() != 0; ++round) {
      for (auto& [name, reader] : readers_) {
        offer_to(reader);
        for (const ParkedKey& key : engine().parked(reader.id, {.limit = 100}))
          if (const auto effects = engine().decide_retry(reader.id, key.key_hash, {}); effects) commit(*effects);
        const auto leases = receive_from(reader, 20);
        if (!leases.empty()) ack(reader, leases);
      }
      bury();
      pass_time(Millis{500});
      if (testing::Test::HasFatalFailure()) return;
    }
    for (const auto& [name, reader] : readers_)
      for (const auto& [key, left] : reader.owed)
        ASSERT_TRUE(left.empty()) << name << " never got " << left.front().value << " of key " << key.second;
  }
  void check_log() { ASSERT_EQ(recorded_.content(), recorded_.replayed_content()); }

 private:
  const SubscriptionsEngine& engine() { return recorded_.live().engine; }
  Now now() const { return {WallTime{now_.ms}, now_}; }
  // Of one decision in forty nothing comes: the node stopped before it was written.
  bool lost() {
    if (!random_.chance(1, 40)) return false;
    recorded_.restart();
    return true;
  }
  // What stops being outstanding is the next that is owed of its key.
  void commit(std::vector<Effect> effects) {
    if (!effects.empty()) recorded_.commit(std::move(effects), now_);
  }
  Reader& any() {
    return std::next(readers_.begin(), static_cast<std::ptrdiff_t>(random_.below(readers_.size())))->second;
  }
  std::size_t owed() const {
    std::size_t sum = 0;
    for (const auto& [name, reader] : readers_)
      for (const auto& [key, left] : reader.owed) sum += left.size();
    return sum;
  }

  // An event of the key is done with: the one that was owed next, or order was lost.
  void done(Reader& reader, const KeyRef& key, Offset offset, const char* how) {
    auto& left = reader.owed[{key.partition, key.key_hash}];
    ASSERT_FALSE(left.empty()) << how << " twice: offset " << offset.value << " of key " << key.key_hash;
    ASSERT_EQ(left.front().value, offset.value) << how << " out of order, of key " << key.key_hash;
    left.pop_front();
    reader.edits.erase({key.partition, offset});
  }
  // Events that policies pass over: told by their effects.
  void note_passed(Reader& reader, const std::vector<Effect>& effects) {
    for (const Effect& effect : effects) {
      if (effect.type != EffectType::key_skipped) continue;
      const KeyRef key = decode<KeySkipped>(effect.version, effect.payload)->key;
      if (key.subscription != reader.id) continue;
      auto& left = reader.owed[{key.partition, key.key_hash}];
      ASSERT_FALSE(left.empty());
      done(reader, key, left.front(), "passed over");
    }
  }

  // ---- the log ------------------------------------------------------------------------------------------------------

  void append() {
    const PartitionRef partition = partition_of(random_.below(partitions));
    auto& log = log_[partition];
    for (auto left = 1 + random_.below(6); left > 0; --left) {
      const std::uint64_t key = random_.chance(1, 3) ? 0 : random_.below(keys);
      const Offset offset{static_cast<std::int64_t>(log.size())};
      log.push_back(key);
      for (auto& [name, reader] : readers_) reader.owed[{partition, key}].push_back(offset);
    }
  }
  void offer() { offer_to(any()); }
  void offer_to(Reader& reader) {
    for (const FeedPosition& at : engine().feed_positions()) {
      if (at.subscription != reader.id) continue;
      const auto& log = log_[at.partition];
      Offer made = offer_at(at);
      while (made.events.size() < std::min<std::size_t>(at.credit, 7) &&
             static_cast<std::size_t>(made.next.value) < log.size()) {
        made.events.push_back({made.next, log[static_cast<std::size_t>(made.next.value)]});
        made.next = made.next + 1;
      }
      if (made.events.empty()) continue;
      const auto decided = engine().decide_offer(made);
      ASSERT_TRUE(decided);
      if (lost()) return;
      commit(decided->effects);
    }
  }

  // ---- consumers ----------------------------------------------------------------------------------------------------

  std::vector<Lease> receive_from(Reader& reader, std::uint32_t max) {
    const auto decided = engine().decide_receive({reader.id, max, std::nullopt}, now_);
    std::vector<Lease> leases;
    for (const Delivery& each : decided->received.deliveries) {
      const auto edit = reader.edits.find({each.lease.partition, each.lease.offset});
      const auto wanted = edit == reader.edits.end() ? std::nullopt : std::optional{edit->second};
      EXPECT_EQ(each.edited, wanted) << "the edit is delivered in the event's place, and nothing else";
      leases.push_back(each.lease);
    }
    commit(decided->effects());
    return leases;
  }
  void receive() {
    if (lost()) return;
    Reader& reader = any();
    for (const Lease& lease : receive_from(reader, static_cast<std::uint32_t>(1 + random_.below(8))))
      given_.emplace_back(&reader, lease);
  }
  std::pair<Reader*, Lease> any_given() {
    const auto back = random_.below(std::min<std::size_t>(given_.size(), random_.chance(1, 5) ? given_.size() : 10));
    return given_[given_.size() - 1 - back];
  }

  // Each on its own, so that the oracle need not know how one request is put together; sometimes the same once more.
  void settle(bool again) {
    if (given_.empty()) return;
    const auto [reader, lease] = any_given();
    const bool ack = random_.chance(2, 3);
    for (int time = 0; time < (again ? 2 : 1); ++time) {
      Settle request{reader->id, {}, {}, {}};
      if (ack)
        request.acks = {lease};
      else
        request.nacks = {{lease,
                          {random_.chance(1, 2) ? "a" : "b", "why"},
                          random_.chance(1, 2) ? std::optional{Millis{0}} : std::nullopt,
                          "paid"}};
      const auto decided = engine().decide_settle(request, false, now());
      ASSERT_TRUE(decided);
      if (lost()) return;
      apply_settled(*reader, lease, ack, *decided);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
  void apply_settled(Reader& reader, const Lease& lease, bool acked,
                     const SubscriptionsEngine::SettleDecision& decided) {
    const KeyRef key{reader.id, lease.partition, lease.key_hash};
    if (acked && decided.settled.settled != 0) done(reader, key, lease.offset, "successful");
    note_passed(reader, decided.effects);
    commit(decided.effects);
  }
  void ack(Reader& reader, const std::vector<Lease>& leases) {
    for (const Lease& lease : leases) {
      const auto decided = engine().decide_settle({reader.id, {lease}, {}, {}}, false, now());
      ASSERT_TRUE(decided);
      ASSERT_EQ(decided->settled.settled, 1u);
      apply_settled(reader, lease, true, *decided);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
  void give_back() {
    if (given_.empty() || lost()) return;
    commit(engine().decide_return(std::vector<Lease>{any_given().second}));
  }
  void pass_time(Millis time) {
    now_ = now_ + time;
    while (true) {
      const auto effects = engine().decide_due(now(), 4);
      if (effects.empty()) return;
      for (auto& [name, reader] : readers_) note_passed(reader, effects);
      commit(effects);
    }
  }
  void pause() {
    const Reader& reader = any();
    commit({encode(*engine().decide_pause(reader.id, random_.chance(1, 4)))});
  }
  void crash() { recorded_.restart(); }

  // ---- healing ------------------------------------------------------------------------------------------------------

  std::optional<ParkedKey> any_parked(const Reader& reader) {
    const auto parked = engine().parked(reader.id, {.limit = 100});
    if (parked.empty()) return std::nullopt;
    return parked[random_.below(parked.size())];
  }
  void retry_or_skip() {
    Reader& reader = any();
    const auto parked = any_parked(reader);
    if (!parked) return;
    const bool retry = random_.chance(1, 2);
    const Asked asked{"ann", "because"};
    const auto effects = retry ? engine().decide_retry(reader.id, parked->key_hash, asked)
                               : engine().decide_skip(reader.id, parked->key_hash, asked);
    ASSERT_TRUE(effects);
    if (lost()) return;
    note_passed(reader, *effects);
    commit(*effects);
  }
  void edit() {
    Reader& reader = any();
    const auto parked = any_parked(reader);
    if (!parked) return;
    const Offset copy{next_edit_++};
    const KeyRef key{reader.id, parked->partition, parked->key_hash};
    const auto effects = engine().decide_edit(key, copy, "[]", random_.chance(1, 2), {"ann", "typo"});
    ASSERT_TRUE(effects);
    if (lost()) return;
    commit(*effects);
    reader.edits[{parked->partition, parked->head}] = copy;
  }
  void repair() {
    Reader& reader = any();
    const RepairBy who = random_.chance(1, 2) ? RepairBy::workflow : RepairBy::declared;
    const auto decided = engine().decide_repair(reader.id, who, 3, Millis{700}, now_);
    ASSERT_TRUE(decided);
    commit(decided->effects);
    for (const RepairDelivery& each : decided->deliveries) repairs_.emplace_back(&reader, each);
    if (repairs_.empty()) return;
    const auto [of, delivery] = repairs_[random_.below(repairs_.size())];
    const auto dice = random_.below(3);
    const auto outcome = dice == 0   ? RepairSettle::Outcome::repaired
                         : dice == 1 ? RepairSettle::Outcome::skip
                                     : RepairSettle::Outcome::needs_person;
    const Offset copy{next_edit_++};
    const auto effects = engine().decide_repaired({delivery.lease, outcome, "as it should be"}, copy, "[]", "bot");
    if (!effects) return;  // somebody else dealt with it, or its time was over
    if (lost()) return;
    note_passed(*of, *effects);
    commit(*effects);
    if (dice == 0) of->edits[{delivery.lease.partition, delivery.lease.offset}] = copy;
  }
  void release() {
    Reader& reader = any();
    const std::uint32_t rate = random_.chance(1, 2) ? 0 : 5;
    ReleaseFilter filter;
    if (random_.chance(1, 3)) filter.event_type = "paid";
    const auto draft = engine().draft_release(reader.id, filter, rate, random_.chance(1, 2), {}, now());
    const auto decided =
        random_.chance(1, 5) ? engine().decide_stop_release(reader.id) : engine().decide_release(draft.value());
    if (!decided || lost()) return;
    commit({encode(*decided)});
  }
  void cancel() {
    Reader& reader = any();
    const auto parked = any_parked(reader);
    if (!parked) return;
    const KeyRef key{reader.id, parked->partition, parked->key_hash};
    auto& left = reader.owed[{key.partition, key.key_hash}];
    const std::size_t all = parked->waiting + 1;
    std::size_t gone = 0;
    while (true) {  // a slice a frame, and the node may stop between any two
      const auto slice = engine().decide_cancel(key, 1);
      ASSERT_TRUE(slice);
      if (lost()) break;
      commit(slice->effects);
      gone += slice->events;
      if (slice->complete) break;
    }
    ASSERT_LE(gone, all);
    // What goes first waits at the end.
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(all - gone), left.begin() + static_cast<std::ptrdiff_t>(all));
    if (gone == all) reader.edits.erase({parked->partition, parked->head});
  }
  void bury() {
    std::vector<SubscriptionId> of;
    const auto dying = engine().giving_up(3, of);
    for (std::size_t i = 0; i < dying.size(); ++i) {
      Reader& reader = std::ranges::find(readers_, of[i], [](const auto& each) { return each.second.id; })->second;
      const KeyRef key{of[i], dying[i].partition, dying[i].key_hash};
      if (random_.chance(1, 6)) {
        commit(engine().decide_unburied(key, WallTime{now_.ms}));
        continue;
      }
      const auto effects = engine().decide_buried(key);
      if (lost()) return;
      done(reader, key, dying[i].head, "a dead letter");
      commit(effects);
    }
  }

  // Back or forth; what is owed begins there, behind what parked keys hold of before.
  void seek() {
    Reader& reader = any();
    if (readers_.size() * 2 > 30) return;
    const bool keep = random_.chance(1, 2);
    std::vector<std::pair<PartitionRef, Offset>> to;
    for (std::uint32_t i = 0; i < partitions; ++i) {
      const PartitionRef partition = partition_of(i);
      to.emplace_back(partition, Offset{static_cast<std::int64_t>(random_.below(log_[partition].size() + 1))});
    }
    const auto parked = engine().parked(reader.id, {.limit = 1'000});
    std::map<std::pair<PartitionRef, std::uint64_t>, std::deque<Offset>> held;
    for (const ParkedKey& key : parked) {
      const auto& left = reader.owed[{key.partition, key.key_hash}];
      held[{key.partition, key.key_hash}].assign(left.begin(),
                                                 left.begin() + static_cast<std::ptrdiff_t>(key.waiting + 1));
    }
    const auto effects = engine().decide_seek(reader.id, to, keep);
    ASSERT_TRUE(effects);
    if (lost()) return;
    commit(*effects);
    const SubscriptionDefined moved = *decode<SubscriptionDefined>(SubscriptionDefined::version, (*effects)[1].payload);
    while (true) {
      const auto remains = engine().decide_remains(5);
      if (remains.empty()) break;
      commit(remains);
    }
    reader.id = moved.id;
    reader.epoch = moved.epoch;
    reader.owed.clear();
    std::map<std::pair<PartitionRef, Offset>, Offset> edits;
    for (const auto& [partition, from] : to)
      for (std::size_t at = static_cast<std::size_t>(from.value); at < log_[partition].size(); ++at)
        reader.owed[{partition, log_[partition][at]}].push_back(Offset{static_cast<std::int64_t>(at)});
    if (keep)
      for (const auto& [key, events] : held) {
        const Offset from = std::ranges::find(to, key.first, &std::pair<PartitionRef, Offset>::first)->second;
        const auto end = std::ranges::find_if(events, [&](Offset offset) { return offset >= from; });
        if (end == events.begin()) continue;
        auto& left = reader.owed[key];
        left.insert(left.begin(), events.begin(), end);
        if (const auto edit = reader.edits.find({key.first, events.front()}); edit != reader.edits.end())
          edits.insert(*edit);
      }
    reader.edits = std::move(edits);
  }

  SeededRandom random_;
  Recorded<Machine> recorded_;
  std::map<std::string, Reader> readers_;
  std::map<PartitionRef, std::vector<std::uint64_t>> log_;  // the keys of its events
  std::vector<std::pair<Reader*, Lease>> given_;
  std::vector<std::pair<Reader*, RepairDelivery>> repairs_;
  std::int64_t next_edit_ = 0;
  Elapsed now_{1};
};

// CONTINUO_SEED plays one story; CONTINUO_LONG ten times as many.
TEST(SubscriptionsOrder, SuccessesOfAKeyAreInTheOrderOfTheLogWhateverHappens) {
  constexpr int steps = 1'000;
  const char* only = std::getenv("CONTINUO_SEED");
  const std::uint64_t first = only == nullptr ? 1 : std::strtoull(only, nullptr, 10);
  const std::uint64_t stories = only != nullptr ? 1 : std::getenv("CONTINUO_LONG") != nullptr ? 10'000 : 1'000;
  for (std::uint64_t seed = first; seed < first + stories; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Story story{seed};
    story.define("a");
    story.define("b");
    for (int step = 0; step < steps; ++step) {
      story.step();
      if (testing::Test::HasFailure()) return;
    }
    story.finish();
    if (testing::Test::HasFailure()) return;
    if (seed % 20 == 0) story.check_log();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace continuo::engines
