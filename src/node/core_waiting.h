// What waits in the core: requests for their answers, and work that takes several steps.
#pragma once

#include <atomic>
#include <optional>
#include <set>
#include <string>
#include <variant>

#include "continuo/engines/groups/groups.h"
#include "continuo/engines/trimming.h"
#include "continuo/node/groups.h"
#include "continuo/node/healing.h"
#include "continuo/node/node.h"

namespace continuo::node {

/// A feeder that asked for credit and gets its answer when there is some.
struct Starved {
  Edge* edge;
  Offer offer;
  Answer<OfferCredit> answer;
};
struct Waiter {
  Edge* edge;
  Receive receive;
  Elapsed deadline;
  Answer<Received> answer;
};

/// Who joins or syncs.
struct GroupWaiter {
  Edge* edge;
  std::variant<Answer<engines::JoinAnswer>, Answer<engines::SyncAnswer>> answer;
};
struct Trimming {
  Edge* edge;
  engines::TrimPass pass;
  Answer<PartitionState> answer;
  std::set<Offset> held;  // to be copied
  bool passed = false;    // all subscriptions were looked at
};

/// A key that is given up with all that waits, slice by slice.
struct Cancelling {
  Edge* edge;
  engines::KeyRef key;
  Asked asked;
  Answer<std::uint64_t> answer;
  std::uint64_t events = 0;  // gone so far
};
/// Who waits for something to repair.
struct Repairer {
  Edge* edge;
  ReceiveRepairs receive;
  Elapsed deadline;
  Answer<std::vector<RepairDelivery>> answer;
};
/// An event of the node's own, for when the frame that it tells of is laid.
struct Told {
  std::string type, subject, data;
};
/// A head on its way to its topic of dead letters.
struct Dying {
  engines::KeyRef key;
  Offset head;
};

/// Answers look here when they are run: what was decided before the failure, but was not durable, fails too.
struct Verdict {
  std::atomic<bool> failed{false};
  Error error{Code::node_failed, {}, {}, {}};
};

}  // namespace continuo::node
