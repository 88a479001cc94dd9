// An edge for what the node asks of itself: answers are run where they are delivered, and do nothing.
#pragma once

#include "continuo/node/node.h"

namespace continuo::node {

/// Answers of trims that retention asks for go nowhere.
class NoEdge final : public Edge {
 public:
  void deliver(Mail mail) override {
    for (auto& answer : mail.answers) answer();
  }
};

inline NoEdge& no_edge() {
  static NoEdge edge;
  return edge;
}

}  // namespace continuo::node
