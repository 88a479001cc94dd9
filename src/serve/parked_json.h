// A parked key as it is listed, and as the workflow that repairs gets it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "continuo/node/healing.h"
#include "continuo/node/record_finder.h"

namespace continuo::serve {

/// Appends the object. `room`: bytes of events that still fit into the list; none: the event is alone and always fits.
void write_parked(const node::ParkedKey& parked, const node::Catalogue& catalogue, node::RecordFinder& finder,
                  std::optional<std::uint64_t>& room, std::string& out);

}  // namespace continuo::serve
