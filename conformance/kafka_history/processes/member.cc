#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstring>
#include <map>
#include <random>
#include <thread>

#include "kafka.h"
#include "roles.h"
#include "shared_history.h"

namespace continuo::history {
namespace {

using Clock = std::chrono::steady_clock;

/// The generation the client is in. 2.0 of the library tells it only inside what it writes for transactions.
std::int32_t generation_of(rd_kafka_t* client) {
  constexpr std::string_view magic = "CGMDv2:";
  std::int32_t generation = -1;
  rd_kafka_consumer_group_metadata_t* metadata = rd_kafka_consumer_group_metadata(client);
  if (metadata == nullptr) return generation;
  void* bytes = nullptr;
  std::size_t size = 0;
  rd_kafka_error_t* error = rd_kafka_consumer_group_metadata_write(metadata, &bytes, &size);
  rd_kafka_consumer_group_metadata_destroy(metadata);
  if (error != nullptr) {
    rd_kafka_error_destroy(error);
    return generation;
  }
  if (size >= magic.size() + sizeof generation && std::memcmp(bytes, magic.data(), magic.size()) == 0) {
    std::memcpy(&generation, static_cast<char*>(bytes) + magic.size(), sizeof generation);
  }
  rd_kafka_mem_free(client, bytes);
  return generation;
}

/// The server itself said no, so nothing of it comes later.
bool is_an_answer(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION || error == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
         error == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS || error == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
}

class Member {
 public:
  explicit Member(const MemberRole& role)
      : role_(role), history_(role.history), places_(role.topics), random_(role.seed), client_(make()) {
    commits_.reset(rd_kafka_queue_new(client_.get()));
    rd_kafka_poll_set_consumer(client_.get());
    const PartitionList topics(rd_kafka_topic_partition_list_new(4));
    for (const auto& [name, partitions] : places_.topics()) {
      rd_kafka_topic_partition_list_add(topics.get(), name.c_str(), RD_KAFKA_PARTITION_UA);
    }
    rd_kafka_subscribe(client_.get(), topics.get());
  }

  int run() {
    int hung = 0;
    while (!shall_end() && !failed()) {
      if (hung < times_told_to_hang()) {
        ++hung;
        std::this_thread::sleep_for(std::chrono::seconds(8));  // longer than max.poll.interval.ms
      }
      const Message message(rd_kafka_consumer_poll(client_.get(), 50));
      if (message && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) take(*message);
      rd_kafka_queue_poll_callback(commits_.get(), 0);
      if (Clock::now() >= next_commit_) commit();
    }
    const bool fatal = failed();
    rd_kafka_consumer_close(client_.get());
    wait_for_commit(std::chrono::seconds(1));
    return fatal ? exit_fatal : 0;
  }

 private:
  struct Call {
    std::uint64_t number;
    PartitionList offsets;
    std::map<std::uint16_t, std::uint64_t> readings;  ///< as they were when it began
  };

  Kafka make() {
    // Some fetch in small pieces.
    const auto bytes = random_() % 3 == 0 ? "20000" : "1048576";
    std::vector<Setting> settings = {{"group.id", role_.group},
                                     {"partition.assignment.strategy", role_.strategy},
                                     {"auto.offset.reset", "earliest"},
                                     {"enable.auto.commit", "false"},
                                     {"enable.auto.offset.store", "false"},
                                     {"session.timeout.ms", "6000"},
                                     {"max.poll.interval.ms", "6000"},
                                     {"heartbeat.interval.ms", "500"},
                                     {"fetch.message.max.bytes", bytes},
                                     {"fetch.wait.max.ms", "100"},
                                     {"queued.max.messages.kbytes", "4096"}};
    if (!role_.instance.empty()) settings.emplace_back("group.instance.id", role_.instance);
    auto* made = configuration(role_.server, settings);
    rd_kafka_conf_set_opaque(made, this);
    rd_kafka_conf_set_rebalance_cb(
        made, [](rd_kafka_t*, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* list, void* self) {
          static_cast<Member*>(self)->rebalance(error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS, list);
        });
    return make_client(RD_KAFKA_CONSUMER, made);
  }

  void note(Kind kind, std::uint16_t place, std::int64_t offset = -1, std::uint64_t value = 0,
            std::int32_t generation = -1) {
    history_.add(
        {.kind = kind, .place = place, .actor = role_.id, .offset = offset, .value = value, .generation = generation});
  }

  std::uint16_t place_of(const rd_kafka_topic_partition_t& partition) const {
    return places_.index(partition.topic, partition.partition);
  }

  void take(const rd_kafka_message_t& message) {
    const auto place = places_.index(rd_kafka_topic_name(message.rkt), message.partition);
    note(Kind::polled, place, message.offset, value_of_message(message));
    positions_[place] = message.offset + 1;
  }

  // --- rebalances
  // ------------------------------------------------------------------------------------------------------

  void rebalance(bool assign, rd_kafka_topic_partition_list_t* list) {
    const bool cooperative = std::strcmp(rd_kafka_rebalance_protocol(client_.get()), "COOPERATIVE") == 0;
    const bool lost = rd_kafka_assignment_lost(client_.get()) != 0;
    const std::span partitions(list->elems, static_cast<std::size_t>(list->cnt));
    if (assign) {
      for (const auto& each : partitions) {
        note(Kind::assigned, place_of(each));
        readings_[place_of(each)] = ++assignments_;
      }
      start_reading(list, cooperative);
    } else {
      if (!lost) commit_before_leaving();
      for (const auto& each : partitions) {
        note(Kind::revoked, place_of(each));
        positions_.erase(place_of(each));
        readings_.erase(place_of(each));
      }
      stop_reading(list, cooperative);
    }
    if (assign || (cooperative && !lost)) note_what_is_owned();
  }

  void start_reading(rd_kafka_topic_partition_list_t* list, bool cooperative) {
    if (!cooperative) {
      rd_kafka_assign(client_.get(), list);
    } else if (rd_kafka_error_t* error = rd_kafka_incremental_assign(client_.get(), list)) {
      rd_kafka_error_destroy(error);
    }
  }

  void stop_reading(rd_kafka_topic_partition_list_t* list, bool cooperative) {
    if (!cooperative) {
      rd_kafka_assign(client_.get(), nullptr);
    } else if (rd_kafka_error_t* error = rd_kafka_incremental_unassign(client_.get(), list)) {
      rd_kafka_error_destroy(error);
    }
  }

  void note_what_is_owned() {
    rd_kafka_topic_partition_list_t* list = nullptr;
    if (rd_kafka_assignment(client_.get(), &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    const PartitionList owned(list);
    const auto generation = generation_of(client_.get());
    for (const auto& each : each_of(owned)) note(Kind::owns, place_of(each), -1, 0, generation);
  }

  // --- commits: one at a time, so that this client's follow each other
  // -------------------------------------------------

  std::unique_ptr<Call> new_call() {
    auto call = std::make_unique<Call>();
    call->number = ++calls_;
    call->readings = readings_;
    call->offsets.reset(rd_kafka_topic_partition_list_new(static_cast<int>(positions_.size())));
    for (const auto& [index, next] : positions_) {
      const auto& place = places_.all()[index];
      rd_kafka_topic_partition_list_add(call->offsets.get(), place.topic.c_str(), place.partition)->offset = next;
      note(Kind::commit_begun, index, next, call->number);
    }
    positions_.clear();
    return call;
  }

  void commit() {
    next_commit_ = Clock::now() + std::chrono::milliseconds(50 + random_() % 200);
    if (positions_.empty() || call_) return;
    call_ = new_call();
    const auto callback = [](rd_kafka_t*, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* offsets,
                             void* self) { static_cast<Member*>(self)->committed(error, offsets); };
    const auto error = rd_kafka_commit_queue(client_.get(), call_->offsets.get(), commits_.get(), callback, this);
    if (error) committed(error, nullptr);
  }

  void committed(rd_kafka_resp_err_t error, const rd_kafka_topic_partition_list_t* offsets) {
    const auto call = std::move(call_);
    if (call) end_call(*call, error, offsets);
  }

  void end_call(const Call& call, rd_kafka_resp_err_t error, const rd_kafka_topic_partition_list_t* offsets) {
    for (const auto& each : each_of(call.offsets)) {
      const auto* answered = offsets == nullptr ? nullptr : find(*offsets, each);
      const auto outcome = error || answered == nullptr ? error : answered->err;
      const auto kind = !outcome && answered != nullptr ? Kind::commit_done
                        : is_an_answer(outcome)         ? Kind::commit_refused
                                                        : Kind::commit_unknown;
      note(kind, place_of(each), each.offset, call.number);
      if (kind != Kind::commit_done) commit_again(call, place_of(each), each.offset);
    }
  }

  /// What was not committed is still to be, unless the place was given away since: then it is somebody else's.
  void commit_again(const Call& call, std::uint16_t place, std::int64_t offset) {
    const auto then = call.readings.find(place);
    const auto now = readings_.find(place);
    if (then != call.readings.end() && now != readings_.end() && then->second == now->second) {
      positions_.try_emplace(place, offset);
    }
  }

  static const rd_kafka_topic_partition_t* find(const rd_kafka_topic_partition_list_t& list,
                                                const rd_kafka_topic_partition_t& like) {
    for (const auto& each : std::span(list.elems, static_cast<std::size_t>(list.cnt))) {
      if (each.partition == like.partition && std::strcmp(each.topic, like.topic) == 0) return &each;
    }
    return nullptr;
  }

  void wait_for_commit(std::chrono::milliseconds limit) {
    const auto deadline = Clock::now() + limit;
    while (call_ && Clock::now() < deadline) rd_kafka_queue_poll_callback(commits_.get(), 20);
  }

  void commit_before_leaving() {
    wait_for_commit(std::chrono::seconds(3));
    if (positions_.empty() || call_) return;
    const auto call = new_call();
    const auto error = rd_kafka_commit(client_.get(), call->offsets.get(), 0);
    end_call(*call, error, call->offsets.get());
  }

  bool failed() {
    std::array<char, 256> why{};
    return rd_kafka_fatal_error(client_.get(), why.data(), why.size()) != RD_KAFKA_RESP_ERR_NO_ERROR;
  }

  const MemberRole role_;
  SharedHistory history_;
  const Places places_;
  std::mt19937_64 random_;
  std::map<std::uint16_t, std::int64_t> positions_;  ///< what was polled and is not committed
  std::map<std::uint16_t, std::uint64_t> readings_;  ///< the places read, each with the number of its assignment
  std::uint64_t assignments_ = 0;
  std::unique_ptr<Call> call_;  ///< under way
  std::uint64_t calls_ = 0;
  Clock::time_point next_commit_ = Clock::now();
  Kafka client_;
  Queue commits_;
};

}  // namespace

int consume(const MemberRole& role) { return Member(role).run(); }

}  // namespace continuo::history
