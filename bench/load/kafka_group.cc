// Many members join one consumer group at once: how long until all are in one generation, and what a heartbeat costs.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <vector>

#include "clock.h"
#include "continuo/wire/kafka/errors.h"
#include "continuo/wire/kafka/groups.h"
#include "continuo/wire/kafka/metadata.h"
#include "histogram.h"
#include "kafka_connection.h"
#include "kafka_load.h"

namespace load {

using namespace continuo::wire::kafka;

namespace {

constexpr std::int16_t join_version = 5;
constexpr std::int16_t sync_version = 3;
constexpr std::int16_t heartbeat_version = 3;

class Group {
 public:
  explicit Group(const KafkaSettings& settings) : settings_(settings) {
    for (unsigned i = 0; i < settings.connections; ++i) {
      members_.push_back(std::make_unique<Member>(settings.port));
      poll_.add(members_.back()->connection.socket(), i);
    }
  }

  void run() {
    find_coordinator();
    begin_ = now_ns();
    for (auto& member : members_) join(*member);
    while (!stable()) {
      if (now_ns() - begin_ > 120'000'000'000) throw std::runtime_error("no stable generation within two minutes");
      poll_.wait(5, [this](std::size_t number) { ready(*members_[number]); });
      const std::int64_t now = now_ns();
      for (auto& member : members_)
        if (member->state == State::member && !member->waits && now >= member->heartbeat_ns) heartbeat(*member);
    }
    joined_s_ = static_cast<double>(now_ns() - begin_) / 1e9;
    for (auto& member : members_)
      if (!member->waits) heartbeat(*member);
    measuring_ = true;
    const std::int64_t from = now_ns();
    while (now_ns() - from < static_cast<std::int64_t>(settings_.seconds * 1e9))
      poll_.wait(10, [this](std::size_t number) { ready(*members_[number]); });
    heartbeats_s_ = static_cast<double>(now_ns() - from) / 1e9;
  }

  void print() const {
    fmt::print(
        "{{\"members\":{},\"joined_s\":{:.3f},\"generation\":{},\"heartbeats\":{},\"heartbeats_per_s\":{:.0f},"
        "\"p50_us\":{:.1f},\"p99_us\":{:.1f}}}\n",
        members_.size(), joined_s_, members_[0]->generation, times_.total(),
        static_cast<double>(times_.total()) / heartbeats_s_, times_.quantile_us(0.5), times_.quantile_us(0.99));
  }

 private:
  enum class State : std::uint8_t { joins, syncs, member };
  struct Member {
    explicit Member(std::uint16_t port) : connection(port) {}
    KafkaConnection connection;
    State state = State::joins;
    bool waits = false;  // for an answer
    std::string id;
    std::int32_t generation = -1;
    std::int64_t heartbeat_ns = 0;  // when the next is due; while measuring: when the last was sent
  };

  // Being asked makes Kafka create the topic of the groups' offsets: not what is measured.
  void find_coordinator() const {
    FindCoordinatorRequest request;
    request.key = settings_.topic;
    KafkaConnection connection{settings_.port};
    for (int i = 0; i < 600; ++i) {
      if (connection.ask<FindCoordinatorResponse>(ApiKey::find_coordinator, 2, request).error_code == 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    throw std::runtime_error("no coordinator within a minute");
  }

  template <class Request>
  void send(Member& member, ApiKey key, std::int16_t version, const Request& request) {
    member.waits = true;
    member.connection.send(write_request(*find_api(static_cast<std::int16_t>(key)), version, 0, "load", request));
  }

  void join(Member& member) {
    JoinGroupRequest request;
    request.group_id = settings_.topic;
    request.session_timeout_ms = 45'000;
    request.rebalance_timeout_ms = 60'000;
    request.member_id = member.id;
    request.protocol_type = "load";
    request.protocols = {{"range", Bytes{std::string(64, 'm')}}};
    member.state = State::joins;
    send(member, ApiKey::join_group, join_version, request);
  }

  void sync(Member& member, const JoinGroupResponse& joined) {
    SyncGroupRequest request;
    request.group_id = settings_.topic;
    request.generation_id = member.generation;
    request.member_id = member.id;
    if (joined.leader == member.id)
      for (const auto& each : joined.members)
        request.assignments.push_back({each.member_id, Bytes{std::string(64, 'a')}});
    largest_ = std::max(largest_, joined.members.size());
    member.state = State::syncs;
    send(member, ApiKey::sync_group, sync_version, request);
  }

  void heartbeat(Member& member) {
    HeartbeatRequest request;
    request.group_id = settings_.topic;
    request.generation_id = member.generation;
    request.member_id = member.id;
    member.heartbeat_ns = now_ns();
    send(member, ApiKey::heartbeat, heartbeat_version, request);
  }

  void ready(Member& member) {
    member.connection.send_more();
    member.connection.receive();
    while (const auto frame = member.connection.answer()) {
      member.waits = false;
      if (member.state == State::joins)
        joined(member, KafkaConnection::read<JoinGroupResponse>(ApiKey::join_group, join_version, *frame));
      else if (member.state == State::syncs)
        synced(member, KafkaConnection::read<SyncGroupResponse>(ApiKey::sync_group, sync_version, *frame).error_code);
      else
        beaten(member,
               KafkaConnection::read<HeartbeatResponse>(ApiKey::heartbeat, heartbeat_version, *frame).error_code);
    }
  }

  void joined(Member& member, const JoinGroupResponse& answer) {
    const auto error = static_cast<KafkaError>(answer.error_code);
    if (error == KafkaError::member_id_required || error == KafkaError::none) member.id = answer.member_id;
    if (error == KafkaError::none) {
      member.generation = answer.generation_id;
      return sync(member, answer);
    }
    if (error == KafkaError::unknown_member_id) member.id.clear();
    again(member, answer.error_code);
  }

  void synced(Member& member, std::int16_t error) {
    if (error != 0) return again(member, error);
    member.state = State::member;
    member.heartbeat_ns = now_ns() + std::int64_t{settings_.heartbeat_ms} * 1'000'000;
  }

  void beaten(Member& member, std::int16_t error) {
    if (error != 0) return again(member, error);
    if (!measuring_) {
      member.heartbeat_ns += std::int64_t{settings_.heartbeat_ms} * 1'000'000;
      return;
    }
    times_.add(now_ns() - member.heartbeat_ns);
    heartbeat(member);
  }

  void again(Member& member, std::int16_t code) {
    constexpr std::int16_t not_coordinator = 16;  // a Kafka that is not ready yet; Continuo never says so
    constexpr std::array passing{number(KafkaError::member_id_required),
                                 number(KafkaError::rebalance_in_progress),
                                 number(KafkaError::illegal_generation),
                                 number(KafkaError::unknown_member_id),
                                 number(KafkaError::coordinator_load_in_progress),
                                 number(KafkaError::coordinator_not_available),
                                 not_coordinator};
    if (std::ranges::find(passing, code) == passing.end())
      throw std::runtime_error(fmt::format("the group answered error {}", code));
    if (measuring_) throw std::runtime_error("the group was rebalanced while heartbeats were measured");
    join(member);
  }

  // All are members of one generation, and its leader saw all of them.
  bool stable() const {
    if (largest_ != members_.size()) return false;
    for (const auto& member : members_)
      if (member->state != State::member || member->generation != members_[0]->generation) return false;
    return true;
  }

  const KafkaSettings settings_;
  Poll poll_;
  std::vector<std::unique_ptr<Member>> members_;
  std::size_t largest_ = 0;
  bool measuring_ = false;
  std::int64_t begin_ = 0;
  double joined_s_ = 0;
  double heartbeats_s_ = 0;
  Histogram times_;
};

}  // namespace

void join_group(const KafkaSettings& settings) {
  Group group{settings};
  group.run();
  group.print();
}

}  // namespace load
