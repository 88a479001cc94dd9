// What was published, as edits are compared with it.
#pragma once

#include <string>

#include "continuo/node/healing.h"

namespace continuo::serve {

/// The event, structured. On any thread that may read files. Errors: as Node::read_one.
Result<std::string> published_json(node::Node& node, PartitionRef partition, Offset offset);

/// `json`: the structured event that is to be delivered instead. Errors: as record::edit_event.
Result<node::EditedEvent> make_edit(const std::string& original, std::string_view json, WallTime now);

}  // namespace continuo::serve
