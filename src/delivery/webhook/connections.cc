// The one file that sees Beast.
#include "continuo/delivery/webhook/connections.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <type_traits>
#include <utility>

#include "continuo/delivery/webhook/loop.h"

namespace continuo::delivery::webhook {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
namespace http = boost::beast::http;
using asio::ip::tcp;
using Failed = boost::system::error_code;
using Plain = tcp::socket;
using Tls = ssl::stream<tcp::socket>;

constexpr Millis most_idle_time{30'000};
constexpr int most_informational = 8;

routing::Address address_of(const asio::ip::address& address) {
  routing::Address out;
  if (address.is_v4()) {
    out.bits = address.to_v4().to_uint();
    return out;
  }
  out.v6 = true;
  for (const unsigned char byte : address.to_v6().to_bytes()) out.bits = (out.bits << 8) | byte;
  return out;
}

Trouble trouble_of(const Failed& error) {
  if (error == asio::error::connection_refused) return Trouble::connection_refused;
  if (error == asio::error::timed_out) return Trouble::timeout;
  if (error == asio::error::eof || error == asio::error::connection_reset || error == asio::error::broken_pipe ||
      error == asio::error::connection_aborted || error == ssl::error::stream_truncated ||
      error == http::error::end_of_stream || error == http::error::partial_message)
    return Trouble::connection_reset;
  if (error.category() == asio::error::get_ssl_category()) return Trouble::tls_error;
  if (error.category() == http::make_error_code(http::error::bad_version).category()) return Trouble::bad_answer;
  return Trouble::connection_failed;
}

std::string_view detail_of(Trouble trouble) {
  switch (trouble) {
    case Trouble::connection_refused: return "the webhook refused the connection";
    case Trouble::connection_reset: return "the webhook hung up without an answer";
    case Trouble::timeout: return "the webhook took too long";
    case Trouble::tls_error: return "no safe connection to the webhook";
    case Trouble::dns_error: return "the name of the webhook is not known";
    case Trouble::private_address: return "the webhook's name leads to a private address";
    case Trouble::bad_answer: return "the webhook's answer is not HTTP";
    default: return "the webhook cannot be reached";
  }
}

}  // namespace

// One connection and the exchange on it: looking up -> connecting -> (shaking hands) -> writing -> head -> body ->
// idle. Everything is closed by `end`; what was under way then finds `ended_` and does nothing.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Connections& owner, Loop& loop)
      : owner_(&owner), to_(owner.to_), loop_(loop), resolver_(loop.context), deadline_(loop.context) {}
  virtual ~Connection() = default;

  void begin(std::string request, Connections::Answered answered) {
    request_ = std::move(request);
    answered_ = std::move(answered);
    idle_ = false;
    limit(to_.timeout);
    if (!open_) return look_up();
    reused_ = true;
    socket()->cancel();  // of waiting for what comes while it is idle
    write();
  }

  // Answers no more.
  void abandon() {
    answered_ = nullptr;
    owner_ = nullptr;
    end();
  }

 protected:
  /// Null before there is one.
  virtual tcp::socket* socket() = 0;
  virtual void fresh_socket() = 0;
  virtual void shake_hands() = 0;
  virtual void write_request() = 0;
  virtual void read_head() = 0;
  virtual void read_body() = 0;

  std::shared_ptr<Connection> self() { return shared_from_this(); }

  void limit(Millis time) {
    deadline_.expires_after(time);
    deadline_.async_wait([self = self()](const Failed& cancelled) {
      if (!cancelled && self->deadline_.expiry() <= asio::steady_timer::clock_type::now()) self->late();
    });
  }

  void late() {
    if (ended_) return;
    if (idle_ || status_ != 0) return finish(false);
    fail(Trouble::timeout);
  }

  void look_up() {
    Failed not_literal;
    const auto literal = asio::ip::make_address(to_.url.host, not_literal);
    if (!not_literal) return connect({tcp::endpoint{literal, to_.url.port}});
    resolver_.async_resolve(to_.url.host, std::to_string(to_.url.port),
                            [self = self()](const Failed& error, const tcp::resolver::results_type& found) {
                              if (self->ended_) return;
                              if (error) return self->fail(Trouble::dns_error);
                              self->connect({found.begin(), found.end()});
                            });
  }

  // What a name leads to is judged here, each time: it may lead elsewhere than when the webhook was defined.
  void connect(std::vector<tcp::endpoint> endpoints) {
    if (!to_.allow_private)
      std::erase_if(endpoints,
                    [](const tcp::endpoint& each) { return !wire::http::is_public(address_of(each.address())); });
    if (endpoints.empty())
      return asio::post(loop_.context, [self = self()] {
        if (!self->ended_) self->fail(Trouble::private_address);
      });
    fresh_socket();
    endpoints_ = std::move(endpoints);
    asio::async_connect(*socket(), endpoints_, [self = self()](const Failed& error, const tcp::endpoint&) {
      if (self->ended_) return;
      if (error) return self->fail(trouble_of(error));
      Failed ignored;
      self->socket()->set_option(tcp::no_delay{true}, ignored);
      self->shake_hands();
    });
  }

  void opened() {
    open_ = true;
    write();
  }

  void write() {
    expect_head();
    write_request();
  }

  void expect_head() {
    parser_.emplace();
    parser_->header_limit(most_head_bytes);
    parser_->body_limit(boost::none);  // counted here
    body_bytes_ = 0;
  }

  void written(const Failed& error) {
    if (ended_) return;
    // A receiver may answer before it took all, and hang up: then its answer is there to be read.
    whole_ = !error;
    if (error && trouble_of(error) != Trouble::connection_reset) return broken(error);
    read_head();
  }

  void head_came(const Failed& error) {
    if (ended_) return;
    if (error) return broken(error);
    const auto& head = parser_->get();
    const int status = static_cast<int>(head.result_int());
    if (status < 200 && status != 101) return informed();
    status_ = status;
    const auto after = head[http::field::retry_after];
    retry_after_.assign(after.data(), after.size());
    limit(most_body_time);
    if (status == 101) return finish(false);
    parser_->is_done() ? finish(parser_->keep_alive()) : read_body();
  }

  // 100 Continue, 103 Early Hints: the answer is still to come.
  void informed() {
    if (++informational_ > most_informational) return fail(Trouble::bad_answer);
    expect_head();
    read_head();
  }

  void body_came(const Failed& error, std::size_t bytes) {
    if (ended_) return;
    body_bytes_ += bytes;
    if (error && error != http::error::need_buffer) return finish(false);
    if (parser_->is_done()) return finish(parser_->keep_alive());
    if (body_bytes_ > most_body_bytes) return finish(false);
    read_body();
  }

  // A receiver may close a connection just when it is used again: then another one is opened, once.
  void broken(const Failed& error) {
    const Trouble trouble = trouble_of(error);
    if (std::exchange(reused_, false) && trouble == Trouble::connection_reset && !parser_->got_some()) {
      open_ = false;
      return look_up();
    }
    fail(trouble);
  }

  void fail(Trouble trouble, std::string detail = {}) {
    reply_.trouble = trouble;
    reply_.detail = detail.empty() ? std::string{detail_of(trouble)} : std::move(detail);
    finish(false);
  }

  // The exchange is over. With `again` the connection is good for another.
  void finish(bool again) {
    const auto keep = self();
    deadline_.cancel();
    reply_.status = status_;
    reply_.retry_after = std::move(retry_after_);
    auto answered = std::exchange(answered_, nullptr);
    Reply reply = std::exchange(reply_, {});
    status_ = 0;
    informational_ = 0;
    reused_ = false;
    request_.clear();
    if (again && whole_ && owner_ != nullptr && buffer_.size() == 0)
      rest();
    else
      end();
    if (answered) answered(std::move(reply));
  }

  // Nothing is to come now; what does, an end most of all, ends it.
  void rest() {
    idle_ = true;
    limit(most_idle_time);
    socket()->async_wait(tcp::socket::wait_read, [self = self()](const Failed& cancelled) {
      if (!cancelled && self->idle_ && !self->ended_) self->finish(false);
    });
    owner_->idle(self());
  }

  void end() {
    if (std::exchange(ended_, true)) return;
    idle_ = false;
    resolver_.cancel();
    deadline_.cancel();
    Failed ignored;
    if (auto* open = socket()) open->close(ignored);
    if (owner_ != nullptr) std::exchange(owner_, nullptr)->gone(*this);
  }

  Connections* owner_;  // null once it does not know this one any more
  const Connections::To to_;
  Loop& loop_;
  tcp::resolver resolver_;
  asio::steady_timer deadline_;
  std::vector<tcp::endpoint> endpoints_;
  std::string request_;
  Connections::Answered answered_;
  boost::beast::flat_buffer buffer_{most_head_bytes + most_body_bytes};
  std::optional<http::response_parser<http::buffer_body>> parser_;
  std::array<char, 8'192> body_{};
  Reply reply_;
  std::string retry_after_;
  int status_ = 0;  // of the answer, once its head is there
  int informational_ = 0;
  std::size_t body_bytes_ = 0;
  bool open_ = false;
  bool whole_ = false;  // the request went out
  bool idle_ = false;
  bool reused_ = false;
  bool ended_ = false;
};

namespace {

template <class Stream>
class ConnectionOver final : public Connection {
 public:
  using Connection::Connection;

 private:
  static constexpr bool tls = std::is_same_v<Stream, Tls>;

  std::shared_ptr<ConnectionOver> mine() { return std::static_pointer_cast<ConnectionOver>(self()); }

  tcp::socket* socket() override {
    if (!stream_) return nullptr;
    if constexpr (tls)
      return &stream_->next_layer();
    else
      return &*stream_;
  }

  void fresh_socket() override {
    buffer_.clear();
    if constexpr (tls)
      stream_.emplace(loop_.context, loop_.tls);
    else
      stream_.emplace(loop_.context);
  }

  void shake_hands() override {
    if constexpr (tls) {
      Failed literal;
      asio::ip::make_address(to_.url.host, literal);
      if (literal) SSL_set_tlsext_host_name(stream_->native_handle(), to_.url.host.c_str());
      stream_->set_verify_callback(ssl::host_name_verification(to_.url.host));
      stream_->async_handshake(Stream::client, [self = mine()](const Failed& error) {
        if (self->ended_) return;
        if (error) return self->unsafe(error);
        self->opened();
      });
    } else {
      opened();
    }
  }

  void unsafe(const Failed& error) {
    const Trouble trouble = trouble_of(error);
    if (trouble != Trouble::tls_error) return fail(trouble);
    if constexpr (tls) {
      const long verified = SSL_get_verify_result(stream_->native_handle());
      std::string why = verified != X509_V_OK ? X509_verify_cert_error_string(verified) : error.message();
      fail(trouble, std::string{detail_of(trouble)} + ": " + why);
    }
  }

  void write_request() override {
    asio::async_write(*stream_, asio::buffer(request_),
                      [self = mine()](const Failed& error, std::size_t) { self->written(error); });
  }

  void read_head() override {
    http::async_read_header(*stream_, buffer_, *parser_,
                            [self = mine()](const Failed& error, std::size_t) { self->head_came(error); });
  }

  void read_body() override {
    parser_->get().body().data = body_.data();
    parser_->get().body().size = body_.size();
    parser_->get().body().more = true;
    http::async_read_some(*stream_, buffer_, *parser_,
                          [self = mine()](const Failed& error, std::size_t bytes) { self->body_came(error, bytes); });
  }

  std::optional<Stream> stream_;
};

}  // namespace

Connections::Connections(Loop& loop, To to) : loop_(loop), to_(std::move(to)) {}

Connections::~Connections() {
  for (const auto& connection : all_) connection->abandon();
}

void Connections::post(std::string request, Answered answered) {
  std::shared_ptr<Connection> connection;
  if (!idle_.empty()) {
    connection = std::move(idle_.back());
    idle_.pop_back();
  } else {
    if (to_.url.tls)
      connection = std::make_shared<ConnectionOver<Tls>>(*this, loop_);
    else
      connection = std::make_shared<ConnectionOver<Plain>>(*this, loop_);
    all_.push_back(connection);
  }
  connection->begin(std::move(request), std::move(answered));
}

void Connections::idle(std::shared_ptr<Connection> connection) { idle_.push_back(std::move(connection)); }

void Connections::gone(const Connection& connection) {
  const auto is_it = [&](const std::shared_ptr<Connection>& each) { return each.get() == &connection; };
  std::erase_if(idle_, is_it);
  std::erase_if(all_, is_it);
}

}  // namespace continuo::delivery::webhook
