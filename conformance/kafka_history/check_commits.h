// Committed offsets: what was acknowledged, fetched, and begun from.
#pragma once

#include "continuo/history/final_log.h"

namespace continuo::history {

/// Finds commit_back, commit_invented, start_skip, start_back.
void check_commits(const History& history, const FinalLog& log, Findings& findings);

}  // namespace continuo::history
