// A window of remembered hashes: what was seen lately, in pages that are units. Deduplication of events and of settle
// requests.
//
// Entries enter the newest page; a page that is full is followed by another; pages leave oldest first. PageEnds orders
// the pages of all windows of an engine by the time they are over, so that those nobody writes to leave as well. Core
// thread only.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "continuo/base/hash.h"
#include "continuo/base/time.h"
#include "continuo/engines/codec.h"
#include "continuo/engines/unit.h"

namespace continuo::engines {

/// Bytes of an encoded entry beside its hash, at least.
inline std::size_t encoded_size(const std::string& value) {
  return value.size() + (value.size() < 128 ? 1 : value.size() < 128 * 128 ? 2 : 3);
}
template <class Value>
constexpr std::size_t encoded_size(const Value&) {
  return sizeof(Value);
}

/// One page. Value is copyable and has `fields`. `key` makes the unit's key from the page number.
template <class Value>
class WindowPage final : public Unit {
 public:
  WindowPage(std::string key, std::uint64_t number) : number(number), key_(std::move(key)) {}
  std::string unit_key() const override { return key_; }
  void encode(std::string& out) const override {
    FieldWriter writer{out};
    writer(newest, std::uint64_t{entries.size()});
    for (const auto& [hash, value] : entries) writer(hash, value);
  }

  const std::uint64_t number;
  std::vector<std::pair<Hash128, Value>> entries;
  Elapsed newest;         ///< when the last entry came
  std::size_t bytes = 0;  ///< of the entries, encoded
  Elapsed end{};          ///< where PageEnds has it; 0: nowhere

 private:
  const std::string key_;
};

/// The index holds half of each hash and where its entry is; the entry has it whole. Two hashes that share the half by
/// chance - one in 2^64 - cost the older its place: it is forgotten early, never mistaken.
template <class Value>
class Window {
 public:
  using Page = WindowPage<Value>;

  const Value* find(const Hash128& hash) const {
    const auto found = index_.find(hash.low);
    if (found == index_.end()) return nullptr;
    const auto& [whole, value] = found->second.page->entries[found->second.entry];
    return whole == hash ? &value : nullptr;
  }
  std::size_t size() const { return index_.size(); }
  bool empty() const { return pages_.empty(); }
  Page& oldest() { return *pages_.front(); }
  const Page& oldest() const { return *pages_.front(); }
  const Page* newest() const { return pages_.empty() ? nullptr : pages_.back().get(); }
  const std::deque<std::unique_ptr<Page>>& pages() const { return pages_; }

  const Page* find_page(std::uint64_t number) const { return const_cast<Window*>(this)->page(number); }
  Page* page(std::uint64_t number) {
    for (auto at = pages_.rbegin(); at != pages_.rend(); ++at)
      if ((*at)->number == number) return at->get();
    return nullptr;
  }
  Page& add_page(std::string key, std::uint64_t number) {
    auto at = pages_.end();
    while (at != pages_.begin() && (*std::prev(at))->number > number) --at;
    return **pages_.insert(at, std::make_unique<Page>(std::move(key), number));
  }
  void remember(Page& page, const Hash128& hash, Value value, Elapsed at) {
    page.newest = at;
    add(page, hash, std::move(value));
  }
  /// Destroys the page; its hashes are forgotten unless a later page has them.
  void drop(Page& page) {
    for (std::uint32_t entry = 0; entry < page.entries.size(); ++entry) {
      const auto found = index_.find(page.entries[entry].first.low);
      if (found != index_.end() && found->second.page == &page && found->second.entry == entry) index_.erase(found);
    }
    std::erase_if(pages_, [&](const auto& each) { return each.get() == &page; });
  }
  /// Fills a page from its unit's bytes.
  bool restore(Page& page, std::string_view bytes) {
    FieldReader reader{bytes};
    std::uint64_t count = 0;
    reader(page.newest, count);
    for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
      std::pair<Hash128, Value> entry;
      reader(entry.first, entry.second);
      add(page, entry.first, std::move(entry.second));
    }
    return reader.done();
  }

 private:
  struct Place {
    Page* page;
    std::uint32_t entry;
  };
  // A hash that a later page has keeps that place: pages may be restored in any order.
  void add(Page& page, const Hash128& hash, Value value) {
    const auto entry = static_cast<std::uint32_t>(page.entries.size());
    page.bytes += sizeof(Hash128) + encoded_size(value);
    page.entries.emplace_back(hash, std::move(value));
    const auto [at, fresh] = index_.try_emplace(hash.low, Place{&page, entry});
    if (!fresh && at->second.page->number <= page.number) at->second = {&page, entry};
  }

  std::deque<std::unique_ptr<Page>> pages_;
  boost::unordered_flat_map<std::uint64_t, Place> index_;
};

/// When the pages of many windows are over, soonest first. To the full second: a page that is written to all the time
/// moves once a second.
template <class Owner>
class PageEnds {
 public:
  struct End {
    Elapsed at;
    Owner owner;
    std::uint64_t page = 0;
    auto operator<=>(const End&) const = default;
  };

  template <class Page>
  void note(const Owner& owner, Page& page, Millis window) {
    const Elapsed end{((page.newest + window).ms / 1000 + 1) * 1000};
    if (end == page.end) return;
    forget(owner, page);
    page.end = end;
    ends_.insert({end, owner, page.number});
  }
  template <class Page>
  void forget(const Owner& owner, const Page& page) {
    ends_.erase({page.end, owner, page.number});
  }
  bool empty() const { return ends_.empty(); }
  auto begin() const { return ends_.begin(); }
  auto end() const { return ends_.end(); }

 private:
  std::set<End> ends_;
};

}  // namespace continuo::engines
