#include "continuo/history/committed_offset.h"

#include <algorithm>

namespace continuo::history {

void CommittedOffset::begin_write(std::size_t at, std::uint32_t client, std::uint64_t call, std::int64_t offset) {
  const auto floor = std::ranges::min(possible(at));
  writes_.push_back({.offset = offset, .call = call, .client = client, .begun = at, .floor = floor});
}

CommittedOffset::Write* CommittedOffset::open(std::uint32_t client, std::uint64_t call) {
  const auto found = std::ranges::find_if(writes_, [&](const Write& write) {
    return !write.ended && !write.given_up && write.client == client && write.call == call;
  });
  return found == writes_.end() ? nullptr : &*found;
}

std::optional<CommittedOffset::Write> CommittedOffset::applied(std::size_t at, std::uint32_t client,
                                                               std::uint64_t call) {
  Write* write = open(client, call);
  if (write == nullptr) return {};
  write->ended = at;
  write->applied = true;
  const Write copy = *write;
  forget();
  return copy;
}

void CommittedOffset::refused(std::size_t at, std::uint32_t client, std::uint64_t call) {
  if (Write* write = open(client, call)) write->ended = at;
}

void CommittedOffset::gave_up(std::uint32_t client, std::uint64_t call) {
  if (Write* write = open(client, call)) write->given_up = true;
}

void CommittedOffset::client_died(std::uint32_t client) {
  for (Write& write : writes_) {
    if (!write.ended && write.client == client) write.given_up = true;
  }
}

void CommittedOffset::server_restarted(std::size_t at) {
  for (Write& write : writes_) {
    if (write.given_up && !write.ended) write.ended = at;
  }
}

void CommittedOffset::end_read(std::size_t begun) {
  const auto found = std::ranges::find(reads_, begun);
  if (found != reads_.end()) reads_.erase(found);
}

std::size_t CommittedOffset::overwritten_before(std::size_t read_begun) const {
  std::size_t before = 0;
  for (const Write& write : writes_) {
    if (write.applied && *write.ended <= read_begun) before = std::max(before, write.begun);
  }
  return before;
}

std::vector<std::int64_t> CommittedOffset::possible(std::size_t read_begun) const {
  const auto before = overwritten_before(read_begun);
  std::vector<std::int64_t> offsets;
  for (const Write& write : writes_) {
    if (!write.ended || *write.ended >= before) offsets.push_back(write.offset);
  }
  return offsets;
}

std::size_t CommittedOffset::last_applied() const {
  std::size_t last = 0;
  for (const Write& write : writes_) {
    if (write.applied) last = std::max(last, write.begun);
  }
  return last;
}

void CommittedOffset::forget() {
  const auto now = ~std::size_t{0};
  const auto before = overwritten_before(reads_.empty() ? now : std::ranges::min(reads_));
  std::erase_if(writes_, [&](const Write& write) { return write.ended && *write.ended < before; });
}

}  // namespace continuo::history
