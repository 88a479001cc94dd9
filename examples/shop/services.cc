#include "services.h"

#include <fmt/format.h>

#include "order.h"
#include "price.h"

namespace shop {
namespace {

namespace json = boost::json;
using continuo::Code;
using continuo::fail;
using continuo::Millis;
using continuo::pass;
using continuo::Result;
using continuo::client::Client;
using continuo::client::Delivery;
using continuo::client::Event;
using continuo::client::Outbox;

constexpr std::uint32_t partitions = 4;
// Short, so that what a killed service held is soon with its successor.
constexpr Millis lease{2'000};
constexpr Millis retry_delay{200};
constexpr std::uint32_t attempts = 8;
constexpr std::uint32_t events_at_once = 50;

constexpr unsigned payments_failed_percent = 6;
constexpr unsigned payments_retried_percent = 4;
constexpr unsigned stock_refused_percent = 6;
constexpr unsigned shipments_failed_percent = 4;

// Answers an event: the order is carried along, `more` says what is new.
Result<void> answer(const Delivery& delivery, Outbox& outbox, std::string_view service, std::string_view topic,
                    std::string_view type, json::object more = {}) {
  auto data = data_of(delivery.event);
  if (!data) return pass(data);
  for (auto& member : more) (*data)[member.key()] = std::move(member.value());
  Event event{.source = fmt::format("/shop/{}", service), .type = std::string{type}, .subject = delivery.event.subject};
  outbox.publish(topic, std::move(event.json(json::serialize(*data))));
  return {};
}

Result<void> order(const Delivery& delivery, Outbox& outbox) {
  const Event& event = delivery.event;
  if (event.type == "CheckoutSubmitted") return answer(delivery, outbox, "order", "orders", "OrderPlaced");
  if (event.type == "OrderShipped") return answer(delivery, outbox, "order", "orders", "OrderCompleted");
  if (event.type == "PaymentFailed" || event.type == "PaymentRefunded")
    return answer(delivery, outbox, "order", "orders", "OrderCancelled");
  return {};
}

// A price that cannot be paid fails under a code of its own: it is not tried again, the customer's key waits for
// whoever mends it.
Result<void> take_payment(const Delivery& delivery, Outbox& outbox) {
  const std::string& number = delivery.event.subject;
  auto placed = data_of(delivery.event);
  if (!placed) return pass(placed);
  if (auto fault = price_fault(*placed)) return outbox.give_back(std::move(fault->code), std::move(fault->message));
  if (delivery.attempt == 1 && fate(number, "gateway", payments_retried_percent))
    return fail(Code::connection_failed, "the payment gateway did not answer");
  if (fate(number, "payment", payments_failed_percent))
    return answer(delivery, outbox, "payment", "payments", "PaymentFailed", {{"reason", "card declined"}});
  return answer(delivery, outbox, "payment", "payments", "PaymentTaken", {{"payment", "p-" + number}});
}

Result<void> payment(const Delivery& delivery, Outbox& outbox) {
  const Event& event = delivery.event;
  if (event.type == "OrderPlaced") return take_payment(delivery, outbox);
  if (event.type == "StockRefused" || event.type == "StockReleased")
    return answer(delivery, outbox, "payment", "payments", "PaymentRefunded");
  return {};
}

Result<void> inventory(const Delivery& delivery, Outbox& outbox) {
  const Event& event = delivery.event;
  if (event.type == "PaymentTaken" && fate(event.subject, "stock", stock_refused_percent))
    return answer(delivery, outbox, "inventory", "stock", "StockRefused", {{"reason", "sold out"}});
  if (event.type == "PaymentTaken") return answer(delivery, outbox, "inventory", "stock", "StockReserved");
  if (event.type == "ShipmentFailed") return answer(delivery, outbox, "inventory", "stock", "StockReleased");
  return {};
}

Result<void> shipping(const Delivery& delivery, Outbox& outbox) {
  const Event& event = delivery.event;
  if (event.type != "StockReserved") return {};
  if (fate(event.subject, "shipment", shipments_failed_percent))
    return answer(delivery, outbox, "shipping", "shipments", "ShipmentFailed", {{"reason", "address unknown"}});
  return answer(delivery, outbox, "shipping", "shipments", "OrderShipped", {{"parcel", "x-" + event.subject}});
}

// Which way an order ended; empty when the event is not an end.
std::string_view outcome_of(const Event& event) {
  if (event.type == "OrderCompleted") return "shipped";
  return event.type == "OrderCancelled" ? "cancelled" : std::string_view{};
}

Result<void> email(const Delivery& delivery, Outbox& outbox) {
  const std::string_view outcome = outcome_of(delivery.event);
  if (outcome.empty()) return {};
  return answer(delivery, outbox, "email", "mails", "MailSent", {{"outcome", std::string{outcome}}});
}

Result<void> analytics(const Delivery& delivery, Outbox& outbox) {
  const std::string_view outcome = outcome_of(delivery.event);
  if (outcome.empty()) return {};
  return answer(delivery, outbox, "analytics", "figures", "OrderCounted", {{"outcome", std::string{outcome}}});
}

}  // namespace

std::span<const Service> all_services() {
  static const std::vector<Service> services{{"order", {"checkouts", "payments", "shipments"}, {"orders"}, order},
                                             {"payment", {"orders", "stock"}, {"payments"}, payment},
                                             {"inventory", {"payments", "shipments"}, {"stock"}, inventory},
                                             {"shipping", {"stock"}, {"shipments"}, shipping},
                                             {"email", {"orders"}, {"mails"}, email},
                                             {"analytics", {"orders"}, {"figures"}, analytics}};
  return services;
}

const Service* find_service(std::string_view name) {
  for (const Service& service : all_services())
    if (service.name == name) return &service;
  return nullptr;
}

Result<void> prepare_topic(Client& client, const std::string& topic) {
  auto made = client.create_topic(
      topic, {.partitions = partitions, .retention_time = {}, .retention_bytes = {}, .dedup_window = {}});
  if (!made) return pass(made);
  return {};
}

Result<void> prepare(Client& client, const Service& service) {
  for (const auto* topics : {&service.reads, &service.writes})
    for (const std::string& topic : *topics)
      if (auto made = prepare_topic(client, topic); !made) return made;
  continuo::client::SubscriptionSettings settings;
  settings.topics = service.reads;
  settings.from = "earliest";
  settings.lease = lease;
  settings.retry = {.attempts = attempts, .base = retry_delay};
  if (service.react == payment) {
    settings.retry.rules = {{.codes = {"no_amount", "bad_amount", "bad_currency"}, .attempts = 1}};
    settings.repairs = declared_repairs();
  }
  auto subscribed = client.put_subscription(service.name, settings);
  if (!subscribed) return pass(subscribed);
  return {};
}

Result<void> serve(Client& client, const Service& service) {
  return continuo::client::subscribe(client, std::string{service.name}, service.react, {.max = events_at_once});
}

}  // namespace shop
