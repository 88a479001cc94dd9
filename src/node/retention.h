// Which records retention takes away.
#pragma once

#include <vector>

#include "continuo/log/seam/home.h"
#include "continuo/node/requests.h"

namespace continuo::node {

struct RetentionTrim {
  PartitionRef partition;
  Offset before;
};

/// Trims that the topics' settings ask for now. By time: exact to the batch, by append time; only while the wall clock
/// is trusted. By bytes: whole segments, oldest first, while what is left is still as much as the setting. Reads files:
/// not for the core thread.
std::vector<RetentionTrim> due_trims(log::Home& home, const Catalogue& catalogue, WallTime wall, bool wall_trusted);

}  // namespace continuo::node
