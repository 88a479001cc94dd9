#include <chrono>
#include <random>
#include <thread>

#include "kafka.h"
#include "roles.h"
#include "shared_history.h"

namespace continuo::history {
namespace {

constexpr int answer_ms = 2000;

void note(SharedHistory& history, const ObserverRole& role, Kind kind, std::size_t place, std::int64_t offset = -1) {
  history.add({.kind = kind, .place = static_cast<std::uint16_t>(place), .actor = role.id, .offset = offset});
}

}  // namespace

int observe(const ObserverRole& role) {
  SharedHistory history(role.history);
  const Places places(role.topics);
  const auto client = make_client(RD_KAFKA_CONSUMER, configuration(role.server, {{"group.id", role.group}}));
  std::mt19937_64 random(role.seed);
  const auto count = places.all().size();
  while (!shall_end()) {
    const auto list = list_of_all(places);
    for (std::size_t place = 0; place < count; ++place) note(history, role, Kind::fetch_begun, place);
    const auto error = rd_kafka_committed(client.get(), list.get(), answer_ms);
    for (const auto& each : each_of(list)) {
      const auto place = places.index(each.topic, each.partition);
      if (error || each.err) {
        note(history, role, Kind::fetch_failed, place);
      } else {
        note(history, role, Kind::fetched, place, each.offset < 0 ? -1 : each.offset);
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50 + random() % 200));
  }
  return 0;
}

}  // namespace continuo::history
