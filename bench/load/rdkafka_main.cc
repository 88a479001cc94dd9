// librdkafka as programs use it: its defaults, acks=all, one producer, one consumer of all partitions.
//
//   rdkafka_load produce --brokers 127.0.0.1:9092 --topic t       as fast as it goes
//   rdkafka_load consume ... --partitions 64                      all there is, from the beginning, once
//   rdkafka_load both ...                                         at once, the consumer from the end
//   rdkafka_load latency ... --rate 10000                         at a rate; from when a record was due to its receipt
//
// Prints one JSON object. --set NAME=VALUE sets what librdkafka calls so, as linger.ms=0.
#include <CLI/CLI.hpp>

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "clock.h"
#include "histogram.h"

namespace {

using load::now_ns;

struct Settings {
  std::string what;
  std::string brokers;
  std::string topic = "load";
  int partitions = 1;
  std::size_t record_bytes = 1024;
  double seconds = 3;
  double warmup = 0.5;
  double rate = 0;  // records a second; 0: as fast as it goes
  std::vector<std::string> set;
};

std::int64_t ns_of(double seconds) { return static_cast<std::int64_t>(seconds * 1e9); }

/// When figures are counted.
struct Window {
  std::int64_t from = 0;
  std::int64_t to = 0;
  bool has(std::int64_t at) const { return at >= from && at < to; }
  double seconds() const { return static_cast<double>(to - from) / 1e9; }
};

// The settings that both sides take; those that only one knows are refused by the other with a warning, not an error.
rd_kafka_t* open_client(rd_kafka_type_t type, const Settings& settings, std::vector<std::string> more,
                        void (*delivered)(rd_kafka_t*, const rd_kafka_message_t*, void*), void* opaque) {
  more.push_back("bootstrap.servers=" + settings.brokers);
  for (const std::string& each : settings.set)
    if (type == RD_KAFKA_PRODUCER) more.push_back(each);
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char error[512];
  for (const std::string& each : more) {
    const std::size_t equals = each.find('=');
    if (equals == std::string::npos ||
        rd_kafka_conf_set(conf, each.substr(0, equals).c_str(), each.c_str() + equals + 1, error, sizeof error) !=
            RD_KAFKA_CONF_OK)
      throw std::runtime_error(fmt::format("{}: {}", each, error));
  }
  if (delivered != nullptr) rd_kafka_conf_set_dr_msg_cb(conf, delivered);
  rd_kafka_conf_set_opaque(conf, opaque);
  rd_kafka_t* const client = rd_kafka_new(type, conf, error, sizeof error);
  if (client == nullptr) throw std::runtime_error(error);
  return client;
}

class Producer {
 public:
  explicit Producer(const Settings& settings)
      : settings_(settings),
        client_(open_client(RD_KAFKA_PRODUCER, settings, {"acks=all"}, &Producer::delivered, this)),
        topic_(rd_kafka_topic_new(client_, settings.topic.c_str(), nullptr)),
        value_(settings.record_bytes, 'v') {
    // The first record waits for connection and metadata: before the window, whatever that takes.
    produce(now_ns());
    if (rd_kafka_flush(client_, 30'000) != RD_KAFKA_RESP_ERR_NO_ERROR || delivered_ == 0)
      throw std::runtime_error("the first record was not delivered: " + error_);
  }
  ~Producer() {
    rd_kafka_topic_destroy(topic_);
    rd_kafka_destroy(client_);
  }
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  /// Until the window ends; what is then under way to the server is waited for and not counted.
  void run(const Window& window) {
    window_ = window;
    const double gap = settings_.rate > 0 ? 1e9 / settings_.rate : 0;
    double due = static_cast<double>(now_ns());
    for (std::int64_t now = now_ns(); now < window.to; now = now_ns()) {
      if (gap == 0) {
        for (int i = 0; i < 100; ++i) produce(now);
      } else {
        for (; due <= static_cast<double>(now); due += gap) produce(static_cast<std::int64_t>(due));
        std::this_thread::sleep_for(std::chrono::microseconds(50));
      }
      rd_kafka_poll(client_, 0);
    }
    // What waits in the client when the time is over would take a slow server long. A late record counts as late.
    if (settings_.rate == 0) rd_kafka_purge(client_, RD_KAFKA_PURGE_F_QUEUE);
    if (rd_kafka_flush(client_, 60'000) != RD_KAFKA_RESP_ERR_NO_ERROR)
      throw std::runtime_error("records were not delivered within a minute");
  }

  std::uint64_t delivered() const { return delivered_; }
  std::uint64_t counted() const { return counted_; }
  std::uint64_t failed() const { return failed_; }
  const std::string& error() const { return error_; }

 private:
  void produce(std::int64_t due) {
    if (value_.size() >= sizeof due) std::memcpy(value_.data(), &due, sizeof due);
    while (rd_kafka_produce(topic_, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value_.data(), value_.size(), nullptr,
                            0, nullptr) != 0) {
      const rd_kafka_resp_err_t why = rd_kafka_last_error();
      if (why != RD_KAFKA_RESP_ERR__QUEUE_FULL) throw std::runtime_error(rd_kafka_err2str(why));
      rd_kafka_poll(client_, 10);
    }
  }

  static void delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    auto& self = *static_cast<Producer*>(opaque);
    if (message->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE) return;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      ++self.failed_;
      self.error_ = rd_kafka_err2str(message->err);
      return;
    }
    ++self.delivered_;
    // Reading the clock for each of a million a second would be seen.
    if (self.delivered_ % 16 == 0) self.now_ = now_ns();
    if (self.window_.has(self.now_)) ++self.counted_;
  }

  const Settings& settings_;
  // Before client_, whose creation may call back.
  std::uint64_t delivered_ = 0;
  std::uint64_t counted_ = 0;
  std::uint64_t failed_ = 0;
  std::string error_;
  std::int64_t now_ = 0;
  Window window_;
  rd_kafka_t* client_;
  rd_kafka_topic_t* topic_;
  std::string value_;
};

class Consumer {
 public:
  Consumer(const Settings& settings, bool from_end)
      : settings_(settings),
        client_(open_client(RD_KAFKA_CONSUMER, settings,
                            {"group.id=" + settings.topic, "enable.partition.eof=true", "enable.auto.commit=false"},
                            nullptr, nullptr)) {
    rd_kafka_poll_set_consumer(client_);
    rd_kafka_topic_partition_list_t* all = rd_kafka_topic_partition_list_new(settings.partitions);
    for (int i = 0; i < settings.partitions; ++i)
      rd_kafka_topic_partition_list_add(all, settings.topic.c_str(), i)->offset =
          from_end ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(client_, all);
    rd_kafka_topic_partition_list_destroy(all);
    queue_ = rd_kafka_queue_get_consumer(client_);
    if (from_end) wait_until_at_end();
  }
  ~Consumer() {
    rd_kafka_queue_destroy(queue_);
    rd_kafka_consumer_close(client_);
    rd_kafka_destroy(client_);
  }
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  /// All partitions to their ends.
  void read_all() {
    const std::int64_t last = now_ns() + ns_of(settings_.seconds);
    while (now_ns() < last && ends_ < settings_.partitions) take();
  }
  /// Until the window ends, and then, where lateness is what is measured, until all that was sent is here.
  void run(const Window& window, const std::atomic<std::int64_t>& sent) {
    window_ = &window;
    while (now_ns() < window.to) take();
    if (settings_.what != "latency") return;
    for (const std::int64_t last = now_ns() + ns_of(60); now_ns() < last;) {
      const std::int64_t all = sent;
      if (all >= 0 && received_ >= static_cast<std::uint64_t>(all)) return;
      take();
    }
    throw std::runtime_error("records did not come within a minute");
  }

  std::uint64_t received() const { return received_; }
  std::uint64_t counted() const { return counted_; }
  double read_seconds() const { return static_cast<double>(last_ns_ - first_ns_) / 1e9; }
  const load::Histogram& times() const { return times_; }

 private:
  void wait_until_at_end() {
    for (const std::int64_t begin = now_ns(); ends_ < settings_.partitions;) {
      if (now_ns() - begin > ns_of(30)) throw std::runtime_error("the consumer does not come to the end");
      take();
    }
    received_ = 0;
    first_ns_ = 0;
  }

  void take() {
    std::array<rd_kafka_message_t*, 1000> messages;
    ssize_t count = 0;
    if (settings_.what != "latency") {
      count = rd_kafka_consume_batch_queue(queue_, 10, messages.data(), messages.size());
    } else {  // a batch would wait until it is full
      messages[0] = rd_kafka_consume_queue(queue_, 10);
      count = messages[0] != nullptr ? 1 : 0;
    }
    const std::int64_t now = now_ns();
    const bool counts = window_ != nullptr && window_->has(now);
    for (ssize_t i = 0; i < count; ++i) {
      rd_kafka_message_t* const message = messages[static_cast<std::size_t>(i)];
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (received_++ == 0) first_ns_ = now;
        last_ns_ = now;
        counted_ += counts ? 1 : 0;
        if (settings_.what == "latency" && window_ != nullptr) measure(*message, now);
      } else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        ++ends_;
      }
      rd_kafka_message_destroy(message);
    }
  }

  // What was due since the window began counts, late or not.
  void measure(const rd_kafka_message_t& message, std::int64_t now) {
    std::int64_t due = 0;
    if (message.len < sizeof due) return;
    std::memcpy(&due, message.payload, sizeof due);
    if (due >= window_->from) times_.add(now - due);
  }

  const Settings& settings_;
  rd_kafka_t* client_;
  rd_kafka_queue_t* queue_ = nullptr;
  const Window* window_ = nullptr;
  int ends_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t counted_ = 0;
  std::int64_t first_ns_ = 0;
  std::int64_t last_ns_ = 0;
  load::Histogram times_;
};

Window window_of(const Settings& settings) {
  const std::int64_t from = now_ns() + ns_of(settings.warmup);
  return {from, from + ns_of(settings.seconds)};
}

double mb(double records, const Settings& settings) {
  return records * static_cast<double>(settings.record_bytes) / 1e6;
}

void produce(const Settings& settings) {
  Producer producer{settings};
  const Window window = window_of(settings);
  producer.run(window);
  const double rate = static_cast<double>(producer.counted()) / window.seconds();
  fmt::print("{{\"records_per_s\":{:.0f},\"mb_per_s\":{:.2f},\"all_bytes\":{},\"failed\":{},\"error\":\"{}\"}}\n", rate,
             mb(rate, settings), producer.delivered() * settings.record_bytes, producer.failed(), producer.error());
}

void consume(const Settings& settings) {
  Consumer consumer{settings, false};
  consumer.read_all();
  const double rate = static_cast<double>(consumer.received()) / std::max(consumer.read_seconds(), 1e-6);
  fmt::print("{{\"records_per_s\":{:.0f},\"mb_per_s\":{:.2f},\"all_bytes\":{},\"records\":{}}}\n", rate,
             mb(rate, settings), consumer.received() * settings.record_bytes, consumer.received());
}

// Producer and consumer in one process, a thread each beside librdkafka's own.
void both(const Settings& settings) {
  Producer producer{settings};
  Consumer consumer{settings, true};
  const Window window = window_of(settings);
  std::atomic<std::int64_t> sent{-1};  // not known yet
  const std::uint64_t before = producer.delivered();
  std::exception_ptr failure;
  std::thread reader([&] {
    try {
      consumer.run(window, sent);
    } catch (...) {
      failure = std::current_exception();
    }
  });
  try {
    producer.run(window);
    sent = static_cast<std::int64_t>(producer.delivered() - before);
  } catch (...) {
    sent = 0;
    reader.join();
    throw;
  }
  reader.join();
  if (failure) std::rethrow_exception(failure);
  const double produced = static_cast<double>(producer.counted()) / window.seconds();
  const load::Histogram& times = consumer.times();
  const std::uint64_t counted = settings.what == "latency" ? times.total() : consumer.counted();
  const double consumed = static_cast<double>(counted) / window.seconds();
  fmt::print(
      "{{\"produced_per_s\":{:.0f},\"consumed_per_s\":{:.0f},\"mb_per_s\":{:.2f},\"all_bytes\":{},\"p50_us\":{:.1f},"
      "\"p99_us\":{:.1f},\"p999_us\":{:.1f},\"max_us\":{:.1f},\"measured\":{},\"failed\":{},\"error\":\"{}\"}}\n",
      produced, consumed, mb(consumed, settings), producer.delivered() * settings.record_bytes, times.quantile_us(0.5),
      times.quantile_us(0.99), times.quantile_us(0.999), times.max_us(), times.total(), producer.failed(),
      producer.error());
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app{"librdkafka as a load generator"};
  app.add_option("what", settings.what)
      ->required()
      ->check(CLI::IsMember({"produce", "consume", "both", "latency", "version"}));
  app.add_option("--brokers", settings.brokers);
  app.add_option("--topic", settings.topic);
  app.add_option("--partitions", settings.partitions)->check(CLI::PositiveNumber);
  app.add_option("--record-bytes", settings.record_bytes);
  app.add_option("--seconds", settings.seconds, "consume: at most");
  app.add_option("--warmup", settings.warmup);
  app.add_option("--rate", settings.rate);
  app.add_option("--set", settings.set, "a setting of the producer");
  CLI11_PARSE(app, argc, argv);
  try {
    if (settings.what == "version") fmt::print("librdkafka {}\n", rd_kafka_version_str());
    if (settings.what == "produce") produce(settings);
    if (settings.what == "consume") consume(settings);
    if (settings.what == "both" || settings.what == "latency") both(settings);
  } catch (const std::exception& error) {
    fmt::print(stderr, "rdkafka_load: {}\n", error.what());
    return 1;
  }
}
