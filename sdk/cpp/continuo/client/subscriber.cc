#include "continuo/client/subscriber.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace continuo::client {
namespace {

constexpr Millis for_ever{std::chrono::hours{24 * 36'500}};
constexpr std::size_t max_code_bytes = 200;
constexpr std::size_t max_message_bytes = 4096;

bool is_lost(const Error& error) { return error.code == Code::settle_refused || error.code == Code::lease_lost; }

Nack nack_of(const Delivery& delivery, const Error& error, const std::string& code) {
  return {.lease = delivery.lease,
          .code = (code.empty() ? std::string{name(error.code)} : code).substr(0, max_code_bytes),
          .message = error.detail.substr(0, max_message_bytes),
          .delay = {}};
}

}  // namespace

void Outbox::publish(std::string_view topic, Event event) {
  if (event.id.empty()) event.id = fmt::format("{}.{}", cause_.id, event.type);
  const std::string_view correlation = cause_.extension("correlationid");
  if (event.extension("correlationid").empty())
    event.extend("correlationid", std::string{correlation.empty() ? std::string_view{cause_.id} : correlation});
  if (event.extension("causationid").empty()) event.extend("causationid", cause_.id);
  if (event.extension("partitionkey").empty() && !cause_.extension("partitionkey").empty())
    event.extend("partitionkey", std::string{cause_.extension("partitionkey")});
  events_.push_back({std::string{topic}, std::move(event)});
}

std::unexpected<Error> Outbox::give_back(std::string code, std::string message) {
  failure_code_ = std::move(code);
  return fail(Code::bad_event, std::move(message));
}

// What became of one delivery.
struct Subscriber::Handled {
  const Delivery* delivery;
  Result<void> outcome;
  std::string failure_code;  // empty: the error's own
  std::vector<NewEvent> publish;
};

Subscriber::Subscriber(Client& client, std::string subscription, Handler handler, SubscriberOptions options)
    : client_(client), subscription_(std::move(subscription)), handler_(std::move(handler)), options_(options) {}

Subscriber::Handled Subscriber::handle(const Delivery& delivery) {
  Outbox outbox(delivery);
  auto outcome = handler_(delivery, outbox);
  std::string code = outcome ? std::string{} : outbox.failure_code();
  auto publish = outcome ? std::move(outbox.events()) : std::vector<NewEvent>{};
  return {&delivery, std::move(outcome), std::move(code), std::move(publish)};
}

Result<void> Subscriber::send(const Settle& settle, std::size_t handled) {
  auto settled = client_.settle(subscription_, settle);
  if (!settled) return pass(settled);
  const std::size_t lost = std::min(settled->refused.size(), handled);
  counts_.lost += lost;
  counts_.handled += handled - lost;
  counts_.failed += settle.nacks.size();
  counts_.published += static_cast<std::uint64_t>(std::ranges::count(settled->places, false, &Place::duplicate));
  return {};
}

// All of the batch in one commit. When one lease of it was lost nothing happened, and each event is settled alone.
Result<void> Subscriber::settle_all(std::vector<Handled>& batch) {
  Settle settle;
  for (const Handled& one : batch) {
    if (!one.outcome) {
      settle.nacks.push_back(nack_of(*one.delivery, one.outcome.error(), one.failure_code));
      continue;
    }
    settle.acks.push_back(one.delivery->lease);
    settle.publish.insert(settle.publish.end(), one.publish.begin(), one.publish.end());
  }
  auto sent = send(settle, settle.acks.size());
  if (sent || !is_lost(sent.error())) return sent;
  return settle_each(batch);
}

Result<void> Subscriber::settle_each(std::vector<Handled>& batch) {
  for (Handled& one : batch) {
    Settle settle;
    if (one.outcome)
      settle = {.acks = {one.delivery->lease}, .nacks = {}, .extends = {}, .publish = std::move(one.publish)};
    else
      settle.nacks.push_back(nack_of(*one.delivery, one.outcome.error(), one.failure_code));
    auto sent = send(settle, settle.acks.size());
    if (!sent && is_lost(sent.error()))
      ++counts_.lost;
    else if (!sent)
      return sent;
  }
  return {};
}

Result<std::size_t> Subscriber::run_once() {
  auto deliveries = client_.receive(subscription_, {.max = options_.max, .wait = options_.wait, .lease = {}});
  if (!deliveries) return pass(deliveries);
  std::vector<Handled> batch;
  std::set<std::pair<std::uint32_t, std::string_view>>
      waiting;  // keys whose event was given back: what follows comes again after it
  for (const Delivery& delivery : *deliveries) {
    const std::pair key{delivery.event.partition.value_or(PartitionId{}).value, delivery.event.key()};
    if (!key.second.empty() && waiting.contains(key)) continue;
    if (client_.options().stop.stop_requested()) break;
    Handled& one = batch.emplace_back(handle(delivery));
    if (!one.outcome) waiting.insert(key);
  }
  if (batch.empty()) return deliveries->size();
  if (auto settled = settle_all(batch); !settled) return pass(settled);
  return deliveries->size();
}

Result<void> Subscriber::run() {
  const std::stop_token& stop = client_.options().stop;
  Patience patience(for_ever, stop);
  while (!stop.stop_requested()) {
    auto round = run_once();
    if (round)
      patience.restart();
    else if (!stop.stop_requested() && !patience.wait_after(round.error()))
      return stop.stop_requested() ? Result<void>{} : pass(round);
  }
  return {};
}

Result<void> subscribe(Client& client, std::string subscription, Handler handler, SubscriberOptions options) {
  return Subscriber(client, std::move(subscription), std::move(handler), options).run();
}

}  // namespace continuo::client
