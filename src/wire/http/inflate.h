// gzip request bodies, inflated piece by piece with a bound on what comes out. Source: RFC 1952, by zlib.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "continuo/base/errors.h"

namespace continuo::wire::http {

/// One gzip stream (several members one after the other are one stream, as gzip(1) has it). Not thread-safe.
class Inflater {
 public:
  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Appends at most `room` bytes to `out`; gives how many bytes of `raw` were used. Errors: bad_request (not gzip),
  /// too_large (more than max_ratio to one beyond ratio_free bytes).
  Result<std::size_t> inflate(std::string_view raw, std::size_t room, std::string& out);
  /// The stream has come to an end of a member.
  bool at_end() const;
  /// Output waits for room although no input is left.
  bool pending() const;

  static constexpr std::uint64_t ratio_free = 1 << 20;
  static constexpr std::uint64_t max_ratio = 250;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace continuo::wire::http
