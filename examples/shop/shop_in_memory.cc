#include "shop_in_memory.h"

#include <fmt/format.h>

#include <deque>
#include <optional>

#include "continuo/base/time.h"
#include "order.h"
#include "price.h"
#include "services.h"

namespace shop {
namespace {

namespace json = boost::json;
using continuo::client::Delivery;
using continuo::client::Outbox;

constexpr std::int64_t began_ms = 1'780'000'000'000;
constexpr std::int64_t between_events_ms = 10;

// What was given up, and what waits behind it.
struct ParkedKey {
  const Service* service;
  std::string topic;
  std::deque<Event> waiting;
};

class Memory {
 public:
  void append(const std::string& topic, Event event) {
    std::vector<Event>& log = topics_[topic];
    event.partition = continuo::PartitionId{0};
    event.offset = continuo::Offset{static_cast<std::int64_t>(log.size())};
    event.time = continuo::format_time({began_ms + ++appended_ * between_events_ms});
    if (event.extension("correlationid").empty()) event.extend("correlationid", event.id);
    log.push_back(event);
    pending_.emplace_back(topic, std::move(event));
  }

  /// Until nothing is left but what waits for a person.
  void work() {
    for (; !pending_.empty(); pending_.pop_front()) {
      const auto [topic, event] = pending_.front();
      for (const Service& service : all_services())
        for (const std::string& read : service.reads)
          if (read == topic) deliver(service, topic, event);
    }
  }

  void finish() {
    do work();
    while (mend_one());
  }

  Topics take() { return std::move(topics_); }

 private:
  void deliver(const Service& service, const std::string& topic, const Event& event) {
    const std::string key = fmt::format("{}/{}/{}", service.name, topic, event.key());
    if (const auto parked = parked_.find(key); parked != parked_.end()) return parked->second.waiting.push_back(event);
    const std::string code = react(service, event);
    if (code.empty()) return;
    tell(service, topic, event, "continuo.key.parked", {{"error", {{"code", code}}}});
    auto placed = data_of(event);
    if (code == "no_amount") {
      (*placed)["amount"] = (*placed)["total"];
      return mend(service, topic, event, *placed, "declared repair");
    }
    if (code == "bad_currency" && text_of(*placed, "currency") == "euro") {
      (*placed)["currency"] = "EUR";
      return mend(service, topic, event, *placed, "declared repair");
    }
    parked_.emplace(key, ParkedKey{&service, topic, {event}});
  }

  // The code of its failure; empty: it was handled.
  std::string react(const Service& service, const Event& event) {
    const Delivery delivery{.lease = "", .attempt = 2, .event = event};  // the first attempt may fail on purpose
    Outbox outbox(delivery);
    if (!service.react(delivery, outbox)) return outbox.failure_code();
    for (auto& [topic, published] : outbox.events()) append(topic, std::move(published));
    return {};
  }

  void tell(const Service& service, const std::string& topic, const Event& event, std::string type, json::object data) {
    data["topic"] = topic;
    data["partition"] = event.partition->value;
    data["offset"] = std::to_string(event.offset->value);
    Event told{.source = "/continuo", .type = std::move(type), .subject = std::string{service.name}};
    append("continuo.events", std::move(told.json(json::serialize(data))));
  }

  void mend(const Service& service, const std::string& topic, Event event, const json::object& data, const char* by) {
    tell(service, topic, event, "continuo.event.edited", {{"by", by}});
    tell(service, topic, event, "continuo.key.released", {{"by", by}});
    event.json(json::serialize(data));
    react(service, event);
  }

  // A person takes the first key that waits. False when none does.
  bool mend_one() {
    if (parked_.empty()) return false;
    const ParkedKey parked = std::move(parked_.begin()->second);
    parked_.erase(parked_.begin());
    const Event& head = parked.waiting.front();
    auto placed = data_of(head);
    const json::value amount = placed->at("amount");
    if (amount.is_string()) {
      std::string cents{amount.as_string().c_str()};
      cents.erase(cents.find('.'), 1);
      (*placed)["amount"] = std::stoll(cents);
      mend(*parked.service, parked.topic, head, *placed, "kim");
    } else {
      tell(*parked.service, parked.topic, head, "continuo.event.skipped", {{"by", "kim"}});
    }
    for (std::size_t i = 1; i < parked.waiting.size(); ++i) deliver(*parked.service, parked.topic, parked.waiting[i]);
    return true;
  }

  Topics topics_;
  std::int64_t appended_ = 0;
  std::deque<std::pair<std::string, Event>> pending_;
  std::map<std::string, ParkedKey> parked_;  // by service, topic and key
};

}  // namespace

Topics run_in_memory(std::uint64_t seed, std::uint64_t orders, unsigned malformed) {
  Memory memory;
  for (std::uint64_t number = 1; number <= orders; ++number) {
    memory.append("checkouts", checkout_event(spoil(make_order(seed, number), malformed)));
    memory.work();
  }
  Event closed{.id = "closed", .source = "/shop/customers", .type = "ShopClosed", .subject = "shop"};
  memory.append("checkouts", closed.json("{\"orders\":" + std::to_string(orders) + "}"));
  memory.finish();
  return memory.take();
}

}  // namespace shop
