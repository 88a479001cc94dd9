// Produce requests encoded once and sent again and again: what is measured is the server, not a client.
#include <fmt/format.h>

#include <chrono>
#include <map>
#include <vector>

#include "clock.h"
#include "continuo/base/bytes.h"
#include "continuo/record/batch.h"
#include "continuo/wire/kafka/produce.h"
#include "histogram.h"
#include "kafka_connection.h"
#include "kafka_load.h"

namespace load {

using namespace continuo;
using namespace continuo::wire::kafka;

namespace {

constexpr std::int16_t produce_version = 7;
constexpr std::int64_t backoff_ns = 100'000'000;  // of a refused request, as clients' defaults have it

struct Batch {
  std::string bytes;
  std::size_t records = 0;
};

// One uncompressed batch of at most so many bytes, of a producer without a number: it may come any number of times.
Batch batch_of(std::size_t batch_bytes, std::size_t record_bytes) {
  std::string value;
  while (value.size() < record_bytes) value.push_back(static_cast<char>('a' + value.size() * 7 % 26));
  std::string body;
  record::BodyWriter{body}.key({}).value(value).header_count(0);
  record::BatchBuilder builder;
  const auto now_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  do builder.add(body, now_ms);
  while (builder.size() + record::max_record_size(body.size()) <= batch_bytes);
  const std::size_t records = builder.record_count();
  return {builder.finish(Offset{0}), records};
}

// A request for one partition without its batch, whose bytes follow.
std::string head_of(const std::string& topic, const std::string& batch) {
  ProduceRequest request;
  request.acks = -1;
  request.timeout_ms = 30'000;
  request.topics = {{topic, {{0, {batch}}}}};
  const Api& api = *find_api(static_cast<std::int16_t>(ApiKey::produce));
  std::string whole = write_request(api, produce_version, 0, "load", request);
  whole.resize(whole.size() - batch.size());
  return whole;
}

class Replay {
 public:
  explicit Replay(const KafkaSettings& settings)
      : settings_(settings),
        batch_(batch_of(settings.batch_bytes, settings.record_bytes)),
        head_(head_of(settings.topic, batch_.bytes)),
        partition_at_(head_.size() - 2 * sizeof(std::int32_t)) {
    for (unsigned i = 0; i < settings.connections; ++i) {
      senders_.push_back(std::make_unique<Sender>(settings.port));
      poll_.add(senders_.back()->connection.socket(), i);
    }
  }

  void run() {
    const std::int64_t begin = now_ns();
    counted_from_ = begin + static_cast<std::int64_t>(settings_.warmup * 1e9);
    end_ = counted_from_ + static_cast<std::int64_t>(settings_.seconds * 1e9);
    if (settings_.megabytes > 0) counted_from_ = begin;
    for (auto& sender : senders_)
      for (unsigned i = 0; i < settings_.in_flight; ++i) send(*sender);
    while (!over(now_ns())) {
      poll_.wait(10, [this](std::size_t number) { ready(*senders_[number]); });
      for (const std::int64_t now = now_ns(); !refused_.empty() && refused_.front().again_ns <= now;) {
        send(*refused_.front().sender);
        refused_.pop_front();
      }
    }
    counted_s_ = static_cast<double>(now_ns() - counted_from_) / 1e9;
    sending_ = false;
    const std::int64_t patience = now_ns() + 30'000'000'000;
    while (outstanding_ != 0 && now_ns() < patience)
      poll_.wait(10, [this](std::size_t number) { ready(*senders_[number]); });
    if (outstanding_ != 0) throw std::runtime_error(fmt::format("{} requests were never answered", outstanding_));
  }

  void print() const {
    const double bytes = static_cast<double>(batch_.records * settings_.record_bytes);
    const double rate = static_cast<double>(times_.total()) / counted_s_;
    std::string errors;
    for (const auto& [code, count] : errors_)
      errors += fmt::format("{}\"{}\":{}", errors.empty() ? "" : ",", code, count);
    fmt::print(
        "{{\"requests_per_s\":{:.1f},\"records_per_s\":{:.0f},\"mb_per_s\":{:.2f},\"p50_us\":{:.1f},\"p99_us\":{:.1f},"
        "\"records_in_batch\":{},\"all_records\":{},\"all_bytes\":{:.0f},\"seconds\":{:.3f},\"errors\":{{{}}}}}\n",
        rate, rate * static_cast<double>(batch_.records), rate * bytes / 1e6, times_.quantile_us(0.5),
        times_.quantile_us(0.99), batch_.records, accepted_ * batch_.records, static_cast<double>(accepted_) * bytes,
        counted_s_, errors);
  }

 private:
  struct Sender {
    explicit Sender(std::uint16_t port) : connection(port) {}
    KafkaConnection connection;
    std::deque<std::int64_t> begun_ns;
  };

  struct Refused {
    Sender* sender;
    std::int64_t again_ns;
  };

  bool over(std::int64_t now) const {
    if (settings_.megabytes <= 0) return now >= end_;
    return static_cast<double>(accepted_ * batch_.records * settings_.record_bytes) >= settings_.megabytes * 1e6;
  }

  void send(Sender& sender) {
    store(head_.data() + partition_at_, big_endian(next_partition_));
    next_partition_ = (next_partition_ + 1) % settings_.partitions;
    sender.begun_ns.push_back(now_ns());
    ++outstanding_;
    sender.connection.send(head_, batch_.bytes);
  }

  void ready(Sender& sender) {
    sender.connection.send_more();
    sender.connection.receive();
    while (const auto frame = sender.connection.answer()) {
      const auto answer = KafkaConnection::read<ProduceResponse>(ApiKey::produce, produce_version, *frame);
      const std::int16_t error = answer.topics.at(0).partitions.at(0).error_code;
      take(sender, error);
      if (!sending_) continue;
      if (error == 0)
        send(sender);
      else
        refused_.push_back({&sender, now_ns() + backoff_ns});
    }
  }

  void take(Sender& sender, std::int16_t error) {
    const std::int64_t now = now_ns();
    const std::int64_t begun = sender.begun_ns.front();
    sender.begun_ns.pop_front();
    --outstanding_;
    if (error != 0) {
      ++errors_[error];
      return;
    }
    ++accepted_;
    if (sending_ && now >= counted_from_) times_.add(now - begun);
  }

  const KafkaSettings settings_;
  const Batch batch_;
  std::string head_;
  const std::size_t partition_at_;
  Poll poll_;
  std::vector<std::unique_ptr<Sender>> senders_;
  std::int32_t next_partition_ = 0;
  bool sending_ = true;
  std::size_t outstanding_ = 0;
  std::size_t accepted_ = 0;
  std::map<std::int16_t, std::size_t> errors_;
  std::deque<Refused> refused_;
  Histogram times_;
  std::int64_t counted_from_ = 0;
  std::int64_t end_ = 0;
  double counted_s_ = 0;
};

}  // namespace

void replay_produce(const KafkaSettings& settings) {
  Replay replay{settings};
  replay.run();
  replay.print();
}

}  // namespace load
