// Parked keys of a node in memory, for the tests of sessions: a list from which retried and skipped ones go.
#pragma once

#include <cstdlib>
#include <functional>
#include <mutex>
#include <vector>

#include "continuo/node/healing.h"

namespace continuo::serve {

class FewHealed final : public node::Healing {
 public:
  using Send = std::function<void(node::Edge&, std::move_only_function<void()>)>;
  /// `parked` under the `mutex`; `send` takes it itself.
  FewHealed(std::mutex& mutex, std::vector<node::ParkedKey>& parked, Send send)
      : mutex_(mutex), parked_(parked), send_(std::move(send)) {}

  void list(node::Edge& edge, SubscriptionId, node::ParkedQuery query,
            node::Answer<std::vector<node::ParkedKey>> answer) override {
    std::vector<node::ParkedKey> all;
    {
      const std::lock_guard lock(mutex_);
      all = parked_;
    }
    if (query.key_hash) std::erase_if(all, [&](const auto& key) { return key.key_hash != *query.key_hash; });
    if (all.size() > query.limit) all.resize(query.limit);
    reply<std::vector<node::ParkedKey>>(edge, std::move(answer), std::move(all));
  }
  void find(node::Edge&, SubscriptionId, std::uint64_t, node::Answer<node::ParkedKey>) override { std::abort(); }
  void retry(node::Edge& edge, SubscriptionId, std::uint64_t key_hash, node::Asked,
             node::Answer<void> answer) override {
    std::size_t removed = 0;
    {
      const std::lock_guard lock(mutex_);
      removed = std::erase_if(parked_, [&](const node::ParkedKey& key) { return key.key_hash == key_hash; });
    }
    reply<void>(edge, std::move(answer), removed != 0 ? Result<void>{} : fail(Code::not_parked, "not parked"));
  }
  void skip(node::Edge& edge, SubscriptionId id, std::uint64_t key_hash, node::Asked asked,
            node::Answer<void> answer) override {
    retry(edge, id, key_hash, std::move(asked), std::move(answer));
  }
  void cancel(node::Edge&, SubscriptionId, std::uint64_t, node::Asked, node::Answer<std::uint64_t>) override {
    std::abort();
  }
  void edit(node::Edge&, node::EditParked, node::Answer<void>) override { std::abort(); }
  void release(node::Edge&, node::ReleaseParked, node::Answer<node::Release>) override { std::abort(); }
  void stop_release(node::Edge&, SubscriptionId, node::Answer<node::Release>) override { std::abort(); }
  void last_release(node::Edge&, SubscriptionId, node::Answer<std::optional<node::Release>>) override { std::abort(); }
  void receive(node::Edge&, node::ReceiveRepairs, node::Answer<std::vector<node::RepairDelivery>>) override {
    std::abort();
  }
  void settle(node::Edge&, SubscriptionId, std::vector<node::SettleRepair>, std::string,
              node::Answer<node::RepairsSettled>) override {
    std::abort();
  }
  void seek(node::Edge&, node::Seek, node::Answer<node::Subscription>) override { std::abort(); }

 private:
  template <class T>
  void reply(node::Edge& edge, node::Answer<T> answer, Result<T> result) {
    send_(edge, [answer = std::move(answer), result = std::move(result)]() mutable { answer(std::move(result)); });
  }
  std::mutex& mutex_;
  std::vector<node::ParkedKey>& parked_;
  Send send_;
};

}  // namespace continuo::serve
