// One partition and the subscriptions with a filter that read it.
//
// Those that stand at the same place are a cohort: its records are read once, and every event is shown to all filters
// of the topic at once. A cohort moves on over what nobody wants without telling anyone; so what an event costs is what
// matches it. Who gets behind - no credit, or its offer is under way for too long - stands still alone, goes on from
// there when it can, and is of the cohort again where it meets it. Cohorts that meet are one, and one waits for another
// that is close behind: after a start thousands stand at as many places, and all is read once nevertheless.
//
// The engine is told of the new place of a subscription with the events that matched. Of those that nothing matched it
// is told now and then (`tell_due`), so that lag, retention and a restart do not go by a place long left behind.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "continuo/delivery/event_times.h"
#include "continuo/delivery/topic_filters.h"
#include "continuo/node/node.h"

namespace continuo::delivery {

struct Cohort;

/// A subscription's place in the partition.
struct Cursor {
  node::FeedPosition at;     ///< as the engine knows it
  std::uint64_t number = 0;  ///< names this life of the cursor: answers to one before are not for it
  std::shared_ptr<const routing::Pattern> filter;
  TimesWanted times;
  Cohort* cohort = nullptr;                 ///< none: it stands still at `seen`
  std::size_t place = 0;                    ///< in the cohort
  Offset seen;                              ///< all below was looked at; in a cohort it may be more by now
  std::vector<node::Offer::Event> matched;  ///< and these are to be offered
  bool busy = false;                        ///< an offer is under way
  std::optional<routing::Matching> alone;   ///< its filter by itself, while it reads alone
};

struct Cohort {
  Offset at;
  std::vector<Cursor*> cursors;
  Offset told;                         ///< where it stood when the engine was told last
  std::optional<Micros> untold_since;  ///< it moved on since
  Micros again_at{0};                  ///< what comes next cannot be read: when to look again
  bool complained = false;
};

/// How a lane reads its partition: as Node::read and Node::partition_state.
struct PartitionRecords {
  std::function<Result<node::Batches>(Offset from, std::uint64_t max_bytes)> read;
  std::function<Result<node::PartitionState>()> state;
};

/// Not thread-safe. `filters` outlive it.
class Lane {
 public:
  Lane(PartitionRef partition, PartitionRecords records, TopicFilters& filters)
      : partition(partition), records_(std::move(records)), filters_(filters) {}
  const PartitionRef partition;
  bool awake = false;  ///< the router's mark

  Cursor* find(SubscriptionId id);
  /// Replaces one that is there.
  Cursor& put(const node::FeedPosition& at, std::shared_ptr<const routing::Pattern> filter, std::uint64_t number);
  void remove(const Cursor& cursor);
  bool empty() const { return cursors_.empty(); }

  /// Where the cursor stands.
  static Offset seen(const Cursor& cursor) {
    return cursor.cohort == nullptr ? cursor.seen : std::max(cursor.seen, cursor.cohort->at);
  }
  /// One that stood still goes on.
  void join(Cursor& cursor);
  /// The engine takes fewer than were found.
  void keep_within_credit(Cursor& cursor);

  /// Each cohort looks at one piece of what comes next. `touched`: who has something to offer, or stands still now.
  /// True: some moved, so there may be more.
  bool look(Micros now, std::vector<Cursor*>& touched);
  /// Those of whose place the engine is to hear now.
  void tell_due(Micros now, std::vector<Cursor*>& due);
  /// When to look or tell again without news.
  std::optional<Micros> look_again() const;

 private:
  std::optional<Offset> look(Cohort& first, Micros now, std::vector<Cursor*>& touched);
  std::optional<Offset> cannot_read(Cohort& cohort, const Error& error, Micros now);
  Result<void> walk(Cohort& cohort, const std::string& batch, std::vector<Cursor*>& touched);
  void show(Cohort& cohort, const record::Record& record, std::vector<Cursor*>& touched);
  void take(Cursor& cursor, const record::Record& record, std::vector<Cursor*>& touched);
  void leave(Cursor& cursor);
  void stand_still(Cursor& cursor, Offset at);
  Cohort& move(Cohort& cohort, Offset to, Micros now);
  static void merge(Cohort& into, const Cohort& other);
  void take_along(Cohort& cohort, Offset below);
  void drop_if_empty(const Cohort& cohort);

  const PartitionRecords records_;
  TopicFilters& filters_;
  std::unordered_map<SubscriptionId, std::unique_ptr<Cursor>> cursors_;
  std::map<Offset, std::unique_ptr<Cohort>> cohorts_;
  bool looking_ = false;
  std::string scratch_;
  std::vector<Cursor*> wanting_;
};

}  // namespace continuo::delivery
