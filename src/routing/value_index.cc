#include "continuo/routing/value_index.h"

#include <algorithm>
#include <cmath>

#include "continuo/record/decimal.h"
#include "continuo/routing/case_fold.h"
#include "continuo/routing/ip_address.h"

namespace continuo::routing {
namespace {

void append(std::span<const Target> targets, std::vector<Target>& found) {
  found.insert(found.end(), targets.begin(), targets.end());
}

std::vector<ByteTrie::Key> keys_of(const StringTable& texts) {
  std::vector<ByteTrie::Key> keys;
  for (std::uint32_t i = 0; i < texts.size(); ++i) keys.push_back({texts[i], i});
  return keys;
}

}  // namespace

void TargetLists::finish(std::size_t keys) {
  std::ranges::sort(growing_);
  growing_.erase(std::ranges::unique(growing_).begin(), growing_.end());
  begins_.assign(keys + 1, 0);
  targets_.reserve(growing_.size());
  for (const auto& [key, target] : growing_) {
    ++begins_[key + 1];
    targets_.push_back(target);
  }
  if (targets_.size() == keys && std::ranges::count(begins_, 1u) == static_cast<std::ptrdiff_t>(keys)) {
    begins_ = {};
  } else {
    for (std::size_t i = 0; i < keys; ++i) begins_[i + 1] += begins_[i];
  }
  growing_ = {};
}

// --- building
// ---------------------------------------------------------------------------------------------------------

void ValueIndex::add(const Test& test, Target target) {
  TextTests& texts = test.ignore_case ? folded_ : plain_;
  switch (test.kind) {
    case Test::Kind::literal: return add_literal(test, target);
    case Test::Kind::prefix: return texts.prefixes.targets.add(texts.prefixes.texts.add(test.text), target);
    case Test::Kind::suffix: return texts.suffixes.targets.add(texts.suffixes.texts.add(test.text), target);
    case Test::Kind::numeric: growing_ranges_.push_back({test.numbers.low, test.numbers.high, target}); return;
    case Test::Kind::cidr: return add_addresses(test.addresses, target);
    case Test::Kind::wildcard:
      if (!wildcards_) wildcards_ = std::make_unique<Wildcards>();
      wildcard_targets_.add(wildcards_->add(test.text), target);
  }
}

void ValueIndex::add_literal(const Test& test, Target target) {
  std::string canonical;
  switch (test.type) {
    case Value::Type::string: {
      Strings& exact = (test.ignore_case ? folded_ : plain_).exact;
      const auto address = test.ignore_case ? std::nullopt : parse_address(test.text);
      if (address) return add_addresses({address->bits, address->bits, address->v6}, target);
      return exact.targets.add(exact.texts.add(test.text), target);
    }
    case Value::Type::number:
      record::canonical_number(test.text, canonical);
      return numbers_.targets.add(numbers_.texts.add(canonical), target);
    case Value::Type::boolean: (test.text == "true" ? true_ : false_).push_back(target); return;
    case Value::Type::null: null_.push_back(target);
  }
}

void ValueIndex::add_addresses(const AddressRange& range, Target target) {
  (range.v6 ? growing_v6_ : growing_v4_).push_back({range.low, range.high, target});
}

void ValueIndex::TextTests::finish() {
  exact.targets.finish(exact.texts.size());
  exact.texts.shrink();
  prefixes.targets.finish(prefixes.texts.size());
  suffixes.targets.finish(suffixes.texts.size());
  by_prefix = ByteTrie{Reading::forward, keys_of(prefixes.texts)};
  by_suffix = ByteTrie{Reading::backward, keys_of(suffixes.texts)};
}

void ValueIndex::finish() {
  plain_.finish();
  folded_.finish();
  numbers_.targets.finish(numbers_.texts.size());
  numbers_.texts.shrink();
  ranges_ = Numbers{std::exchange(growing_ranges_, {})};
  v4_ = Addresses{std::exchange(growing_v4_, {})};
  v6_ = Addresses{std::exchange(growing_v6_, {})};
  if (!wildcards_) return;
  wildcards_->finish();
  wildcard_targets_.finish(wildcards_->size());
}

std::size_t ValueIndex::TextTests::bytes() const {
  std::size_t all = by_prefix.bytes() + by_suffix.bytes();
  for (const Strings* each : {&exact, &prefixes, &suffixes}) all += each->texts.bytes() + each->targets.bytes();
  return all;
}

std::size_t ValueIndex::bytes() const {
  return sizeof(*this) + plain_.bytes() + folded_.bytes() + numbers_.texts.bytes() + numbers_.targets.bytes() +
         ranges_.bytes() + v4_.bytes() + v6_.bytes() + wildcard_targets_.bytes() +
         (wildcards_ ? wildcards_->bytes() : 0);
}

// --- finding
// ----------------------------------------------------------------------------------------------------------

void ValueIndex::find(const Value& value, double number, Scratch& scratch, std::vector<Target>& found) const {
  switch (value.type) {
    case Value::Type::string: return find_string(value.text, scratch, found);
    case Value::Type::number: return find_number(value.text, number, scratch, found);
    case Value::Type::boolean: return append(value.text == "true" ? true_ : false_, found);
    case Value::Type::null: return append(null_, found);
  }
}

void ValueIndex::TextTests::find(std::string_view text, std::vector<Target>& found) const {
  if (!exact.texts.empty())
    if (const auto key = exact.texts.find(text); key != StringTable::none) append(exact.targets[key], found);
  by_prefix.find(text, [&](std::uint32_t key) { append(prefixes.targets[key], found); });
  by_suffix.find(text, [&](std::uint32_t key) { append(suffixes.targets[key], found); });
}

void ValueIndex::find_string(std::string_view text, Scratch& scratch, std::vector<Target>& found) const {
  plain_.find(text, found);
  if (!folded_.empty()) {
    fold_case(text, scratch.text);
    folded_.find(scratch.text, found);
  }
  if (!v4_.empty() || !v6_.empty())
    if (const auto address = parse_address(text))
      (address->v6 ? v6_ : v4_).find(address->bits, [&](Target target) { found.push_back(target); });
  if (!wildcards_) return;
  if (!scratch.states) scratch.states = std::make_unique<WildcardStates>(*wildcards_, scratch.most_state_bytes);
  for (const std::uint32_t key : scratch.states->find(text)) append(wildcard_targets_[key], found);
}

void ValueIndex::find_number(std::string_view text, double number, Scratch& scratch, std::vector<Target>& found) const {
  if (!numbers_.texts.empty()) {
    record::canonical_number(text, scratch.text);
    if (const auto key = numbers_.texts.find(scratch.text); key != StringTable::none)
      append(numbers_.targets[key], found);
  }
  if (ranges_.empty()) return;
  if (std::isnan(number)) number = record::number_of(text).value_or(record::not_known);
  if (!std::isnan(number)) ranges_.find(number, [&](Target target) { found.push_back(target); });
}

}  // namespace continuo::routing
