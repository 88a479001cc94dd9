// A receive that waits: whoever asked may go before there is anything.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "continuo/serve/exchange.h"

namespace continuo::serve {

/// Tells the node when the consumer goes while it waits: nothing is leased to nobody.
class WaitingReceive final : public Activity {
 public:
  /// `nothing`: the answer when the server stops meanwhile.
  WaitingReceive(Exchange& exchange, std::string nothing) : exchange_(exchange), nothing_(std::move(nothing)) {}
  ~WaitingReceive() override { cancelled_->store(true, std::memory_order_release); }
  std::shared_ptr<const std::atomic<bool>> cancelled() const { return cancelled_; }
  // What the node leases after this is given back, or comes again, when its answer finds nobody.
  void stopping() override { exchange_.answer_json(nothing_); }

 private:
  Exchange& exchange_;
  const std::string nothing_;
  const std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace continuo::serve
