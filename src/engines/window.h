// A window of remembered hashes: what was seen lately, in pages that are units. Deduplication of events and of settle requests.
//
// Entries enter the newest page; a page that is full is followed by another; pages leave oldest first. Core thread only.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "continuo/base/hash.h"
#include "continuo/base/time.h"
#include "continuo/engines/codec.h"
#include "continuo/engines/unit.h"

namespace continuo::engines {

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
  Elapsed newest;  ///< when the last entry came

 private:
  const std::string key_;
};

template <class Value>
class Window {
 public:
  using Page = WindowPage<Value>;

  const Value* find(const Hash128& hash) const {
    const auto found = index_.find(hash);
    return found == index_.end() ? nullptr : &found->second;
  }
  std::size_t size() const { return index_.size(); }
  bool empty() const { return pages_.empty(); }
  Page& oldest() { return *pages_.front(); }
  const Page& oldest() const { return *pages_.front(); }
  const Page* newest() const { return pages_.empty() ? nullptr : pages_.back().get(); }
  const std::deque<std::unique_ptr<Page>>& pages() const { return pages_; }

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
  void remember(Page& page, const Hash128& hash, const Value& value, Elapsed at) {
    page.entries.emplace_back(hash, value);
    page.newest = at;
    index_[hash] = value;
  }
  /// Destroys the page; its hashes are forgotten unless a later page has them.
  void drop(Page& page) {
    for (const auto& [hash, value] : page.entries)
      if (const auto found = index_.find(hash); found != index_.end() && found->second == value) index_.erase(found);
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
      index_[entry.first] = entry.second;
      page.entries.push_back(std::move(entry));
    }
    return reader.done();
  }

 private:
  std::deque<std::unique_ptr<Page>> pages_;
  boost::unordered_flat_map<Hash128, Value, std::hash<Hash128>> index_;
};

}  // namespace continuo::engines
