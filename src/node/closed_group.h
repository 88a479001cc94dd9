// What leaves the core: groups for the journal, checkpoints for the write-behind thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "continuo/log/seam/home.h"
#include "continuo/node/keeping.h"
#include "continuo/node/node.h"

namespace continuo::node {

/// A closed group on its way to the disk, with all that waits for it.
struct ClosedGroup {
  log::Group log;
  std::map<Edge*, std::vector<std::move_only_function<void()>>> answers;
  std::shared_ptr<const Catalogue> catalogue;  ///< set when the definitions changed
  std::vector<KeptChange> kept;                ///< for readers, before the group is reported written
};

/// Work for the write-behind thread: a checkpoint. Handed out once everything in it is durable.
struct CheckpointJob {
  Sequence upto;
  Now now;
  std::vector<log::UnitImage> units;
};

}  // namespace continuo::node
