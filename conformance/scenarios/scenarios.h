// All scenarios, by subject: each function plays its own.
#pragma once

#include "run.h"

namespace continuo::conformance {

void basics(Run& run);
void produce(Run& run);
void producers(Run& run);
void fetch(Run& run);
void list_offsets(Run& run);
void groups(Run& run);
void group_offsets(Run& run);
void topics(Run& run);
void configs(Run& run);
void changes(Run& run);

}  // namespace continuo::conformance
