// The checker: a whole history in, what it proves against the server out. After the checks of jepsen.tests.kafka, and
// what Kafka's groups promise beyond them.
#pragma once

#include "continuo/history/findings.h"
#include "continuo/history/history.h"

namespace continuo::history {

/// Pure. The history ends with a drain of every place from its beginning to its end. A few dozen bytes for each
/// operation, and time n log n.
Findings check(const History& history);

}  // namespace continuo::history
