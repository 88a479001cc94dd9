// The listing of docs/client-cpp.md, built and run by the tests.
#include <fmt/format.h>

#include "continuo/client/client.h"
#include "continuo/client/healing.h"
#include "continuo/client/subscriber.h"

namespace client = continuo::client;
using continuo::Error;
using continuo::Result;

static int failed(const Error& error) {
  fmt::print(stderr, "{}\n", to_string(error));
  return 1;
}

// A consumer that takes no order without an amount, and what it parks.
static Result<void> park(client::Client& shop) {
  auto place = shop.publish("orders", client::Event{.source = "/web", .type = "OrderPlaced", .subject = "customer-5"});
  if (!place) return pass(place);
  auto made = shop.put_subscription("billing", {.topics = {"orders"}, .from = "earliest", .retry = {.attempts = 1}});
  if (!made) return pass(made);
  auto bill = [](const client::Delivery& delivery, client::Outbox&) -> Result<void> {
    if (delivery.event.data.empty()) return continuo::fail(continuo::Code::bad_event, "there is no amount");
    return {};
  };
  client::Subscriber billing(shop, "billing", bill);
  for (int bills = 0; bills < 2;) {
    auto came = billing.run_once();
    if (!came) return pass(came);
    bills += static_cast<int>(*came);
  }
  return {};
}

static int heal(const client::Address& server) {
  client::Client shop({.server = server});
  if (auto parked = park(shop); !parked) return failed(parked.error());

  // [heal]
  client::Healing healing(shop, "billing");
  auto page = healing.parked({.type = "OrderPlaced"});  // keys whose first event failed for good
  if (!page) return failed(page.error());
  for (const client::ParkedKey& parked : page->keys) {
    client::Event mended = *parked.event;  // its id, source and key stay, and so does its place
    auto edited = healing.edit(parked.id, mended.json(R"({"amount":4200})"), {.by = "ann", .reason = "was in euros"});
    if (!edited) return failed(edited.error());
  }
  // [heal]
  fmt::print("{} keys healed\n", page->keys.size());
  return 0;
}

int main(int argc, char** argv) {
  // [connect]
  auto address = client::parse_address(argc > 1 ? argv[1] : "http://127.0.0.1:8080");
  if (!address) return failed(address.error());
  std::stop_source stop;
  client::Client shop({.server = *address, .patience = continuo::Millis{30'000}, .stop = stop.get_token()});
  // [connect]

  // [publish]
  client::Event placed{.id = "o-17", .source = "/web", .type = "OrderPlaced", .subject = "customer-4"};
  auto place = shop.publish("orders", placed.json(R"({"amount":4200})"));
  if (!place) return failed(place.error());  // the server's own error: code, detail, at, hint
  fmt::print("on disk at {}/{}\n", place->partition.value, place->offset.value);
  // [publish]

  // [read]
  auto end = shop.read_all("orders", {.from = "earliest"}, [](const client::Event& event) {
    fmt::print("{} of {}: {}\n", event.type, event.key(), event.data);
    return true;  // false: enough
  });
  if (!end) return failed(end.error());
  // [read]

  // [subscribe]
  auto made = shop.put_subscription("payment", {.topics = {"orders"}, .from = "earliest"});
  if (!made) return failed(made.error());

  auto pay = [&](const client::Delivery& delivery, client::Outbox& outbox) -> Result<void> {
    client::Event paid{.source = "/payment", .type = "OrderPaid", .subject = delivery.event.subject};
    outbox.publish("payments", paid.json(delivery.event.data));
    stop.request_stop();  // one is enough here; a service goes on until it is told to end
    return {};            // an error instead gives the event back: it comes again, and its key waits for it
  };
  auto ended = client::subscribe(shop, "payment", pay);
  if (!ended) return failed(ended.error());
  // [subscribe]

  return heal(*address);
}
