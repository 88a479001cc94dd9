#include "continuo/node/embedded_healing.h"

#include <fmt/format.h>

#include "continuo/node/core_state.h"
#include "continuo/node/embedded_node.h"
#include "continuo/record/batch.h"

namespace continuo::node {
namespace {

constexpr std::size_t question = 0;
constexpr std::size_t beside = 64 * 1024;  // of a request: topics that are made for it, the ends of a frame
constexpr std::size_t verb = engines::verb_room + beside;
constexpr std::size_t many_keys = 512 * 1024;

// One key is passed over, or gets this event, and is released.
std::size_t room_of(const EditedEvent& event, const Asked& asked) {
  return record::max_record_size(event.body.size()) + 2 * event.difference.size() + engines::healed_key_room +
         2 * engines::words_room(asked);
}

// It would wait for ever, and all others behind it.
Error too_large(std::string_view what, std::size_t room) {
  return {Code::too_large,
          fmt::format("the {} take {} bytes in the log, one commit holds at most {}", what, room, group_budget),
          {},
          "send less in one request"};
}

}  // namespace

template <class T, class Act>
void EmbeddedHealing::submit(std::size_t room, Answer<T> answer, Act act) {
  submit_(room,
          [answer = std::move(answer), act = std::move(act)](Core& core) mutable { act(core, std::move(answer)); });
}

void EmbeddedHealing::list(Edge& edge, SubscriptionId id, ParkedQuery query, Answer<std::vector<ParkedKey>> answer) {
  submit(question, std::move(answer), [&edge, id, query = std::move(query)](Core& core, auto reply) {
    core.parked(edge, id, query, std::move(reply));
  });
}

void EmbeddedHealing::find(Edge& edge, SubscriptionId id, std::uint64_t key_hash, Answer<ParkedKey> answer) {
  submit(question, std::move(answer),
         [&edge, id, key_hash](Core& core, auto reply) { core.find_parked(edge, id, key_hash, std::move(reply)); });
}

void EmbeddedHealing::retry(Edge& edge, SubscriptionId id, std::uint64_t key_hash, Asked asked, Answer<void> answer) {
  submit(verb, std::move(answer), [&edge, id, key_hash, asked = std::move(asked)](Core& core, auto reply) {
    core.retry_parked(edge, id, key_hash, asked, std::move(reply));
  });
}

void EmbeddedHealing::skip(Edge& edge, SubscriptionId id, std::uint64_t key_hash, Asked asked, Answer<void> answer) {
  submit(verb, std::move(answer), [&edge, id, key_hash, asked = std::move(asked)](Core& core, auto reply) {
    core.skip_parked(edge, id, key_hash, asked, std::move(reply));
  });
}

void EmbeddedHealing::cancel(Edge& edge, SubscriptionId id, std::uint64_t key_hash, Asked asked,
                             Answer<std::uint64_t> answer) {
  submit(verb, std::move(answer), [&edge, id, key_hash, asked = std::move(asked)](Core& core, auto reply) mutable {
    core.cancel_parked(edge, id, key_hash, std::move(asked), std::move(reply));
  });
}

void EmbeddedHealing::edit(Edge& edge, EditParked edit, Answer<void> answer) {
  const std::size_t room = room_of(edit.event, edit.asked) + beside;
  if (room > group_budget) return refuse(edge, std::move(answer), too_large("edit and what is told of it", room));
  submit(room, std::move(answer), [&edge, edit = std::move(edit)](Core& core, auto reply) mutable {
    core.edit_parked(edge, std::move(edit), std::move(reply));
  });
}

void EmbeddedHealing::release(Edge& edge, ReleaseParked release, Answer<Release> answer) {
  submit(beside, std::move(answer), [&edge, release = std::move(release)](Core& core, auto reply) {
    core.release_parked(edge, release, std::move(reply));
  });
}

void EmbeddedHealing::stop_release(Edge& edge, SubscriptionId id, Answer<Release> answer) {
  submit(beside, std::move(answer),
         [&edge, id](Core& core, auto reply) { core.stop_release(edge, id, std::move(reply)); });
}

void EmbeddedHealing::last_release(Edge& edge, SubscriptionId id, Answer<std::optional<Release>> answer) {
  submit(question, std::move(answer),
         [&edge, id](Core& core, auto reply) { core.last_release(edge, id, std::move(reply)); });
}

void EmbeddedHealing::receive(Edge& edge, ReceiveRepairs receive, Answer<std::vector<RepairDelivery>> answer) {
  submit(many_keys, std::move(answer), [&edge, receive = std::move(receive)](Core& core, auto reply) mutable {
    core.receive_repairs(edge, std::move(receive), std::move(reply));
  });
}

void EmbeddedHealing::settle(Edge& edge, SubscriptionId id, std::vector<SettleRepair> repairs, std::string by,
                             Answer<RepairsSettled> answer) {
  std::size_t room = beside;
  for (const SettleRepair& each : repairs) room += room_of(each.event, {by, each.settle.reason});
  if (room > group_budget) return refuse(edge, std::move(answer), too_large("repairs", room));
  submit(room, std::move(answer),
         [&edge, id, repairs = std::move(repairs), by = std::move(by)](Core& core, auto reply) mutable {
           core.settle_repairs(edge, id, std::move(repairs), by, std::move(reply));
         });
}

void EmbeddedHealing::seek(Edge& edge, Seek seek, Answer<Subscription> answer) {
  submit(2 * many_keys, std::move(answer),
         [&edge, seek = std::move(seek)](Core& core, auto reply) { core.seek(edge, seek, std::move(reply)); });
}

}  // namespace continuo::node
