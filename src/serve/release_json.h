// A release job as it is shown.
#pragma once

#include <string>

#include "continuo/node/healing.h"

namespace continuo::serve {

/// The object; of a dry run without number and state.
std::string release_json(const node::Release& release);

}  // namespace continuo::serve
