#include "continuo/history/history.h"

#include <fmt/format.h>

#include <array>

namespace continuo::history {
namespace {

constexpr std::array<std::string_view, 19> names = {
    "none",    "sent",         "acknowledged", "refused",     "unknown",        "assigned",       "revoked",
    "owns",    "polled",       "commit_begun", "commit_done", "commit_refused", "commit_unknown", "fetch_begun",
    "fetched", "fetch_failed", "drained",      "client_died", "restarted",
};

std::string value_text(std::uint64_t value) {
  return value == no_value ? "no value" : fmt::format("p{}:{}", producer_of(value), sequence_of(value));
}

bool of_a_producer(Kind kind) { return kind >= Kind::sent && kind <= Kind::unknown; }

bool carries_a_value(Kind kind) { return of_a_producer(kind) || kind == Kind::polled || kind == Kind::drained; }

bool is_a_call(Kind kind) { return kind >= Kind::commit_begun && kind <= Kind::fetch_failed; }

}  // namespace

std::string_view name(Kind kind) { return names.at(static_cast<std::size_t>(kind)); }

std::string describe(const History& history, std::size_t index) {
  const Operation& operation = history.operations[index];
  auto line = fmt::format("#{} {}", index, name(operation.kind));
  if (operation.kind == Kind::none || operation.kind == Kind::restarted) return line;
  if (of_a_producer(operation.kind)) {
    line += fmt::format(" producer={}", operation.actor);
  } else if (operation.kind != Kind::drained) {
    const Client& client = history.clients.at(operation.actor);
    line +=
        fmt::format(" client={} group={} member={}", operation.actor, history.groups.at(client.group), client.member);
  }
  if (operation.kind == Kind::client_died) return line;
  line += fmt::format(" place={}", history.places.at(operation.place));
  if (operation.offset >= 0) line += fmt::format(" offset={}", operation.offset);
  if (carries_a_value(operation.kind)) line += fmt::format(" value={}", value_text(operation.value));
  if (is_a_call(operation.kind)) line += fmt::format(" call={}", operation.value);
  if (operation.generation >= 0) line += fmt::format(" generation={}", operation.generation);
  return line;
}

}  // namespace continuo::history
