#include "facts.h"

#include <fmt/format.h>

#include "continuo/base/time.h"

namespace shop {

Fact fact_of(std::string_view topic, const Event& event) {
  auto data = data_of(event);
  const auto time = continuo::parse_time(event.time);
  return {.topic = std::string{topic},
          .partition = event.partition.value_or(continuo::PartitionId{}).value,
          .offset = event.offset.value_or(continuo::Offset{}).value,
          .id = event.id,
          .source = event.source,
          .type = event.type,
          .key = std::string{event.key()},
          .cause = std::string{event.extension("causationid")},
          .correlation = std::string{event.extension("correlationid")},
          .order = event.subject,
          .time_ms = time ? time->ms : 0,
          .data = data ? std::move(*data) : boost::json::object{}};
}

std::string place(const Fact& fact) {
  return fmt::format("{} '{}' ({}/{} at {})", fact.type, fact.id, fact.topic, fact.partition, fact.offset);
}

}  // namespace shop
