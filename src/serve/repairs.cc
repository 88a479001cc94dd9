// The workflow that repairs: it gets the failed heads of parked keys and says what they should have been.
#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "continuo/node/healing.h"
#include "continuo/serve/edits.h"
#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"
#include "continuo/serve/parked_json.h"
#include "continuo/serve/reading_aside.h"
#include "continuo/serve/waiting_receive.h"

namespace continuo::serve {
namespace {

using Deliveries = std::vector<node::RepairDelivery>;
using Outcome = engines::RepairSettle::Outcome;

std::string repairs_json(Door& door, const Deliveries& deliveries) {
  const auto catalogue = door.node.catalogue();
  node::RecordFinder finder = finder_in(door.node);
  std::optional<std::uint64_t> room;
  if (deliveries.size() > 1) room = door.options.max_deliveries_bytes;
  std::string out = "{\"repairs\":[";
  for (const node::RepairDelivery& each : deliveries) {
    if (out.back() != '[') out += ",";
    out += fmt::format(R"({{"lease":"{}","parked":)", node::lease_token(each.lease));
    write_parked(each.parked, *catalogue, finder, room, out);
    out += "}";
  }
  return out + "]}";
}

// A repair that was answered, and what the event was, for those that were repaired.
struct Answered {
  engines::RepairSettle settle;
  std::string place;  // in the request
  std::string event;
  std::optional<Result<std::string>> original;
};

// "skip[1]": where in the request the one with this number stands.
std::string place_of(const wire::http::SettleRepairs& request, std::size_t number) {
  const auto outcome = request.repairs[number].outcome;
  const auto before =
      std::ranges::count(std::span{request.repairs}.first(number), outcome, &wire::http::SettleRepairs::One::outcome);
  const std::string_view list = outcome == Outcome::repaired ? "repaired"
                                : outcome == Outcome::skip   ? "skip"
                                                             : "needs_person";
  return fmt::format("{}[{}]", list, before);
}

Result<std::vector<Answered>> answered_of(const wire::http::SettleRepairs& request, SubscriptionId subscription) {
  std::vector<Answered> all;
  for (const auto& one : request.repairs) {
    const std::string place = place_of(request, all.size());
    auto lease = node::parse_lease_token(one.lease);
    if (!lease || lease->subscription != subscription)
      return fail(Code::bad_request, lease ? "the lease is of another subscription" : "this is not a lease",
                  place + ".lease", "send the lease as receive?role=repair gave it");
    all.push_back({{*lease, one.outcome, one.reason}, place, std::string(one.event), std::nullopt});
  }
  return all;
}

void submit(Exchange& exchange, SubscriptionId id, std::vector<Answered> all, const std::string& by) {
  IoThread& thread = exchange.thread();
  std::vector<node::SettleRepair> repairs;
  for (std::size_t i = 0; i < all.size(); ++i) {
    node::SettleRepair& repair = repairs.emplace_back();
    repair.settle = std::move(all[i].settle);
    if (repair.settle.outcome != Outcome::repaired) continue;
    if (!*all[i].original) return exchange.refuse(all[i].original->error(), {});
    auto edited = make_edit(**all[i].original, all[i].event, thread.clock().wall());
    if (!edited) {
      place_within(edited.error(), all[i].place);
      return exchange.refuse(edited.error(), {});
    }
    repair.event = std::move(*edited);
  }
  thread.node().healing().settle(
      thread, id, std::move(repairs), by, [self = exchange.shared_from_this()](Result<node::RepairsSettled> settled) {
        if (!settled) return self->refuse(settled.error(), {});
        std::string refused;
        for (const node::RefusedLease& each : settled->refused)
          refused += fmt::format(R"({}{{"lease":"{}","code":"{}"}})", refused.empty() ? "" : ",",
                                 node::lease_token(each.lease), name(each.code));
        self->answer_json(fmt::format(R"({{"settled":{},"refused":[{}]}})", settled->settled, refused));
      });
}

}  // namespace

void receive_repairs(Exchange& exchange, const wire::http::Receive& request) {
  IoThread& thread = exchange.thread();
  const auto subscription = find_subscription(exchange, request.subscription);
  if (!subscription) return;
  node::ReceiveRepairs receive;
  receive.subscription = subscription->id;
  receive.max = request.max;
  receive.wait = request.wait;
  if (request.lease) receive.lease = *request.lease;
  if (request.wait.count() > 0) {
    auto waiting = std::make_unique<WaitingReceive>(exchange, R"({"repairs":[]})");
    receive.cancelled = waiting->cancelled();
    exchange.set_activity(std::move(waiting));
  }
  thread.node().healing().receive(thread, std::move(receive),
                                  [self = exchange.shared_from_this()](Result<Deliveries> deliveries) {
                                    if (!deliveries) return self->refuse(deliveries.error(), {});
                                    // Whoever went meanwhile keeps the heads until the leases are over.
                                    read_aside(
                                        *self, !deliveries->empty(),
                                        [&door = self->thread().door(), deliveries = std::move(*deliveries)] {
                                          return repairs_json(door, deliveries);
                                        },
                                        [](Exchange& again, const std::string& json) {
                                          if (!again.gone()) again.answer_json(json);
                                        });
                                  });
}

void settle_repairs(Exchange& exchange, const wire::http::SettleRepairs& request) {
  IoThread& thread = exchange.thread();
  const auto subscription = find_subscription(exchange, request.subscription);
  if (!subscription) return;
  auto all = answered_of(request, subscription->id);
  if (!all) return exchange.refuse(all.error(), {});
  read_aside(
      exchange, true,
      [&node = thread.node(), all = std::move(*all)]() mutable {
        for (Answered& each : all)
          if (each.settle.outcome == Outcome::repaired)
            each.original = published_json(node, each.settle.lease.partition, each.settle.lease.offset);
        return std::move(all);
      },
      [id = subscription->id, by = request.by](Exchange& again, std::vector<Answered> read) {
        if (!again.gone()) submit(again, id, std::move(read), by);
      });
}

}  // namespace continuo::serve
