// What heals a subscription: its parked keys, their repair and release, and where it goes on.
//
//   client::Healing healing{client, "payment"};
//   auto page = healing.parked({.fingerprint = "bad_amount"});
//   for (const client::ParkedKey& parked : page->keys) {
//     client::Event mended = *parked.event;
//     auto done = healing.edit(parked.id, mended.json(R"({"amount":4200})"), {.by = "ann", .reason = "was in euros"});
//   }
//
// The event repaired keeps its place: no later event of its key has gone ahead of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/client/client.h"

namespace continuo::client {

/// Who asks for something, and why: kept in the log, and told on `continuo.events`.
struct Asked {
  std::string by;
  std::string reason;
};

/// Which parked keys; what is empty does not matter.
struct ParkedQuery {
  std::string key;  ///< a key's text, or its id
  std::string fingerprint;
  std::string type;  ///< of the failed event
  std::uint32_t limit = 100;
  std::string after;  ///< the `next` of the page before
};

/// A key whose first unsettled event, the head, failed for good.
struct ParkedKey {
  std::string key;    ///< its text; empty for events without one
  std::string id;     ///< "~" and 16 hex digits: names the key wherever one is asked for
  std::string state;  ///< parked, repairing (a workflow has it) or draining (released)
  std::string topic;
  PartitionId partition;
  Offset offset;               ///< of the head
  std::optional<Event> event;  ///< the head as it would be delivered; none: too large for a list, ask for its key alone
  std::string code, message;   ///< what it failed with
  std::string fingerprint;
  std::uint32_t attempts = 0;
  std::uint32_t repairs = 0;  ///< tried so far
  bool edited = false;
  std::uint64_t waiting = 0;  ///< events of the key behind the head
  std::string repair_by;      ///< whose turn it is: declared, workflow or person
  std::string since;
};

struct ParkedPage {
  std::vector<ParkedKey> keys;
  std::string next;  ///< empty: these were all
};

struct ReleaseKeys {
  std::string fingerprint, type;  ///< as in ParkedQuery
  std::string after, before;      ///< times of parking: 2026-01-31T08:00:00Z
  std::string rate;               ///< "100/s"; empty: no limit
  bool stop_at_relapse = true;
  bool dry_run = false;  ///< only counts
};

struct Release {
  std::uint64_t number = 0;  ///< 0: a dry run, or there was none
  std::string state;         ///< running, done, relapsed, cancelled or none
  std::uint64_t matching = 0;
  std::uint64_t released = 0;
  std::uint64_t relapsed = 0;
};

/// A parked key under a lease of a workflow that repairs.
struct RepairDelivery {
  std::string lease;
  ParkedKey parked;
};

/// One atomic commit.
struct SettleRepairs {
  struct Repaired {
    std::string lease;
    Event event;  ///< what it should have been, with the same key
    std::string reason;
  };
  struct Other {
    std::string lease;
    std::string reason;
  };
  std::vector<Repaired> repaired;
  std::vector<Other> needs_person;
  std::vector<Other> skip;
  std::string by;
};

/// Keys are named by their text or their id. Outlived by its client; not thread-safe.
class Healing {
 public:
  Healing(Client& client, std::string_view subscription);

  Result<ParkedPage> parked(const ParkedQuery& query = {});
  /// The head is delivered again. Errors of all verbs: unknown_subscription, unknown_key, not_parked.
  Result<void> retry(std::string_view key, const Asked& asked = {});
  /// The head is passed over.
  Result<void> skip(std::string_view key, const Asked& asked);
  /// All that waits of the key is passed over; answers how many events that were.
  Result<std::uint64_t> cancel(std::string_view key, const Asked& asked);
  /// Another event in the head's place, for this subscription alone; with `release` it is delivered now. Errors:
  /// bad_event.
  Result<void> edit(std::string_view key, const Event& event, const Asked& asked = {}, bool release = true);

  /// Releases parked keys one after the other; answers at once.
  Result<Release> release(const ReleaseKeys& keys = {}, const Asked& asked = {});
  /// How far the last one is.
  Result<Release> last_release();
  Result<Release> stop_release();

  Result<std::vector<RepairDelivery>> receive_repairs(const Receive& receive = {});
  Result<Settled> settle_repairs(const SettleRepairs& settle);

  /// `to`: earliest, latest, a time or a position. Errors: keys_parked, where it is not said what becomes of them.
  Result<void> seek(std::string_view to, std::optional<bool> keep_parked = {}, const Asked& asked = {});

 private:
  Result<std::string> post(std::string_view rest, std::string_view body, Millis wait = Millis{0});
  std::string key_path(std::string_view key, std::string_view verb) const;

  Client& client_;
  const std::string path_;
};

}  // namespace continuo::client
