// JSON Patch (RFC 6902): what is to become different in a JSON text, as a list of operations.
//
//   [{"op":"test","path":"/data/currency","value":"sek"},{"op":"replace","path":"/data/currency","value":"SEK"}]
//
// All operations happen, or none does. What they do not touch stays as it was written, numbers of any size included.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/base/errors.h"
#include "continuo/record/json_pointer.h"

namespace continuo::record {

struct PatchLimits {
  std::size_t bytes = 8u << 20;  ///< of the text that is patched, of what comes of it, and of the patch
  std::size_t operations = 64;
  std::size_t depth = 512;  ///< of the text, of a value, and of what comes of it
};

struct PatchOperation {
  enum class Kind : std::uint8_t { add, remove, replace, move, copy, test };
  Kind kind = Kind::test;
  JsonPointer path;
  JsonPointer from;   ///< of move and copy
  std::string value;  ///< of add, replace and test: JSON
  /// Whether it makes something different at `place` or in it.
  bool changes(const JsonPointer& place) const;
};

/// A patch that was checked as far as it can be without a text to apply it to.
class JsonPatch {
 public:
  /// Errors: bad_json, bad_utf8, bad_request with the place in the patch in `at`: "[2].path"; too_large, limit_reached.
  static Result<JsonPatch> parse(std::string_view json, const PatchLimits& limits = {});

  /// `document` with the patch applied. Errors: bad_json and bad_utf8 when it is no JSON; bad_request with the
  /// operation in `at` that does not fit it: "[2].path"; a test that fails: "[2].value"; too_large.
  Result<std::string> apply(std::string_view document) const;

  const std::vector<PatchOperation>& operations() const { return operations_; }

 private:
  std::vector<PatchOperation> operations_;
  PatchLimits limits_;
};

/// Parses the patch and applies it.
Result<std::string> apply_patch(std::string_view document, std::string_view patch);

/// A patch that makes `after` of `before`, for a person to read: objects differ member by member, arrays index by index
/// behind what they have in common at their front and end, and what is less than half as long written whole is
/// replaced. Longer than `most_bytes`, it becomes a note that names the content and cannot be applied:
/// [{"op":"replace","path":"","bytes":123,"xxh3":"<the 128 bits of XXH3 of `after`, seed 0, as xxhsum prints them>"}]
/// So does what is not JSON.
std::string json_difference(std::string_view before, std::string_view after, std::size_t most_bytes);

}  // namespace continuo::record
