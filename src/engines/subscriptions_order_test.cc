// The order oracle: whatever fails, is repaired, crashes, is settled twice or too late, consumers are successful with
// the events of a key in the order of the log - less what was passed over and told, with edits in their places - and
// in the end nothing is missing.
//
// The oracle knows only the log and what happened; it never asks the engine how a key stands. What was not answered
// when the node stopped may or may not have happened: what comes next of the key tells.
//
// The same stories are played on the home there is and on a deliberately mean one (mean_home_test.h).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <set>

#include "continuo/base/random.h"
#include "continuo/engines/order_homes_test.h"
#include "continuo/engines/owed_test.h"
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

// An event's end, and how it came.
struct Ending {
  KeyRef key;
  Offset offset;
  const char* how;
};

// One name, whatever number it has now.
struct Reader {
  SubscriptionId id;
  std::map<std::pair<PartitionRef, std::uint64_t>, Owed> owed;
  std::map<std::pair<PartitionRef, Offset>, Latest> edits;
  std::map<std::pair<PartitionRef, std::uint64_t>, std::uint64_t> numbers;  // the highest of a lease somebody got
};

// What a consumer sends, and the first outcome it was told.
struct Request {
  Reader* reader;
  Settle settle;
  Hash128 body;
  std::optional<std::string> told;
  bool is_under_way = false;
};

template <class Home>
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
    home_.finish();
    readers_[name] = {decided->defined.id, {}, {}, {}};
  }

  void step() {
    home_.pass();
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
      case 21: return home_.checkpoint(random_.chance(1, 3) ? 100'000 : random_.below(200));
      case 22: return random_.chance(1, 3) ? stop() : give_back();
      default: return pause();
    }
  }

  // Everybody is successful from now on: what is owed comes, all of it, in order.
  void finish() {
    for (auto& [name, reader] : readers_) commit({encode(*engine().decide_pause(reader.id, false))});
    home_.finish();
    for (int round = 0, last = 0; round < 3'000 && last < 3; ++round) {
      last = owed() == 0 ? last + 1 : 0;
      for (auto& [name, reader] : readers_) {
        std::vector<Request*> waiting;
        offer_to(reader);
        for (const ParkedKey& key : engine().parked(reader.id, {.limit = 100}))
          if (const auto effects = engine().decide_retry(reader.id, key.key_hash, {}); effects) commit(*effects);
        receive_from(reader, 20, [&](const Lease& lease) {
          Request& request = requests_.emplace_back(Request{&reader, {}, {++bodies_, 0}, {}, false});
          request.settle.acks = {lease};
          waiting.push_back(&request);
        });
        home_.finish();
        for (Request* each : waiting) send(*each, false);
        home_.finish();
        for (const Request* each : waiting) ASSERT_EQ(each->told, "+");
      }
      bury();
      pass_time(Millis{500});
      home_.finish();
      if (testing::Test::HasFatalFailure()) return;
    }
    for (const auto& [name, reader] : readers_)
      for (const auto& [key, left] : reader.owed)
        ASSERT_EQ(left.size(), 0u) << name << " never got " << left.begin(1).front().value << " of key " << key.second;
  }
  void check_log() { ASSERT_EQ(home_.content(), home_.replayed_content()); }

 private:
  const SubscriptionsEngine& engine() { return home_.live().engine; }
  Now now() const { return {WallTime{now_.ms}, now_}; }
  // Of one decision in forty nothing comes: the node stopped before it was written.
  bool lost() {
    if (!random_.chance(1, 40)) return false;
    stop();
    return true;
  }
  void stop() {
    home_.stop();
    for (auto& [name, reader] : readers_) {
      for (auto& [key, left] : reader.owed) left.stopped();
      for (auto& [place, edit] : reader.edits) edit.stopped();
    }
    for (Request& request : requests_) request.is_under_way = false;
  }
  void commit(std::vector<Effect> effects) {
    home_.commit(std::move(effects), now_, [] {});
  }
  // With it these events are done.
  void commit(Reader& reader, std::vector<Effect> effects, std::vector<Ending> endings) {
    for (const Ending& each : endings) doing(reader, each);
    home_.commit(std::move(effects), now_, [&reader, endings = std::move(endings)] { done(reader, endings); });
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

  static Owed& owed_of(Reader& reader, const KeyRef& key) { return reader.owed[{key.partition, key.key_hash}]; }
  // An event of the key is done with: the one that was owed next, or order was lost.
  static void doing(Reader& reader, const Ending& ending) {
    ASSERT_TRUE(owed_of(reader, ending.key).doing(ending.offset)) << ending.how << ", key " << ending.key.key_hash;
  }
  static void done(Reader& reader, const std::vector<Ending>& endings) {
    for (const Ending& each : endings) {
      ASSERT_TRUE(owed_of(reader, each.key).done(each.offset)) << each.how << ", key " << each.key.key_hash;
      reader.edits.erase({each.key.partition, each.offset});
    }
  }
  // Events that are passed over: told with their offsets when they are.
  std::vector<Ending> passed(const Reader& reader, const std::vector<Effect>& effects) {
    std::vector<Ending> all;
    for (const Effect& effect : effects) {
      if (effect.type != EffectType::key_skipped) continue;
      const KeyRef key = decode<KeySkipped>(effect.version, effect.payload)->key;
      if (key.subscription == reader.id) all.push_back({key, engine().leaving(effect).front().second, "passed over"});
    }
    return all;
  }

  // ---- the log ------------------------------------------------------------------------------------------------------

  void append() {
    const PartitionRef partition = partition_of(random_.below(partitions));
    auto& log = log_[partition];
    for (auto left = 1 + random_.below(6); left > 0; --left) {
      const std::uint64_t key = random_.chance(1, 3) ? 0 : random_.below(keys);
      const Offset offset{static_cast<std::int64_t>(log.size())};
      log.push_back(key);
      for (auto& [name, reader] : readers_) reader.owed[{partition, key}].add(offset);
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

  // What it is told goes to `got`, later.
  void receive_from(Reader& reader, std::uint32_t max, std::function<void(const Lease&)> got) {
    const auto decided = engine().decide_receive({reader.id, max, std::nullopt}, now_);
    std::vector<Lease> leases;
    for (const Delivery& each : decided->received.deliveries) {
      leases.push_back(each.lease);
      const bool is_head = leases.size() == 1 || leases[leases.size() - 2].key_hash != each.lease.key_hash ||
                           leases[leases.size() - 2].partition != each.lease.partition;
      const KeyRef key{reader.id, each.lease.partition, each.lease.key_hash};
      if (is_head) {
        ASSERT_TRUE(owed_of(reader, key).at(each.lease.offset)) << "delivered, of key " << key.key_hash;
      }
      // Consumers write it elsewhere with what they did, and lower ones are refused there.
      ASSERT_GT(each.lease.number, (reader.numbers[{key.partition, key.key_hash}])) << "of key " << key.key_hash;
      const auto edit = reader.edits.find({each.lease.partition, each.lease.offset});
      ASSERT_TRUE(edit == reader.edits.end() ? Latest{}.is(each.edited) : edit->second.is(each.edited));
    }
    home_.commit(decided->effects(), now_, [&reader, leases, got = std::move(got)] {
      for (const Lease& lease : leases) {
        std::uint64_t& number = reader.numbers[{lease.partition, lease.key_hash}];
        number = std::max(number, lease.number);
        got(lease);
      }
    });
  }
  void receive() {
    if (lost()) return;
    Reader& reader = any();
    receive_from(reader, static_cast<std::uint32_t>(1 + random_.below(8)),
                 [this, &reader](const Lease& lease) { given_.emplace_back(&reader, lease); });
  }
  std::pair<Reader*, Lease> any_given() {
    const auto back = random_.below(std::min<std::size_t>(given_.size(), random_.chance(1, 5) ? given_.size() : 10));
    return given_[given_.size() - 1 - back];
  }

  // Some leases at once, of a key each, so that the oracle need not know how a request is put together; sometimes one
  // that was sent before.
  void settle(bool again) {
    if (given_.empty()) return;
    if (again && !requests_.empty() && random_.chance(1, 2))
      return send(requests_[requests_.size() - 1 - random_.below(std::min<std::size_t>(requests_.size(), 10))]);
    Request& request = requests_.emplace_back(Request{any_given().first, {}, {++bodies_, 0}, {}, false});
    std::set<std::pair<PartitionRef, std::uint64_t>> named;
    for (auto left = 1 + random_.below(3); left > 0; --left) {
      const auto [reader, lease] = any_given();
      if (reader != request.reader || !named.insert({lease.partition, lease.key_hash}).second) continue;
      if (random_.chance(2, 3))
        request.settle.acks.push_back(lease);
      else
        request.settle.nacks.push_back({lease,
                                        {random_.chance(1, 2) ? "a" : "b", "why"},
                                        random_.chance(1, 2) ? std::optional{Millis{0}} : std::nullopt,
                                        "paid"});
    }
    send(request);
    if (again) send(request);
  }
  // One that is under way is not begun again: who asks again gets its answer.
  void send(Request& request, bool may_stop = true) {
    if (request.is_under_way) return;
    Reader& reader = *request.reader;
    if (std::exchange(request.settle.subscription, reader.id) != reader.id) request.told.reset();
    if (const std::string* outcome = engine().remembered(reader.id, request.body)) {
      const std::string known = *outcome;
      return home_.commit({}, now_, [this, &request, known] { tell(request, known); });
    }
    const auto decided = engine().decide_settle(request.settle, false, now());
    ASSERT_TRUE(decided);
    if (may_stop && lost()) return;
    std::string outcome;
    std::vector<Ending> endings;
    const auto holds = [&](const Lease& lease) {
      const bool refused =
          std::ranges::find(decided->settled.refused, lease, &RefusedLease::lease) != decided->settled.refused.end();
      outcome += refused ? '-' : '+';
      return !refused;
    };
    for (const Lease& lease : request.settle.acks)
      if (holds(lease)) endings.push_back({key_of(reader, lease), lease.offset, "successful"});
    for (const Nack& nack : request.settle.nacks) holds(nack.lease);
    for (const Ending& each : passed(reader, decided->effects)) endings.push_back(each);
    for (const Ending& each : endings) doing(reader, each);
    request.is_under_way = true;
    home_.commit(
        decided->effects,
        [this, &request, outcome] { return engine().decide_remember(request.reader->id, request.body, outcome); }, now_,
        [this, &request, outcome, endings] {
          request.is_under_way = false;
          done(*request.reader, endings);
          tell(request, outcome);
        });
  }
  // The same outcome every time, and what is told to be settled is.
  void tell(Request& request, const std::string& outcome) {
    if (!request.told) request.told = outcome;
    ASSERT_EQ(*request.told, outcome);
    for (std::size_t i = 0; i < request.settle.acks.size(); ++i) {
      const Lease& lease = request.settle.acks[i];
      if (outcome[i] == '+') done(*request.reader, {{key_of(*request.reader, lease), lease.offset, "told"}});
    }
  }
  static KeyRef key_of(const Reader& reader, const Lease& lease) {
    return {reader.id, lease.partition, lease.key_hash};
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
      std::vector<std::pair<Reader*, std::vector<Ending>>> all;
      for (auto& [name, reader] : readers_) all.emplace_back(&reader, passed(reader, effects));
      for (const auto& [reader, endings] : all)
        for (const Ending& each : endings) doing(*reader, each);
      home_.commit(effects, now_, [all] {
        for (const auto& [reader, endings] : all) done(*reader, endings);
      });
    }
  }
  void pause() {
    const Reader& reader = any();
    commit({encode(*engine().decide_pause(reader.id, random_.chance(1, 4)))});
  }

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
    commit(reader, *effects, passed(reader, *effects));
  }
  void becomes(Reader& reader, PartitionRef partition, Offset offset, Offset copy, const std::vector<Effect>& effects) {
    reader.edits[{partition, offset}].becomes(copy);
    home_.commit(effects, now_, [&reader, partition, offset, copy] {
      if (const auto edit = reader.edits.find({partition, offset}); edit != reader.edits.end()) edit->second.told(copy);
    });
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
    becomes(reader, parked->partition, parked->head, copy, *effects);
  }
  void repair() {
    Reader& reader = any();
    const RepairBy who = random_.chance(1, 2) ? RepairBy::workflow : RepairBy::declared;
    const auto decided = engine().decide_repair(reader.id, who, 3, Millis{700}, now_);
    ASSERT_TRUE(decided);
    home_.commit(decided->effects, now_, [this, &reader, given = decided->deliveries] {
      for (const RepairDelivery& each : given) repairs_.emplace_back(&reader, each);
    });
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
    if (dice == 0) return becomes(*of, delivery.lease.partition, delivery.lease.offset, copy, *effects);
    commit(*of, *effects, passed(*of, *effects));
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
  // A slice after the other.
  void cancel() {
    home_.finish();
    Reader& reader = any();
    const auto parked = any_parked(reader);
    if (!parked) return;
    const KeyRef key{reader.id, parked->partition, parked->key_hash};
    Owed& left = owed_of(reader, key);
    ASSERT_TRUE(left.at(parked->head));
    std::vector<Offset> going = left.begin(parked->waiting + 1);
    while (!going.empty()) {  // the node may stop between any two
      const auto slice = engine().decide_cancel(key, 1);
      ASSERT_TRUE(slice);
      if (lost()) return;
      commit(slice->effects);
      home_.finish();
      ASSERT_EQ(slice->complete, slice->events == going.size());
      for (std::uint64_t each = 0; each < slice->events; ++each, going.pop_back()) left.forget(going.back());
    }
    reader.edits.erase({parked->partition, parked->head});
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
      commit(reader, effects, {{key, dying[i].head, "a dead letter"}});
    }
  }

  // Back or forth; what is owed begins there, behind what parked keys hold of before.
  void seek() {
    home_.finish();
    Reader& reader = any();
    const bool keep = random_.chance(1, 2);
    std::vector<std::pair<PartitionRef, Offset>> to;
    for (std::uint32_t i = 0; i < partitions; ++i) {
      const PartitionRef partition = partition_of(i);
      to.emplace_back(partition, Offset{static_cast<std::int64_t>(random_.below(log_[partition].size() + 1))});
    }
    std::map<std::pair<PartitionRef, std::uint64_t>, std::vector<Offset>> held;
    for (const ParkedKey& key : engine().parked(reader.id, {.limit = 1'000})) {
      Owed& left = reader.owed[{key.partition, key.key_hash}];
      ASSERT_TRUE(left.at(key.head));
      held[{key.partition, key.key_hash}] = left.begin(key.waiting + 1);
    }
    const auto effects = engine().decide_seek(reader.id, to, keep);
    ASSERT_TRUE(effects);
    if (lost()) return;
    commit(*effects);
    home_.finish();
    reader.id = decode<SubscriptionDefined>(SubscriptionDefined::version, (*effects)[1].payload)->id;
    while (true) {
      const auto remains = engine().decide_remains(5);
      if (remains.empty()) break;
      commit(remains);
    }
    home_.finish();
    reader.owed.clear();
    for (const auto& [partition, from] : to)
      for (std::size_t at = static_cast<std::size_t>(from.value); at < log_[partition].size(); ++at)
        reader.owed[{partition, log_[partition][at]}].add(Offset{static_cast<std::int64_t>(at)});
    std::map<std::pair<PartitionRef, Offset>, Latest> edits;
    for (auto& [key, events] : held) {
      const Offset from = std::ranges::find(to, key.first, &std::pair<PartitionRef, Offset>::first)->second;
      const auto edit = reader.edits.find({key.first, events.front()});
      std::erase_if(events, [&](Offset offset) { return offset >= from; });
      if (!keep || events.empty()) continue;
      reader.owed[key].put_before(events);
      if (edit != reader.edits.end()) edits.insert(*edit);
    }
    reader.edits = std::move(edits);
  }

  SeededRandom random_;
  Home home_{random_};
  std::map<std::string, Reader> readers_;
  std::map<PartitionRef, std::vector<std::uint64_t>> log_;  // the keys of its events
  std::vector<std::pair<Reader*, Lease>> given_;
  std::deque<Request> requests_;
  std::vector<std::pair<Reader*, RepairDelivery>> repairs_;
  std::int64_t next_edit_ = 0;
  std::uint64_t bodies_ = 0;
  Elapsed now_{1};
};

// CONTINUO_SEED plays one story; CONTINUO_LONG ten times as many.
template <class Home>
void play(std::uint64_t stories) {
  constexpr int steps = 1'000;
  const char* only = std::getenv("CONTINUO_SEED");
  const std::uint64_t first = only == nullptr ? 1 : std::strtoull(only, nullptr, 10);
  if (only != nullptr)
    stories = 1;
  else if (std::getenv("CONTINUO_LONG") != nullptr)
    stories *= 10;
  for (std::uint64_t seed = first; seed < first + stories; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Story<Home> story{seed};
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

TEST(SubscriptionsOrder, SuccessesOfAKeyAreInTheOrderOfTheLogWhateverHappens) { play<EmbeddedHome<Machine>>(1'000); }

TEST(SubscriptionsOrder, AlsoWhenNothingIsAtomicAcrossShardsAndAnswersComeLate) {
  play<MeanSubscriptionsHome<Machine>>(300);
}

}  // namespace
}  // namespace continuo::engines
