#include "continuo/engines/effects.h"

#include <fmt/format.h>

#include "continuo/engines/codec.h"
#include "continuo/engines/groups/group_effects.h"
#include "continuo/engines/healing_effects.h"
#include "continuo/engines/kept_effects.h"
#include "continuo/engines/producer_effects.h"
#include "continuo/engines/topic_effects.h"

namespace continuo::engines {

// The order of fields below is the format. A const and a plain value go through the same list.
template <class Io, class T>
concept Of = std::same_as<std::remove_const_t<Io>, T>;

template <class Io, Of<RetryPolicy> T>
void fields(Io& io, T& v) {
  io(v.attempts, v.base);
}
template <class Io, class T>
  requires std::derived_from<std::remove_const_t<T>, RetrySteps>
void later_fields(Io& io, T& v) {
  io(v.backoff, v.max, v.jitter, v.delays);
}
template <class Io, Of<RetryRule> T>
void fields(Io& io, T& v) {
  io(v.codes, v.steps.attempts, v.steps.base);
  later_fields(io, v.steps);
}
template <class Io, Of<TopicSettings> T>
void fields(Io& io, T& v) {
  io(v.partitions, v.retention_time, v.retention_bytes, v.dedup_window);
}
// Settings that came later: where they are not written, they are as they were before there was a choice.
template <class Io, Of<TopicSettings> T>
void later_fields(Io& io, T& v) {
  io(v.max_batch_bytes, v.timestamps, v.segment_bytes);
}
template <class Io, Of<SubscriptionSettings> T>
void fields(Io& io, T& v) {
  io(v.topics, v.from, v.order_by, v.concurrency, v.lease, v.retry, v.on_failure);
}
template <class Io, Of<StormGuard> T>
void fields(Io& io, T& v) {
  io(v.keys, v.within, v.probe);
}
// The same of a subscription: before there was a choice, only a pull from one end or the other.
template <class Io, Of<SubscriptionSettings> T>
void later_fields(Io& io, T& v) {
  io(v.from_time, v.target, v.repairs, v.dead_letter, v.ttl, v.idle, v.storm, v.queue);
}
template <class Io, Of<ReleaseFilter> T>
void fields(Io& io, T& v) {
  io(v.fingerprint, v.event_type, v.after, v.before);
}
template <class Io, Of<RememberedId> T>
void fields(Io& io, T& v) {
  io(v.identity, v.content, v.offset);
}
template <class Io, Of<KeyRef> T>
void fields(Io& io, T& v) {
  io(v.subscription, v.partition, v.key_hash);
}
template <class Io, Of<Failure> T>
void fields(Io& io, T& v) {
  io(v.code, v.message);
}

template <class Io, Of<NodeMade> T>
void fields(Io& io, T& v) {
  io(v.secret);
}
template <class Io, Of<TopicDefined> T>
void fields(Io& io, T& v, std::uint8_t version) {
  io(v.id, v.name, v.settings, v.created);
  if (version >= 2) later_fields(io, v.settings);
}
template <class Io, Of<TopicChanged> T>
void fields(Io& io, T& v) {
  io(v.id, v.settings);
  later_fields(io, v.settings);
}
template <class Io, Of<TopicDeleted> T>
void fields(Io& io, T& v) {
  io(v.id);
}
template <class Io, Of<IdsRemembered> T>
void fields(Io& io, T& v) {
  io(v.partition, v.page, v.ids);
}
template <class Io, Of<IdsDropped> T>
void fields(Io& io, T& v) {
  io(v.partition, v.page);
}
template <class Io, Of<SubscriptionDefined> T>
void fields(Io& io, T& v, std::uint8_t version) {
  io(v.id, v.name, v.epoch, v.paused, v.settings, v.topics);
  if (version >= 2) io(v.settings.filter, v.filter_version);
  if (version >= 3) later_fields(io, v.settings.retry), io(v.settings.retry.rules);
  if (version >= 4) later_fields(io, v.settings);
}
template <class Io, Of<SubscriptionDeleted> T>
void fields(Io& io, T& v) {
  io(v.id);
}
template <class Io, Of<CursorMoved> T>
void fields(Io& io, T& v) {
  io(v.subscription, v.partition, v.next);
}
template <class Io, Of<CursorDropped> T>
void fields(Io& io, T& v) {
  io(v.subscription, v.partition);
}
template <class Io, Of<KeyQueued> T>
void fields(Io& io, T& v, std::uint8_t version) {
  io(v.key, v.offsets);
  if (version >= 2) io(v.times);
}
template <class Io, Of<KeyPageFilled> T>
void fields(Io& io, T& v, std::uint8_t version) {
  io(v.key, v.page, v.offsets);
  if (version >= 2) io(v.times);
}
template <class Io, Of<KeyPageDropped> T>
void fields(Io& io, T& v) {
  io(v.key, v.page);
}
template <class Io, Of<LeaseNumbered> T>
void fields(Io& io, T& v) {
  io(v.number);
}
template <class Io, Of<KeyLeased> T>
void fields(Io& io, T& v) {
  io(v.key, v.count, v.number, v.until);
}
template <class Io, Of<KeySettled> T>
void fields(Io& io, T& v) {
  io(v.key, v.count);
}
template <class Io, Of<KeyReturned> T>
void fields(Io& io, T& v, std::uint8_t version) {
  io(v.key, v.not_before, v.failure);
  if (version >= 2) io(v.uncounted);
}
template <class Io, Of<KeyParked> T>
void fields(Io& io, T& v, std::uint8_t version) {
  io(v.key, v.failure, v.since);
  if (version >= 2) io(v.to, v.repair_by, v.event_type);
  if (version >= 3) io(v.key_text);
}
template <class Io, Of<KeyReleased> T>
void fields(Io& io, T& v, std::uint8_t version) {
  io(v.key);
  if (version >= 2) io(v.drain_to, v.release, v.by, v.reason);
}
template <class Io, Of<KeySkipped> T>
void fields(Io& io, T& v, std::uint8_t version) {
  io(v.key, v.reason);
  if (version >= 2) io(v.by);
}
template <class Io, Of<HeadEdited> T>
void fields(Io& io, T& v) {
  io(v.key, v.copy, v.by, v.reason, v.difference);
}
template <class Io, Of<RepairChanged> T>
void fields(Io& io, T& v) {
  io(v.key, v.repair_by, v.lease, v.until, v.by, v.reason);
}
template <class Io, Of<ReleaseChanged> T>
void fields(Io& io, T& v) {
  io(v.subscription, v.number, v.state, v.filter, v.rate, v.stop_at_relapse, v.by, v.reason, v.started, v.next_at);
  io(v.partition, v.key_hash, v.total, v.released, v.relapsed);
}
template <class Io, Of<StormChanged> T>
void fields(Io& io, T& v) {
  io(v.subscription, v.over, v.fingerprint, v.since, v.probe_at, v.probes, v.probing);
}
template <class Io, Of<SubscriptionUsed> T>
void fields(Io& io, T& v) {
  io(v.subscription, v.at);
}
template <class Io, Of<KeyTimeCame> T>
void fields(Io& io, T& v) {
  io(v.key);
}
template <class Io, Of<KeyDropped> T>
void fields(Io& io, T& v) {
  io(v.key);
}
template <class Io, Of<LeaseCut> T>
void fields(Io& io, T& v) {
  io(v.key, v.kept);
}
template <class Io, Of<EventsLost> T>
void fields(Io& io, T& v) {
  io(v.key, v.offsets);
}
template <class Io, Of<KeptRecord> T>
void fields(Io& io, T& v) {
  io(v.offset, v.copy, v.key_hash);
}
template <class Io, Of<RecordsKept> T>
void fields(Io& io, T& v) {
  io(v.partition, v.page, v.records);
}
template <class Io, Of<RecordsReleased> T>
void fields(Io& io, T& v) {
  io(v.partition, v.page, v.offsets);
}
template <class Io, Of<ProducersNumbered> T>
void fields(Io& io, T& v) {
  io(v.next);
}
template <class Io, Of<BatchProduced> T>
void fields(Io& io, T& v) {
  io(v.partition, v.producer, v.epoch, v.first_sequence, v.last_sequence, v.base, v.timestamp);
}
template <class Io, Of<ProducerForgotten> T>
void fields(Io& io, T& v) {
  io(v.partition, v.producer);
}
template <class Io, Of<LeaseExtended> T>
void fields(Io& io, T& v) {
  io(v.key, v.until);
}
template <class Io, Of<SettleRemembered> T>
void fields(Io& io, T& v) {
  io(v.subscription, v.page, v.body, v.outcome);
}
template <class Io, Of<SettlesDropped> T>
void fields(Io& io, T& v) {
  io(v.subscription, v.page);
}

template <class Io, Of<GroupsNumbered> T>
void fields(Io& io, T& v) {
  io(v.next);
}
template <class Io, Of<GenerationFinished> T>
void fields(Io& io, T& v) {
  io(v.group, v.name, v.generation, v.protocol_type, v.protocol, v.leader, v.members, v.since);
}
template <class Io, Of<GroupDeleted> T>
void fields(Io& io, T& v) {
  io(v.group);
}
template <class Io, Of<MemberAssigned> T>
void fields(Io& io, T& v) {
  io(v.group, v.member, v.instance, v.client_id, v.client_host, v.session_timeout, v.rebalance_timeout, v.metadata,
     v.assignment);
}
template <class Io, Of<MemberLeft> T>
void fields(Io& io, T& v) {
  io(v.group, v.member);
}
template <class Io, Of<OffsetCommitted> T>
void fields(Io& io, T& v) {
  io(v.group, v.partition, v.offset, v.leader_epoch, v.metadata, v.committed, v.at);
}
template <class Io, Of<OffsetForgotten> T>
void fields(Io& io, T& v) {
  io(v.group, v.partition);
}

template <class T>
constexpr std::uint8_t newest_version() {
  if constexpr (requires { T::version; }) return T::version;
  return 1;
}

template <class Io, class T>
void fields_of(Io& io, T& effect, [[maybe_unused]] std::uint8_t version) {
  if constexpr (requires { fields(io, effect, version); })
    fields(io, effect, version);
  else
    fields(io, effect);
}

template <class T>
Effect encode(const T& effect) {
  Effect made{T::type, newest_version<T>(), {}};
  FieldWriter writer{made.payload};
  fields_of(writer, effect, made.version);
  return made;
}

template <class T>
Result<T> decode(std::uint8_t version, std::string_view payload) {
  T effect;
  FieldReader reader{payload};
  const bool known = version >= 1 && version <= newest_version<T>();
  if (known) fields_of(reader, effect, version);
  if (!known || !reader.done())
    return fail(Code::wrong_format,
                fmt::format("an effect of type {} version {} cannot be read", static_cast<int>(T::type), version));
  return effect;
}

#define CONTINUO_EFFECT(T)          \
  template Effect encode(const T&); \
  template Result<T> decode<T>(std::uint8_t, std::string_view)
CONTINUO_EFFECT(NodeMade);
CONTINUO_EFFECT(TopicDefined);
CONTINUO_EFFECT(TopicChanged);
CONTINUO_EFFECT(TopicDeleted);
CONTINUO_EFFECT(IdsRemembered);
CONTINUO_EFFECT(IdsDropped);
CONTINUO_EFFECT(SubscriptionDefined);
CONTINUO_EFFECT(SubscriptionDeleted);
CONTINUO_EFFECT(CursorMoved);
CONTINUO_EFFECT(CursorDropped);
CONTINUO_EFFECT(KeyQueued);
CONTINUO_EFFECT(KeyPageFilled);
CONTINUO_EFFECT(KeyPageDropped);
CONTINUO_EFFECT(LeaseNumbered);
CONTINUO_EFFECT(KeyLeased);
CONTINUO_EFFECT(KeySettled);
CONTINUO_EFFECT(KeyReturned);
CONTINUO_EFFECT(KeyParked);
CONTINUO_EFFECT(KeyReleased);
CONTINUO_EFFECT(KeySkipped);
CONTINUO_EFFECT(KeyDropped);
CONTINUO_EFFECT(HeadEdited);
CONTINUO_EFFECT(RepairChanged);
CONTINUO_EFFECT(ReleaseChanged);
CONTINUO_EFFECT(StormChanged);
CONTINUO_EFFECT(SubscriptionUsed);
CONTINUO_EFFECT(KeyTimeCame);
CONTINUO_EFFECT(LeaseCut);
CONTINUO_EFFECT(EventsLost);
CONTINUO_EFFECT(RecordsKept);
CONTINUO_EFFECT(RecordsReleased);
CONTINUO_EFFECT(ProducersNumbered);
CONTINUO_EFFECT(BatchProduced);
CONTINUO_EFFECT(ProducerForgotten);
CONTINUO_EFFECT(LeaseExtended);
CONTINUO_EFFECT(SettleRemembered);
CONTINUO_EFFECT(SettlesDropped);
CONTINUO_EFFECT(GroupsNumbered);
CONTINUO_EFFECT(GenerationFinished);
CONTINUO_EFFECT(GroupDeleted);
CONTINUO_EFFECT(MemberAssigned);
CONTINUO_EFFECT(MemberLeft);
CONTINUO_EFFECT(OffsetCommitted);
CONTINUO_EFFECT(OffsetForgotten);
#undef CONTINUO_EFFECT

}  // namespace continuo::engines
