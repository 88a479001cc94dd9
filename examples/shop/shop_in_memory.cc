#include "shop_in_memory.h"

#include <deque>

#include "order.h"
#include "services.h"

namespace shop {
namespace {

using continuo::client::Delivery;
using continuo::client::Outbox;

class Memory {
 public:
  void append(const std::string& topic, Event event) {
    std::vector<Event>& log = topics_[topic];
    event.partition = continuo::PartitionId{0};
    event.offset = continuo::Offset{static_cast<std::int64_t>(log.size())};
    if (event.extension("correlationid").empty()) event.extend("correlationid", event.id);
    log.push_back(event);
    pending_.emplace_back(topic, std::move(event));
  }

  void work() {
    for (; !pending_.empty(); pending_.pop_front()) {
      const auto [topic, event] = pending_.front();
      for (const Service& service : all_services())
        for (const std::string& read : service.reads)
          if (read == topic) react(service, event);
    }
  }

  Topics take() { return std::move(topics_); }

 private:
  void react(const Service& service, const Event& event) {
    const Delivery delivery{.lease = "", .attempt = 2, .event = event};  // the first attempt may fail on purpose
    Outbox outbox(delivery);
    if (!service.react(delivery, outbox)) return;
    for (auto& [topic, published] : outbox.events()) append(topic, std::move(published));
  }

  Topics topics_;
  std::deque<std::pair<std::string, Event>> pending_;
};

}  // namespace

Topics run_in_memory(std::uint64_t seed, std::uint64_t orders) {
  Memory memory;
  for (std::uint64_t number = 1; number <= orders; ++number)
    memory.append("checkouts", checkout_event(make_order(seed, number)));
  Event closed{.id = "closed", .source = "/shop/customers", .type = "ShopClosed", .subject = "shop"};
  memory.append("checkouts", closed.json("{\"orders\":" + std::to_string(orders) + "}"));
  memory.work();
  return memory.take();
}

}  // namespace shop
