// Declared repairs: what to make of an event that failed in a known way.
//
//   [{"name": "cents", "error": {"code": ["bad_amount"]}, "event": {"type": ["OrderPaid"]},
//     "patch": [{"op": "replace", "path": "/data/amount", "value": 12}]}]
//
// `error` is a pattern on the failure - code, message, fingerprint, attempts -, `event` one on the event as filters
// have them; at least one of them is there. The first repair that fits both counts. Its JSON Patch is for the event in
// CloudEvents' structured form, and may change anything but who the event is.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/record/json_patch.h"
#include "continuo/routing/matcher.h"

namespace continuo::routing {

struct RepairLimits {
  std::size_t bytes = 24 * 1024;  ///< of all of them
  std::size_t repairs = 32;
  std::size_t name_bytes = 200;
};

/// How an event failed, as the patterns on errors see it.
struct FailureSeen {
  std::string_view code;
  std::string_view message;
  std::string_view fingerprint;
  std::uint32_t attempts = 0;
};

struct Repair {
  std::string name;  ///< as declared, or its place: "repairs[0]"
  record::JsonPatch patch;

  /// The structured CloudEvent after the repair: `id` and `source` are the same, whether it is a valid CloudEvent is
  /// for who takes it to check. Errors: as JsonPatch::apply, `at` begins with the repair's name.
  Result<std::string> apply(std::string_view event) const;
};

/// What was declared, compiled. Keeps buffers between calls: not thread-safe.
class Repairs {
 public:
  /// Errors: bad_json, bad_utf8, bad_setting, unknown_field, bad_pattern; `at` is where, "[0].patch[2].path".
  static Result<Repairs> parse(std::string_view json, const RepairLimits& limits = {});

  /// The first that fits; null: none does. Lives as long as this.
  const Repair* find(const FailureSeen& failure, const Input& event);

  const std::vector<Repair>& all() const { return repairs_; }
  bool empty() const { return repairs_.empty(); }

 private:
  friend class RepairsReader;
  // One kind of pattern of all repairs, and whose each is.
  struct Patterns {
    std::vector<std::uint32_t> owners;
    std::vector<bool> has;  // of each repair
    std::optional<Matching> matching;
  };
  Repairs() = default;

  std::vector<Repair> repairs_;
  Patterns on_errors_, on_events_;
};

}  // namespace continuo::routing
