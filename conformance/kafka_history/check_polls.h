// What consumers were given, against the log.
#pragma once

#include "continuo/history/final_log.h"

namespace continuo::history {

/// Finds vanished, inconsistent_offset, poll_back, poll_skip, poll_unassigned, never_polled. Where an assignment begins
/// is judged with the commits.
void check_polls(const History& history, const FinalLog& log, Findings& findings);

}  // namespace continuo::history
