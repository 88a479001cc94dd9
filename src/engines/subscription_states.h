// What the subscriptions engine knows: definitions, cursors and keys with the indexes over them; what effects change of
// it, how it is recovered, and what can be asked. Decisions are the engine's: subscriptions.h. Core thread only.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/engines/definitions.h"
#include "continuo/engines/healing_effects.h"
#include "continuo/engines/subscription_requests.h"
#include "continuo/engines/subscription_units.h"
#include "continuo/engines/unit.h"
#include "continuo/engines/window.h"

namespace continuo::engines {

class SubscriptionStates {
 public:
  SubscriptionStates(Ledger& ledger, const SubscriptionLimits& limits);
  ~SubscriptionStates();

  // --- apply ---
  /// Live effects; the same function serves replay, which skips what a unit's checkpoint contains.
  Result<void> apply(EffectType type, std::uint8_t version, std::string_view payload, Elapsed now);
  Result<void> apply(const Effect& effect, Elapsed now) {
    return apply(effect.type, effect.version, effect.payload, now);
  }
  // --- recovery ---
  Result<void> restore(UnitKind kind, std::string_view key, std::string_view bytes, Sequence stamp);
  /// All is as it was: what is tallied from here on happened since the start.
  void recovered();

  // --- questions ---
  const SubscriptionUnit* find(SubscriptionId id) const;
  const SubscriptionUnit* find(std::string_view name) const;
  const std::map<std::string, SubscriptionUnit*, std::less<>>& by_name() const { return by_name_; }
  /// Counts of one subscription; lag is next-minus-cursor plus outstanding, with `ends` giving the partitions' ends.
  struct Counts {
    std::uint64_t queued = 0, leased = 0, delayed = 0, parked_keys = 0, parked_events = 0;
  };
  Counts counts(SubscriptionId id) const;
  std::vector<CursorMoved> cursors(SubscriptionId id) const;
  std::vector<ParkedKey> parked(SubscriptionId id, const ParkedQuery& query) const;
  using Tally = SubscriptionTally;
  Tally tally(SubscriptionId id) const;
  /// The oldest outstanding event of each partition that has any.
  std::vector<std::pair<PartitionRef, Offset>> oldest(SubscriptionId id) const;
  /// Since when the key is parked that waits longest; none: no key is.
  std::optional<WallTime> oldest_parked(SubscriptionId id) const;
  std::vector<FeedPosition> feed_positions() const;
  /// Of these; of those that are not there, nothing.
  std::vector<FeedPosition> feed_positions(std::span<const SubscriptionId> of) const;
  bool has_ready(SubscriptionId id) const;
  /// Whether a feeder out of credit is to go on: much credit came back, or consumers would soon run dry. Not for every
  /// single event settled: each time costs a read.
  bool wants_more(SubscriptionId id) const;
  std::optional<Elapsed> next_due() const;
  /// Topics that are read, also those deleted meanwhile.
  std::set<TopicId> read_topics() const;
  /// Those that read the topic, by number.
  std::vector<SubscriptionId> readers_of(TopicId topic) const;
  /// The key as it is listed when it is parked; nothing when there is none.
  std::optional<ParkedKey> look_at(const KeyRef& ref) const;
  /// A key was drained that had been parked for so long.
  void note_healed(SubscriptionId id, Millis after);

 protected:
  struct State;  // one subscription with its cursors and keys
  struct Due {
    Elapsed at;
    KeyRef key;
    auto operator<=>(const Due&) const = default;
  };
  struct WallDue {
    WallTime at;
    KeyRef key;
    auto operator<=>(const WallDue&) const = default;
  };
  static void schedule(KeyUnit& unit);  // a key that became ready whose head's time did not come yet
  void enter_times(State& state, const KeyUnit& unit);
  void leave_times(State& state, const KeyUnit& unit);
  State* state(SubscriptionId id);
  const State* state(SubscriptionId id) const;
  KeyUnit* key(const KeyRef& ref);
  const KeyUnit* key(const KeyRef& ref) const;
  void enter(State& state, KeyUnit& unit);  // adds the key to the indexes its state calls for
  void leave(State& state, KeyUnit& unit);  // and takes it out of them
  void erase_key(State& state, KeyUnit& unit);
  void note_draining(State& state, const KeyUnit& unit, bool begins);
  void schedule_release(State& state);
  std::uint32_t credit(const State& state) const;
  void add_feed_positions(SubscriptionId id, const State& of, std::vector<FeedPosition>& to) const;
  ParkedKey describe(const State& state, const KeyUnit& unit) const;
  static bool takes(const ReleaseFilter& filter, const KeyUnit& unit);
  static void watch(State& state, const KeyRef& ref, const Failure& failure, Elapsed now);
  bool is_probing(const State& state) const;
  template <class T>
  Result<void> take(std::uint8_t version, std::string_view payload, Elapsed now);
  State& make_state(SubscriptionId id);
  void forget_if_empty(SubscriptionId id);

  // One for each effect; `unit` names what it changes, for replay.
  template <class T>
  void apply_key(const T& effect, auto change);
  template <class U, class T>
  void replace(std::unique_ptr<U>& unit, const T& value, bool gone);
  void apply_page(const KeyRef& ref, auto change);
  Result<void> restore_key(const KeyRef& ref, FieldReader& reader, Sequence stamp);
  template <class T, class U>
  Result<void> restore_one(std::unique_ptr<U>& unit, std::string_view bytes, Sequence stamp);
  Result<void> restore_release(State& found, std::string_view bytes, Sequence stamp);
  Result<void> restore_storm(State& found, std::string_view bytes, Sequence stamp);
  Result<void> restore_page(const KeyRef& ref, Offset first, FieldReader& reader, Sequence stamp);
  void change(const SubscriptionDefined& effect, Elapsed now);
  void change(const SubscriptionDeleted& effect, Elapsed now);
  void change(const CursorMoved& effect, Elapsed now);
  void change(const CursorDropped& effect, Elapsed now);
  void change(const KeyQueued& effect, Elapsed now);
  void change(const KeyPageFilled& effect, Elapsed now);
  void change(const KeyPageDropped& effect, Elapsed now);
  void change(const LeaseNumbered& effect, Elapsed now);
  void change(const KeyLeased& effect, Elapsed now);
  void change(const KeySettled& effect, Elapsed now);
  void change(const KeyReturned& effect, Elapsed now);
  void change(const KeyParked& effect, Elapsed now);
  void change(const KeyReleased& effect, Elapsed now);
  void change(const KeySkipped& effect, Elapsed now);
  void change(const KeyDropped& effect, Elapsed now);
  void change(const HeadEdited& effect, Elapsed now);
  void change(const RepairChanged& effect, Elapsed now);
  void change(const ReleaseChanged& effect, Elapsed now);
  void change(const StormChanged& effect, Elapsed now);
  void change(const SubscriptionUsed& effect, Elapsed now);
  void change(const KeyTimeCame& effect, Elapsed now);
  void change(const LeaseCut& effect, Elapsed now);
  void change(const EventsLost& effect, Elapsed now);
  void change(const LeaseExtended& effect, Elapsed now);
  void change(const SettleRemembered& effect, Elapsed now);
  void change(const SettlesDropped& effect, Elapsed now);
  // The unit an effect changes: its object, or null, and its key.
  struct Target {
    const Unit* unit = nullptr;
    std::string key;
  };
  Target target(const SubscriptionDefined& effect) const;
  Target target(const SubscriptionDeleted& effect) const;
  Target target(const SettleRemembered& effect) const;
  Target target(const SettlesDropped& effect) const;
  Target cursor_target(SubscriptionId id, PartitionRef partition) const;
  Target target(const CursorMoved& effect) const { return cursor_target(effect.subscription, effect.partition); }
  Target target(const CursorDropped& effect) const { return cursor_target(effect.subscription, effect.partition); }
  Target key_target(const KeyRef& ref) const;
  Target page_target(const KeyRef& ref, Offset page) const;
  Target target(const KeyPageFilled& effect) const { return page_target(effect.key, effect.page); }
  Target target(const KeyPageDropped& effect) const { return page_target(effect.key, effect.page); }
  Target target(const ReleaseChanged& effect) const;
  Target target(const StormChanged& effect) const;
  Target target(const SubscriptionUsed& effect) const;
  Target target(const LeaseNumbered&) const { return {&leases_, leases_.unit_key()}; }
  template <class T>
  Target target(const T& effect) const {
    return key_target(effect.key);
  }
  static std::string page_key(SubscriptionId id, std::uint64_t page);
  using SettlesPage = WindowPage<std::string>;
  void count_settles(State& state, SettlesPage& page, std::size_t before);
  class CounterUnit final : public Unit {
   public:
    explicit CounterUnit(UnitKind kind) : kind_(kind) {}
    std::uint64_t next = 1;
    std::string unit_key() const override { return std::string{static_cast<char>(kind_)}; }
    void encode(std::string& out) const override;

   private:
    const UnitKind kind_;
  };

  Ledger& ledger_;
  SubscriptionLimits limits_;
  std::map<SubscriptionId, std::unique_ptr<State>> states_;
  std::map<std::string, SubscriptionUnit*, std::less<>> by_name_;
  std::set<Due> due_;
  std::set<WallDue> coming_, expiring_;  // heads: that wait for their time; that nobody has and that expire
  std::set<KeyRef> giving_up_;           // their heads are to be written to topics of dead letters
  std::set<std::pair<Elapsed, SubscriptionId>> probes_due_, releases_due_;
  std::multiset<Offset> edits_;    // that are still delivered
  std::size_t draining_ = 0;       // keys that are
  std::size_t may_idle_ = 0;       // subscriptions that expire when nobody uses them
  std::uint64_t outstanding_ = 0;  // events of all keys, and the texts of their failures
  PageEnds<SubscriptionId> settle_ends_;
  std::size_t settle_bytes_ = 0;
  CounterUnit counter_{UnitKind::subscription_counter};
  CounterUnit leases_{UnitKind::lease_counter};
};

}  // namespace continuo::engines
