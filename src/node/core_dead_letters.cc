// Events that are given up to a topic of dead letters. The core does not read: their keys wait while the write-behind
// thread reads them (KeepJob), and then the dead letter and the event's end are one frame.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/node/admission.h"
#include "continuo/node/core_state.h"
#include "continuo/record/partitioner.h"

namespace continuo::node {
namespace {

constexpr std::size_t buried_at_once = 100;

}  // namespace

// Names the heads of keys that wait, all in one partition. One job at a time, as for trims.
void Core::begin_burying() {
  if (keeping_ || !subscriptions_.anything_given_up()) return;
  if (!may_publish(home_.stats())) return;  // they wait until there is room again
  std::vector<SubscriptionId> of;
  const auto dying = subscriptions_.giving_up(buried_at_once, of);
  dying_.clear();
  KeepJob job;
  job.dead_letters = true;
  const engines::TopicUnit* edits = topics_.find(edits_topic);
  for (std::size_t i = 0; i < dying.size(); ++i) {
    const ParkedKey& each = dying[i];
    const PartitionRef from =
        each.edited && edits != nullptr ? PartitionRef{edits->definition.id, PartitionId{0}} : each.partition;
    if (dying_.empty()) job.partition = from;
    if (from != job.partition) continue;
    const Offset at = each.edited ? *each.edited : each.head;
    dying_.emplace(at, Dying{{of[i], each.partition, each.key_hash}, each.head});
  }
  if (dying_.empty()) return;
  for (const auto& [offset, key] : dying_)
    if (job.offsets.empty() || job.offsets.back() != offset) job.offsets.push_back(offset);
  keeping_ = true;
  keep_job_ = std::move(job);
}

void Core::bury(const std::vector<ReadRecord>& records) {
  for (const ReadRecord& record : records) {
    const auto [first, last] = dying_.equal_range(record.offset);
    for (auto at = first; at != last; ++at) bury(at->second, record);
  }
  dying_.clear();
}

void Core::bury(const Dying& dying, const ReadRecord& record) {
  open();
  const auto key = subscriptions_.look_at(dying.key);
  const engines::SubscriptionUnit* unit = subscriptions_.find(dying.key.subscription);
  const engines::TopicUnit* origin = topics_.find(dying.key.partition.topic);
  if (!key || key->head != dying.head || unit == nullptr || !subscriptions_.gives_up(dying.key)) return;
  if (origin == nullptr) return;  // it was deleted, and its keys go with it
  if (!record.readable) return park_unreadable(dying.key);
  const auto partition = dead_letter_partition(unit->definition.settings.dead_letter, record.murmur);
  if (!partition) return park_unreadable(dying.key);
  NewRecord letter;
  letter.topic = partition->topic;
  letter.partition = partition->partition;
  letter.timestamp_ms = record.timestamp_ms;
  const std::pair<std::string_view, std::string> why[] = {
      {"ce_deadcode", key->failure.code},
      {"ce_deadmessage", key->failure.message},
      {"ce_deadattempts", std::to_string(key->attempts)},
      {"ce_deadtopic", origin->definition.name},
      {"ce_deadpartition", std::to_string(key->partition.partition.value)},
      {"ce_deadoffset", std::to_string(key->head.value)},
      {"ce_deadsubscription", unit->definition.name},
      {"ce_deadtime", format_time(now_.wall)}};
  letter.body = record::with_headers(record.body, why);
  const Offset place = topics_.head(*partition)->next;
  begin_frame();
  lay(letter, place);
  topics_.appended(*partition, place + 1);
  tell_key("continuo.event.dead_lettered", dying.key, *key,
           fmt::format(R"("dead_letter":{{"topic":"{}","partition":{},"offset":"{}"}},"attempts":{})",
                       unit->definition.settings.dead_letter, partition->partition.value, place.value, key->attempts));
  for (const engines::Effect& each : subscriptions_.decide_buried(dying.key)) apply(each);  // the key's last, perhaps
  end_frame();
  maybe_ready(dying.key.subscription);
}

// What cannot be written there waits for a person.
void Core::park_unreadable(const engines::KeyRef& key) {
  begin_frame();
  for (const engines::Effect& each : subscriptions_.decide_unburied(key, now_.wall)) apply(each);
  end_frame();
}

// Made when it is missing; none: no more topics can be made.
std::optional<PartitionRef> Core::dead_letter_partition(const std::string& name, std::uint32_t murmur) {
  if (topics_.find(name) == nullptr) {
    auto decision = topics_.decide_create(name, {}, now_.wall, false);
    if (!decision) return std::nullopt;
    define_topic(decision->defined);
  }
  const engines::TopicDefined& topic = topics_.find(name)->definition;
  return PartitionRef{topic.id, PartitionId{(murmur & 0x7fffffff) % topic.settings.partitions}};
}

}  // namespace continuo::node
