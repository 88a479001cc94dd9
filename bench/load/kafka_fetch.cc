// Fetches everything and throws it away: what a server gives when its reader does nothing.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "clock.h"
#include "continuo/base/bytes.h"
#include "continuo/record/batch.h"
#include "continuo/wire/kafka/fetch.h"
#include "histogram.h"
#include "kafka_connection.h"
#include "kafka_load.h"

namespace load {

using namespace continuo;
using namespace continuo::wire::kafka;

namespace {

constexpr std::int16_t fetch_version = 11;

class Fetches {
 public:
  explicit Fetches(const KafkaSettings& settings) : settings_(settings) {
    const unsigned most = static_cast<unsigned>(settings.partitions);
    for (unsigned i = 0; i < std::min(settings.connections, most); ++i) {
      readers_.push_back(std::make_unique<FetchingReader>(settings.port));
      poll_.add(readers_.back()->connection.socket(), i);
    }
    for (std::int32_t i = 0; i < settings.partitions; ++i)
      readers_[static_cast<std::size_t>(i) % readers_.size()]->places.push_back({i, 0});
  }

  void run() {
    const std::int64_t begin = now_ns();
    counted_from_ = begin + static_cast<std::int64_t>(settings_.warmup * 1e9);
    const std::int64_t end = counted_from_ + static_cast<std::int64_t>(settings_.seconds * 1e9);
    for (auto& reader : readers_) ask(*reader);
    while (now_ns() < end) poll_.wait(10, [this](std::size_t number) { ready(*readers_[number]); });
    counted_s_ = static_cast<double>(now_ns() - counted_from_) / 1e9;
  }

  void print() const {
    fmt::print(
        "{{\"requests_per_s\":{:.1f},\"records_per_s\":{:.0f},\"mb_per_s\":{:.2f},\"p50_us\":{:.1f},\"p99_us\":{:.1f},"
        "\"all_bytes\":{},\"seconds\":{:.3f}}}\n",
        static_cast<double>(times_.total()) / counted_s_, static_cast<double>(records_) / counted_s_,
        static_cast<double>(records_ * settings_.record_bytes) / 1e6 / counted_s_, times_.quantile_us(0.5),
        times_.quantile_us(0.99), all_records_ * settings_.record_bytes, counted_s_);
  }

 private:
  struct Place {
    std::int32_t partition;
    std::int64_t offset;
  };
  struct FetchingReader {
    explicit FetchingReader(std::uint16_t port) : connection(port) {}
    KafkaConnection connection;
    std::vector<Place> places;
    std::int64_t begun_ns = 0;
  };

  void ask(FetchingReader& reader) {
    FetchRequest request;
    request.max_wait_ms = 500;
    request.min_bytes = 1;
    request.max_bytes = 50 << 20;
    request.topics.resize(1);
    request.topics[0].topic = settings_.topic;
    for (const Place& place : reader.places) {
      auto& asked = request.topics[0].partitions.emplace_back();
      asked.partition = place.partition;
      asked.fetch_offset = place.offset;
      asked.partition_max_bytes = 1 << 20;
    }
    // What a server did not get to last time is asked for first.
    auto& asked = request.topics[0].partitions;
    std::ranges::rotate(asked, asked.begin() + static_cast<std::ptrdiff_t>(turn_++ % asked.size()));
    const Api& api = *find_api(static_cast<std::int16_t>(ApiKey::fetch));
    reader.begun_ns = now_ns();
    reader.connection.send(write_request(api, fetch_version, 0, "load", request));
  }

  void ready(FetchingReader& reader) {
    reader.connection.send_more();
    reader.connection.receive();
    while (const auto frame = reader.connection.answer()) {
      take(reader, *frame);
      ask(reader);
    }
  }

  // The codec would copy the records; only where they end matters here.
  void take(FetchingReader& reader, std::string_view frame) {
    ByteReader in{frame.substr(4)};
    in.raw(4 + 2 + 4);  // throttle time, error, session
    for (auto topics = in.be<std::int32_t>(); topics > 0; --topics) {
      in.raw(static_cast<std::uint16_t>(in.be<std::int16_t>()));
      for (auto partitions = in.be<std::int32_t>(); partitions > 0; --partitions) take_partition(reader, in);
    }
    if (!in.done()) throw std::runtime_error("a fetch's answer cannot be read");
    if (counted()) times_.add(now_ns() - reader.begun_ns);
  }

  void take_partition(FetchingReader& reader, ByteReader& in) {
    const auto partition = in.be<std::int32_t>();
    const auto error = in.be<std::int16_t>();
    const auto high_watermark = in.be<std::int64_t>();
    in.raw(8 + 8);  // last stable offset, log start
    const auto aborted = in.be<std::int32_t>();
    if (aborted > 0) in.raw(static_cast<std::uint64_t>(aborted) * 16);
    in.raw(4);  // preferred replica
    const auto size = in.be<std::int32_t>();
    const std::string_view records = in.raw(size < 0 ? 0 : static_cast<std::uint64_t>(size));
    if (error != 0) throw std::runtime_error(fmt::format("partition {}: error {}", partition, error));
    Place& place = reader.places[static_cast<std::size_t>(partition) / readers_.size()];
    const std::int64_t next = end_of(records, place.offset);
    all_records_ += static_cast<std::uint64_t>(next - place.offset);
    if (counted()) records_ += static_cast<std::uint64_t>(next - place.offset);
    place.offset = next >= high_watermark ? 0 : next;  // from the beginning again
  }

  // The last batch may be cut off: it does not count.
  static std::int64_t end_of(std::string_view records, std::int64_t offset) {
    using L = record::BatchLayout;
    while (records.size() >= L::records) {
      const auto size =
          static_cast<std::size_t>(big_endian(continuo::load<std::int32_t>(records.data() + L::batch_length))) +
          L::before_length;
      if (size > records.size()) break;
      offset = big_endian(continuo::load<std::int64_t>(records.data())) +
               big_endian(continuo::load<std::int32_t>(records.data() + L::last_offset_delta)) + 1;
      records.remove_prefix(size);
    }
    return offset;
  }

  bool counted() const { return now_ns() >= counted_from_; }

  const KafkaSettings settings_;
  Poll poll_;
  std::vector<std::unique_ptr<FetchingReader>> readers_;
  std::size_t turn_ = 0;
  std::uint64_t records_ = 0;
  std::uint64_t all_records_ = 0;
  Histogram times_;
  std::int64_t counted_from_ = 0;
  double counted_s_ = 0;
};

}  // namespace

void replay_fetch(const KafkaSettings& settings) {
  Fetches fetches{settings};
  fetches.run();
  fetches.print();
}

}  // namespace load
