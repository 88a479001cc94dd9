// What happened between clients and a server that speaks Kafka's protocol, as the clients saw it: operations in one
// order of time. What a client was told is certain; of what it was not told, anything may be true.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace continuo::history {

/// `begun` ... `done` pairs carry the same number in `value`. A request of a client that died, or that it gave up, may
/// still be done by the server until the server is started again.
enum class Kind : std::uint8_t {
  none,            ///< a place in the history that nobody wrote to: its writer was killed
  sent,            ///< a producer hands `value` to its library
  acknowledged,    ///< `value` was acknowledged at `offset`; -1 when the library was not told where
  refused,         ///< `value` is certainly not in the log
  unknown,         ///< `value` may be in the log
  assigned,        ///< a client begins to read the place, from where its group committed
  revoked,         ///< a client reads the place no more
  owns,            ///< the place is the client's in `generation`
  polled,          ///< a client was given `value` at `offset`
  commit_begun,    ///< a client commits `offset` of the place
  commit_done,     ///< that commit was acknowledged
  commit_refused,  ///< that commit was answered with an error; an earlier try of it may have been done
  commit_unknown,  ///< that commit was given up
  fetch_begun,     ///< a client asks for the committed offset of the place
  fetched,         ///< it is `offset`; -1 for none
  fetch_failed,
  drained,      ///< at the end of all, `value` is at `offset`
  client_died,  ///< a client was killed
  restarted,    ///< the server was killed: what clients gave up before is not done later
};

std::string_view name(Kind kind);

/// One operation. Plain bytes, so that processes can write histories into memory they share.
struct Operation {
  Kind kind = Kind::none;
  std::uint16_t place = 0;  ///< a partition of a topic
  std::uint32_t actor = 0;  ///< a producer for what producers do, else a client of a group
  std::int64_t offset = -1;
  std::uint64_t value = 0;
  std::int32_t generation = -1;  ///< -1: not known
};
static_assert(sizeof(Operation) == 32);

/// A value says who sent it, and as which: each producer counts from 0, over all places.
constexpr unsigned sequence_bits = 40;
constexpr std::uint64_t value_of(std::uint32_t producer, std::uint64_t sequence) {
  return std::uint64_t{producer} << sequence_bits | sequence;
}
constexpr std::uint32_t producer_of(std::uint64_t value) { return static_cast<std::uint32_t>(value >> sequence_bits); }
constexpr std::uint64_t sequence_of(std::uint64_t value) { return value & ((std::uint64_t{1} << sequence_bits) - 1); }
/// What a reader notes for bytes that nobody can have sent.
constexpr std::uint64_t no_value = ~std::uint64_t{0};

struct Producer {
  bool idempotent = true;  ///< else its values may be there twice, and in another order
};

struct Client {
  std::uint32_t group = 0;
  std::uint32_t member = 0;  ///< clients that follow each other as one static member have one number
};

struct History {
  std::span<const Operation> operations;
  std::vector<Producer> producers;
  std::vector<Client> clients;
  std::vector<std::string> places;  ///< names, as "topic/3"
  std::vector<std::string> groups;
};

/// One operation as a line without its end.
std::string describe(const History& history, std::size_t index);

}  // namespace continuo::history
