#include "continuo/serve/server.h"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>

#include <fmt/format.h>

#include <chrono>
#include <future>
#include <thread>

#include "continuo/serve/io_thread.h"
#include "continuo/serve/session.h"

namespace continuo::serve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr Millis accept_pause{100};  // after an error that will not go away at once, like no more file descriptors

Result<asio::ip::address> address_of(const ServerOptions& options) {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(options.address == "localhost" ? "127.0.0.1" : options.address, error);
  if (error)
    return fail(Code::bad_usage, fmt::format("'{}' is not an address to listen on", options.address), "--http",
                "an IP address and a port, like 127.0.0.1:8080");
  if (!address.is_loopback() && !options.accept_insecure)
    return fail(
        Code::bad_usage,
        fmt::format("{} can be reached from outside, and there is no TLS and no authentication yet", options.address),
        "--http", "listen on 127.0.0.1, or say --i-accept-insecure");
  return address;
}

class HttpServer final : public Server {
 public:
  HttpServer(node::Node& node, const ServerOptions& options, Clock& clock) : door_(node, options, clock) {
    for (unsigned i = 0; i < std::max(1u, options.io_threads); ++i)
      door_.threads.push_back(std::make_unique<IoThread>(door_));
    acceptor_.emplace(first().context);
    pause_.emplace(first().context);
  }
  ~HttpServer() override {
    stop();
    for (auto& thread : door_.threads) door_.node.remove_edge(*thread);
  }

  Result<void> listen(const asio::ip::address& address) {
    boost::system::error_code error;
    const tcp::endpoint endpoint(address, door_.options.port);
    acceptor_->open(endpoint.protocol(), error);
    if (!error) acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_->bind(endpoint, error);
    if (!error) acceptor_->listen(asio::socket_base::max_listen_connections, error);
    if (error)
      return fail(Code::io_error,
                  fmt::format("cannot listen on {}:{}: {}", door_.options.address, door_.options.port, error.message()),
                  "--http", "choose another port, or 0 for a free one");
    local_ = acceptor_->local_endpoint();
    return {};
  }

  void run() {
    door_.readers.start(door_.options.reader_threads);
    for (auto& thread : door_.threads) door_.node.add_edge(*thread);
    accept();
    for (auto& thread : door_.threads) thread->start();
    running_ = true;
  }

  std::uint16_t port() const override { return local_.port(); }
  std::string endpoint() const override {
    const std::string address = local_.address().to_string();
    return fmt::format(fmt::runtime(local_.address().is_v6() ? "[{}]:{}" : "{}:{}"), address, local_.port());
  }

  void stop() override {
    if (!running_) return;
    running_ = false;
    door_.stopping = true;
    on_thread(*door_.threads.front(), [this] {
      boost::system::error_code ignored;
      acceptor_->close(ignored);
      pause_->cancel();
    });
    for (auto& thread : door_.threads) on_thread(*thread, [&thread] { thread->stop_connections(); });
    drain();
    for (auto& thread : door_.threads) on_thread(*thread, [&thread] { thread->abort_connections(); });
    door_.readers.stop();
    for (auto& thread : door_.threads) thread->stop();
  }

 private:
  Loop& first() { return door_.threads.front()->loop(); }

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

  // Each connection is accepted straight into the loop it will live on.
  void accept() {
    IoThread& thread = *door_.threads[next_++ % door_.threads.size()];
    acceptor_->async_accept(thread.loop().context,
                            [this, &thread](const boost::system::error_code& error, Socket socket) {
                              if (error == asio::error::operation_aborted || door_.stopping) return;
                              if (error) return accept_later();
                              admit(thread, std::move(socket));
                              accept();
                            });
  }

  void accept_later() {
    pause_->expires_after(accept_pause);
    pause_->async_wait([this](const boost::system::error_code& error) {
      if (!error) accept();
    });
  }

  void admit(IoThread& thread, Socket socket) {
    if (door_.connections.fetch_add(1) >= door_.options.max_connections) {
      door_.connections.fetch_sub(1);
      door_.refused_connections.fetch_add(1);
      return refuse(std::move(socket));
    }
    auto session = std::make_shared<Session>(thread, std::move(socket));
    thread.post([&thread, session = std::move(session)]() mutable {
      thread.add(session);
      session->start();
    });
  }

  // One try to say why; whoever does not listen does not hear it.
  void refuse(Socket socket) {
    const Error error{
        Code::too_many_connections, fmt::format("{} connections are open", door_.options.max_connections), {}, {}, 1};
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

  Door door_;
  std::optional<asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>> acceptor_;
  std::optional<asio::steady_timer> pause_;
  tcp::endpoint local_;
  std::size_t next_ = 0;
  bool running_ = false;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(node::Node& node, const ServerOptions& options, Clock& clock) {
  auto address = address_of(options);
  if (!address) return pass(address);
  auto server = std::make_unique<HttpServer>(node, options, clock);
  if (auto listening = server->listen(*address); !listening) return pass(listening);
  server->run();
  return server;
}

}  // namespace continuo::serve
