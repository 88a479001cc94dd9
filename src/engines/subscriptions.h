// The subscriptions engine: which consumer holds which events of which key, what failed, what waits (CORE section 5).
//
// Durable state per (subscription, partition): a cursor - all below it was considered - and the keys that have
// outstanding events: queued, leased, waiting for a retry, or parked. All else below the cursor is settled. Memory
// follows outstanding work, never backlog. With order by key at most one lease per key and partition, and what is not
// settled comes again in order; a parked key holds its later events back, other keys flow. Pure as all engines: see
// topics.h. Core thread only.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/engines/definitions.h"
#include "continuo/engines/effects.h"
#include "continuo/engines/subscription_states.h"
#include "continuo/engines/trimming.h"
#include "continuo/engines/unit.h"
#include "continuo/engines/window.h"

namespace continuo::engines {

class SubscriptionsEngine : public SubscriptionStates {
 public:
  using SubscriptionStates::SubscriptionStates;

  // --- decide ---
  /// What defining it means; `existing` set and the effect unused when it is there with the same settings and reads
  /// these topics, not others of the same names. `cursors`: where reading begins.
  struct DefineDecision {
    const SubscriptionUnit* existing = nullptr;
    SubscriptionDefined defined;
    std::vector<CursorMoved> cursors;
  };
  /// Errors: bad_name, system_name, bad_setting, subscription_exists, limit_reached. `starts`: first offset to read of
  /// every partition of its topics.
  Result<DefineDecision> decide_define(const std::string& name, const SubscriptionSettings& settings,
                                       std::vector<TopicId> topics,
                                       std::span<const std::pair<PartitionRef, Offset>> starts) const;
  Result<SubscriptionDeleted> decide_delete(const std::string& name) const;
  /// A piece of what deleted subscriptions left behind; empty when nothing is left. A job: call until empty, a frame
  /// each.
  std::vector<Effect> decide_remains(std::size_t most) const;
  Result<SubscriptionDefined> decide_pause(SubscriptionId id, bool paused) const;
  /// Other settings. Another filter counts from each partition's cursor on: what is outstanding passed the one before
  /// and stays. None: they are the same. Errors: unknown_subscription, bad_setting, too_large; keys_parked when keys
  /// are and the filter changes, unless they may stay so.
  Result<std::optional<SubscriptionDefined>> decide_change(const std::string& name,
                                                           const SubscriptionChange& change) const;
  /// Refuses offers that do not begin at the cursor or are of another epoch or filter: then `effects` is empty and
  /// `credit` tells where it stands.
  struct OfferDecision {
    std::vector<Effect> effects;
    OfferCredit credit;
  };
  Result<OfferDecision> decide_offer(const Offer& offer) const;
  struct ReceiveDecision {
    std::vector<KeyLeased> leases;
    std::optional<StormChanged> probe;  ///< the subscription holds still, and one key tries
    Received received;
    std::vector<Effect> effects() const;
  };
  Result<ReceiveDecision> decide_receive(const Receive& receive, Elapsed now) const;
  /// What was leased and could not be handed out: these leases, and those behind them in their runs, are open again, in
  /// order and without an attempt counted. Leases that no longer hold are passed over.
  std::vector<Effect> decide_return(std::span<const Lease> leases) const;
  /// Errors: unknown_subscription; settle_refused when an ack is refused and `publishes`; bad_request when two entries
  /// contradict each other.
  struct SettleDecision {
    std::vector<Effect> effects;
    Settled settled;
  };
  Result<SettleDecision> decide_settle(const Settle& settle, bool publishes, const Now& now) const;
  /// The answer given to the same request before, if it is still known: for settle_window, within the limits.
  const std::string* remembered(SubscriptionId id, const Hash128& body) const;
  /// Effects that remember an answer.
  std::vector<Effect> decide_remember(SubscriptionId id, const Hash128& body, std::string outcome) const;
  /// Leases and delays that are over, and pages of remembered answers; at most `most` of them.
  std::vector<Effect> decide_due(const Now& now, std::size_t most) const;
  /// The same for a topic that was deleted: cursors and keys of its partitions.
  std::vector<Effect> decide_topic_gone(TopicId topic, std::size_t most) const;

  // --- healing: subscriptions_heal.cc. Errors of all: unknown_subscription ---
  /// The key drains, in every partition where it is parked - of very many, in so many as one decision may change.
  /// Errors: not_parked.
  Result<std::vector<Effect>> decide_retry(SubscriptionId id, std::uint64_t key_hash, const Asked& asked = {}) const;
  /// The head is passed over and the rest drains. Errors: not_parked.
  Result<std::vector<Effect>> decide_skip(SubscriptionId id, std::uint64_t key_hash, const Asked& asked) const;
  /// The one place where the key is parked. Errors: not_parked; bad_request when it is in several.
  Result<ParkedKey> parked_key(SubscriptionId id, std::uint64_t key_hash) const;
  /// Consumers get the record at `copy` in the place of the head, and with `release` the key drains. Errors:
  /// not_parked.
  Result<std::vector<Effect>> decide_edit(const KeyRef& key, Offset copy, const std::string& difference, bool release,
                                          const Asked& asked) const;
  /// A slice of giving up the key with all that waits: at most `most` effects, the last of which drops the key.
  struct CancelSlice {
    std::vector<Effect> effects;
    std::uint64_t events = 0;  ///< that leave with it
    bool complete = false;
  };
  Result<CancelSlice> decide_cancel(const KeyRef& key, std::size_t most) const;

  /// Parked heads for who repairs them, oldest first, under leases of their own.
  struct RepairDecision {
    std::vector<RepairDelivery> deliveries;
    std::vector<Effect> effects;
  };
  Result<RepairDecision> decide_repair(SubscriptionId id, RepairBy who, std::uint32_t most, Millis lease,
                                       Elapsed now) const;
  /// `copy`: where the repaired event was laid. Errors: lease_lost.
  Result<std::vector<Effect>> decide_repaired(const RepairSettle& settle, Offset copy, const std::string& difference,
                                              const std::string& by) const;
  bool holds_repair(const Lease& lease) const;

  /// What a release would be that begins now: it counts what the filter takes. Errors: bad_setting.
  Result<ReleaseChanged> draft_release(SubscriptionId id, const ReleaseFilter& filter, std::uint32_t rate,
                                       bool stop_at_relapse, const Asked& asked, const Now& now) const;
  /// Begins the release that was drafted just now; ends the one that is under way. Errors: release_running, no_release.
  Result<ReleaseChanged> decide_release(ReleaseChanged draft) const;
  Result<ReleaseChanged> decide_stop_release(SubscriptionId id) const;
  /// The release under way, or the last one; null: there was none.
  const ReleaseChanged* release(SubscriptionId id) const;
  const StormChanged* storm(SubscriptionId id) const;

  /// The subscription under a new number that begins there. With `keep_parked`, what parked keys hold of before the new
  /// place stays with them; what lies behind it comes again like everything else. Errors: unknown_partition,
  /// limit_reached when there is too much to keep.
  Result<std::vector<Effect>> decide_seek(SubscriptionId id, std::span<const std::pair<PartitionRef, Offset>> to,
                                          bool keep_parked) const;

  /// Somebody received or settled: none when that is known well enough.
  std::optional<SubscriptionUsed> decide_used(SubscriptionId id, WallTime now) const;
  /// Subscriptions that expire when nobody uses them, and nobody did. Looks at all.
  std::vector<SubscriptionDeleted> decide_idle(WallTime now) const;

  /// Keys whose heads are to be written to topics of dead letters.
  std::vector<ParkedKey> giving_up(std::size_t most, std::vector<SubscriptionId>& of) const;
  bool anything_may_idle() const { return may_idle_ != 0; }
  bool gives_up(const KeyRef& ref) const { return giving_up_.contains(ref); }
  bool anything_given_up() const { return !giving_up_.empty(); }
  /// The head is a dead letter now.
  std::vector<Effect> decide_buried(const KeyRef& ref) const;
  /// The head cannot be written to the topic of dead letters: it waits for a person.
  std::vector<Effect> decide_unburied(const KeyRef& ref, WallTime now) const;
  bool anything_drains() const { return draining_ != 0; }
  /// The key, if it drains and this is over when so many events leave its front.
  std::optional<ParkedKey> drained_by(const KeyRef& ref, std::size_t leaving) const;
  /// The lowest edit that is still delivered.
  std::optional<Offset> lowest_edit() const;

  /// A slice of the pass over all that a trim of a partition concerns: at most `most` effects and held events, and what
  /// comes next. A job: call until complete, a frame each; then nothing before the trim is outstanding but what is held
  /// or copied, and nothing comes to it.
  TrimSlice decide_trim(const TrimPass& pass, const IsCopied& copied, std::size_t most) const;

  /// Whether the event is outstanding in any subscription. `key_hash` as offers name the key of its record.
  bool waits_for(PartitionRef partition, Offset offset, std::uint64_t key_hash) const;
  /// Events that stop being outstanding with this effect, which is about to be applied.
  std::vector<std::pair<PartitionRef, Offset>> leaving(const Effect& effect) const;
  /// How many there are that a filter takes, among the first `most` looked at.
  std::uint64_t count_parked(SubscriptionId id, const ReleaseFilter& filter, std::size_t most) const;

  // --- times of events, and queues: subscriptions_times.cc ---
  /// Heads whose time came, and those that expired and nobody has: passed over; about `most` effects. `expire` false:
  /// the wall clock is not trusted just now, and nothing expires by it.
  std::vector<Effect> decide_times(WallTime now, std::size_t most, bool expire) const;
  /// When there is something of it to do.
  std::optional<WallTime> next_time(bool expire) const;
  /// As decide_trim, for the one subscription that `pass` names: what lies before and nobody holds leaves.
  TrimSlice decide_purge(const TrimPass& pass, std::size_t most) const;
  /// The lowest offset that a subscription to the partition has not settled or considered; none: nobody reads it.
  std::optional<Offset> settled_below(PartitionRef partition) const;
  std::vector<EventState> states_of(SubscriptionId id, std::span<const EventPlace> events) const;

 private:
  static EventState state_of(const State& state, const KeyUnit& unit, Offset offset);
  static std::uint32_t run_of(const KeyUnit& unit);  // how many of the front may be leased together
  bool trim_slice(const State& state, const IsCopied& copied, std::size_t most, TrimSlice& slice) const;
  std::vector<const KeyUnit*> parked_keys(SubscriptionId id, std::uint64_t key_hash, std::size_t most) const;
  Result<void> check_cycle(const std::string& name, const SubscriptionSettings& settings) const;
  Offset last_of(const KeyUnit& unit) const;  // the last of its outstanding events
  static void drop_keys(const State& state, std::optional<TopicId> topic, std::size_t most,
                        std::vector<Effect>& effects);
  void decide_queued(const State& state, const KeyRef& ref, std::span<const Offer::Event> events,
                     std::vector<Effect>& effects) const;
  void decide_refill(const KeyUnit& unit, std::size_t leaving, std::vector<Effect>& effects) const;
  struct KeyPlan;
  using Plans = std::map<KeyRef, KeyPlan>;
  Result<Plans> plan(const Settle& settle) const;
  // A delivery that failed, behind those of its run that were settled.
  struct Failed {
    std::uint32_t settled_before = 0;
    const Failure& failure;
    std::optional<Millis> delay;
    std::string_view event_type, key_text;
  };
  // What one decision saw fail so far: its own failures count before they are applied.
  struct Failures {
    std::map<std::pair<SubscriptionId, std::string>, std::uint32_t> alike;  // keys, by fingerprint
    std::map<SubscriptionId, StormChanged> storms;                          // that began
  };
  void decide_key(const State& state, const KeyRef& ref, const KeyPlan& plan, const Now& now, Failures& failures,
                  SettleDecision& decision) const;
  void decide_failure(const State& state, const KeyUnit& unit, const Failed& failed, const Now& now, Failures& failures,
                      std::vector<Effect>& effects) const;
  void decide_given_up(const State& state, const KeyUnit& unit, const Failed& failed, std::uint32_t attempts,
                       const Now& now, std::vector<Effect>& effects) const;
  void decide_lease_over(const KeyUnit& unit, const Now& now, Failures& failures, std::vector<Effect>& effects) const;
  void decide_relapse(const State& state, std::uint64_t release, std::vector<Effect>& effects) const;
  bool decide_storm(const State& state, const KeyUnit& unit, const Failed& failed, const Now& now, Failures& failures,
                    std::vector<Effect>& effects) const;
  std::uint32_t alike(const State& state, const KeyRef& ref, const std::string& name, Elapsed now) const;
  void decide_storm_over(const State& state, const KeyRef& settled, std::vector<Effect>& effects) const;
  ReceiveDecision decide_probe(const State& state, Millis lease, Elapsed now) const;
  void decide_healing_due(const Now& now, std::size_t most, std::vector<Effect>& effects) const;
  void decide_release_slice(const State& state, const Now& now, std::size_t& left, std::vector<Effect>& effects) const;
  void move_parked(const State& state, const KeyUnit& unit, SubscriptionId to, Offset before,
                   std::vector<Effect>& effects) const;
  bool drains(SubscriptionId id, std::uint64_t key_hash) const;
  void decide_passed(const KeyUnit& unit, const Asked& asked, std::vector<Effect>& effects) const;
  void lease_run(const State& state, const KeyUnit& unit, std::uint32_t run, Elapsed until,
                 ReceiveDecision& decision) const;
  const KeyUnit* leased_key(const Lease& lease) const;
  struct TrimBudget;
  bool trim_subscription(const State& state, const IsCopied& copied, TrimBudget& budget, TrimSlice& slice) const;
  bool trim_keys(const State& state, const IsCopied& copied, TrimBudget& budget, TrimSlice& slice,
                 TrimLoss& loss) const;
  static bool trim_key(const State& state, const KeyUnit& unit, const IsCopied& copied, TrimBudget& budget,
                       TrimSlice& slice, TrimLoss& loss);
  static void trim_page(const KeyPage& page, const std::vector<Offset>& lost, bool& front_empty, TrimSlice& slice);
  void drop_settles(const Now& now, std::size_t most, std::vector<Effect>& effects) const;
};

}  // namespace continuo::engines
