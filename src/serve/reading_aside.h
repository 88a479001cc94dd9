// Reading records without holding up an I/O thread: on the spot where they are surely in memory, else by the reader
// pool.
#pragma once

#include <memory>
#include <utility>

#include "continuo/serve/exchange.h"
#include "continuo/serve/io_thread.h"

namespace continuo::serve {

/// Whether the record is so near the end of its partition that it is in memory, or in the page cache as good as always.
inline bool is_near_end(node::Node& node, PartitionRef ref, Offset offset) {
  constexpr std::int64_t near_offsets = 2'000;
  constexpr std::uint64_t near_bytes = 8u << 20;
  const auto state = node.partition_state(ref);
  if (!state || offset >= state->next) return true;  // nothing is read there
  const std::int64_t behind = state->next - offset;
  const std::int64_t kept = std::max<std::int64_t>(1, state->next - state->first);
  return behind <= near_offsets &&
         static_cast<std::uint64_t>(behind) * (state->bytes / static_cast<std::uint64_t>(kept)) <= near_bytes;
}

/// Calls `then(exchange, work())` on the exchange's thread: at once, or when `may_wait`, after a reader thread ran
/// `work`, which then touches nothing of the session. The client may be gone by then.
template <class Work, class Then>
void read_aside(Exchange& exchange, bool may_wait, Work work, Then then) {
  IoThread& thread = exchange.thread();
  ReaderPool& readers = thread.door().readers;
  if (!may_wait || readers.empty()) return then(exchange, work());
  readers.run([self = exchange.shared_from_this(), &thread, work = std::move(work), then = std::move(then)]() mutable {
    thread.post([self = std::move(self), result = work(), then = std::move(then)]() mutable {
      then(*self, std::move(result));
    });
  });
}

}  // namespace continuo::serve
