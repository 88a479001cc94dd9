#include "continuo/serve/fake_node_test.h"

#include "continuo/base/hash.h"

namespace continuo::serve {

void FakeNode::change_topic(node::Edge& edge, std::string name, node::TopicChange change, bool only_checked,
                            node::Answer<node::Topic> answer) {
  const std::lock_guard lock(mutex_);
  const auto* there = catalogue_->find_topic(name);
  if (!there) return reply(edge, std::move(answer), refusal<node::Topic>(Code::unknown_topic));
  auto changed = std::make_shared<node::Topic>(*there);
  changed->settings = change.applied_to(there->settings);
  if (!only_checked) {
    auto next = std::make_shared<node::Catalogue>(*catalogue_);
    next->topics.set(name, changed);
    catalogue_ = next;
  }
  reply(edge, std::move(answer), Result<node::Topic>(*changed));
}

void FakeNode::change_subscription(node::Edge& edge, std::string name, node::SubscriptionChange change,
                                   node::Answer<node::ChangedSubscription> answer) {
  const std::lock_guard lock(mutex_);
  const auto* there = catalogue_->find_subscription(name);
  if (!there) return reply(edge, std::move(answer), refusal<node::ChangedSubscription>(Code::unknown_subscription));
  if (!parked_.empty() && !change.keep_parked)
    return reply(edge, std::move(answer), refusal<node::ChangedSubscription>(Code::keys_parked));
  auto changed = std::make_shared<node::Subscription>(*there);
  changed->settings = change.applied_to(changed->settings);
  ++changed->filter_version;
  auto next = std::make_shared<node::Catalogue>(*catalogue_);
  next->subscriptions.set(name, changed);
  catalogue_ = next;
  node::ChangedSubscription told{*changed, {}};
  for (const TopicId topic : changed->topics)
    told.from.emplace_back(PartitionRef{topic, PartitionId{0}}, logs_[{topic, PartitionId{0}}].end());
  reply(edge, std::move(answer), Result<node::ChangedSubscription>(std::move(told)));
}

void FakeNode::delete_subscription(node::Edge& edge, std::string name, node::Answer<void> answer) {
  const std::lock_guard lock(mutex_);
  auto next = std::make_shared<node::Catalogue>(*catalogue_);
  const bool gone = next->subscriptions.erase(name);
  catalogue_ = next;
  reply(edge, std::move(answer), gone ? Result<void>{} : refusal<void>(Code::unknown_subscription));
}

Result<std::vector<node::Place>> FakeNode::append(std::vector<node::NewRecord> records) {
  for (const node::NewRecord& record : records) {
    const auto seen = seen_.find({{record.topic, record.partition}, record.fingerprint.identity});
    if (seen != seen_.end() && record.fingerprint.identity != Hash128{} &&
        seen->second.first != record.fingerprint.content)
      return fail(Code::id_reused, "the id was used for other content");
  }
  std::vector<node::Place> places;
  group_ = continuo::next(group_);
  for (node::NewRecord& record : records) {
    const PartitionRef ref{record.topic, record.partition};
    Log& log = logs_[ref];
    const auto [seen, fresh] =
        seen_.try_emplace({ref, record.fingerprint.identity}, record.fingerprint.content, log.end());
    if (!fresh && record.fingerprint.identity != Hash128{}) {
      places.push_back({record.topic, record.partition, seen->second.second, true});
      continue;
    }
    record::BatchBuilder builder;
    builder.add(record.body, record.timestamp_ms);
    places.push_back({record.topic, record.partition, log.end(), false});
    log.batches.emplace_back(group_, std::make_shared<const std::string>(builder.finish(log.end())));
    order_.push_back(ref);
    advanced_.push_back(ref);
  }
  return places;
}

void FakeNode::spread_news() {
  auto news = std::make_shared<const std::vector<PartitionRef>>(std::move(advanced_));
  advanced_.clear();
  for (node::Edge* edge : edges_)
    if (edge->wants_news && !news->empty()) edge->deliver({.answers = {}, .advanced = news});
}

void FakeNode::receive(node::Edge& edge, node::Receive request, node::Answer<node::Received> answer) {
  const std::lock_guard lock(mutex_);
  last_cancelled_ = request.cancelled;
  Work& work = works_[request.subscription];
  node::Received received;
  while (received.deliveries.size() < request.max && !work.back.empty()) {
    node::Delivery again = work.back.front();
    work.back.pop_front();
    again.lease.number = ++work.number;
    work.leased.insert(again.lease.number);
    received.deliveries.push_back(again);
  }
  std::map<PartitionRef, std::int64_t> offsets;
  for (std::size_t i = 0; i < order_.size() && received.deliveries.size() < request.max; ++i) {
    const Offset offset{offsets[order_[i]]++};
    if (i < work.next) continue;
    work.next = i + 1;
    const auto& batch = logs_[order_[i]].batches[static_cast<std::size_t>(offset.value)].second;
    const auto record = record::RecordWalk(*batch).next();
    node::Lease lease;
    lease.subscription = request.subscription;
    lease.partition = order_[i];
    lease.offset = offset;
    lease.key_hash = record->key ? hash64(*record->key) : 7;
    lease.number = ++work.number;
    work.leased.insert(lease.number);
    received.deliveries.push_back({lease, 1});
  }
  reply(edge, std::move(answer), Result<node::Received>(std::move(received)));
}

void FakeNode::settle(node::Edge& edge, node::Settle settle, node::Answer<node::Settled> answer) {
  const std::lock_guard lock(mutex_);
  Work& work = works_[settle.subscription];
  node::Settled settled;
  for (const node::Lease& lease : settle.acks)
    if (!work.leased.contains(lease.number)) settled.refused.push_back({lease, Code::lease_lost});
  if (!settled.refused.empty() && !settle.publish.empty())
    return reply(edge, std::move(answer), Result<node::Settled>(std::move(settled)));
  for (const node::Lease& lease : settle.acks)
    settled.settled += static_cast<std::uint32_t>(work.leased.erase(lease.number));
  for (const node::Nack& nack : settle.nacks) {
    if (work.leased.erase(nack.lease.number) == 0) {
      settled.refused.push_back({nack.lease, Code::lease_lost});
      continue;
    }
    ++settled.settled;
    if (nack.failure.code == "fatal")
      parked_.push_back({.key_hash = nack.lease.key_hash,
                         .partition = nack.lease.partition,
                         .head = nack.lease.offset,
                         .attempts = 1,
                         .failure = nack.failure,
                         .since = WallTime{5'000}});
    else
      work.back.push_back({nack.lease, 2});
  }
  auto places = append(std::move(settle.publish));
  if (places) settled.places = std::move(*places);
  reply(edge, std::move(answer), Result<node::Settled>(std::move(settled)));
  spread_news();
}

void FakeNode::return_leases(node::Edge& edge, std::vector<node::Lease> leases, node::Answer<void> answer) {
  const std::lock_guard lock(mutex_);
  for (auto lease = leases.rbegin(); lease != leases.rend(); ++lease) {
    Work& work = works_[lease->subscription];
    work.leased.erase(lease->number);
    work.back.push_front({*lease, 1});
  }
  returned += leases.size();
  reply(edge, std::move(answer), Result<void>{});
}

void FakeNode::subscription_state(node::Edge& edge, SubscriptionId id, node::Answer<node::SubscriptionState> answer) {
  const std::lock_guard lock(mutex_);
  node::SubscriptionState state;
  for (const auto& [name, subscription] : catalogue_->subscriptions)
    if (subscription->id == id) state.subscription = *subscription;
  state.lag = order_.size() - works_[id].next;
  state.leased = works_[id].leased.size();
  state.parked_keys = parked_.size();
  reply(edge, std::move(answer), Result<node::SubscriptionState>(std::move(state)));
}

void FakeNode::survey_subscriptions(node::Edge& edge, node::SurveySubscriptions,
                                    node::Answer<node::SubscriptionsSurvey> answer) {
  const std::lock_guard lock(mutex_);
  node::SubscriptionsSurvey survey;
  for (const auto& [name, subscription] : catalogue_->subscriptions) {
    survey.subscriptions.push_back({{}, name, false});
    survey.subscriptions.back().lag = order_.size() - works_[subscription->id].next;
  }
  reply(edge, std::move(answer), Result<node::SubscriptionsSurvey>(std::move(survey)));
}

}  // namespace continuo::serve
