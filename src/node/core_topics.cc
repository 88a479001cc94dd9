// The commands that make, change and remove topics.
#include <fmt/format.h>

#include "continuo/node/core_state.h"

namespace continuo::node {
namespace {

// What one change may bring to subscriptions; a commit has room for it (definition_bytes).
constexpr std::size_t most_cursors = 20'000;

std::unexpected<Error> kept_topic_is_ours() {
  return continuo::fail(Code::system_name, fmt::format("'{}' holds what consumers wait for", kept_topic));
}

}  // namespace

Topic Core::topic_of(const engines::TopicUnit& unit) const {
  return {unit.definition.id, unit.definition.name, unit.definition.settings, unit.definition.created};
}

void Core::create_topic(Edge& edge, std::string name, TopicSettings settings, bool by_system,
                        Answer<Put<Topic>> answer) {
  if (refuse_if_failed(edge, answer)) return;
  open();
  auto decision = topics_.decide_create(name, settings, now_.wall, by_system);
  if (!decision) return reply<Put<Topic>>(edge, std::move(answer), pass(decision));
  if (decision->existing != nullptr)
    return reply<Put<Topic>>(edge, std::move(answer), Put<Topic>{topic_of(*decision->existing), false});
  define_topic(decision->defined);
  reply<Put<Topic>>(edge, std::move(answer), Put<Topic>{topic_of(*topics_.find(decision->defined.id)), true});
}

void Core::define_topic(const engines::TopicDefined& defined) {
  begin_frame();
  make_topic(defined);
  end_frame();
}

void Core::make_topic(const engines::TopicDefined& defined) {
  effect(defined);
  topics_.apply(defined);
  open_->group.log.make_partitions({defined.id, defined.settings.partitions});
  topics_.partitions_made(defined.id, defined.settings.partitions);
  home_.size_segments(defined.id, defined.settings.segment_bytes);
  changed_topics_.insert(defined.name);
}

Result<engines::TopicChanged> Core::plan_change(const std::string& name, const TopicChange& change) const {
  auto changed = topics_.decide_change(name, change);
  if (!changed) return changed;
  const std::uint32_t before = topics_.find(changed->id)->definition.settings.partitions;
  const auto readers = subscriptions_.readers_of(changed->id).size();
  if (readers * (changed->settings.partitions - before) <= most_cursors) return changed;
  return continuo::fail(Code::limit_reached,
                        fmt::format("{} subscriptions read the topic: so many new partitions at once are more than one "
                                    "commit can bring them; add fewer at a time",
                                    readers),
                        "partitions");
}

// One frame says what the settings are now, which partitions there are, and where each subscription begins with those
// that are new.
void Core::make_change(const engines::TopicChanged& changed) {
  const std::uint32_t before = topics_.find(changed.id)->definition.settings.partitions;
  effect(changed);
  topics_.apply(changed);
  home_.size_segments(changed.id, changed.settings.segment_bytes);
  changed_topics_.insert(topics_.find(changed.id)->definition.name);
  const std::uint32_t after = changed.settings.partitions;
  if (after <= before) return;
  open_->group.log.make_partitions({changed.id, after});
  topics_.partitions_made(changed.id, after);
  for (const SubscriptionId reader : subscriptions_.readers_of(changed.id))
    for (std::uint32_t id = before; id < after; ++id)
      apply(engines::encode(engines::CursorMoved{reader, {changed.id, PartitionId{id}}, Offset{0}}));
}

void Core::change_topic(Edge& edge, std::string name, const TopicChange& change, bool only_checked,
                        Answer<Topic> answer) {
  if (refuse_if_failed(edge, answer)) return;
  if (name == kept_topic) return reply<Topic>(edge, std::move(answer), kept_topic_is_ours());
  open();
  auto changed = plan_change(name, change);
  if (!changed) return reply<Topic>(edge, std::move(answer), pass(changed));
  Topic told = topic_of(*topics_.find(changed->id));
  const bool same = changed->settings == std::exchange(told.settings, changed->settings);
  if (!only_checked && !same) {
    begin_frame();
    make_change(*changed);
    end_frame();
  }
  reply<Topic>(edge, std::move(answer), std::move(told));
}

// With its log, everything that is kept for each partition goes.
void Core::topic_removed(TopicId topic) {
  topics_.topic_removed(topic);
  producers_.topic_removed(topic);
  groups_.topic_removed(topic);
}

void Core::delete_topic(Edge& edge, std::string name, Answer<void> answer) {
  if (refuse_if_failed(edge, answer)) return;
  if (name == kept_topic) return reply<void>(edge, std::move(answer), kept_topic_is_ours());
  auto deleted = topics_.decide_delete(name);
  if (!deleted) return reply<void>(edge, std::move(answer), pass(deleted));
  begin_frame();
  drop_topic(*deleted, name);
  end_frame();
  reply<void>(edge, std::move(answer), {});
}

void Core::drop_topic(const engines::TopicDeleted& deleted, const std::string& name) {
  // Records of the open group for this topic would follow its removal: they go with it.
  for (auto at = open_->builders.begin(); at != open_->builders.end();)
    at = at->first.topic == deleted.id ? open_->builders.erase(at) : std::next(at);
  effect(deleted);
  topics_.apply(deleted);
  open_->group.log.remove_topic({deleted.id});
  topic_removed(deleted.id);
  changed_topics_.insert(name);
  topics_gone_.insert(deleted.id);
  gone_names_[deleted.id] = name;
}

void Core::skip_damaged(Edge& edge, PartitionRef ref, Offset from, Offset next, std::string reason,
                        Answer<void> answer) {
  if (refuse_if_failed(edge, answer)) return;
  const engines::HeadUnit* head = topics_.head(ref);
  if (head == nullptr)
    return reply<void>(edge, std::move(answer), continuo::fail(Code::unknown_partition, "the topic was deleted"));
  if (from < head->first || next > head->next || next <= from)
    return reply<void>(edge, std::move(answer),
                       continuo::fail(Code::offset_out_of_range, "the range is not one of records that are kept"));
  begin_frame();
  open_->group.log.skip({ref, from, next, reason});
  end_frame();
  const std::string& topic = topics_.find(ref.topic)->definition.name;
  std::string data = fmt::format(R"({{"topic":"{}","partition":{},"from":"{}","next":"{}","reason":)", topic,
                                 ref.partition.value, from.value, next.value);
  record::write_json_string(reason, data);
  announce("continuo.topic.records_skipped", topic, data + "}");
  reply<void>(edge, std::move(answer), {});
}

}  // namespace continuo::node
