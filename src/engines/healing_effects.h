// The effects of the subscriptions engine that give keys up and heal them; see effects.h for what holds of all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "continuo/engines/effects.h"

namespace continuo::engines {

/// Where a key's head goes that is given up.
enum class GivenUp : std::uint8_t {
  parked,       ///< it waits for somebody, and what comes behind it waits with it
  dead_letter,  ///< it waits to be read, and is then written to the topic of dead letters
  last = dead_letter
};

/// Who looks at a parked head next.
enum class RepairBy : std::uint8_t { declared, workflow, person, last = person };

/// The head is given up. Unit: the key.
struct KeyParked {
  static constexpr EffectType type = EffectType::key_parked;
  static constexpr std::uint8_t version = 3;
  KeyRef key;
  Failure failure;
  WallTime since;
  GivenUp to = GivenUp::parked;
  RepairBy repair_by = RepairBy::workflow;
  std::string event_type;  ///< as far as who refused it said
  std::string key_text;    ///< the same; what it was called before holds when it is empty
};

/// The parked key drains: its head's attempts count from zero, and what waited goes before what comes. Unit: the key.
struct KeyReleased {
  static constexpr EffectType type = EffectType::key_released;
  static constexpr std::uint8_t version = 2;
  KeyRef key;
  Offset drain_to{-1};        ///< the last event that waited
  std::uint64_t release = 0;  ///< the job that released it; 0: none
  std::string by, reason;
};

/// The head is passed over: by a person with a reason, or by a policy. Unit: the key.
struct KeySkipped {
  static constexpr EffectType type = EffectType::key_skipped;
  static constexpr std::uint8_t version = 2;
  KeyRef key;
  std::string reason;
  std::string by;  ///< empty: the subscription's own settings
};

/// Consumers of this subscription get another event in the place of the parked head; readers of the topic see what was
/// published. Unit: the key.
struct HeadEdited {
  static constexpr EffectType type = EffectType::head_edited;
  KeyRef key;
  Offset copy;  ///< of the new one, in the topic of edits
  std::string by, reason;
  std::string difference;  ///< RFC 6902, from what was published to what is delivered
};

/// Somebody has the parked head to repair it, or nobody any more. Unit: the key.
struct RepairChanged {
  static constexpr EffectType type = EffectType::repair_changed;
  KeyRef key;
  RepairBy repair_by = RepairBy::workflow;
  std::uint64_t lease = 0;  ///< number; 0: nobody has it
  Elapsed until;
  std::string by, reason;  ///< when it is given to a person
};

/// What a release takes: parked keys that are all of these.
struct ReleaseFilter {
  std::string fingerprint;                ///< empty: any
  std::string event_type;                 ///< of the head; empty: any
  std::optional<WallTime> after, before;  ///< parked then or later; before then
  bool operator==(const ReleaseFilter&) const = default;
};

enum class ReleaseState : std::uint8_t {
  running,
  done,
  relapsed,   ///< stopped: a key it released was given up again
  cancelled,  ///< stopped by somebody
  forgotten,  ///< its subscription is gone, and the unit with this
  last = forgotten
};

std::string_view name(ReleaseState state);

/// A job that releases parked keys of a subscription, one after the other. Unit: the subscription's release, of which
/// there is one at a time.
struct ReleaseChanged {
  static constexpr EffectType type = EffectType::release_changed;
  SubscriptionId subscription;
  std::uint64_t number = 0;  ///< never given again within the subscription
  ReleaseState state = ReleaseState::running;
  ReleaseFilter filter;
  std::uint32_t rate = 0;  ///< keys a second; 0: as fast as it goes
  bool stop_at_relapse = true;
  std::string by, reason;
  WallTime started;
  Elapsed next_at;         ///< of the next keys
  PartitionRef partition;  ///< how far it is: all keys up to this one were looked at
  std::uint64_t key_hash = 0;
  std::uint64_t total = 0, released = 0, relapsed = 0;  ///< keys: parked when it began; so far; given up again
};

/// The subscription holds still, or no longer. Unit: the subscription's storm, which is gone when it is over.
struct StormChanged {
  static constexpr EffectType type = EffectType::storm_changed;
  SubscriptionId subscription;
  bool over = false;
  std::string fingerprint;
  WallTime since;
  Elapsed probe_at;               ///< one key is tried then
  std::uint32_t probes = 0;       ///< so many were tried and failed
  std::optional<KeyRef> probing;  ///< it is under way with this key
};

/// Somebody received or settled; told now and then. Unit: when the subscription was used, which is gone when it says
/// never.
struct SubscriptionUsed {
  static constexpr EffectType type = EffectType::subscription_used;
  SubscriptionId subscription;
  WallTime at;  ///< 0: never
};

/// The head may be delivered from now on. Unit: the key.
struct KeyTimeCame {
  static constexpr EffectType type = EffectType::key_time_came;
  KeyRef key;
};

}  // namespace continuo::engines
