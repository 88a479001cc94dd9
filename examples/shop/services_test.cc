// The services answer as the table in README.md says, and the same event always the same way.
#include "services.h"

#include <gtest/gtest.h>

#include "order.h"

namespace shop {
namespace {

using continuo::client::Delivery;
using continuo::client::NewEvent;
using continuo::client::Outbox;

std::vector<NewEvent> reactions(std::string_view service, const Event& event, std::uint32_t attempt = 2) {
  const Delivery delivery{.lease = "", .attempt = attempt, .event = event};
  Outbox outbox(delivery);
  EXPECT_TRUE(find_service(service)->react(delivery, outbox));
  return std::move(outbox.events());
}

Event with_type(std::string type, std::string order = "o-1") {
  Event event{.id = "cause", .source = "/test", .type = std::move(type), .subject = std::move(order)};
  event.extend("partitionkey", "c-1").extend("correlationid", "flow");
  return event.json(R"({"order":"o-1","amount":5})");
}

TEST(Services, are_six) {
  EXPECT_EQ(all_services().size(), 6u);
  EXPECT_EQ(find_service("nobody"), nullptr);
}

TEST(Services, answer_each_event_once) {
  const auto answers = reactions("order", with_type("CheckoutSubmitted"));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].topic, "orders");
  EXPECT_EQ(answers[0].event.type, "OrderPlaced");
}

TEST(Services, ids_and_trails_come_from_the_cause) {
  const Event answered = reactions("email", with_type("OrderCompleted")).at(0).event;
  EXPECT_EQ(answered.id, "cause.MailSent");
  EXPECT_EQ(answered.extension("causationid"), "cause");
  EXPECT_EQ(answered.extension("correlationid"), "flow");
  EXPECT_EQ(answered.key(), "c-1");
  EXPECT_EQ(answered.subject, "o-1");
}

TEST(Services, walk_back_when_something_fails) {
  EXPECT_EQ(reactions("inventory", with_type("ShipmentFailed")).at(0).event.type, "StockReleased");
  EXPECT_EQ(reactions("payment", with_type("StockReleased")).at(0).event.type, "PaymentRefunded");
  EXPECT_EQ(reactions("payment", with_type("StockRefused")).at(0).event.type, "PaymentRefunded");
  EXPECT_EQ(reactions("order", with_type("PaymentRefunded")).at(0).event.type, "OrderCancelled");
  EXPECT_EQ(reactions("order", with_type("PaymentFailed")).at(0).event.type, "OrderCancelled");
}

TEST(Services, pass_over_what_is_not_theirs) {
  EXPECT_TRUE(reactions("email", with_type("OrderPlaced")).empty());
  EXPECT_TRUE(reactions("shipping", with_type("StockRefused")).empty());
  EXPECT_TRUE(reactions("payment", with_type("StockReserved")).empty());
}

TEST(Orders, are_the_same_for_the_same_seed) {
  EXPECT_EQ(make_order(7, 3), make_order(7, 3));
  EXPECT_NE(make_order(7, 3), make_order(8, 3));
  EXPECT_GT(number_of(make_order(7, 3), "amount"), 0);
}

TEST(Orders, are_read_from_lines) {
  auto order = read_order(R"({"id":12,"customer":"c","city":"Delft"})", 4);
  ASSERT_TRUE(order);
  EXPECT_EQ(text_of(*order, "order"), "12");
  EXPECT_EQ(number_of(*order, "number"), 4);
  EXPECT_EQ(text_of(*order, "city"), "Delft");
}

TEST(Orders, without_a_customer_are_refused) {
  auto order = read_order(R"({"order":"o"})", 4);
  ASSERT_FALSE(order);
  EXPECT_EQ(order.error().at, "line 4");
  EXPECT_FALSE(read_order("{", 1));
}

TEST(Fate, is_the_same_each_time_and_about_as_often_as_said) {
  int failed = 0;
  for (int i = 0; i < 10'000; ++i) failed += fate(std::to_string(i), "payment", 6);
  EXPECT_NEAR(failed, 600, 120);
  EXPECT_EQ(fate("17", "payment", 50), fate("17", "payment", 50));
}

}  // namespace
}  // namespace shop
