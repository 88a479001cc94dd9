// Declared repairs: heads of parked keys are looked at once with the repairs of their subscription; the first that fits
// makes the event what it should have been, and the key drains. What none fits is left to the workflow, or to people.
//
//   delivery::Repairer repairer{*node}; repairer.start(); ... repairer.stop();
#pragma once

#include <memory>

#include "continuo/node/node.h"

namespace continuo::delivery {

/// One thread of its own; works while the node lives.
class Repairer {
 public:
  explicit Repairer(node::Node& node);
  ~Repairer();
  void start();
  /// Heads under way keep their leases until these are over.
  void stop();

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

}  // namespace continuo::delivery
