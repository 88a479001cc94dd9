#include "continuo/serve/kafka/client_test.h"

namespace continuo::serve {

using namespace wire::kafka;

std::string KafkaClient::frame() {
  const std::string head = client_.read_exactly(4);
  if (head.size() < 4) return {};
  return client_.read_exactly(static_cast<std::size_t>(big_endian(load<std::int32_t>(head.data()))));
}

KafkaServed::KafkaServed(ServerOptions wanted) : options(std::move(wanted)) {
  options.port = 0;
  if (!options.kafka) options.kafka.emplace();
  options.kafka->port = 0;
  restart();
}

void KafkaServed::restart() {
  server.reset();
  CHECK(running.start().has_value(), "the node starts");
  auto started = Server::start(*running.node, options);
  CHECK(started.has_value(), "the server starts");
  server = std::move(*started);
  const std::string endpoint = server->kafka_endpoint();
  port = static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)));
}

void KafkaServed::make_topic(const std::string& name, std::uint32_t partitions) {
  CreateTopicsRequest request;
  request.topics.resize(1);
  request.topics[0].name = name;
  request.topics[0].num_partitions = static_cast<std::int32_t>(partitions);
  request.topics[0].replication_factor = 1;
  const auto made = client().ask(request);
  ASSERT_EQ(made.topics.at(0).error_code, 0) << made.topics[0].error_message.value_or("");
}

std::string batch_of(const std::vector<std::string>& values, record::ProducedBy by) {
  return record::produced_batch(values, 1'795'253'400'000, by);
}

std::vector<std::string> values_in(const SentRecords& records) {
  std::string all;
  for (const auto& piece : records.pieces) all += piece.bytes;
  std::vector<std::string> values;
  std::string_view rest = all;
  while (!rest.empty()) {
    const auto header = record::check_batch(rest);
    EXPECT_TRUE(header.has_value()) << to_string(header.error());
    if (!header) break;
    record::RecordWalk walk{rest.substr(0, header->size)};
    while (const auto record = walk.next()) values.emplace_back(record->value.value_or("(none)"));
    EXPECT_FALSE(walk.damaged());
    rest.remove_prefix(header->size);
  }
  return values;
}

FetchRequest fetch_from(const std::string& topic, std::int32_t partition, std::int64_t offset,
                        std::int32_t max_wait_ms) {
  FetchRequest request;
  request.max_wait_ms = max_wait_ms;
  request.min_bytes = 1;
  request.topics.resize(1);
  request.topics[0].topic = topic;
  auto& asked = request.topics[0].partitions.emplace_back();
  asked.partition = partition;
  asked.fetch_offset = offset;
  asked.partition_max_bytes = 1 << 20;
  return request;
}

}  // namespace continuo::serve
