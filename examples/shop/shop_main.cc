// shop ROLE --server URL: one service of the shop, or its customers.

#include <fmt/format.h>

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "customers.h"
#include "order.h"
#include "services.h"
#include "stop.h"

namespace {

using continuo::Code;
using continuo::fail;
using continuo::pass;
using continuo::Result;

constexpr std::string_view usage =
    "usage: shop ROLE [--server URL]\n"
    "       shop customers [--server URL] [--orders N | --file FILE] [--seed N] [--rate N] [--malformed PERCENT]\n"
    "roles: order payment inventory shipping email analytics\n";

struct Arguments {
  std::string role;
  std::string server = "http://127.0.0.1:8080";
  shop::CustomerOptions customers;
};

template <class Number>
bool read_number(std::string_view text, Number& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc{} && end == text.data() + text.size();
}

bool take(Arguments& arguments, std::string_view name, std::string_view value) {
  if (name == "--server")
    arguments.server = value;
  else if (name == "--file")
    arguments.customers.file = value;
  else if (name == "--orders")
    return read_number(value, arguments.customers.orders);
  else if (name == "--seed")
    return read_number(value, arguments.customers.seed);
  else if (name == "--rate")
    return read_number(value, arguments.customers.rate);
  else if (name == "--malformed")
    return read_number(value, arguments.customers.malformed) && arguments.customers.malformed <= 100;
  else
    return false;
  return true;
}

Result<Arguments> read_arguments(const std::vector<std::string_view>& words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool is_option = words[i].starts_with("--");
    if (!is_option && arguments.role.empty())
      arguments.role = words[i];
    else if (!is_option || i + 1 == words.size() || !take(arguments, words[i], words[i + 1]))
      return fail(Code::bad_usage, fmt::format("'{}' is not understood", words[i]));
    else
      ++i;
  }
  return arguments;
}

Result<void> run(const Arguments& arguments) {
  auto address = continuo::client::parse_address(arguments.server);
  if (!address) return pass(address);
  continuo::client::Client client(
      {.server = *address, .patience = continuo::Millis{60'000}, .stop = shop::stop_on_signals()});
  if (arguments.role == "customers") {
    auto sent = shop::send_orders(client, arguments.customers);
    if (!sent && !client.options().stop.stop_requested()) return pass(sent);
    return {};
  }
  const shop::Service* service = shop::find_service(arguments.role);
  if (!service) return fail(Code::bad_usage, fmt::format("there is no role '{}'", arguments.role));
  if (auto prepared = shop::prepare(client, *service); !prepared) return prepared;
  return shop::serve(client, *service);
}

}  // namespace

int main(int argc, char** argv) {
  auto arguments = read_arguments({argv + 1, argv + argc});
  const Result<void> done = arguments ? run(*arguments) : pass(arguments);
  if (done) return 0;
  fmt::print(stderr, "shop: {}\n", to_string(done.error()));
  if (done.error().code != Code::bad_usage) return done.error().code == Code::connection_failed ? 3 : 1;
  fmt::print(stderr, "{}", usage);
  return 2;
}
