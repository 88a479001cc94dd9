#include <fmt/format.h>

#include <array>
#include <chrono>
#include <random>
#include <thread>

#include "kafka.h"
#include "payload.h"
#include "roles.h"
#include "shared_history.h"

namespace continuo::history {
namespace {

/// What one message was sent as: librdkafka gives it back with the outcome.
struct Flight {
  SharedHistory* history;
  std::uint64_t value;
  std::uint32_t producer;
  std::uint16_t place;
};

void note(const Flight& flight, Kind kind, std::int64_t offset = -1) {
  flight.history->add(
      {.kind = kind, .place = flight.place, .actor = flight.producer, .offset = offset, .value = flight.value});
}

/// An error says by itself whether the record can be there: a time limit leaves it open.
void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  const std::unique_ptr<Flight> flight(static_cast<Flight*>(message->_private));
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    note(*flight, Kind::acknowledged, message->offset);
  } else if (rd_kafka_message_status(message) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED) {
    note(*flight, Kind::refused);
  } else {
    note(*flight, Kind::unknown);
  }
}

class Producing {
 public:
  explicit Producing(const ProducerRole& role)
      : role_(role), history_(role.history), places_(role.topics), random_(role.seed), client_(make(role)) {}

  int run() {
    const auto pause = std::chrono::microseconds(1'000'000 * mean_burst / std::max(role_.rate, 1));
    while (!shall_end() && !failed()) {
      burst();
      rd_kafka_poll(client_.get(), 0);
      std::this_thread::sleep_for(pause);
    }
    rd_kafka_flush(client_.get(), role_.timeout_ms + 5000);
    return failed() ? exit_fatal : 0;
  }

 private:
  static constexpr int mean_burst = 20;

  static Kafka make(const ProducerRole& role) {
    auto* settings = configuration(role.server, {{"enable.idempotence", role.idempotent ? "true" : "false"},
                                                 {"acks", "all"},
                                                 {"compression.codec", role.compression},
                                                 {"linger.ms", std::to_string(role.linger_ms)},
                                                 {"batch.num.messages", std::to_string(role.batch)},
                                                 {"message.timeout.ms", std::to_string(role.timeout_ms)},
                                                 {"request.timeout.ms", "2000"},
                                                 {"retry.backoff.ms", "50"},
                                                 {"queue.buffering.max.messages", "20000"}});
    rd_kafka_conf_set_dr_msg_cb(settings, on_delivery);
    return make_client(RD_KAFKA_PRODUCER, settings);
  }

  void burst() {
    const auto& place = places_.all()[random_() % places_.all().size()];
    for (auto left = 1 + random_() % (2 * mean_burst - 1); left > 0; --left) send(place);
  }

  /// Mostly small, some of some kilobytes, a few large.
  std::size_t size() {
    const auto dice = random_() % 1000;
    if (dice < 2) return 20'000 + random_() % 180'000;
    return dice < 100 ? 1000 + random_() % 4000 : smallest_payload + random_() % 200;
  }

  void send(const Places::Place& place) {
    auto flight = std::make_unique<Flight>(Flight{.history = &history_,
                                                  .value = value_of(role_.id, next_++),
                                                  .producer = role_.id,
                                                  .place = places_.index(place.topic, place.partition)});
    const auto payload = payload_of(flight->value, size());
    const auto key = fmt::format("k{}", flight->value % 50);
    note(*flight, Kind::sent);
    const auto error =
        rd_kafka_producev(client_.get(), RD_KAFKA_V_TOPIC(place.topic.c_str()), RD_KAFKA_V_PARTITION(place.partition),
                          RD_KAFKA_V_KEY(key.data(), key.size()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_VALUE(const_cast<char*>(payload.data()), payload.size()),
                          RD_KAFKA_V_OPAQUE(flight.get()), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      (void)flight.release();  // on_delivery has it
      return;
    }
    note(*flight, Kind::refused);
    rd_kafka_poll(client_.get(), 100);  // the queue is full
  }

  bool failed() {
    std::array<char, 256> why{};
    const auto error = rd_kafka_fatal_error(client_.get(), why.data(), why.size());
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return false;
    if (!told_) fmt::print(stderr, "producer {}: {}: {}\n", role_.id, rd_kafka_err2name(error), why.data());
    told_ = true;
    return true;
  }

  const ProducerRole role_;
  SharedHistory history_;
  const Places places_;
  std::mt19937_64 random_;
  Kafka client_;
  std::uint64_t next_ = 0;
  bool told_ = false;
};

}  // namespace

int produce(const ProducerRole& role) { return Producing(role).run(); }

}  // namespace continuo::history
