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

void Router::stand(const node::Catalogue& catalogue, std::span<const Stand> all) {
  ++round_;
  for (const Stand& one : all) stand(catalogue, one);
  for (const auto& [id, filters] : topics_) filters->settle();
  forget_the_gone();
  for (const auto& [ref, lane] : lanes_) wake(*lane);
}

void Router::stand(const node::Catalogue& catalogue, const Stand& one) {
  const Filter* filter = filter_of(*one.subscription);
  if (filter == nullptr) return;
  TopicFilters& filters = filters_of(catalogue, one.at.partition.topic);
  filters.want(one.at.subscription, *filter);
  Lane& lane = lane_of(one.at.partition, filters);
  Cursor* cursor = lane.find(one.at.subscription);
  if (cursor == nullptr || cursor->at.filter != one.at.filter || cursor->at.epoch != one.at.epoch)
    cursor = &lane.put(one.at, filter->pattern, ++last_number_);
  cursor->times = times_wanted(one.subscription->settings);
  cursor->round = round_;
}

// None: it cannot be read, and the subscription gets nothing rather than what it may not want.
const Filter* Router::filter_of(const node::Subscription& subscription) {
  Filter& known = filters_[subscription.id];
  known.round = round_;
  if (known.version != subscription.filter_version) {
    known = {subscription.filter_version, round_, nullptr};
    auto parsed = routing::Pattern::parse(subscription.settings.filter);
    if (parsed)
      known.pattern = std::make_shared<const routing::Pattern>(std::move(*parsed));
    else
      std::fprintf(stderr, "continuo: the filter of subscription '%s' cannot be read: %s\n", subscription.name.c_str(),
                   to_string(parsed.error()).c_str());
  }
  return known.pattern ? &known : nullptr;
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

void Router::forget_the_gone() {
  for (const auto& [ref, lane] : lanes_) lane->remove_older(round_);
  std::erase_if(awake_, [](const Lane* lane) { return lane->empty(); });
  std::erase_if(lanes_, [](const auto& each) { return each.second->empty(); });
  std::erase_if(topics_, [](const auto& each) { return each.second->size() == 0; });
  std::erase_if(filters_, [this](const auto& each) { return each.second.round != round_; });
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
  if (!answer) return lane.remove(*cursor);  // deleted; if not, the next change of definitions brings it back
  if (answer->next != ticket.next || answer->filter != cursor->at.filter) {
    refused_ = true;
    return lane.remove(*cursor);
  }
  cursor->busy = false;
  cursor->at.next = ticket.next;
  cursor->at.credit = answer->credit;
  lane.keep_within_credit(*cursor);
  go_on(lane, *cursor);
}

}  // namespace continuo::delivery
