#include "queue_clients.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <optional>
#include <stdexcept>
#include <vector>

#include "clock.h"
#include "connection.h"
#include "http.h"

namespace load {
namespace {

constexpr std::size_t due_digits = 20;

// What is sent: when it was due, then nothing of interest.
std::string body(const QueueSettings& settings, std::int64_t due_ns) {
  std::string text = fmt::format("t={:020}", due_ns);
  text.resize(std::max(text.size(), settings.size), 'x');
  return text;
}

std::int64_t number_in(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// --- Continuo: HTTP/1.1 ----------------------------------------------------------------------------------------------

void ask(Connection& connection, std::string_view method, const std::string& path, std::string_view body,
         std::string_view type = "application/json") {
  connection.send(http_request(method, "bench", path, body, type));
}

std::string_view answer(Connection& connection) {
  HttpAnswer http = http_answer(connection.received());
  for (; http.size == 0; http = http_answer(connection.received())) connection.read_more();
  connection.take(http.size);
  if (http.status / 100 != 2) throw std::runtime_error("refused: " + std::string(http.body));
  return http.body;
}

class ContinuoSender final : public QueueSender {
 public:
  ContinuoSender(const QueueSettings& settings, unsigned number)
      : settings_(settings), connection_(settings.port), identity_(fmt::format("{}-{}-", now_ns(), number)) {}

  void send(std::int64_t due_ns) override {
    const std::string text = body(settings_, due_ns);
    std::string out = settings_.batch == 1 ? "" : "[";
    for (unsigned i = 0; i < settings_.batch; ++i) {
      if (i > 0) out += ',';
      fmt::format_to(std::back_inserter(out),
                     R"({{"specversion":"1.0","id":"{}{}","source":"/bench","type":"Message","data":"{}"}})", identity_,
                     ++serial_, text);
    }
    if (settings_.batch > 1) out += ']';
    ask(connection_, "POST", "/v1/queues/" + settings_.queue + "/messages", out,
        settings_.batch == 1 ? "application/cloudevents+json" : "application/cloudevents-batch+json");
    answer(connection_);
  }

 private:
  const QueueSettings settings_;
  Connection connection_;
  const std::string identity_;
  std::uint64_t serial_ = 0;
};

// Two connections: what came over one is settled over the other, while the next batch comes.
class ContinuoTaker final : public QueueTaker {
 public:
  explicit ContinuoTaker(const QueueSettings& settings)
      : receive_("/v1/queues/" + settings.queue + "/receive"),
        settle_("/v1/queues/" + settings.queue + "/settle"),
        wanted_(fmt::format(R"({{"max":{},"wait":"100ms"}})", settings.batch)),
        receiving_(settings.port),
        settling_(settings.port) {}

  unsigned take(const std::function<void(std::int64_t)>& came) override {
    if (!asked_) ask(receiving_, "POST", receive_, wanted_);
    const std::string_view got = answer(receiving_);
    std::string acks = "{\"ack\":[";
    const unsigned count = read(got, acks, came);
    acks += "]}";
    ask(receiving_, "POST", receive_, wanted_);
    asked_ = true;
    unsigned settled = 0;
    if (settling_count_ > 0) answer(settling_), settled = settling_count_;
    if (count > 0) ask(settling_, "POST", settle_, acks);
    settling_count_ = count;
    return settled;
  }

 private:
  static unsigned read(std::string_view got, std::string& acks, const std::function<void(std::int64_t)>& came) {
    constexpr std::string_view lease = "\"lease\":\"", stamp = "\"t=";
    unsigned count = 0;
    for (std::size_t at = 0; (at = got.find(lease, at)) != std::string_view::npos; ++count) {
      at += lease.size();
      const std::size_t end = got.find('"', at);
      if (count > 0) acks += ',';
      acks.append("\"").append(got.substr(at, end - at)).append("\"");
      at = got.find(stamp, end) + stamp.size();
      came(number_in(got.substr(at, due_digits)));
    }
    return count;
  }

  const std::string receive_, settle_, wanted_;
  Connection receiving_, settling_;
  bool asked_ = false;
  unsigned settling_count_ = 0;
};

// --- NATS JetStream: a work queue with a pull consumer ---------------------------------------------------------------

struct NatsMessage {
  std::string_view reply, data;
};

class NatsConnection {
 public:
  NatsConnection(std::uint16_t port, std::string inbox) : connection_(port), inbox_(std::move(inbox)) {
    connection_.line();  // INFO
    connection_.send(
        fmt::format("CONNECT {{\"verbose\":false,\"headers\":true,\"no_responders\":true}}\r\n"
                    "SUB {} 1\r\n",
                    inbox_));
  }
  void send(std::string_view text) { connection_.send(text); }
  void ask(std::string_view subject, std::string_view text) {
    send(fmt::format("PUB {} {} {}\r\n{}\r\n", subject, inbox_, text.size(), text));
  }
  const std::string& inbox() const { return inbox_; }

  /// Valid until the next one.
  NatsMessage message() {
    while (true) {
      const std::string line(connection_.line());
      if (line == "PING") send("PONG\r\n");
      if (line.starts_with("-ERR")) throw std::runtime_error(line);
      if (!line.starts_with("MSG ") && !line.starts_with("HMSG ")) continue;
      std::vector<std::string_view> words;
      for (std::size_t at = 0, end; at < line.size(); at = end + 1) {
        end = std::min(line.find(' ', at), line.size());
        words.push_back(std::string_view(line).substr(at, end - at));
      }
      const bool headed = words[0] == "HMSG";
      const auto size = static_cast<std::size_t>(number_in(words.back()));
      const auto head = headed ? static_cast<std::size_t>(number_in(words[words.size() - 2])) : 0;
      reply_ = words.size() == (headed ? 6U : 5U) ? std::string(words[3]) : "";
      return {reply_, connection_.take(size + 2).substr(head, size - head)};
    }
  }

 private:
  Connection connection_;
  const std::string inbox_;
  std::string reply_;
};

class NatsSender final : public QueueSender {
 public:
  NatsSender(const QueueSettings& settings, unsigned number)
      : settings_(settings), connection_(settings.port, fmt::format("_INBOX.send.{}.{}", getpid(), number)) {}

  void send(std::int64_t due_ns) override {
    const std::string text = body(settings_, due_ns);
    std::string out;
    for (unsigned i = 0; i < settings_.batch; ++i)
      fmt::format_to(std::back_inserter(out), "PUB {}.in {} {}\r\n{}\r\n", settings_.queue, connection_.inbox(),
                     text.size(), text);
    connection_.send(out);
    for (unsigned i = 0; i < settings_.batch; ++i) {
      if (connection_.message().data.find("\"error\"") != std::string_view::npos)
        throw std::runtime_error("a message was refused");
    }
  }

 private:
  const QueueSettings settings_;
  NatsConnection connection_;
};

// Acknowledgements are not answered, as its clients do it. The next batch is asked for before they go out.
class NatsTaker final : public QueueTaker {
 public:
  NatsTaker(const QueueSettings& settings, unsigned number)
      : settings_(settings),
        connection_(settings.port, fmt::format("_INBOX.take.{}.{}", getpid(), number)),
        wanted_(fmt::format(R"({{"batch":{},"expires":100000000}})", settings.batch)) {}

  unsigned take(const std::function<void(std::int64_t)>& came) override {
    if (!asked_) pull();
    std::string acks;
    unsigned count = 0;
    bool over = false;
    while (count < settings_.batch && !over) {
      const NatsMessage message = connection_.message();
      over = !message.reply.starts_with("$JS.ACK.");  // a status: nothing more within the time
      if (over) break;
      fmt::format_to(std::back_inserter(acks), "PUB {} 4\r\n+ACK\r\n", message.reply);
      came(number_in(message.data.substr(2, due_digits)));
      ++count;
    }
    pull();
    connection_.send(acks);
    return count;
  }

 private:
  void pull() {
    connection_.ask(fmt::format("$JS.API.CONSUMER.MSG.NEXT.{0}.{0}", settings_.queue), wanted_);
    asked_ = true;
  }
  const QueueSettings settings_;
  NatsConnection connection_;
  const std::string wanted_;
  bool asked_ = false;
};

// --- Redis Streams: a group; what is acknowledged is deleted ---------------------------------------------------------

std::string redis_command(std::initializer_list<std::string_view> words) {
  std::string out = fmt::format("*{}\r\n", words.size());
  for (const std::string_view word : words) out += fmt::format("${}\r\n{}\r\n", word.size(), word);
  return out;
}

class RedisSender final : public QueueSender {
 public:
  explicit RedisSender(const QueueSettings& settings) : settings_(settings), connection_(settings.port) {}

  void send(std::int64_t due_ns) override {
    const std::string one = redis_command({"XADD", settings_.queue, "*", "b", body(settings_, due_ns)});
    std::string out;
    for (unsigned i = 0; i < settings_.batch; ++i) out += one;
    connection_.send(out);
    for (unsigned i = 0; i < settings_.batch; ++i) {
      const std::string_view line = connection_.line();
      if (!line.starts_with('$')) throw std::runtime_error(std::string(line));
      connection_.line();
    }
  }

 private:
  const QueueSettings settings_;
  Connection connection_;
};

// Acknowledges, deletes, and reads the next batch in one go.
class RedisTaker final : public QueueTaker {
 public:
  RedisTaker(const QueueSettings& settings, unsigned number)
      : settings_(settings),
        connection_(settings.port),
        read_(redis_command({"XREADGROUP", "GROUP", "g", fmt::format("c{}", number), "COUNT",
                             std::to_string(settings.batch), "BLOCK", "100", "STREAMS", settings.queue, ">"})) {}

  unsigned take(const std::function<void(std::int64_t)>& came) override {
    connection_.send(acks_ + read_);
    if (!acks_.empty()) connection_.line(), connection_.line();
    const unsigned settled = count_;
    read_batch(came);
    return settled;
  }

 private:
  void expect(std::string_view wanted) {
    const std::string_view line = connection_.line();
    if (line != wanted) throw std::runtime_error(fmt::format("Redis said {}", line));
  }
  std::string bulk() {
    const auto size = static_cast<std::size_t>(number_in(connection_.line().substr(1)));
    return std::string(connection_.take(size + 2).substr(0, size));
  }

  void read_batch(const std::function<void(std::int64_t)>& came) {
    acks_.clear();
    count_ = 0;
    if (const std::string_view line = connection_.line(); line != "*1") {
      if (line != "*-1") throw std::runtime_error(std::string(line));
      return;
    }
    expect("*2");
    bulk();  // the stream's name
    count_ = static_cast<unsigned>(number_in(connection_.line().substr(1)));
    std::string entries;
    for (unsigned i = 0; i < count_; ++i) {
      expect("*2");
      const std::string entry = bulk();
      entries += fmt::format("${}\r\n{}\r\n", entry.size(), entry);
      expect("*2");
      bulk();
      came(number_in(std::string_view(bulk()).substr(2, due_digits)));
    }
    const std::string& name = settings_.queue;
    acks_ = fmt::format("*{}\r\n$4\r\nXACK\r\n${}\r\n{}\r\n$1\r\ng\r\n{}*{}\r\n$4\r\nXDEL\r\n${}\r\n{}\r\n{}",
                        count_ + 3, name.size(), name, entries, count_ + 2, name.size(), name, entries);
  }

  const QueueSettings settings_;
  Connection connection_;
  const std::string read_;
  std::string acks_;
  unsigned count_ = 0;
};

}  // namespace

void make_queue(const QueueSettings& settings) {
  const std::string& name = settings.queue;
  if (settings.peer == "continuo") {
    Connection connection(settings.port);
    ask(connection, "PUT", "/v1/queues/" + name, R"({"dedup_window":"2m","concurrency":100000})");
    answer(connection);
  } else if (settings.peer == "nats") {
    NatsConnection connection(settings.port, "_INBOX.make");
    for (const auto& [subject, text] :
         {std::pair{
              fmt::format("$JS.API.STREAM.CREATE.{}", name),
              fmt::format(R"({{"name":"{0}","subjects":["{0}.in"],"storage":"file","retention":"workqueue"}})", name)},
          std::pair{fmt::format("$JS.API.CONSUMER.DURABLE.CREATE.{0}.{0}", name),
                    fmt::format(R"({{"stream_name":"{0}","config":{{"durable_name":"{0}","ack_policy":"explicit",)"
                                R"("max_ack_pending":100000}}}})",
                                name)}}) {
      connection.ask(subject, text);
      const std::string_view said = connection.message().data;
      if (said.find("\"error\"") != std::string_view::npos) throw std::runtime_error(std::string(said));
    }
  } else {
    Connection connection(settings.port);
    connection.send(redis_command({"XGROUP", "CREATE", name, "g", "0", "MKSTREAM"}));
    if (connection.line() != "+OK") throw std::runtime_error("Redis refused the group");
  }
}

std::unique_ptr<QueueSender> make_sender(const QueueSettings& settings, unsigned number) {
  if (settings.peer == "nats") return std::make_unique<NatsSender>(settings, number);
  if (settings.peer == "redis") return std::make_unique<RedisSender>(settings);
  return std::make_unique<ContinuoSender>(settings, number);
}

std::unique_ptr<QueueTaker> make_taker(const QueueSettings& settings, unsigned number) {
  if (settings.peer == "nats") return std::make_unique<NatsTaker>(settings, number);
  if (settings.peer == "redis") return std::make_unique<RedisTaker>(settings, number);
  return std::make_unique<ContinuoTaker>(settings);
}

}  // namespace load
