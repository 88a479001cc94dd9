// Who waits for replies on one I/O thread: each topic is read once for all of them, from where it ended when the first
// began to wait.
//
// News of the topic come through the exchanges that watch it; whoever hears of them first reads on. A reply is the
// first event whose `causationid` is the id of a request that is waited for.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "continuo/node/node.h"

namespace continuo::serve {

class IoThread;

class ReplyWatches {
 public:
  /// The reply, structured; called once, unless it is forgotten before.
  using Found = std::move_only_function<void(const std::string& json)>;

  explicit ReplyWatches(IoThread& thread) : thread_(thread) {}
  ~ReplyWatches();

  /// From now on. Errors: as Node::read.
  Result<std::uint64_t> wait(const node::Topic& topic, const std::string& id, Found found);
  void forget(TopicId topic, std::uint64_t ticket);
  /// The topic has new records.
  void news(TopicId topic);

 private:
  struct Watch;
  void look(const std::shared_ptr<Watch>& watch);
  void drop_if_idle(const std::shared_ptr<Watch>& watch);

  IoThread& thread_;
  std::unordered_map<TopicId, std::shared_ptr<Watch>> watches_;
  std::uint64_t last_ticket_ = 0;
};

/// The reply to a request that was published before already: the first one of the last `within`. Reads files.
std::optional<std::string> find_reply(node::Node& node, const node::Topic& topic, const std::string& id,
                                      WallTime since);

}  // namespace continuo::serve
