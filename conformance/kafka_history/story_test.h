// Histories written by hand: two places, two groups, an idempotent producer 0 and another one 1, and what they do.
#pragma once

#include <gmock/gmock.h>

#include <vector>

#include "continuo/history/check.h"

namespace continuo::history {

class Story {
 public:
  static constexpr std::uint16_t place = 0, other_place = 1;

  Story& producer(Kind kind, std::uint64_t value, std::int64_t offset = -1, std::uint16_t in = place) {
    return add({.kind = kind, .place = in, .actor = producer_of(value), .offset = offset, .value = value});
  }
  Story& sent(std::uint64_t value, std::uint16_t in = place) { return producer(Kind::sent, value, -1, in); }
  Story& acknowledged(std::uint64_t value, std::int64_t offset) { return producer(Kind::acknowledged, value, offset); }
  /// Values 0 to count-1 of producer 0, sent, acknowledged, at offsets of their numbers.
  Story& produced(std::uint64_t count) {
    for (std::uint64_t each = 0; each < count; ++each) sent(each).acknowledged(each, static_cast<std::int64_t>(each));
    return *this;
  }
  Story& drained(std::int64_t offset, std::uint64_t value) {
    return add({.kind = Kind::drained, .offset = offset, .value = value});
  }
  Story& drained(std::uint64_t count) {
    for (std::uint64_t each = 0; each < count; ++each) drained(static_cast<std::int64_t>(each), each);
    return *this;
  }
  Story& polled(std::uint32_t client, std::int64_t offset, std::uint64_t value) {
    return add({.kind = Kind::polled, .actor = client, .offset = offset, .value = value});
  }
  Story& polled(std::uint32_t client, std::int64_t offset) {
    return polled(client, offset, static_cast<std::uint64_t>(offset));
  }
  Story& assigned(std::uint32_t client) { return add({.kind = Kind::assigned, .actor = client}); }
  Story& revoked(std::uint32_t client) { return add({.kind = Kind::revoked, .actor = client}); }
  Story& died(std::uint32_t client) { return add({.kind = Kind::client_died, .actor = client}); }
  Story& restarted() { return add({.kind = Kind::restarted}); }
  Story& owns(std::uint32_t client, std::int32_t generation) {
    return add({.kind = Kind::owns, .actor = client, .generation = generation});
  }
  Story& call(Kind kind, std::uint32_t client, std::uint64_t number, std::int64_t offset = -1) {
    return add({.kind = kind, .actor = client, .offset = offset, .value = number});
  }
  Story& committed(std::uint32_t client, std::uint64_t number, std::int64_t offset) {
    return call(Kind::commit_begun, client, number, offset).call(Kind::commit_done, client, number, offset);
  }
  Story& fetched(std::uint32_t client, std::int64_t offset) {
    return call(Kind::fetch_begun, client, 0).call(Kind::fetched, client, 0, offset);
  }
  Story& add(const Operation& operation) {
    operations.push_back(operation);
    return *this;
  }

  /// Clients 0 and 1 are members of group 0, client 2 is the same static member as client 1, client 3 is of group 1.
  History history() const {
    return {.operations = operations,
            .producers = {{.idempotent = true}, {.idempotent = false}},
            .clients = {{0, 0}, {0, 1}, {0, 1}, {1, 2}},
            .places = {"a/0", "a/1"},
            .groups = {"g0", "g1"}};
  }
  std::vector<Anomaly> anomalies() const {
    std::vector<Anomaly> found;
    const auto findings = check(history());
    for (const Finding& each : findings.kept()) {
      EXPECT_FALSE(each.proof.empty()) << each.what;
      for (const auto index : each.proof) EXPECT_LT(index, operations.size());
      found.push_back(each.anomaly);
    }
    return found;
  }

  std::vector<Operation> operations;
};

}  // namespace continuo::history
