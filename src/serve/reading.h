// Reading a topic's records as events, from one partition or from all of them merged.
//
// Across partitions, order is that of the journal groups the batches were committed with, where the node says them
// (node::Batches::groups): an event published after another one was acknowledged never comes before it. Where it does
// not say them, batches are merged by their timestamps, and only the order within each partition is promised.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "continuo/node/node.h"
#include "continuo/record/cloudevents.h"
#include "continuo/routing/matcher.h"
#include "continuo/wire/http/position.h"

namespace continuo::serve {

/// Not thread-safe, but may go from thread to thread. The node outlives it.
class Reading {
 public:
  struct Limits {
    std::uint32_t events = 500;
    std::size_t bytes = 1u << 20;           ///< of what `each` is given, about
    std::size_t scanned_bytes = 32u << 20;  ///< of batches looked through, when few events are wanted
  };
  using Each = std::function<void(const record::Event&, const record::RecordPlace&, Offset)>;

  /// What `each` is given of all that is read; the rest is passed over.
  struct Wanted {
    std::string correlation;                         ///< events with this correlationid; empty: all
    std::shared_ptr<const routing::Matcher> filter;  ///< events that a pattern of it matches; null: all
  };

  /// `partition`: none: all of them.
  Reading(node::Node& node, const node::Topic& topic, std::optional<PartitionId> partition, Wanted wanted);

  /// Where to begin; may do I/O for a time. Errors: bad_position (of another topic), and those of Node::read.
  Result<void> locate(const wire::http::From& from);

  /// Reads on. True: all there was is read. Errors as Node::read.
  Result<bool> run(const Limits& limits, const Each& each);

  /// What a later read takes as `from`: an offset with a partition given, else a position.
  std::string next() const;
  /// How many offsets lie between here and the ends; may count gaps.
  std::uint64_t lag() const;
  TopicId topic() const { return topic_.id; }

 private:
  struct Cursor {
    PartitionId partition;
    Offset next;
    bool exact = false;  ///< the client named this very offset: records that are gone are an error, not passed over
    node::Batches loaded;
    std::size_t at = 0;  ///< of the loaded batches
    bool drained() const { return at == loaded.batches.size(); }
    std::uint64_t order() const;
  };
  struct Progress;

  Result<void> locate_one(Cursor& cursor, const wire::http::From& from);
  Result<void> load(Cursor& cursor);
  Result<void> load_drained();
  Cursor* first();
  bool may_be_overtaken(const Cursor& cursor) const;
  Result<void> emit(Cursor& cursor, Progress& progress);
  bool wants(const record::Record& record, const record::Event& event);
  PartitionRef ref(const Cursor& cursor) const { return {topic_.id, cursor.partition}; }

  node::Node& node_;
  const node::Topic topic_;
  const bool single_;
  const std::string correlation_;
  std::optional<routing::Matching> filter_;
  std::vector<Cursor> cursors_;
  std::string scratch_;
};

}  // namespace continuo::serve
