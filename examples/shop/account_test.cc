// The account finds what is planted, and nothing where nothing is.
#include "account.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "shop_in_memory.h"

namespace shop {
namespace {

using continuo::client::Event;

constexpr std::uint64_t orders = 300;

std::size_t count(const Account& account, Breach::Kind kind) {
  return static_cast<std::size_t>(std::ranges::count(account.breaches, kind, &Breach::kind));
}

std::vector<Event>::iterator find(std::vector<Event>& events, std::string_view type) {
  return std::ranges::find(events, type, &Event::type);
}

TEST(Account, a_whole_shop_has_no_breach) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Account judged = account(run_in_memory(seed, orders));
    EXPECT_TRUE(judged.breaches.empty()) << to_text(judged);
    EXPECT_EQ(judged.orders, orders);
    EXPECT_EQ(judged.shipped + judged.undone, orders);
    EXPECT_EQ(judged.mails, orders);
    EXPECT_EQ(judged.counted, orders);
  }
}

TEST(Account, all_three_ways_back_are_taken) {
  const Account judged = account(run_in_memory(1, orders));
  EXPECT_GT(judged.payment_failed, 0u);
  EXPECT_GT(judged.stock_refused, 0u);
  EXPECT_GT(judged.shipment_failed, 0u);
  EXPECT_EQ(judged.undone, judged.payment_failed + judged.stock_refused + judged.shipment_failed);
  EXPECT_GT(judged.refunded_cents, 0);
}

TEST(Account, finds_any_lost_event) {
  const Topics whole = run_in_memory(2, 60);
  for (const auto& [topic, events] : whole) {
    for (std::size_t at = 0; at < events.size(); ++at) {
      Topics damaged = whole;
      damaged[topic].erase(damaged[topic].begin() + static_cast<std::ptrdiff_t>(at));
      const Account judged = account(damaged);
      EXPECT_GT(count(judged, Breach::Kind::lost), 0u) << topic << " without " << events[at].id;
    }
  }
}

TEST(Account, finds_any_doubled_event) {
  const Topics whole = run_in_memory(3, 60);
  for (const auto& [topic, events] : whole) {
    for (const Event& event : events) {
      Topics damaged = whole;
      Event again = event;
      again.offset = continuo::Offset{static_cast<std::int64_t>(events.size())};
      damaged[topic].push_back(again);
      EXPECT_GT(count(account(damaged), Breach::Kind::twice), 0u) << topic << " with " << event.id << " twice";
    }
  }
}

TEST(Account, finds_an_effect_doubled_under_another_id) {
  Topics damaged = run_in_memory(3, 60);
  Event again = *find(damaged["mails"], "MailSent");
  again.id += "-again";
  again.offset = continuo::Offset{static_cast<std::int64_t>(damaged["mails"].size())};
  damaged["mails"].push_back(again);
  EXPECT_GT(count(account(damaged), Breach::Kind::twice), 0u);
}

// Two events of one customer, from one topic and caused by one topic, change places.
TEST(Account, finds_swapped_events) {
  const Topics whole = run_in_memory(4, 120);
  for (const std::string topic : {"checkouts", "payments", "stock", "shipments", "mails", "figures"}) {
    Topics damaged = whole;
    auto& events = damaged[topic];
    const auto first = std::ranges::find_if(events, [&](const Event& one) {
      return std::ranges::count_if(
                 events, [&](const Event& other) { return other.key() == one.key() && other.type == one.type; }) > 1;
    });
    ASSERT_NE(first, events.end());
    const auto second = std::find_if(first + 1, events.end(), [&](const Event& other) {
      return other.key() == first->key() && other.type == first->type;
    });
    std::swap(first->offset, second->offset);
    EXPECT_GT(count(account(damaged), Breach::Kind::order), 0u) << topic;
  }
}

TEST(Account, finds_money_that_was_not_given_back_in_full) {
  Topics damaged = run_in_memory(1, orders);
  const auto refund = find(damaged["payments"], "PaymentRefunded");
  refund->json(R"({"amount":1})");
  EXPECT_GT(count(account(damaged), Breach::Kind::outcome), 0u);
}

TEST(Account, finds_a_mail_that_says_the_wrong_thing) {
  Topics damaged = run_in_memory(1, orders);
  damaged["mails"].front().json(R"({"outcome":"eaten"})");
  EXPECT_GT(count(account(damaged), Breach::Kind::outcome), 0u);
}

TEST(Account, finds_an_event_from_nowhere) {
  Topics damaged = run_in_memory(1, 20);
  Event stray = damaged["stock"].front();
  stray.id = "stray";
  stray.subject = "o-99999";
  stray.extend("causationid", "nobody");
  damaged["stock"].push_back(stray);
  EXPECT_GT(count(account(damaged), Breach::Kind::chain), 0u);
}

TEST(Account, finds_orders_that_never_arrived) {
  Topics damaged = run_in_memory(1, 20);
  damaged["checkouts"].back().json(R"({"orders":22})");
  EXPECT_EQ(count(account(damaged), Breach::Kind::lost), 2u);
}

}  // namespace
}  // namespace shop
