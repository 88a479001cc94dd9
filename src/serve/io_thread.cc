#include "continuo/serve/io_thread.h"

#include <boost/asio/post.hpp>

#include <algorithm>

#include "continuo/node/thread_name.h"
#include "continuo/serve/loop.h"
#include "continuo/serve/reply_watches.h"

namespace continuo::serve {
namespace {

constexpr Millis tick_time{100};
constexpr std::size_t ticks_a_second = 10;
constexpr std::size_t many_connections = 1'000;
constexpr int most_of_a_round = 64;

}  // namespace

IoThread::IoThread(Door& door)
    : door_(door), loop_(std::make_unique<Loop>()), reply_watches_(std::make_unique<ReplyWatches>(*this)) {}

IoThread::~IoThread() {
  stop();
  for (Letter* letter = letters_.exchange(nullptr); letter;) {
    Letter* next = letter->next;
    delete letter;
    letter = next;
  }
}

void IoThread::start() {
  tick();
  thread_ = std::thread([this] {
    node::name_thread("io");
    run();
  });
}

// In rounds: what is ready is served, then the core runs on what that asked for.
void IoThread::run() {
  node().work_in_rounds();
  while (loop_->context.run_one() != 0) {
    for (int served = 1; served < most_of_a_round && loop_->context.poll_one() != 0; ++served) {
    }
    node().end_round();
  }
}

void IoThread::stop() {
  if (!thread_.joinable()) return;
  boost::asio::post(loop_->context, [this] {
    loop_->ticks.cancel();
    loop_->work.reset();
    loop_->context.stop();
  });
  thread_.join();
}

void IoThread::post(std::move_only_function<void()> task) { boost::asio::post(loop_->context, std::move(task)); }

// The core thread pushes without a lock and wakes the loop only when it found the stack empty: once for all that
// arrives until the loop looks.
void IoThread::deliver(node::Mail mail) {
  Letter* before = letters_.load(std::memory_order_relaxed);
  auto* letter = new Letter{std::move(mail), before};
  while (!letters_.compare_exchange_weak(before, letter, std::memory_order_release, std::memory_order_relaxed))
    letter->next = before;
  // The letter may be read and gone by now.
  if (before == nullptr) boost::asio::post(loop_->context, [this] { open_mail(); });
}

void IoThread::open_mail() {
  Letter* newest = letters_.exchange(nullptr, std::memory_order_acquire);
  Letter* oldest = nullptr;
  while (newest) {
    Letter* const next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  while (oldest) {
    const std::unique_ptr<Letter> letter(oldest);
    oldest = letter->next;
    for (auto& answer : letter->mail.answers) answer();
    if (letter->mail.advanced) spread(*letter->mail.advanced);
  }
}

void IoThread::spread(const std::vector<PartitionRef>& advanced) {
  if (watches_.empty()) return;
  for (const PartitionRef& ref : advanced) {
    const auto found = watches_.find(ref.topic);
    if (found == watches_.end()) continue;
    for (Connection* connection : found->second) {
      const auto& owner = connections_[connection->place_].connection;
      if (std::find(woken_.begin(), woken_.end(), owner) == woken_.end()) woken_.push_back(owner);
    }
  }
  for (auto& connection : woken_) connection->news();
  woken_.clear();
}

void IoThread::tick() {
  // Of many connections a part at a time: thousands of idle ones cost next to nothing, and each still has its turn
  // every second. One that takes the place of one that left may wait for the next second.
  const std::size_t count = connections_.size();
  const std::size_t parts = count > many_connections ? ticks_a_second : 1;
  const std::size_t part = ++tick_turn_ % parts;
  const Micros now = door_.clock.steady();
  // A tick may close connections, and so change their places.
  std::vector<std::shared_ptr<Connection>> due;
  for (std::size_t place = part * count / parts; place < (part + 1) * count / parts; ++place)
    if (connections_[place].quiet_until <= now) due.push_back(connections_[place].connection);
  for (const auto& connection : due) {
    const Micros quiet_until = connection->tick(now);
    if (Place* place = find(*connection)) place->quiet_until = quiet_until;
  }
  loop_->ticks.expires_after(tick_time);
  loop_->ticks.async_wait([this](const boost::system::error_code& error) {
    if (!error) tick();
  });
}

void IoThread::add(std::shared_ptr<Connection> connection) {
  connection->place_ = connections_.size();
  connections_.push_back({std::move(connection)});
}

IoThread::Place* IoThread::find(const Connection& connection) {
  const std::size_t place = connection.place_;
  return place < connections_.size() && connections_[place].connection.get() == &connection ? &connections_[place]
                                                                                            : nullptr;
}

void IoThread::remove(Connection& connection) {
  Place* const place = find(connection);
  if (place == nullptr) return;
  connections_.back().connection->place_ = connection.place_;
  std::swap(*place, connections_.back());
  connections_.pop_back();
}

void IoThread::look_again(const Connection& connection) {
  if (Place* const place = find(connection)) place->quiet_until = Micros{0};
}

std::vector<std::shared_ptr<Connection>> IoThread::all_connections() const {
  std::vector<std::shared_ptr<Connection>> all;
  for (const Place& place : connections_) all.push_back(place.connection);
  return all;
}

void IoThread::stop_connections() {
  for (const auto& connection : all_connections()) connection->stop();
}

void IoThread::abort_connections() {
  for (const auto& connection : all_connections()) connection->abort();
}

// News are wanted from the first watcher on and then for good: a flag that comes and goes would let the news of a group
// fall between a reader's look and its wait. Sequentially consistent, so that the read that follows sees what the core
// did before it saw the flag down.
void IoThread::watch(TopicId topic, Connection& connection) {
  if (!wants_news.load(std::memory_order_relaxed)) wants_news.store(true, std::memory_order_seq_cst);
  watches_[topic].push_back(&connection);
}

void IoThread::unwatch(TopicId topic, Connection& connection) {
  const auto found = watches_.find(topic);
  if (found == watches_.end()) return;
  std::erase(found->second, &connection);
  if (found->second.empty()) watches_.erase(found);
}

}  // namespace continuo::serve
