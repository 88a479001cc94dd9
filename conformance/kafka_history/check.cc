#include "continuo/history/check.h"

#include "continuo/history/check_commits.h"
#include "continuo/history/check_ownership.h"
#include "continuo/history/check_polls.h"
#include "continuo/history/check_produced.h"
#include "continuo/history/final_log.h"

namespace continuo::history {

Findings check(const History& history) {
  Findings findings;
  const FinalLog log(history, findings);
  check_produced(history, log, findings);
  check_polls(history, log, findings);
  check_commits(history, log, findings);
  check_ownership(history, findings);
  return findings;
}

}  // namespace continuo::history
