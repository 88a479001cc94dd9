// The healing of an embedded node.
#pragma once

#include <functional>

#include "continuo/node/core.h"
#include "continuo/node/healing.h"

namespace continuo::node {

class EmbeddedHealing final : public Healing {
 public:
  /// Has a command run on the core; the first: bytes it may need in the group.
  using Submit = std::function<void(std::size_t, std::move_only_function<void(Core&)>)>;
  explicit EmbeddedHealing(Submit submit) : submit_(std::move(submit)) {}

  void find(Edge& edge, SubscriptionId id, std::uint64_t key_hash, Answer<ParkedKey> answer) override;
  void list(Edge& edge, SubscriptionId id, ParkedQuery query, Answer<std::vector<ParkedKey>> answer) override;
  void retry(Edge& edge, SubscriptionId id, std::uint64_t key_hash, Asked asked, Answer<void> answer) override;
  void skip(Edge& edge, SubscriptionId id, std::uint64_t key_hash, Asked asked, Answer<void> answer) override;
  void cancel(Edge& edge, SubscriptionId id, std::uint64_t key_hash, Asked asked,
              Answer<std::uint64_t> answer) override;
  void edit(Edge& edge, EditParked edit, Answer<void> answer) override;
  void release(Edge& edge, ReleaseParked release, Answer<Release> answer) override;
  void stop_release(Edge& edge, SubscriptionId id, Answer<Release> answer) override;
  void last_release(Edge& edge, SubscriptionId id, Answer<std::optional<Release>> answer) override;
  void receive(Edge& edge, ReceiveRepairs receive, Answer<std::vector<RepairDelivery>> answer) override;
  void settle(Edge& edge, SubscriptionId id, std::vector<SettleRepair> repairs, std::string by,
              Answer<RepairsSettled> answer) override;
  void seek(Edge& edge, Seek seek, Answer<Subscription> answer) override;

 private:
  template <class T, class Act>
  void submit(std::size_t room, Answer<T> answer, Act act);
  Submit submit_;
};

}  // namespace continuo::node
