// Rebuilding the core from its home: units of the last checkpoint, then the effects after it.
#include <fmt/format.h>

#include "continuo/node/core_state.h"

namespace continuo::node {

class Core::Recovery final : public log::RecoverySink {
 public:
  explicit Recovery(Core& core) : core_(core) {}

  Result<void> unit(std::string_view key, Sequence stamp, std::optional<std::string_view> bytes) override {
    if (!bytes) {
      core_.ledger_.restored_tombstone(key, stamp);
      return {};
    }
    switch (const auto kind = static_cast<engines::UnitKind>(key.front())) {
      case engines::UnitKind::node:
      case engines::UnitKind::topic:
      case engines::UnitKind::head:
      case engines::UnitKind::ids: return core_.topics_.restore(kind, key, *bytes, stamp);
      case engines::UnitKind::subscription:
      case engines::UnitKind::subscription_counter:
      case engines::UnitKind::cursor:
      case engines::UnitKind::key:
      case engines::UnitKind::key_page:
      case engines::UnitKind::lease_counter:
      case engines::UnitKind::release:
      case engines::UnitKind::storm:
      case engines::UnitKind::use:
      case engines::UnitKind::settles: return core_.subscriptions_.restore(kind, key, *bytes, stamp);
      case engines::UnitKind::kept: return core_.kept_.restore(key, *bytes, stamp);
      case engines::UnitKind::group_counter:
      case engines::UnitKind::group:
      case engines::UnitKind::group_member:
      case engines::UnitKind::committed_offset: return core_.groups_.restore(kind, key, *bytes, stamp);
      case engines::UnitKind::producer:
      case engines::UnitKind::producer_counter: return core_.producers_.restore(key, *bytes, stamp);
    }
    return continuo::fail(Code::wrong_format,
                          fmt::format("the checkpoint holds a unit of kind {} that this version does not know",
                                      static_cast<int>(key.front())));
  }

  Result<void> group(Sequence sequence, const Now& now) override {
    core_.closed_ = core_.written_ = sequence;
    core_.now_ = now;
    core_.ledger_.replaying(sequence);
    return {};
  }

  Result<void> effect(const log::EffectView& effect) override {
    if (effect.type < log::first_engine_effect) return log_effect(effect);
    const auto type = static_cast<engines::EffectType>(effect.type);
    if (type < engines::EffectType::subscription_defined)
      return core_.topics_.replay(type, effect.version, effect.payload, core_.now_.elapsed);
    if (type >= engines::EffectType::groups_numbered) return core_.groups_.apply(type, effect.version, effect.payload);
    if (type >= engines::EffectType::producers_numbered)
      return core_.producers_.replay(type, effect.version, effect.payload, core_.now_.elapsed);
    if (type >= engines::EffectType::records_kept) return core_.kept_.replay(type, effect.version, effect.payload);
    return core_.subscriptions_.apply(type, effect.version, effect.payload, core_.now_.elapsed);
  }

 private:
  Result<void> log_effect(const log::EffectView& effect) {
    switch (static_cast<log::LogEffect>(effect.type)) {
      case log::LogEffect::appended: {
        auto view = log::read_appended(effect.payload);
        if (!view) return pass(view);
        const engines::HeadUnit* head = core_.topics_.head(view->partition);
        if (head != nullptr && head->next < view->next) core_.topics_.appended(view->partition, view->next);
        return {};
      }
      case log::LogEffect::partitions_made: {
        auto made = log::read_partitions_made(effect.payload);
        if (!made) return pass(made);
        core_.topics_.partitions_made(made->topic, made->partitions);
        return {};
      }
      case log::LogEffect::topic_removed: {
        auto removed = log::read_topic_removed(effect.payload);
        if (!removed) return pass(removed);
        core_.topic_removed(removed->topic);
        return {};
      }
      case log::LogEffect::trimmed: {
        auto trimmed = log::read_trimmed(effect.payload);
        if (!trimmed) return pass(trimmed);
        core_.topics_.trimmed(trimmed->partition, trimmed->before);
        return {};
      }
      case log::LogEffect::skipped: return {};  // the log's own affair
      case log::LogEffect::raised: {
        auto raised = log::read_raised(effect.payload);
        if (!raised) return pass(raised);
        const engines::HeadUnit* head = core_.topics_.head(raised->partition);
        if (head != nullptr && head->next < raised->next) core_.topics_.appended(raised->partition, raised->next);
        return {};
      }
    }
    return continuo::fail(Code::wrong_format, fmt::format("the journal holds an effect of type {}", effect.type));
  }

  Core& core_;
};

// Every start takes a slot of the ring, and a node that dies before its first checkpoint gives none back: when the last
// slots are reached, the checkpoint comes before the start.
Result<void> Core::make_room_to_start() {
  if (home_.stats().free_slots >= 2) return {};
  ledger_.begin_round();
  std::vector<engines::TakenUnit> taken;
  ledger_.take(~std::size_t{0}, taken);
  std::vector<log::UnitImage> images;
  for (engines::TakenUnit& unit : taken)
    images.push_back({std::move(unit.key), closed_, unit.erased ? std::nullopt : std::optional{std::move(unit.bytes)}});
  auto done = home_.checkpoint(closed_, images, now_);
  if (!done && done.error().code == Code::disk_full)
    done = home_.checkpoint(closed_, images, now_);  // the ballast is gone now
  if (done || !log::passes(done.error())) return done;
  kept_images_ = std::move(images);
  return {};
}

// A checkpoint's units may be older than what it says of the files; the groups between, which would say the rest, are
// what a loss took. So the catalogue and the heads follow the files, in the first group: it lasts.
void Core::follow_home() {
  std::map<TopicId, std::vector<PartitionRef>> stored;
  for (const PartitionRef partition : home_.partitions()) stored[partition.topic].push_back(partition);
  std::vector<engines::TopicDeleted> deleted;
  for (const auto& [name, topic] : topics_.by_name())
    if (!stored.contains(topic->definition.id)) deleted.push_back({topic->definition.id});
  for (const engines::TopicDeleted& topic : deleted) {
    begin_frame();
    effect(topic);
    topics_.apply(topic);
    open_->group.log.remove_topic({topic.id});
    topic_removed(topic.id);
    end_frame();
    topics_gone_.insert(topic.id);
  }
  for (const auto& [topic, partitions] : stored) {
    begin_frame();
    if (topics_.find(topic) == nullptr) {  // defined by a group that is lost
      open_->group.log.remove_topic({topic});
      topic_removed(topic);
    } else {
      for (const PartitionRef partition : partitions)
        if (const auto state = home_.state(partition)) follow_home(partition, *state);
    }
    end_frame();
  }
}

void Core::follow_home(PartitionRef partition, const log::PartitionState& stored) {
  const engines::HeadUnit* head = topics_.head(partition);
  CHECK(head != nullptr, "a topic and its heads are of one group");
  if (head->next < stored.next) {
    open_->group.log.raise({partition, stored.next});
    topics_.appended(partition, stored.next);
  }
  if (head->first < stored.first) {
    open_->group.log.trim({partition, stored.first});
    topics_.trimmed(partition, stored.first);
  }
}

Result<void> Core::recover() {
  Recovery recovery{*this};
  if (auto recovered = home_.recover(recovery); !recovered) return recovered;
  ledger_.replaying(Sequence{0});
  producers_.recovered();
  groups_.recovered(now_.elapsed);
  subscriptions_.recovered();
  for (const auto& [name, topic] : topics_.by_name())
    if (const auto bytes = topic->definition.settings.segment_bytes) home_.size_segments(topic->definition.id, bytes);
  closed_ = written_ = home_.last();
  steady_zero_ = clock_.steady();
  elapsed_zero_ = now_.elapsed;
  wall_minus_elapsed_ = clock_.wall().ms - elapsed_zero_.ms;
  for (const TopicId topic : subscriptions_.read_topics())
    if (topics_.find(topic) == nullptr) topics_gone_.insert(topic);
  remains_ = true;
  for (const auto& [name, unit] : subscriptions_.by_name()) maybe_ready(unit->definition.id);  // queues are trimmed
  if (auto made = make_room_to_start(); !made) return made;
  if (auto started = home_.start(); !started) return started;
  if (home_.accepts_loss()) follow_home();
  for (const auto& [name, unit] : topics_.by_name()) changed_topics_.insert(name);
  for (const auto& [name, unit] : subscriptions_.by_name()) changed_subscriptions_.insert(name);
  catalogue_ = build_catalogue();
  if (topics_.secret() == 0) {
    const engines::NodeMade made{random_.next() | 1};
    begin_frame();
    effect(made);
    topics_.set_secret(made.secret);
    end_frame();
  }
  return {};
}

}  // namespace continuo::node
