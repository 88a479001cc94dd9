// A sorted map from names to shared values, for definitions that all threads read: a copy costs little and shares
// nearly everything with what it was copied from, a change copies what lies around the name, and what differs between
// two of them is found at the price of what was changed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace continuo {

/// A value: thread-safe as one. Entries lie in sorted chunks; copies share the chunks that neither changed.
template <class Value>
class NameMap {
 public:
  using Shared = std::shared_ptr<const Value>;
  using Entry = std::pair<std::string, Shared>;

 private:
  using Entries = std::vector<Entry>;
  using Chunk = std::shared_ptr<const Entries>;

 public:
  /// Forward, by name; valid while the map it is of is neither changed nor gone.
  class Iterator {
   public:
    using value_type = Entry;
    using difference_type = std::ptrdiff_t;
    using reference = const Entry&;
    using pointer = const Entry*;
    using iterator_category = std::forward_iterator_tag;

    Iterator() = default;
    const Entry& operator*() const { return (*map_->chunks_[chunk_])[entry_]; }
    const Entry* operator->() const { return &**this; }
    Iterator& operator++() {
      if (++entry_ == map_->chunks_[chunk_]->size()) ++chunk_, entry_ = 0;
      return *this;
    }
    Iterator operator++(int) { return std::exchange(*this, std::next(*this)); }
    bool operator==(const Iterator&) const = default;

   private:
    friend class NameMap;
    Iterator(const NameMap* map, std::size_t chunk, std::size_t entry) : map_(map), chunk_(chunk), entry_(entry) {}
    bool at_end() const { return chunk_ == map_->chunks_.size(); }
    bool begins_chunk() const { return entry_ == 0; }
    void pass_chunk() { ++chunk_; }
    const Chunk& chunk() const { return map_->chunks_[chunk_]; }

    const NameMap* map_ = nullptr;
    std::size_t chunk_ = 0, entry_ = 0;
  };

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Iterator begin() const { return {this, 0, 0}; }
  Iterator end() const { return {this, chunks_.size(), 0}; }

  Iterator find(std::string_view name) const {
    const Iterator at = lower_bound(name);
    return !at.at_end() && at->first == name ? at : end();
  }

  /// Null when it is not there.
  Shared get(std::string_view name) const {
    const Iterator at = find(name);
    return at.at_end() ? nullptr : at->second;
  }

  /// Replaces one that is there.
  void set(std::string_view name, Shared value) {
    if (chunks_.empty()) chunks_.push_back(std::make_shared<const Entries>());
    const std::size_t place = chunk_of(name);
    Entries entries = *chunks_[place];
    const auto at = std::ranges::lower_bound(entries, name, {}, name_of);
    if (at != entries.end() && at->first == name) {
      at->second = std::move(value);
    } else {
      entries.emplace(at, name, std::move(value));
      ++size_;
    }
    put(place, std::move(entries));
  }

  /// False: it was not there.
  bool erase(std::string_view name) {
    if (find(name).at_end()) return false;
    const std::size_t place = chunk_of(name);
    Entries entries = *chunks_[place];
    entries.erase(std::ranges::lower_bound(entries, name, {}, name_of));
    --size_;
    if (place + 1 < chunks_.size() && entries.size() + chunks_[place + 1]->size() <= most / 2) {
      std::ranges::copy(*chunks_[place + 1], std::back_inserter(entries));
      chunks_.erase(chunks_.begin() + static_cast<std::ptrdiff_t>(place) + 1);
    }
    put(place, std::move(entries));
    return true;
  }

  /// Tells each name whose value is not the same object in both, in their order: told(name, before, after), null where
  /// it is not there. Chunks that both share are passed over.
  template <class Told>
  static void differences(const NameMap& before, const NameMap& after, Told told) {
    static const Shared none;
    Iterator old = before.begin(), now = after.begin();
    while (!old.at_end() || !now.at_end()) {
      if (now.at_end() || (!old.at_end() && old->first < now->first)) {
        told(old->first, old->second, none);
        ++old;
      } else if (old.at_end() || now->first < old->first) {
        told(now->first, none, now->second);
        ++now;
      } else if (old.begins_chunk() && now.begins_chunk() && old.chunk() == now.chunk()) {
        old.pass_chunk();
        now.pass_chunk();
      } else {
        if (old->second != now->second) told(now->first, old->second, now->second);
        ++old;
        ++now;
      }
    }
  }

 private:
  static constexpr std::size_t most = 64;  // of a chunk

  static const std::string& name_of(const Entry& entry) { return entry.first; }

  // Where the name is or would be.
  std::size_t chunk_of(std::string_view name) const {
    const auto after = std::ranges::upper_bound(chunks_, name, {}, [](const Chunk& chunk) -> std::string_view {
      return chunk->empty() ? std::string_view{} : std::string_view{chunk->front().first};
    });
    return after == chunks_.begin() ? 0 : static_cast<std::size_t>(after - chunks_.begin()) - 1;
  }

  Iterator lower_bound(std::string_view name) const {
    if (chunks_.empty()) return end();
    const std::size_t place = chunk_of(name);
    const Entries& entries = *chunks_[place];
    const auto at = static_cast<std::size_t>(std::ranges::lower_bound(entries, name, {}, name_of) - entries.begin());
    return at == entries.size() ? Iterator{this, place + 1, 0} : Iterator{this, place, at};
  }

  // None stays that is empty, and none that is too long.
  void put(std::size_t place, Entries entries) {
    const auto at = chunks_.begin() + static_cast<std::ptrdiff_t>(place);
    if (entries.empty()) {
      chunks_.erase(at);
      return;
    }
    if (entries.size() > most) {
      const auto middle = entries.begin() + most / 2;
      auto second =
          std::make_shared<const Entries>(std::make_move_iterator(middle), std::make_move_iterator(entries.end()));
      entries.erase(middle, entries.end());
      *at = std::make_shared<const Entries>(std::move(entries));
      chunks_.insert(at + 1, std::move(second));
      return;
    }
    *at = std::make_shared<const Entries>(std::move(entries));
  }

  std::vector<Chunk> chunks_;  // sorted
  std::size_t size_ = 0;
};

}  // namespace continuo
