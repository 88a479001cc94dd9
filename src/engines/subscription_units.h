// The subscriptions engine's limits and units: pieces of state, each small (CORE 3.2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "continuo/base/ids.h"
#include "continuo/base/time.h"
#include "continuo/engines/healing_effects.h"
#include "continuo/engines/unit.h"

namespace continuo::engines {

struct SubscriptionLimits {
  std::uint32_t subscriptions = 10'000;
  // Events offered and not settled. At a limit a subscription takes no more: the log keeps them.
  std::uint32_t outstanding = 20'000;        ///< of one subscription, beyond what is parked
  std::uint64_t parked = 1'000'000;          ///< of one subscription: the heads of parked keys and all behind them
  std::uint64_t scheduled = 200'000;         ///< of one subscription: events that wait for their time, and behind such
  std::uint64_t all = 2'000'000;             ///< of all subscriptions; 512 bytes of a failure's text count as one
  std::uint32_t run = 100;                   ///< consecutive events of one key in one lease
  std::uint32_t front = 256;                 ///< events of a key that lie in its unit; at least `run`
  std::uint32_t page = 64;                   ///< and in each page of those behind
  std::size_t settle_bytes_each = 4u << 20;  ///< answers to settles remembered for one subscription, encoded
  std::size_t settle_bytes = 16u << 20;      ///< and for all of them
};

/// How long the answer to a settle is remembered, within the limits above.
inline constexpr Millis settle_window{300'000};

/// Of the bytes of keys and pages of which anything is more than outstanding; all others are of version 1.
inline constexpr std::uint32_t healing_unit_version = 2;
/// Of keys whose text is known.
inline constexpr std::uint32_t named_unit_version = 3;

/// A key with outstanding events: the front of its queue. Many more wait in pages behind it, so that a unit stays small
/// and a change costs the same however many there are.
class KeyUnit final : public Unit {
 public:
  enum class State : std::uint8_t {
    ready,      ///< its head may be delivered
    leased,     ///< a consumer has the front
    backoff,    ///< the head failed and comes again at `until`
    parked,     ///< the head was given up: the key waits for somebody
    scheduled,  ///< the head is not to be delivered before its own time
    giving_up,  ///< the head was given up and waits to be written to the topic of dead letters
    last = giving_up
  };
  explicit KeyUnit(KeyRef key) : ref(key) {}
  const KeyRef ref;
  State state = State::ready;
  std::vector<Offset> queue;       ///< outstanding, in order; the first is the head. Empty only with the key gone.
  std::uint32_t attempts = 0;      ///< deliveries of the head so far
  std::uint32_t leased = 0;        ///< how many of the front are leased
  std::uint64_t lease_number = 0;  ///< of the lease now, or the last one
  Elapsed until;                   ///< end of the lease or of the backoff
  Failure failure;                 ///< of the head's last delivery
  WallTime since;                  ///< parked since; draining: it was
  std::vector<EventTimes> times;   ///< of those in the queue that have any
  bool time_came = false;          ///< the head's

  // Of a key that was given up.
  std::optional<Offset> drain_to;  ///< it was released and drains: the last event that waited then
  std::uint64_t release = 0;       ///< by this job
  std::optional<Offset> edited;    ///< the head's successor, in the topic of edits
  std::string event_type;          ///< of the head, as far as it is known
  std::string key_text;            ///< the key itself, as far as it is known
  RepairBy repair_by = RepairBy::workflow;
  std::uint64_t repair_lease = 0;  ///< somebody has the head to repair it
  Elapsed repair_until;
  std::uint32_t repairs = 0;  ///< how often the head was

  /// An event of it failed, and what comes now would overtake it if it could.
  bool holds_back() const {
    return state == State::backoff || state == State::parked || state == State::giving_up || drain_to;
  }
  /// The first `count` events are done, and what was known of the head goes with it.
  void pass(std::size_t count);
  std::string unit_key() const override;
  void encode(std::string& out) const override;
};

/// Events that wait behind the front of their key's queue.
class KeyPage final : public Unit {
 public:
  KeyPage(KeyRef key, Offset first) : ref(key), first(first) {}
  const KeyRef ref;
  const Offset first;  ///< names the page
  std::vector<Offset> offsets;
  std::vector<EventTimes> times;  ///< of those of them that have any
  std::string unit_key() const override;
  void encode(std::string& out) const override;
};

class CursorUnit final : public Unit {
 public:
  SubscriptionId subscription;
  PartitionRef partition;
  Offset next{0};
  std::string unit_key() const override;
  void encode(std::string& out) const override;
};

class SubscriptionUnit final : public Unit {
 public:
  SubscriptionDefined definition;
  std::string unit_key() const override;
  void encode(std::string& out) const override;
};

/// The release job of a subscription: the last one there was.
class ReleaseUnit final : public Unit {
 public:
  ReleaseChanged value;
  std::string unit_key() const override;
  void encode(std::string& out) const override;
};

class StormUnit final : public Unit {
 public:
  StormChanged value;
  std::string unit_key() const override;
  void encode(std::string& out) const override;
};

class UseUnit final : public Unit {
 public:
  SubscriptionUsed value;
  std::string unit_key() const override;
  void encode(std::string& out) const override;
};

}  // namespace continuo::engines
