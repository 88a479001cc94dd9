#include "drain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <thread>

namespace continuo::history {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<std::int64_t> ends_of(rd_kafka_t* client, const Places& places) {
  std::vector<std::int64_t> ends;
  for (const auto& place : places.all()) {
    std::int64_t low = 0, high = 0;
    const auto error =
        rd_kafka_query_watermark_offsets(client, place.topic.c_str(), place.partition, &low, &high, 20'000);
    if (error) throw std::runtime_error(fmt::format("the end of {}: {}", place.topic, rd_kafka_err2str(error)));
    ends.push_back(high);
  }
  return ends;
}

}  // namespace

bool catches_up(const std::string& server, const std::string& group, const Places& places, std::chrono::seconds limit,
                const std::function<void()>& meanwhile, std::string& missing) {
  const auto client = make_client(RD_KAFKA_CONSUMER, configuration(server, {{"group.id", group}}));
  const auto ends = ends_of(client.get(), places);
  const auto deadline = Clock::now() + limit;
  do {
    const auto list = list_of_all(places);
    if (!rd_kafka_committed(client.get(), list.get(), 5000)) {
      missing.clear();
      for (const auto& each : each_of(list)) {
        const auto end = ends[places.index(each.topic, each.partition)];
        if (end > 0 && each.offset < end) {
          missing += fmt::format(" {}/{}: {} of {}", each.topic, each.partition, each.offset, end);
        }
      }
      if (missing.empty()) return true;
    }
    meanwhile();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  } while (Clock::now() < deadline);
  return false;
}

void drain(const std::string& server, const Places& places, SharedHistory& history) {
  const auto client = make_client(RD_KAFKA_CONSUMER, configuration(server, {{"group.id", "drain"},
                                                                            {"enable.auto.commit", "false"},
                                                                            {"enable.partition.eof", "true"}}));
  const auto ends = ends_of(client.get(), places);
  const auto list = list_of_all(places);
  for (auto& each : each_of(list)) each.offset = RD_KAFKA_OFFSET_BEGINNING;
  if (rd_kafka_assign(client.get(), list.get())) throw std::runtime_error("the drain cannot be assigned");
  const Queue queue(rd_kafka_queue_get_consumer(client.get()));
  std::vector<bool> finished(ends.size(), false);
  std::array<rd_kafka_message_t*, 1000> batch{};
  auto silent_since = Clock::now();
  while (std::ranges::find(finished, false) != finished.end()) {
    const auto count = rd_kafka_consume_batch_queue(queue.get(), 1000, batch.data(), batch.size());
    for (std::size_t each = 0; each < static_cast<std::size_t>(std::max<ssize_t>(count, 0)); ++each) {
      const Message message(batch[each]);
      silent_since = Clock::now();
      if (message->err && message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) continue;
      const auto place = places.index(rd_kafka_topic_name(message->rkt), message->partition);
      if (message->err) {
        finished[place] = message->offset >= ends[place];
        continue;
      }
      const auto value = value_of_message(*message);
      history.add({.kind = Kind::drained, .place = place, .offset = message->offset, .value = value});
    }
    if (Clock::now() > silent_since + std::chrono::seconds(30)) throw std::runtime_error("the drain gets nothing more");
  }
}

}  // namespace continuo::history
