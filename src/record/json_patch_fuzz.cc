// Two texts, parted by the first zero byte. The second as a patch of the first: what comes of it is JSON. Both as JSON:
// the difference makes one of the other.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "continuo/record/json_patch.h"
#include "continuo/record/json_scan.h"
#include "continuo/record/json_tree.h"

namespace continuo::record {
namespace {

constexpr std::size_t any_size = 1u << 30;

bool is_json(std::string_view text) { return !find_json_error(text, PatchLimits{}.depth); }

void check_patch(std::string_view document, std::string_view patch) {
  const auto after = apply_patch(document, patch);
  if (after) CHECK(is_json(*after));
}

void check_difference(std::string_view before, std::string_view after) {
  const std::string patch = json_difference(before, after, any_size);
  CHECK(is_json(patch));
  if (!is_json(before) || !is_json(after)) return;
  const auto applied = apply_patch(before, patch);
  CHECK(applied.has_value());
  JsonNode made{*applied}, wanted{after};
  CHECK(equal(made, wanted));
}

}  // namespace
}  // namespace continuo::record

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace continuo::record;
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  const std::size_t end = input.find('\0');
  const std::string_view first = input.substr(0, end);
  const std::string_view second = end == std::string_view::npos ? "" : input.substr(end + 1);
  check_patch(first, second);
  check_difference(first, second);
  return 0;
}
