#include "continuo/serve/parked_json.h"

#include <fmt/format.h>

#include <algorithm>

#include "continuo/record/cloudevents.h"
#include "continuo/serve/handlers.h"

namespace continuo::serve {
namespace {

std::string_view state_of(const node::ParkedKey& parked) {
  switch (parked.healing) {
    case engines::Healing::repairing: return "repairing";
    case engines::Healing::draining: return "draining";
    case engines::Healing::parked: break;
  }
  return "parked";
}

std::string_view repairer_of(const node::ParkedKey& parked) {
  switch (parked.repair_by) {
    case engines::RepairBy::declared: return "declared";
    case engines::RepairBy::person: return "person";
    case engines::RepairBy::workflow: break;
  }
  return "workflow";
}

void write_failure(const node::Failure& failure, std::string& out) {
  out += "{\"code\":";
  record::write_json_string(failure.code, out);
  out += ",\"message\":";
  record::write_json_string(failure.message, out);
  out += "}";
}

}  // namespace

void write_parked(const node::ParkedKey& parked, const node::Catalogue& catalogue, node::RecordFinder& finder,
                  std::optional<std::uint64_t>& room, std::string& out) {
  std::string scratch;
  const std::string_view topic = catalogue.topic_name(parked.partition.topic);
  const auto record = node::find_delivered(finder, catalogue, parked.partition, parked.head, parked.edited);
  const record::RecordPlace place{topic, parked.partition.partition};
  out += "{\"key\":";
  if (record && record->key)
    record::write_json_string(*record->key, out);
  else
    out += "null";
  out += fmt::format(R"(,"id":"~{:016x}","state":"{}","topic":"{}","partition":{},"offset":"{}","head":{{"event":)",
                     parked.key_hash, state_of(parked), topic, parked.partition.partition.value, parked.head.value);
  const std::size_t bytes = record ? size_of(*record) : 0, before = out.size();
  if (record && (!room || bytes <= *room))
    record::write_json(record::event_of(*record, place, scratch), &place, parked.head, out);
  else
    out += record ? fmt::format("null,\"event_bytes\":{}", bytes) : "null";
  if (room) *room -= std::min<std::uint64_t>(*room, out.size() - before);
  out += ",\"error\":";
  write_failure(parked.failure, out);
  out += ",\"fingerprint\":";
  record::write_json_string(parked.fingerprint, out);
  out += fmt::format(R"(,"attempts":{},"repairs":{},"edited":{}}},"waiting":{},"repair_by":"{}","since":"{}"}})",
                     parked.attempts, parked.repairs, parked.edited.has_value(), parked.waiting, repairer_of(parked),
                     format_time(parked.since));
}

}  // namespace continuo::serve
