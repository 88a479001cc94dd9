// The listing of docs/client-cpp.md, built and run by the tests.
#include <fmt/format.h>

#include "continuo/client/client.h"
#include "continuo/client/subscriber.h"

namespace client = continuo::client;
using continuo::Error;
using continuo::Result;

static int failed(const Error& error) {
  fmt::print(stderr, "{}\n", to_string(error));
  return 1;
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
  return 0;
}
