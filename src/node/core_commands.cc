// The commands that publish, and that feed, lease and settle.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/node/admission.h"
#include "continuo/node/core_state.h"
#include "continuo/node/queue_work.h"

namespace continuo::node {
namespace {

constexpr std::size_t times_in_a_receive = 8;  // what just expired is not handed out because no tick came between

}  // namespace

// The node's own events: what operators and downstream services must hear of without asking. Inside no frame.
void Core::announce(std::string_view type, std::string_view subject, std::string_view data_json) {
  constexpr std::string_view topic_name = "continuo.events";
  open();
  if (topics_.find(topic_name) == nullptr) {
    auto decision = topics_.decide_create(std::string{topic_name}, {}, now_.wall, true);
    if (!decision) return;  // at the limit of topics: the counters still tell
    define_topic(decision->defined);
  }
  const std::string id = fmt::format("{}-{}", next(home_.last()).value, open_->laid);
  const std::string time = format_time(now_.wall);
  record::Event event;
  event.id = id;
  event.source = "/continuo";
  event.type = type;
  event.subject = subject;
  event.time = time;
  event.datacontenttype = "application/json";
  event.extensions = {{"correlationid", id}};
  event.data = data_json;
  event.data_kind = record::DataKind::json;
  NewRecord made;
  made.topic = topics_.find(topic_name)->definition.id;
  made.timestamp_ms = now_.wall.ms;
  record::encode_record_body(event, made.body);
  lay(made, topics_.head({made.topic, made.partition})->next);
  topics_.appended({made.topic, made.partition}, topics_.head({made.topic, made.partition})->next + 1);
}

// ---- publishing -----------------------------------------------------------------------------------------------------

Result<engines::PublishDecision> Core::decide(const std::vector<NewRecord>& records) const {
  std::vector<engines::NewId> ids;
  ids.reserve(records.size());
  for (const NewRecord& record : records)
    ids.push_back({{record.topic, record.partition}, record.fingerprint.identity, record.fingerprint.content});
  return topics_.decide_publish(ids, now_.elapsed);
}

// Inside a frame. Applies what was decided and lays the new records into the group's batches.
std::vector<Place> Core::commit(const std::vector<NewRecord>& records, const engines::PublishDecision& decision) {
  for (const engines::IdsRemembered& remembered : decision.remembered) {
    effect(remembered);
    topics_.apply(remembered, now_.elapsed);
  }
  for (const engines::IdsDropped& dropped : decision.dropped) {
    effect(dropped);
    topics_.apply(dropped, now_.elapsed);
  }
  std::vector<Place> places;
  places.reserve(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    const engines::DecidedPlace& place = decision.places[i];
    places.push_back({records[i].topic, records[i].partition, place.offset, place.duplicate});
    ++(place.duplicate ? duplicates_ : published_);
    if (place.duplicate) continue;
    lay(records[i], place.offset);
    topics_.appended({records[i].topic, records[i].partition}, place.offset + 1);
  }
  return places;
}

void Core::publish(Edge& edge, std::vector<NewRecord> records, Answer<Published> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  if (auto refused = may_publish(home_.stats()); !refused)
    return reply<Published>(edge, std::move(answer), pass(refused));
  auto decision = decide(records);
  if (!decision) return reply<Published>(edge, std::move(answer), pass(decision));
  begin_frame();
  Published published{commit(records, *decision)};
  end_frame();
  reply<Published>(edge, std::move(answer), std::move(published));
}

// ---- delivering -----------------------------------------------------------------------------------------------------

// Leases what is ready; false when nothing is.
bool Core::serve(const Receive& receive, Received& received) {
  auto decision = subscriptions_.decide_receive(receive, now_.elapsed);
  if (!decision || decision->leases.empty()) return false;
  begin_frame();
  for (const engines::Effect& each : decision->effects()) apply(each);
  note_use(receive.subscription);
  end_frame();
  received = std::move(decision->received);
  return true;
}

// Who came first is served first: a receive that finds others waiting stands behind them, and gets what they leave even
// if it does not wait itself.
void Core::receive(Edge& edge, Receive receive, Answer<Received> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  queues_->run_times(now_, times_in_a_receive);
  auto checked = subscriptions_.decide_receive(receive, now_.elapsed);
  if (!checked) return reply<Received>(edge, std::move(answer), pass(checked));
  Received received;
  const auto waiters = waiting_.find(receive.subscription);
  const bool others_first = waiters != waiting_.end() && !waiters->second.empty();
  if (others_first || (!serve(receive, received) && receive.wait.count() > 0)) {
    const Elapsed deadline = now_.elapsed + receive.wait;
    if (others_first) maybe_ready(receive.subscription);
    waiting_[receive.subscription].push_back({&edge, std::move(receive), deadline, std::move(answer)});
    return;
  }
  reply<Received>(edge, std::move(answer), std::move(received));
}

void Core::serve_waiting() {
  const std::set<SubscriptionId> candidates = std::exchange(maybe_ready_, {});
  for (auto at = candidates.begin(); at != candidates.end(); ++at) {
    const SubscriptionId id = *at;
    const auto found = waiting_.find(id);
    if (found == waiting_.end()) continue;
    auto& waiters = found->second;
    while (!waiters.empty() && subscriptions_.has_ready(id)) {
      if (!has_room(group_budget / 8)) {
        maybe_ready_.insert(at, candidates.end());  // the rest goes into the next group
        return;
      }
      Waiter waiter = std::move(waiters.front());
      waiters.pop_front();
      if (waiter.receive.cancelled && waiter.receive.cancelled->load(std::memory_order_relaxed)) continue;
      open();
      Received received;
      serve(waiter.receive, received);
      reply<Received>(*waiter.edge, std::move(waiter.answer), std::move(received));
    }
    if (waiters.empty()) waiting_.erase(found);
  }
}

// Feeders that asked for credit: those who have some now, and those whose place in the log is another or gone.
void Core::wake_starved() {
  for (const SubscriptionId id : maybe_ready_) {
    const auto found = starved_.find(id);
    if (found == starved_.end()) continue;
    const bool wanted = subscriptions_.wants_more(id);
    std::erase_if(found->second, [&](Starved& each) {
      auto decision = subscriptions_.decide_offer(each.offer);
      if (decision && decision->credit.next == each.offer.from && decision->credit.filter == each.offer.filter &&
          !wanted)
        return false;
      open();
      if (decision)
        reply<OfferCredit>(*each.edge, std::move(each.answer), decision->credit);
      else
        reply<OfferCredit>(*each.edge, std::move(each.answer), pass(decision));
      return true;
    });
    if (found->second.empty()) starved_.erase(found);
  }
}

void Core::expire_waiting() {
  const Elapsed current = open_ ? now_.elapsed : now().elapsed;
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    auto& waiters = at->second;
    const bool gone = subscriptions_.find(at->first) == nullptr;
    if (!gone && maybe_ready_.contains(at->first)) {  // the group is full: their turn comes with the next
      ++at;
      continue;
    }
    for (auto waiter = waiters.begin(); waiter != waiters.end();) {
      if (waiter->deadline > current && !gone) {
        ++waiter;
        continue;
      }
      Result<Received> result{};
      if (gone) result = continuo::fail(Code::unknown_subscription, "the subscription was deleted");
      reply<Received>(*waiter->edge, std::move(waiter->answer), std::move(result));
      waiter = waiters.erase(waiter);
    }
    at = waiters.empty() ? waiting_.erase(at) : std::next(at);
  }
}

// Nobody waits for it: what of this is lost with a crash comes again as any lease that ran out.
void Core::return_leases(Edge& edge, std::vector<Lease> leases, Answer<void> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  if (const auto effects = subscriptions_.decide_return(leases); !effects.empty()) {
    begin_frame();
    for (const engines::Effect& effect : effects) apply(effect);
    end_frame();
    maybe_ready(leases.front().subscription);
  }
  reply<void>(edge, std::move(answer), {});
}

void Core::settle(Edge& edge, Settle settle, Answer<Settled> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  if (settle.body_hash != Hash128{})
    if (const std::string* before = subscriptions_.remembered(settle.subscription, settle.body_hash))
      return reply<Settled>(edge, std::move(answer), decode_settled(settle, *before));
  auto decision = subscriptions_.decide_settle(settle, !settle.publish.empty(), now_);
  if (!decision) return reply<Settled>(edge, std::move(answer), pass(decision));
  // All decide before any applies: a refused publish leaves the leases as they were.
  engines::PublishDecision publish;
  if (!settle.publish.empty()) {
    if (auto refused = may_publish(home_.stats()); !refused)
      return reply<Settled>(edge, std::move(answer), pass(refused));
    auto decided = decide(settle.publish);
    if (!decided) return reply<Settled>(edge, std::move(answer), pass(decided));
    publish = std::move(*decided);
  }
  if (auto fits = room_to_tell(subscriptions_, decision->effects, settle.publish, open_size()); !fits)
    return reply<Settled>(edge, std::move(answer), pass(fits));
  begin_frame();
  for (const engines::Effect& each : decision->effects) apply(each);
  Settled settled{{std::move(decision->settled)}, commit(settle.publish, publish)};
  if (settle.body_hash != Hash128{})
    for (const engines::Effect& each :
         subscriptions_.decide_remember(settle.subscription, settle.body_hash, encode_settled(settle, settled)))
      apply(each);
  end_frame();
  settled_ += settled.settled;
  leases_lost_ += settled.refused.size();
  maybe_ready(settle.subscription);
  reply<Settled>(edge, std::move(answer), std::move(settled));
}

void Core::subscription_state(Edge& edge, SubscriptionId id, Answer<SubscriptionState> answer) {
  if (refuse_if_failed(edge, answer)) return;
  const engines::SubscriptionUnit* unit = subscriptions_.find(id);
  if (unit == nullptr)
    return reply<SubscriptionState>(edge, std::move(answer),
                                    continuo::fail(Code::unknown_subscription, "the subscription was deleted"));
  SubscriptionState state{figures_of(*this, id), subscription_of(*unit), {}, {}, {}};
  if (const auto* storm = subscriptions_.storm(id)) state.storm = *storm;
  if (const auto* release = subscriptions_.release(id)) state.release = *release;
  reply<SubscriptionState>(edge, std::move(answer), std::move(state));
}

void Core::feed_positions(Edge& edge, const std::vector<SubscriptionId>& of, Answer<std::vector<FeedPosition>> answer) {
  if (refuse_if_failed(edge, answer)) return;
  reply<std::vector<FeedPosition>>(edge, std::move(answer), subscriptions_.feed_positions(of));
}

void Core::offer(Edge& edge, Offer offer, Answer<OfferCredit> answer) {
  if (refuse_if_failed(edge, answer)) return;
  auto decision = subscriptions_.decide_offer(offer);
  if (!decision) return reply<OfferCredit>(edge, std::move(answer), pass(decision));
  if (offer.events.empty() && offer.next == offer.from) {  // asks for credit: answered as soon as there is some
    maybe_ready(offer.subscription);
    starved_[offer.subscription].push_back({&edge, std::move(offer), std::move(answer)});
    return;
  }
  begin_frame();
  take_offer(offer, *decision);
  end_frame();
  if (!decision->effects.empty()) tell_passed_over(offer);
  reply<OfferCredit>(edge, std::move(answer), decision->credit);
}

// Inside a frame.
void Core::take_offer(const Offer& offer, const engines::SubscriptionsEngine::OfferDecision& decision) {
  for (const engines::Effect& effect : decision.effects) apply(effect);
  if (!decision.effects.empty() && !offer.events.empty()) *matched(offer.subscription) += offer.events.size();
  maybe_ready(offer.subscription);
}

void Core::offer_all(Edge& edge, const std::vector<Offer>& offers, Answer<std::vector<Result<OfferCredit>>> answer) {
  if (refuse_if_failed(edge, answer)) return;
  std::vector<Result<OfferCredit>> outcomes;
  std::vector<const Offer*> taken;
  outcomes.reserve(offers.size());
  begin_frame();
  for (const Offer& offer : offers) {
    auto decision = subscriptions_.decide_offer(offer);
    if (decision) {
      take_offer(offer, *decision);
      if (!decision->effects.empty()) taken.push_back(&offer);
      outcomes.emplace_back(decision->credit);
    } else {
      outcomes.emplace_back(pass(decision));
    }
  }
  end_frame();
  for (const Offer* offer : taken) tell_passed_over(*offer);
  reply<std::vector<Result<OfferCredit>>>(edge, std::move(answer), std::move(outcomes));
}

}  // namespace continuo::node
