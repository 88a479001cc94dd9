// The listeners, for HTTP and for Kafka's protocol: sockets and threads in front of a node.
//
//   auto server = serve::Server::start(*node, {.port = 0}, system_clock());
//   fmt::print("http://127.0.0.1:{}\n", (*server)->port());
//   ...
//   (*server)->stop();
//
// N I/O threads, each with its own node::Edge and its own sessions; connections are spread over them in turn. What the
// door takes and answers is docs/http.md; every limit below is checked before memory is taken for what it limits.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "continuo/base/errors.h"
#include "continuo/base/time.h"

namespace continuo::node {
class Node;
}

namespace continuo::serve {

/// How long a client may take.
struct Timeouts {
  Millis header{10'000};                ///< from the first byte of a request to the end of its head
  Millis body{30'000};                  ///< for the body; longer only while it comes at `body_rate` or faster
  std::uint64_t body_rate = 32 * 1024;  ///< bytes a second
  Millis idle{120'000};                 ///< between requests
  Millis write{30'000};  ///< for taking an answer; longer only while it is taken at `write_rate` or faster
  std::uint64_t write_rate = 32 * 1024;
  Millis drain{5'000};  ///< stop() waits this long for requests under way
};

/// Where Kafka clients come in.
struct KafkaOptions {
  std::string address = "127.0.0.1";  ///< an IP address, or "localhost"
  std::uint16_t port = 9092;          ///< 0: a free one, see Server::kafka_endpoint
  std::string advertised_host;        ///< what clients are told to connect to; empty: address and port
  std::uint16_t advertised_port = 0;
};

struct ServerOptions {
  std::string address = "127.0.0.1";  ///< an IP address, or "localhost"
  std::uint16_t port = 8080;          ///< 0: a free one, see Server::port
  std::optional<KafkaOptions> kafka;  ///< none: no Kafka clients
  bool accept_insecure = false;       ///< `--i-accept-insecure`: listen beyond loopback without TLS and authentication
  bool allow_private_webhooks = false;  ///< webhooks with addresses that are not on the internet may be defined
  /// More of the metrics page: what runs beside the server; any thread. May be empty.
  std::function<std::string()> other_metrics;
  bool auto_create = true;  ///< publishing to an unknown topic creates it with the defaults
  unsigned io_threads = 2;
  unsigned reader_threads = 1;  ///< for reads of records that are not at the end of their partition
  std::uint32_t max_connections = 10'000;
  std::uint64_t max_body_bytes = 8u << 20;             ///< of one request, inflated
  std::uint64_t max_kafka_request_bytes = 100u << 20;  ///< as Kafka's socket.request.max.bytes
  std::uint64_t max_deliveries_bytes = 8u
                                       << 20;   ///< of one answer of receive, or of the events in a list of parked keys
  std::uint64_t max_buffer_bytes = 512u << 20;  ///< of all requests and answers under way, beyond 16 KiB a connection
  Timeouts timeouts;
};

class Server {
 public:
  /// Binds, listens, starts the threads. `node` and `clock` outlive the server. Errors: bad_usage (an address beyond
  /// loopback without accept_insecure, or no address at all), io_error (the port is taken, ...).
  static Result<std::unique_ptr<Server>> start(node::Node& node, const ServerOptions& options,
                                               Clock& clock = system_clock());
  virtual ~Server() = default;  ///< stops

  /// The port listened on.
  virtual std::uint16_t port() const = 0;
  /// "127.0.0.1:8080", "[::1]:8080"
  virtual std::string endpoint() const = 0;
  /// The same for Kafka clients; empty when there is no such listener.
  virtual std::string kafka_endpoint() const = 0;
  /// Takes no more connections, ends waiting reads, finishes requests under way, closes. Blocks; a second call does
  /// nothing.
  virtual void stop() = 0;
};

}  // namespace continuo::serve
