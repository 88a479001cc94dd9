// Who owned which place, generation by generation.
#pragma once

#include "continuo/history/findings.h"
#include "continuo/history/history.h"

namespace continuo::history {

/// Finds owned_twice, generation_back.
void check_ownership(const History& history, Findings& findings);

}  // namespace continuo::history
