// Events that take the place of others: read, checked against what was published, encoded.
#pragma once

#include <string>
#include <string_view>

#include "continuo/node/healing.h"
#include "continuo/serve/io_thread.h"

namespace continuo::serve {

/// What was published.
struct Original {
  std::string json;  ///< structured
  std::string key;   ///< what it is ordered by
  std::string correlationid;
  TopicId topic;
};

/// Reads it. On any thread that may read files. Errors: as Node::read_one.
Result<Original> published_json(node::Node& node, PartitionRef partition, Offset offset);

/// `json`: the structured event that is to be delivered instead. Its key must stay. Errors: bad_event, bad_json, with
/// `event` in `at`; too_large.
Result<node::EditedEvent> make_edit(IoThread& thread, const Original& original, std::string_view json);

}  // namespace continuo::serve
