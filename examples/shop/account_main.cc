// shop-account --server URL: reads the shop's topics and judges them. Exit codes: 0 all promises kept, 5 a breach, 1
// refused, 2 usage, 3 no connection.
#include <fmt/format.h>

#include <string_view>

#include "account.h"
#include "continuo/client/client.h"

namespace {

using continuo::Code;
using continuo::pass;
using continuo::Result;

constexpr std::string_view topic_names[] = {"checkouts", "orders", "payments", "stock",
                                            "shipments", "mails",  "figures",  "continuo.events"};

Result<shop::Topics> read_topics(continuo::client::Client& client) {
  shop::Topics topics;
  for (const std::string_view name : topic_names) {
    auto read = client.read_all(name, {.limit = 2'000}, [&](const continuo::client::Event& event) {
      topics[std::string{name}].push_back(event);
      return true;
    });
    // A shop without analytics has no figures, and one in which nothing was told no continuo.events.
    const bool needed = name != "figures" && name != "continuo.events";
    if (!read && (needed || read.error().code != Code::unknown_topic)) return pass(read);
  }
  return topics;
}

Result<shop::Account> judge(std::string_view server) {
  auto address = continuo::client::parse_address(server);
  if (!address) return pass(address);
  continuo::client::Client client({.server = *address, .patience = continuo::Millis{5'000}});
  auto topics = read_topics(client);
  if (!topics) return pass(topics);
  return shop::account(*topics);
}

int exit_code(const continuo::Error& error) {
  if (error.code == Code::bad_usage) return 2;
  return error.code == Code::connection_failed ? 3 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view server = "http://127.0.0.1:8080";
  if (argc == 3 && std::string_view{argv[1]} == "--server")
    server = argv[2];
  else if (argc != 1)
    return fmt::print(stderr, "usage: shop-account [--server URL]\n"), 2;
  auto judged = judge(server);
  if (!judged) return fmt::print(stderr, "shop-account: {}\n", to_string(judged.error())), exit_code(judged.error());
  fmt::print("{}", shop::to_text(*judged));
  return judged->breaches.empty() ? 0 : 5;
}
