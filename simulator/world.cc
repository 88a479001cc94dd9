#include "continuo/simulator/world.h"

#include <fmt/format.h>

#include <algorithm>

#include "continuo/base/hash.h"
#include "continuo/record/batch.h"

namespace continuo::simulator {
namespace {

constexpr std::size_t control_bytes = 2048;

std::string filler(EventNumber number, std::size_t size) {
  std::string text;
  while (text.size() < size) text.push_back(static_cast<char>('a' + (number * 31 + text.size() * 7) % 26));
  return text;
}

std::size_t room_of(const std::vector<node::NewRecord>& records) {
  std::size_t bytes = 1024;
  for (const node::NewRecord& record : records) bytes += record::max_record_size(record.body.size()) + 40;
  return bytes;
}

std::string words(const std::vector<node::Place>& places) {
  std::string text;
  for (const node::Place& place : places)
    text += fmt::format(" {}/{}@{}{}", place.topic.value, place.partition.value, place.offset.value,
                        place.duplicate ? " again" : "");
  return text;
}

std::string words(const node::Lease& lease) {
  return fmt::format(" {}/{}@{} key {:x} lease {}", lease.partition.topic.value, lease.partition.partition.value,
                     lease.offset.value, lease.key_hash, lease.number);
}

std::string words(const std::vector<node::Delivery>& deliveries) {
  std::string text;
  for (const node::Delivery& delivery : deliveries)
    text += words(delivery.lease) + fmt::format(" attempt {}", delivery.attempt);
  return text;
}

std::string words(const node::Settle& settle) {
  std::string text;
  for (const node::Lease& lease : settle.acks) text += words(lease);
  for (const node::Nack& nack : settle.nacks) text += " nack" + words(nack.lease);
  return text;
}

std::string words(const node::Settled& settled) {
  std::string text = fmt::format("{} settled, refused:", settled.settled);
  for (const node::RefusedLease& refused : settled.refused) text += words(refused.lease);
  return text + words(settled.places);
}

// What never reached the node was refused, as far as its client can tell.
std::unexpected<Error> not_sent() { return fail(Code::overloaded, "not sent"); }

}  // namespace

World::World(std::uint64_t seed, const NodeSettings& settings)
    : disk_(std::make_unique<disk::SimulatedDisk>()), random_(seed), settings_(settings) {}

// ---- life -----------------------------------------------------------------------------------------------------------

bool World::start(bool may_fail) {
  auto started = SimulatedNode::start(*disk_, clock_, random_, settings_);
  if (!started) {
    if (!may_fail) oracle_.breach("the node does not start: " + to_string(started.error()));
    return false;
  }
  node_ = std::move(*started);
  if (const auto strangers = disk_->list("quarantine"); strangers && !strangers->empty())
    oracle_.breach(fmt::format("what was deleted came back: quarantine/{}", strangers->front()));
  check(true);
  return true;
}

void World::fold_node() {
  if (node_) effects_ = hash64(fmt::format("{} {}", effects_, node_->effects()));
}

void World::kill() {
  fold_node();
  node_.reset();
  hang_up();
}

// Whoever waits for an answer waits no more, and asks again.
void World::hang_up() {
  for (auto& [name, producer] : producers_) producer.asking = false;
  for (auto& [name, consumer] : consumers_)
    if (consumer.phase == Consumer::Phase::joining || consumer.phase == Consumer::Phase::syncing)
      consumer.phase = Consumer::Phase::out;
}

void World::move_to(std::unique_ptr<disk::SimulatedDisk> disk) {
  kill();
  disk_ = std::move(disk);
}

void World::cut_power(Random& random) {
  auto image = disk_->crash_image(random);
  move_to(std::move(image));
  effects_ = hash64(fmt::format("{} {}", effects_, disk_->fingerprint()));
}

std::unique_ptr<World> World::fork(std::unique_ptr<disk::SimulatedDisk> disk, std::uint64_t seed) const {
  auto other = std::make_unique<World>(seed, settings_);
  other->disk_ = std::move(disk);
  other->clock_ = clock_;
  other->oracle_ = oracle_;
  other->groups_ = groups_;
  other->healing_ = healing_;
  other->repairs_ = repairs_;
  other->producers_ = producers_;
  other->consumers_ = consumers_;
  other->hang_up();
  other->next_event_ = next_event_;
  return other;
}

// A group has one time: none stays open while time passes, so that clients know when their requests were decided.
void World::advance(Millis by) {
  if (node_) {
    if (node_->in_flight() && node_->core().anything_open()) node_->flush();
    node_->close();
  }
  clock_.advance(by);
}

// ---- definitions ----------------------------------------------------------------------------------------------------

void World::create_topic(const std::string& name, const node::TopicSettings& settings) {
  if (!admit(control_bytes)) return;
  oracle_.changes_topic(name);
  const Offset from = told_next();
  node_->core().create_topic(node_->edge(), name, settings, false, [this, name](Result<node::Put<node::Topic>> answer) {
    if (answer)
      oracle_.topic_is(name, answer->value.id);
    else if (answer.error().code != Code::node_failed)
      oracle_.topic_stays(name);
  });
  note_names(name, from);
}

void World::delete_topic(const std::string& name) {
  if (!admit(control_bytes)) return;
  oracle_.changes_topic(name);
  node_->core().delete_topic(node_->edge(), name, [this, name](Result<void> answer) {
    if (answer)
      oracle_.topic_is(name, std::nullopt);
    else if (answer.error().code != Code::node_failed)
      oracle_.topic_stays(name);
  });
  note_gone(name);
}

void World::trim(const std::string& topic, std::uint32_t partition, Offset before) {
  const auto id = oracle_.topic(topic);
  if (!id || !admit(control_bytes)) return;
  const PartitionRef ref{*id, PartitionId{partition}};
  oracle_.trims(ref, before);
  node_->core().trim(node_->edge(), ref.topic, ref.partition, before, [this, ref](Result<node::PartitionState> answer) {
    if (answer) oracle_.trimmed(ref, answer->first);
  });
}

void World::retention() {
  if (node_) node_->retention([this](PartitionRef ref, Offset before) { oracle_.trims(ref, before); });
}

void World::put_subscription(const std::string& name, const node::SubscriptionSettings& settings) {
  if (!admit(control_bytes)) return;
  oracle_.changes_subscription(name);
  const Offset from = told_next();
  node_->core().put_subscription(node_->edge(), name, settings, {},
                                 [this, name](Result<node::Put<node::Subscription>> answer) {
                                   if (answer)
                                     oracle_.subscription_is(name, answer->value);
                                   else if (answer.error().code != Code::node_failed)
                                     oracle_.subscription_stays(name);
                                 });
  note_names(name, from);
}

void World::delete_subscription(const std::string& name) {
  if (!admit(control_bytes)) return;
  oracle_.changes_subscription(name);
  node_->core().delete_subscription(node_->edge(), name, [this, name](Result<void> answer) {
    if (answer)
      oracle_.subscription_is(name, std::nullopt);
    else if (answer.error().code != Code::node_failed)
      oracle_.subscription_stays(name);
  });
}

void World::pause(const std::string& name, bool paused) {
  const auto id = oracle_.subscription(name);
  if (!id || !admit(control_bytes)) return;
  node_->core().pause(node_->edge(), *id, paused, [](Result<void>) {});
}

// ---- publishing -----------------------------------------------------------------------------------------------------

SentEvent World::event_of(const Draft& draft, TopicId topic) {
  SentEvent event;
  event.number = next_event_++;
  event.same_id_as = draft.same_id_as != 0 ? draft.same_id_as : event.number;
  event.partition = {topic, PartitionId{draft.partition}};
  event.key = draft.key;
  const std::string number = fmt::format("{} ", event.number);
  event.value = std::make_shared<const std::string>(
      number + (draft.payload.empty() ? filler(event.number, draft.size) : draft.payload));
  event.sent = elapsed();
  const WallTime now = node_->core().now().wall;
  if (draft.delay.count() != 0) event.deliverable = WallTime{now.ms + draft.delay.count()};
  if (draft.ttl.count() != 0) event.expires = WallTime{now.ms + draft.ttl.count()};
  return event;
}

std::vector<SentEvent> World::events_of(const std::vector<Draft>& drafts) {
  std::vector<SentEvent> events;
  for (const Draft& draft : drafts)
    if (const auto topic = oracle_.topic(draft.topic)) events.push_back(event_of(draft, *topic));
  return events;
}

std::vector<node::NewRecord> World::records_of(const Request& request) const {
  std::vector<node::NewRecord> records;
  for (const EventNumber number : request.events) records.push_back(oracle_.events().at(number).record());
  return records;
}

RequestNumber World::publish(const std::vector<Draft>& drafts) {
  if (!running()) return 0;
  auto events = events_of(drafts);
  if (events.empty()) return 0;
  const RequestNumber request = oracle_.sends(std::move(events), std::nullopt);
  send_publish(request);
  return request;
}

void World::send_publish(RequestNumber number) {
  auto records = records_of(oracle_.requests().at(number));
  if (!admit(room_of(records))) return oracle_.answered(number, not_sent(), elapsed());
  node_->core().publish(node_->edge(), std::move(records), [this, number](Result<node::Published> answer) {
    tell([&] {
      return fmt::format("publish {}: {}", number, answer ? words(answer->places) : to_string(answer.error()));
    });
    oracle_.answered(number, answer, elapsed());
  });
}

void World::repeat(RequestNumber number) {
  if (!running()) return;
  oracle_.repeats(number);
  if (oracle_.requests().at(number).settle)
    send_settle(number);
  else
    send_publish(number);
}

// ---- consuming ------------------------------------------------------------------------------------------------------

void World::receive(const std::string& name, std::uint32_t max, Millis wait) {
  const auto id = oracle_.subscription(name);
  if (!id || !admit(control_bytes + max * 40)) return;
  node::Receive receive;
  receive.subscription = *id;
  receive.max = max;
  receive.wait = wait;
  const Millis lease = oracle_.readers()[*id].settings.lease;
  const Elapsed asked = elapsed();
  node_->core().receive(node_->edge(), std::move(receive),
                        [this, id = *id, asked, lease](Result<node::Received> answer) {
                          tell([&] {
                            return fmt::format("receive of {}: {}", id.value,
                                               answer ? words(answer->deliveries) : to_string(answer.error()));
                          });
                          if (!answer) return;
                          if (running()) hear();
                          // Who waited while the subscription was moved gets events of the new number.
                          const auto& all = answer->deliveries;
                          const SubscriptionId of = all.empty() ? id : all.front().lease.subscription;
                          oracle_.delivered(of, *answer, asked, elapsed(), lease);
                          for (const node::Delivery& each : all) check_delivered(of, each);
                        });
}

RequestNumber World::settle(SubscriptionId id, std::vector<node::Lease> acks, std::vector<node::Nack> nacks,
                            std::vector<node::Extend> extends, const std::vector<Draft>& drafts) {
  if (!running()) return 0;
  node::Settle settle;
  settle.subscription = id;
  settle.acks = std::move(acks);
  settle.nacks = std::move(nacks);
  settle.extends = std::move(extends);
  settle.body_hash = {oracle_.requests().size() + 1, 0xb0d1};
  const RequestNumber request = oracle_.sends(events_of(drafts), std::move(settle));
  send_settle(request);
  return request;
}

void World::send_settle(RequestNumber number) {
  const Request& request = oracle_.requests().at(number);
  node::Settle settle = request.settle->settle;
  settle.publish = records_of(request);
  const std::size_t items = settle.acks.size() + settle.nacks.size() + settle.extends.size();
  if (!admit(room_of(settle.publish) + items * 160 + control_bytes))
    return oracle_.settled(number, not_sent(), elapsed());
  oracle_.settling(settle.subscription, settle);
  tell([&] { return fmt::format("asks to settle {} of {}: {}", number, settle.subscription.value, words(settle)); });
  node_->core().settle(node_->edge(), std::move(settle), [this, number](Result<node::Settled> answer) {
    tell([&] { return fmt::format("settle {}: {}", number, answer ? words(*answer) : to_string(answer.error())); });
    oracle_.settled(number, answer, elapsed());
  });
}

void World::settle_all(const std::string& name) {
  const auto id = oracle_.subscription(name);
  if (!id || !running()) return;
  std::map<std::pair<PartitionRef, std::uint64_t>, std::vector<node::Lease>> by_key;
  for (const HeldLease& held : oracle_.readers()[*id].held)
    if (!held.settling) by_key[{held.lease.partition, held.lease.key_hash}].push_back(held.lease);
  for (auto& [key, leases] : by_key) settle(*id, std::move(leases), {}, {});
}

void World::feed() {
  for (int round = 0; round < 1000 && running(); ++round) {
    const bool any = node_->feed();
    node_->flush();
    if (!any) return;
  }
}

}  // namespace continuo::simulator
