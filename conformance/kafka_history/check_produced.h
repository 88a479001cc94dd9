// What producers were told, against the log.
#pragma once

#include "continuo/history/final_log.h"

namespace continuo::history {

/// Finds lost, doubled, reordered, overtaken, invented, refused_but_there, inconsistent_offset.
void check_produced(const History& history, const FinalLog& log, Findings& findings);

}  // namespace continuo::history
