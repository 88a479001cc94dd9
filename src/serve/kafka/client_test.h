// A blocking Kafka client for the tests of sessions: any request in any version, answers read strictly.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "continuo/node/running_node_test.h"
#include "continuo/record/produced_batch_test.h"
#include "continuo/serve/client_test.h"
#include "continuo/serve/kafka/handlers.h"
#include "continuo/serve/server.h"
#include "continuo/wire/kafka/messages_test.h"
#include "continuo/wire/kafka/requests_test.h"

namespace continuo::serve {

using wire::kafka::AnswerOf;

class KafkaClient {
 public:
  explicit KafkaClient(std::uint16_t port) : client_(port) {}

  /// Sends without waiting; the request's number.
  template <class Request>
  std::int32_t send(const Request& request, std::int16_t version = -1) {
    const auto& api = api_of<Request>();
    if (version < 0) version = api.max_version;
    client_.send(wire::kafka::write_request(api, version, ++number_, "test", request));
    return number_;
  }
  /// The next answer, which must be to the request of that number.
  template <class Request>
  typename AnswerOf<Request>::type receive(std::int32_t number, std::int16_t version = -1) {
    const auto& api = api_of<Request>();
    if (version < 0) version = api.max_version;
    typename AnswerOf<Request>::type answer;
    const std::string frame = this->frame();
    if (frame.empty()) {
      ADD_FAILURE() << "no answer to " << api.name;
      return answer;
    }
    ByteReader head{frame};
    EXPECT_EQ(head.be<std::int32_t>(), number);
    const bool tags = api.flexible(version) && api.key != wire::kafka::ApiKey::api_versions;
    EXPECT_EQ(tags ? head.u8() : 0, 0);
    wire::kafka::Reader reader{head.rest(), version, api.flexible(version)};
    reader.structure(answer);
    EXPECT_TRUE(reader.done()) << "the answer to " << api.name << " version " << version << " cannot be read";
    return answer;
  }
  template <class Request>
  typename AnswerOf<Request>::type ask(const Request& request, std::int16_t version = -1) {
    return receive<Request>(send(request, version), version);
  }
  void send_bytes(std::string_view bytes) { client_.send(bytes); }
  bool closed() { return client_.closed(); }
  /// One answer without its length; empty when the connection ended.
  std::string frame();

 private:
  template <class Request>
  static const wire::kafka::Api& api_of() {
    return *wire::kafka::find_api(static_cast<std::int16_t>(AnswerOf<Request>::key));
  }
  Client client_;
  std::int32_t number_ = 0;
};

/// A node in a folder of its own with both doors.
struct KafkaServed {
  explicit KafkaServed(ServerOptions wanted = {});
  /// On the same folder; clients connect anew.
  void restart();
  KafkaClient client() const { return KafkaClient(port); }
  void make_topic(const std::string& name, std::uint32_t partitions = 1);
  node::RunningNode running{::testing::TempDir()};
  ServerOptions options;
  std::unique_ptr<Server> server;
  std::uint16_t port = 0;
};

/// A batch as a producer sends it.
std::string batch_of(const std::vector<std::string>& values, record::ProducedBy by = {});
/// The values of all records in the batches of an answer.
std::vector<std::string> values_in(const wire::kafka::SentRecords& records);

wire::kafka::FetchRequest fetch_from(const std::string& topic, std::int32_t partition, std::int64_t offset,
                                     std::int32_t max_wait_ms = 0);

}  // namespace continuo::serve
