#include "continuo/delivery/router.h"

#include <algorithm>
#include <cstdio>

namespace continuo::delivery {
namespace {

// Of one commit; Node::offer_all takes so many.
constexpr std::size_t most_offers = 1'000;
constexpr std::size_t most_events = 18'000;  // one offer more is within the limit

}  // namespace

// ---- who stands where -----------------------------------------------------------------------------------------------

void Router::stand(const node::Catalogue& catalogue, const node::Subscription& subscription,
                   std::span<const node::FeedPosition> all) {
  Known& known = known_[subscription.id];
  auto gone = std::exchange(known.partitions, {});
  if (read_filter(known.filter, subscription)) {
    for (const node::FeedPosition& at : all) {
      TopicFilters& filters = filters_of(catalogue, at.partition.topic);
      filters.want(subscription.id, known.filter);
      Lane& lane = lane_of(at.partition, filters);
      Cursor* cursor = lane.find(subscription.id);
      if (cursor == nullptr || cursor->at.filter != at.filter || cursor->at.epoch != at.epoch)
        cursor = &lane.put(at, known.filter.pattern, ++last_number_);
      cursor->times = times_wanted(subscription.settings);
      known.partitions.push_back(at.partition);
      changed_.insert(at.partition);
      std::erase(gone, at.partition);
    }
  }
  leave(subscription.id, gone);
}

void Router::forget(SubscriptionId subscription) {
  if (const auto gone = known_.extract(subscription)) leave(subscription, gone.mapped().partitions);
}

// A partition goes from a subscription with its topic: others of the topic are not left then.
void Router::leave(SubscriptionId subscription, const std::vector<PartitionRef>& partitions) {
  for (const PartitionRef partition : partitions) {
    changed_.insert(partition);
    if (const auto filters = topics_.find(partition.topic); filters != topics_.end())
      filters->second->forget(subscription);
    if (const auto lane = lanes_.find(partition); lane != lanes_.end())
      if (const Cursor* cursor = lane->second->find(subscription)) lane->second->remove(*cursor);
  }
}

void Router::settle() {
  for (const PartitionRef partition : std::exchange(changed_, {})) {
    if (const auto filters = topics_.find(partition.topic); filters != topics_.end()) filters->second->settle();
    const auto lane = lanes_.find(partition);
    if (lane == lanes_.end()) continue;
    if (lane->second->empty()) {
      std::erase(awake_, lane->second.get());
      lanes_.erase(lane);
    } else {
      wake(*lane->second);
    }
  }
  std::erase_if(topics_, [](const auto& each) { return each.second->size() == 0; });
}

// False: it cannot be read, and the subscription gets nothing rather than what it may not want.
bool Router::read_filter(Filter& filter, const node::Subscription& subscription) {
  if (filter.version == subscription.filter_version) return filter.pattern != nullptr;
  filter = {subscription.filter_version, nullptr};
  auto parsed = routing::Pattern::parse(subscription.settings.filter);
  if (parsed)
    filter.pattern = std::make_shared<const routing::Pattern>(std::move(*parsed));
  else
    std::fprintf(stderr, "continuo: the filter of subscription '%s' cannot be read: %s\n", subscription.name.c_str(),
                 to_string(parsed.error()).c_str());
  return filter.pattern != nullptr;
}

TopicFilters& Router::filters_of(const node::Catalogue& catalogue, TopicId topic) {
  auto& filters = topics_[topic];
  if (filters) return *filters;
  filters = std::make_unique<TopicFilters>(std::string(catalogue.topic_name(topic)));
  return *filters;
}

Lane& Router::lane_of(PartitionRef partition, TopicFilters& filters) {
  auto& lane = lanes_[partition];
  if (lane) return *lane;
  PartitionRecords records{
      [this, partition](Offset from, std::uint64_t bytes) { return node_.read(partition, from, bytes); },
      [this, partition] { return node_.partition_state(partition); }};
  lane = std::make_unique<Lane>(partition, std::move(records), filters);
  return *lane;
}

void Router::add_topics(std::set<TopicId>& topics) const {
  for (const auto& [id, filters] : topics_) topics.insert(id);
}

// ---- looking --------------------------------------------------------------------------------------------------------

void Router::wake(Lane& lane) {
  if (!std::exchange(lane.awake, true)) awake_.push_back(&lane);
}

void Router::news(PartitionRef partition) {
  if (const auto found = lanes_.find(partition); found != lanes_.end()) wake(*found->second);
}

void Router::step() {
  const Micros now = system_clock().steady();
  for (Lane* lane : std::exchange(awake_, {})) {
    lane->awake = false;
    touched_.clear();
    if (lane->look(now, touched_)) wake(*lane);
    for (Cursor* cursor : touched_) go_on(*lane, *cursor);
  }
  look_again_.reset();
  for (const auto& [ref, lane] : lanes_) {
    touched_.clear();
    lane->tell_due(now, touched_);
    for (Cursor* cursor : touched_) offer(*lane, *cursor);
    const auto again = lane->look_again();
    if (again && *again <= now) wake(*lane);
    if (again && (!look_again_ || *again < *look_again_)) look_again_ = again;
  }
  flush();
}

// What is next for a subscription: to offer what was found, to read on, to wait for credit.
void Router::go_on(Lane& lane, Cursor& cursor) {
  if (cursor.busy) return;
  const bool stands_still = cursor.cohort == nullptr;
  if (!cursor.matched.empty() || (stands_still && cursor.at.next < cursor.seen)) return offer(lane, cursor);
  if (!stands_still) return;
  if (cursor.at.credit == 0) return ask(lane, cursor);
  lane.join(cursor);
  wake(lane);
}

// ---- offering -------------------------------------------------------------------------------------------------------

void Router::offer(Lane& lane, Cursor& cursor) {
  node::Offer made = engines::offer_at(cursor.at);
  made.next = Lane::seen(cursor);
  made.events = std::exchange(cursor.matched, {});
  cursor.at.credit -= static_cast<std::uint32_t>(made.events.size());
  cursor.busy = true;
  tickets_.push_back({lane.partition, made.subscription, cursor.number, made.next});
  outgoing_events_ += made.events.size();
  outgoing_.push_back(std::move(made));
  if (outgoing_.size() >= most_offers || outgoing_events_ >= most_events) flush();
}

void Router::flush() {
  if (outgoing_.empty()) return;
  outgoing_events_ = 0;
  node_.offer_all(
      edge_, std::exchange(outgoing_, {}),
      [this, tickets = std::exchange(tickets_, {})](const Result<std::vector<Result<node::OfferCredit>>>& outcomes) {
        for (std::size_t i = 0; i < tickets.size(); ++i)
          answered(tickets[i], outcomes ? (*outcomes)[i] : std::unexpected(outcomes.error()));
        flush();
      });
}

// An offer of nothing: it is answered when there is credit.
void Router::ask(Lane& lane, Cursor& cursor) {
  node::Offer made = engines::offer_at(cursor.at);
  cursor.busy = true;
  const Ticket ticket{lane.partition, made.subscription, cursor.number, made.next};
  node_.offer(edge_, std::move(made),
              [this, ticket](const Result<node::OfferCredit>& answer) { answered(ticket, answer); });
}

void Router::answered(const Ticket& ticket, const Result<node::OfferCredit>& answer) {
  const auto found = lanes_.find(ticket.partition);
  if (found == lanes_.end()) return;
  Lane& lane = *found->second;
  Cursor* const cursor = lane.find(ticket.subscription);
  if (cursor == nullptr || cursor->number != ticket.number) return;
  if (!answer) {  // deleted; if not, the next change of definitions brings it back
    lost_.insert(ticket.subscription);
    return lane.remove(*cursor);
  }
  if (answer->next != ticket.next || answer->filter != cursor->at.filter) {
    refused_.insert(ticket.subscription);
    return lane.remove(*cursor);
  }
  cursor->busy = false;
  cursor->at.next = ticket.next;
  cursor->at.credit = answer->credit;
  lane.keep_within_credit(*cursor);
  go_on(lane, *cursor);
}

}  // namespace continuo::delivery
