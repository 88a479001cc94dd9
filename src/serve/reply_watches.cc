#include "continuo/serve/reply_watches.h"

#include <utility>
#include <vector>

#include "continuo/serve/io_thread.h"
#include "continuo/serve/reading.h"

namespace continuo::serve {
namespace {

constexpr std::uint64_t near_the_end = 2'000;  // offsets: read on the spot
constexpr Reading::Limits piece{.events = 1'000, .bytes = 1u << 20};

}  // namespace

struct ReplyWatches::Watch {
  Watch(node::Node& node, const node::Topic& topic) : id(topic.id), reading(node, topic, std::nullopt, {}) {}
  struct Waiter {
    std::uint64_t ticket = 0;
    std::string id;
    Found found;
  };
  const TopicId id;
  Reading reading;
  std::unordered_multimap<std::string, Waiter> waiters;  // by the request's id
  std::unordered_map<std::uint64_t, std::string> ids;    // of each ticket
  bool busy = false;                                     // a look is under way
  bool news = false;                                     // came meanwhile
};

ReplyWatches::~ReplyWatches() = default;

Result<std::uint64_t> ReplyWatches::wait(const node::Topic& topic, const std::string& id, Found found) {
  auto& watch = watches_[topic.id];
  if (!watch) {
    auto made = std::make_shared<Watch>(thread_.node(), topic);
    if (auto located = made->reading.locate(wire::http::Latest{}); !located) {
      watches_.erase(topic.id);
      return pass(located);
    }
    watch = std::move(made);
  }
  const std::uint64_t ticket = ++last_ticket_;
  watch->ids.emplace(ticket, id);
  watch->waiters.emplace(id, Watch::Waiter{ticket, id, std::move(found)});
  return ticket;
}

void ReplyWatches::forget(TopicId topic, std::uint64_t ticket) {
  const auto found = watches_.find(topic);
  if (found == watches_.end()) return;
  const auto watch = found->second;
  const auto id = watch->ids.find(ticket);
  if (id == watch->ids.end()) return;
  auto [at, end] = watch->waiters.equal_range(id->second);
  while (at != end) at = at->second.ticket == ticket ? watch->waiters.erase(at) : std::next(at);
  watch->ids.erase(id);
  drop_if_idle(watch);
}

void ReplyWatches::drop_if_idle(const std::shared_ptr<Watch>& watch) {
  if (watch->waiters.empty() && !watch->busy) watches_.erase(watch->id);
}

void ReplyWatches::news(TopicId topic) {
  const auto found = watches_.find(topic);
  if (found == watches_.end()) return;
  const auto watch = found->second;
  if (watch->busy)
    watch->news = true;
  else
    look(watch);
}

// One piece; the rest comes with the next turn of the thread, so that others have theirs.
void ReplyWatches::look(const std::shared_ptr<Watch>& watch) {
  using Replies = std::vector<std::pair<std::string, std::string>>;  // id of the request, reply
  watch->busy = true;
  watch->news = false;
  // On a reader thread the waiters are not looked at: all that answer something are brought along.
  const auto work = [watch] {
    std::pair<Replies, bool> read;
    const auto all = watch->reading.run(piece, [&](const auto& event, const auto& place, Offset offset) {
      const std::string_view cause = event.extension("causationid");
      if (cause.empty()) return;
      read.first.emplace_back(cause, std::string{});
      record::write_json(event, &place, offset, read.first.back().second);
    });
    read.second = !all || *all;  // what cannot be read is not asked for again and again
    return read;
  };
  const auto take = [this, watch](const std::pair<Replies, bool>& read) {
    for (const auto& [id, json] : read.first) {
      std::vector<Found> answered;
      auto [at, end] = watch->waiters.equal_range(id);
      while (at != end) {
        watch->ids.erase(at->second.ticket);
        answered.push_back(std::move(at->second.found));
        at = watch->waiters.erase(at);
      }
      for (Found& found : answered) found(json);
    }
    watch->busy = false;
    if (!watch->waiters.empty() && (watch->news || !read.second)) return look(watch);
    drop_if_idle(watch);
  };
  if (watch->reading.lag() <= near_the_end || thread_.door().readers.empty())
    return thread_.post([work, take] { take(work()); });
  thread_.door().readers.run([&thread = thread_, work, take] { thread.post([read = work(), take] { take(read); }); });
}

std::optional<std::string> find_reply(node::Node& node, const node::Topic& topic, const std::string& id,
                                      WallTime since) {
  Reading reading(node, topic, std::nullopt, {});
  if (!reading.locate(since)) return std::nullopt;
  std::optional<std::string> reply;
  for (bool more = true; more && !reply;) {
    const auto all = reading.run(piece, [&](const auto& event, const auto& place, Offset offset) {
      if (!reply && event.extension("causationid") == id) record::write_json(event, &place, offset, reply.emplace());
    });
    more = all && !*all;
  }
  return reply;
}

}  // namespace continuo::serve
