// How subscriptions stand, in figures: of one, and of many for the metrics page.
#include "continuo/node/core_state.h"

namespace continuo::node {

// The first outstanding event of a partition lies before the cursor; where nothing is outstanding the cursor tells.
SubscriptionFigures figures_of(const Core& core, SubscriptionId id) {
  const engines::SubscriptionsEngine& subscriptions = core.subscriptions();
  const auto counts = subscriptions.counts(id);
  SubscriptionFigures figures;
  figures.leased = counts.leased;
  figures.delayed = counts.delayed;
  figures.parked_keys = counts.parked_keys;
  figures.parked_events = counts.parked_events;
  figures.oldest_parked = subscriptions.oldest_parked(id);
  figures.tally = subscriptions.tally(id);
  figures.lag = counts.queued + counts.leased + counts.delayed + counts.parked_events;
  const auto heads = subscriptions.oldest(id);
  auto head = heads.begin();
  for (const engines::CursorMoved& cursor : subscriptions.cursors(id)) {
    const engines::HeadUnit* end = core.topics().head(cursor.partition);
    ++figures.partitions;
    const bool more = end != nullptr && end->next > cursor.next;
    if (more) figures.lag += static_cast<std::uint64_t>(end->next - cursor.next);
    while (head != heads.end() && head->first < cursor.partition) figures.unsettled.push_back(*head++);
    if (head != heads.end() && head->first == cursor.partition)
      figures.unsettled.push_back(*head++);
    else if (more)
      figures.unsettled.emplace_back(cursor.partition, cursor.next);
  }
  figures.unsettled.insert(figures.unsettled.end(), head, heads.end());
  return figures;
}

void Core::survey_subscriptions(Edge& edge, const SurveySubscriptions& wanted, Answer<SubscriptionsSurvey> answer) {
  if (refuse_if_failed(edge, answer)) return;
  const auto& by_name = subscriptions_.by_name();
  SubscriptionsSurvey survey;
  std::size_t partitions = 0;
  auto at = by_name.upper_bound(wanted.after);
  for (; at != by_name.end() && survey.subscriptions.size() < wanted.subscriptions && partitions < wanted.partitions;
       ++at) {
    const SubscriptionId id = at->second->definition.id;
    survey.subscriptions.push_back({figures_of(*this, id), at->first, subscriptions_.storm(id) != nullptr});
    partitions += survey.subscriptions.back().partitions;
  }
  survey.all = at == by_name.end();
  reply<SubscriptionsSurvey>(edge, std::move(answer), std::move(survey));
}

}  // namespace continuo::node
