#include "continuo/serve/server.h"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>

#include <fmt/format.h>

#include <chrono>
#include <future>
#include <thread>

#include "continuo/serve/io_thread.h"
#include "continuo/serve/kafka/handlers.h"
#include "continuo/serve/kafka/session.h"
#include "continuo/serve/session.h"

namespace continuo::serve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr Millis accept_pause{100};  // after an error that will not go away at once, like no more file descriptors

/// What listens on one address: connections are spread over the I/O threads in turn.
class Listener {
 public:
  /// Takes a connection on its thread.
  using Begin = std::function<void(IoThread&, Socket)>;
  /// Tells a connection that it is one too many.
  using Refuse = std::function<void(Socket)>;
  Listener(Door& door, std::string_view option, Begin begin, Refuse refuse)
      : door_(door),
        option_(option),
        begin_(std::move(begin)),
        refuse_(std::move(refuse)),
        acceptor_(door.threads.front()->loop().context),
        pause_(door.threads.front()->loop().context) {}

  Result<void> listen(const std::string& text, std::uint16_t port, bool accept_insecure) {
    const auto address = address_of(text, accept_insecure);
    if (!address) return std::unexpected(address.error());
    boost::system::error_code error;
    const tcp::endpoint endpoint(*address, port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error)
      return fail(Code::io_error, fmt::format("cannot listen on {}:{}: {}", text, port, error.message()),
                  std::string{option_}, "choose another port, or 0 for a free one");
    local_ = acceptor_.local_endpoint();
    return {};
  }

  // Each connection is accepted straight into the loop it will live on.
  void accept() {
    IoThread& thread = *door_.threads[next_++ % door_.threads.size()];
    acceptor_.async_accept(thread.loop().context,
                           [this, &thread](const boost::system::error_code& error, Socket socket) {
                             if (error == asio::error::operation_aborted || door_.stopping) return;
                             if (error) return accept_later();
                             admit(thread, std::move(socket));
                             accept();
                           });
  }

  void close() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
  }

  std::uint16_t port() const { return local_.port(); }
  std::string address() const { return local_.address().to_string(); }
  std::string endpoint() const {
    return fmt::format(fmt::runtime(local_.address().is_v6() ? "[{}]:{}" : "{}:{}"), address(), port());
  }

 private:
  Result<asio::ip::address> address_of(const std::string& text, bool accept_insecure) const {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(text == "localhost" ? "127.0.0.1" : text, error);
    if (error)
      return fail(Code::bad_usage, fmt::format("'{}' is not an address to listen on", text), std::string{option_},
                  "an IP address and a port, like 127.0.0.1:8080");
    if (!address.is_loopback() && !accept_insecure)
      return fail(Code::bad_usage,
                  fmt::format("{} can be reached from outside, and there is no TLS and no authentication yet", text),
                  std::string{option_}, "listen on 127.0.0.1, or say --i-accept-insecure");
    return address;
  }

  void accept_later() {
    pause_.expires_after(accept_pause);
    pause_.async_wait([this](const boost::system::error_code& error) {
      if (!error) accept();
    });
  }

  void admit(IoThread& thread, Socket socket) {
    if (door_.connections.fetch_add(1) >= door_.options.max_connections) {
      door_.connections.fetch_sub(1);
      door_.refused_connections.fetch_add(1);
      return refuse_(std::move(socket));
    }
    begin_(thread, std::move(socket));
  }

  Door& door_;
  std::string_view option_;
  Begin begin_;
  Refuse refuse_;
  asio::basic_socket_acceptor<tcp, asio::io_context::executor_type> acceptor_;
  asio::steady_timer pause_;
  tcp::endpoint local_;
  std::size_t next_ = 0;
};

template <class SessionType>
void begin_session(IoThread& thread, Socket socket) {
  auto session = std::make_shared<SessionType>(thread, std::move(socket));
  thread.post([&thread, session = std::move(session)]() mutable {
    thread.add(session);
    session->start();
  });
}

// One try to say why; whoever does not listen does not hear it.
void refuse_http(const Door& door, Socket socket) {
  const Error error{
      Code::too_many_connections, fmt::format("{} connections are open", door.options.max_connections), {}, {}, 1};
  std::string body, answer;
  wire::http::write_problem(error, body);
  const std::string extra = wire::http::retry_after(error);
  wire::http::write_head({.status = 503, .content_type = wire::http::problem_type, .close = true, .extra = extra},
                         body.size(), answer);
  answer += body;
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(answer), ignored);
  socket.shutdown(Socket::shutdown_send, ignored);
}

class Listening final : public Server {
 public:
  Listening(node::Node& node, const ServerOptions& options, Clock& clock) : door_(node, options, clock) {
    for (unsigned i = 0; i < std::max(1u, options.io_threads); ++i)
      door_.threads.push_back(std::make_unique<IoThread>(door_));
    http_.emplace(door_, "--http", begin_session<Session>,
                  [this](Socket socket) { refuse_http(door_, std::move(socket)); });
    // Kafka's protocol has no words for it: the connection ends, and clients try again.
    if (options.kafka) kafka_.emplace(door_, "--kafka", begin_session<KafkaSession>, [](const Socket&) {});
  }
  ~Listening() override {
    stop();
    for (auto& thread : door_.threads) door_.node.remove_edge(*thread);
  }

  Result<void> listen() {
    const ServerOptions& options = door_.options;
    if (auto http = http_->listen(options.address, options.port, options.accept_insecure); !http) return http;
    if (!kafka_) return {};
    if (auto kafka = kafka_->listen(options.kafka->address, options.kafka->port, options.accept_insecure); !kafka)
      return kafka;
    const bool told = !options.kafka->advertised_host.empty();
    door_.kafka = kafka_identity(door_.node.secret(), told ? options.kafka->advertised_host : kafka_->address(),
                                 told ? options.kafka->advertised_port : kafka_->port());
    return {};
  }

  void run() {
    door_.readers.start(door_.options.reader_threads);
    for (auto& thread : door_.threads) door_.node.add_edge(*thread);
    http_->accept();
    if (kafka_) kafka_->accept();
    for (auto& thread : door_.threads) thread->start();
    running_ = true;
  }

  std::uint16_t port() const override { return http_->port(); }
  std::string endpoint() const override { return http_->endpoint(); }
  std::string kafka_endpoint() const override { return kafka_ ? kafka_->endpoint() : std::string{}; }

  void stop() override {
    if (!running_) return;
    running_ = false;
    door_.stopping = true;
    on_thread(*door_.threads.front(), [this] {
      http_->close();
      if (kafka_) kafka_->close();
    });
    for (auto& thread : door_.threads) on_thread(*thread, [&thread] { thread->stop_connections(); });
    drain();
    for (auto& thread : door_.threads) on_thread(*thread, [&thread] { thread->abort_connections(); });
    door_.readers.stop();
    for (auto& thread : door_.threads) thread->stop();
  }

 private:
  template <class Task>
  static void on_thread(IoThread& thread, Task task) {
    std::promise<void> done;
    thread.post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  // Gives requests under way a moment. The sleep is real time even where the clock is not.
  void drain() {
    for (Millis waited{0}; waited < door_.options.timeouts.drain && door_.connections > 0; waited += Millis{10})
      std::this_thread::sleep_for(Millis{10});
  }

  Door door_;
  std::optional<Listener> http_;
  std::optional<Listener> kafka_;
  bool running_ = false;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(node::Node& node, const ServerOptions& options, Clock& clock) {
  auto server = std::make_unique<Listening>(node, options, clock);
  if (auto listening = server->listen(); !listening) return pass(listening);
  server->run();
  return server;
}

}  // namespace continuo::serve
