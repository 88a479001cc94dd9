// A subscription whose events are copied into another topic.
#pragma once

#include "continuo/delivery/pusher.h"

namespace continuo::delivery {

/// Copies and acknowledgements are one commit, so every event is copied once, in order. A copy keeps id, source, key,
/// data, correlation and the record's own time; where the event names no cause, it is the copy's. What is not there
/// yet - the topic - is waited for.
class TopicCopy final : public Pusher {
 public:
  TopicCopy(PushThread& thread, std::shared_ptr<const node::Subscription> subscription,
            std::shared_ptr<PushCounts> counts, std::string into);

  void go_on() override;
  bool busy() const override { return copying_; }
  void abort() override;

 private:
  void received(std::vector<node::Delivery> deliveries) override;
  /// False: it is not copied with the others; its nack is in the batch, or it comes again.
  bool add(const node::Delivery& delivery, const node::Topic& into, node::Settle& batch);
  void settle(node::Settle batch);
  void settled(const std::shared_ptr<const node::Settle>& batch, const Result<node::Settled>& done);
  void nack(const node::Lease& lease, const Error& error);

  const std::string into_;
  std::vector<node::Lease> under_way_;
  std::size_t batch_bytes_ = 0;
  Micros began_{0}, not_before_{0};
  bool copying_ = false;
};

/// The record of a copy: the same key, value and headers, and those of CloudEvents that are missing.
std::string copied_body(const record::Record& record, const record::Event& event);

}  // namespace continuo::delivery
