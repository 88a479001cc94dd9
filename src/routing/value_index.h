// The tests that patterns put to the values of one path, so that a value meets all of them in a few looks.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "continuo/routing/byte_trie.h"
#include "continuo/routing/interval_index.h"
#include "continuo/routing/pattern.h"
#include "continuo/routing/string_table.h"
#include "continuo/routing/wildcards.h"

namespace continuo::routing {

/// Who wants to hear of a test that was passed; a number that the matcher gave.
using Target = std::uint32_t;

/// Which targets each of many keys has.
class TargetLists {
 public:
  void add(std::uint32_t key, Target target) { growing_.emplace_back(key, target); }
  void finish(std::size_t keys);
  std::span<const Target> operator[](std::uint32_t key) const {
    if (begins_.empty()) return {&targets_[key], 1};
    return std::span{targets_}.subspan(begins_[key], begins_[key + 1] - begins_[key]);
  }
  std::size_t bytes() const { return (begins_.capacity() + targets_.capacity()) * 4; }

 private:
  std::vector<std::pair<std::uint32_t, Target>> growing_;
  std::vector<std::uint32_t> begins_;  // none: each key has one
  std::vector<Target> targets_;
};

/// Tests are added, then it is finished; then for any number of threads.
class ValueIndex {
 public:
  /// What one thread needs beside it, for one path: states of wildcards, and buffers.
  struct Scratch {
    std::size_t most_state_bytes = 0;
    std::unique_ptr<WildcardStates> states;
    std::string text;
  };

  void add(const Test& test, Target target);
  void finish();
  std::size_t bytes() const;

  /// Appends the targets of all tests the value passes; a target of several tests maybe several times.
  /// `number`: what number_of gives, or `not_known`.
  void find(const Value& value, double number, Scratch& scratch, std::vector<Target>& found) const;

 private:
  struct Strings {
    StringTable texts;
    TargetLists targets;
  };
  // Of texts as they are, or of folded ones.
  struct TextTests {
    Strings exact, prefixes, suffixes;
    ByteTrie by_prefix, by_suffix;
    void finish();
    bool empty() const { return exact.texts.empty() && prefixes.texts.empty() && suffixes.texts.empty(); }
    void find(std::string_view text, std::vector<Target>& found) const;
    std::size_t bytes() const;
  };
  using Addresses = IntervalIndex<unsigned __int128>;
  using Numbers = IntervalIndex<double>;

  void add_literal(const Test& test, Target target);
  void add_addresses(const AddressRange& range, Target target);
  void find_string(std::string_view text, Scratch& scratch, std::vector<Target>& found) const;
  void find_number(std::string_view text, double number, Scratch& scratch, std::vector<Target>& found) const;

  TextTests plain_, folded_;
  Strings numbers_;  // canonical
  std::vector<Target> true_, false_, null_;
  Numbers ranges_;
  Addresses v4_, v6_;
  std::unique_ptr<Wildcards> wildcards_;
  TargetLists wildcard_targets_;
  std::vector<Numbers::Interval> growing_ranges_;
  std::vector<Addresses::Interval> growing_v4_, growing_v6_;
};

}  // namespace continuo::routing
