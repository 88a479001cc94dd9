#include "customers.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <optional>

#include "continuo/base/time.h"
#include "order.h"
#include "price.h"
#include "services.h"

namespace shop {
namespace {

namespace json = boost::json;
using continuo::Code;
using continuo::fail;
using continuo::Micros;
using continuo::Millis;
using continuo::pass;
using continuo::client::Client;

constexpr std::uint64_t orders_at_once = 10;

// Orders one after the other, from wherever they come.
class OrderSource {
 public:
  explicit OrderSource(const CustomerOptions& options) : options_(options) {
    if (!options.file.empty()) file_.open(options.file);
  }
  bool ready() const { return options_.file.empty() || file_.is_open(); }

  /// The next order; none at the end.
  Result<std::optional<json::object>> next() {
    if (options_.file.empty()) {
      if (number_ == options_.orders) return std::nullopt;
      return spoil(make_order(options_.seed, ++number_), options_.malformed);
    }
    for (std::string line; std::getline(file_, line);) {
      if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
      auto order = read_order(line, ++number_);
      if (!order) return pass(order);
      return std::move(*order);
    }
    return std::nullopt;
  }
  std::uint64_t number() const { return number_; }

 private:
  const CustomerOptions& options_;
  std::ifstream file_;
  std::uint64_t number_ = 0;
};

// Publishing is atomic for each batch, and a repeat of it is recognised by the ids.
Result<void> send_batch(Client& client, std::vector<Event>& batch) {
  if (batch.empty()) return {};
  auto places = client.publish("checkouts", batch);
  batch.clear();
  if (!places) return pass(places);
  return {};
}

void keep_pace(const CustomerOptions& options, Micros began, std::uint64_t sent, const std::stop_token& stop) {
  if (options.rate == 0) return;
  const Micros due = began + Micros{sent * 1'000'000 / options.rate};
  const Micros now = continuo::system_clock().steady();
  if (due > now) continuo::client::pause_for(std::chrono::duration_cast<Millis>(due - now), stop);
}

Event closing_event(const CustomerOptions& options, std::uint64_t orders) {
  Event event{.id = "closed", .source = "/shop/customers", .type = "ShopClosed", .subject = "shop"};
  return event.json(json::serialize(json::object{{"orders", orders}, {"seed", options.seed}}));
}

}  // namespace

Result<std::uint64_t> send_orders(Client& client, const CustomerOptions& options) {
  OrderSource source(options);
  if (!source.ready())
    return fail(Code::io_error, fmt::format("the file '{}' cannot be read", options.file), options.file);
  if (auto made = prepare_topic(client, "checkouts"); !made) return pass(made);
  const Micros began = continuo::system_clock().steady();
  const std::uint64_t at_once =
      options.rate == 0 ? orders_at_once : std::clamp<std::uint64_t>(options.rate / 20, 1, 100);
  std::vector<Event> batch;
  for (;;) {
    auto order = source.next();
    if (!order) return pass(order);
    if (*order) batch.push_back(checkout_event(**order));
    if (*order && batch.size() < at_once) continue;
    if (auto sent = send_batch(client, batch); !sent) return pass(sent);
    if (!*order) break;
    keep_pace(options, began, source.number(), client.options().stop);
  }
  auto closed = client.publish("checkouts", closing_event(options, source.number()));
  if (!closed) return pass(closed);
  return source.number();
}

}  // namespace shop
