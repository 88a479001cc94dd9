// The event a consumer gets for an offset: the record that lies there, or what somebody put in its place.
#pragma once

#include <optional>

#include "continuo/node/healing.h"
#include "continuo/node/record_finder.h"

namespace continuo::serve {

/// `edited`: the offset in the topic of edits of what is delivered instead. Valid until the finder's next call. Errors:
/// as the finder's.
inline Result<record::Record> find_delivered(node::RecordFinder& finder, const node::Catalogue& catalogue,
                                             PartitionRef partition, Offset offset, std::optional<Offset> edited) {
  const node::Topic* edits = edited ? catalogue.find_topic(node::edits_topic) : nullptr;
  return edits == nullptr ? finder.find(partition, offset) : finder.find({edits->id, PartitionId{0}}, *edited);
}

}  // namespace continuo::serve
