// The committed offset of one place in one group, as a register: which values a reader may see, when writes and reads
// overlap and some writes have no known end.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace continuo::history {

class CommittedOffset {
 public:
  struct Write {
    std::int64_t offset;
    std::uint64_t call;
    std::uint32_t client;
    std::size_t begun;
    std::optional<std::size_t> ended = {};  ///< after this it is not done any more
    bool applied = false;                   ///< it was acknowledged
    bool given_up = false;                  ///< nobody waits for it, and it may still be done
    std::int64_t floor = -1;                ///< the lowest offset that could be there when it began
  };

  /// Begins without a committed offset: -1.
  CommittedOffset() {
    writes_.push_back({.offset = -1, .call = 0, .client = 0, .begun = 0, .ended = 0, .applied = true});
  }

  void begin_write(std::size_t at, std::uint32_t client, std::uint64_t call, std::int64_t offset);
  /// Each gives the write, or nothing when none of that name is open.
  std::optional<Write> applied(std::size_t at, std::uint32_t client, std::uint64_t call);
  void refused(std::size_t at, std::uint32_t client, std::uint64_t call);
  void gave_up(std::uint32_t client, std::uint64_t call);
  void client_died(std::uint32_t client);
  void server_restarted(std::size_t at);

  /// A read holds what it may see until it ends.
  void begin_read(std::size_t at) { reads_.push_back(at); }
  void end_read(std::size_t begun);

  /// What a read that began there and ends now may see, unsorted, never empty.
  std::vector<std::int64_t> possible(std::size_t read_begun) const;
  /// The newest write that was acknowledged; the operation that began it.
  std::size_t last_applied() const;

 private:
  Write* open(std::uint32_t client, std::uint64_t call);
  /// A write that ended before this was overwritten for everybody who reads from `read_begun` on.
  std::size_t overwritten_before(std::size_t read_begun) const;
  void forget();

  std::vector<Write> writes_;
  std::vector<std::size_t> reads_;
};

}  // namespace continuo::history
