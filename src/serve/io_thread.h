// One I/O thread: its event loop, its place in the node, its connections, and what they share without locks.
//
// Nothing of Asio shows here (loop.h has it), so that handlers compile fast.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "continuo/node/node.h"
#include "continuo/serve/buffer_budget.h"
#include "continuo/serve/counters.h"
#include "continuo/serve/reader_pool.h"
#include "continuo/serve/server.h"
#include "continuo/wire/http/answer.h"
#include "continuo/wire/http/events.h"
#include "continuo/wire/kafka/codec.h"

namespace continuo::serve {

class IoThread;
class ReplyWatches;
struct Loop;

/// What Kafka clients are told about this server.
struct KafkaIdentity {
  std::string host;
  std::uint16_t port = 0;
  std::string cluster_id;  ///< 22 letters; the same as long as the data folder lives
  wire::kafka::Uuid id;    ///< of it topics' ids are made
};
KafkaIdentity kafka_identity(std::uint64_t secret, std::string host, std::uint16_t port);

/// What all threads of one server share.
struct Door {
  Door(node::Node& its_node, const ServerOptions& its_options, Clock& its_clock)
      : node(its_node), options(its_options), clock(its_clock), budget(its_options.max_buffer_bytes) {}
  node::Node& node;
  const ServerOptions options;
  Clock& clock;
  BufferBudget budget;
  std::atomic<std::uint32_t> connections{0};
  std::atomic<std::uint64_t> admitted{0};  ///< bytes of publishes that are being received
  std::atomic<std::uint64_t> refused_connections{0};
  std::atomic<bool> stopping{false};
  ReaderPool readers;
  KafkaIdentity kafka;  ///< set before the first connection
  std::vector<std::unique_ptr<IoThread>> threads;
};

/// A connection, as its thread sees it.
class Connection {
 public:
  virtual ~Connection() = default;
  /// About once a second. Gives the time until which it needs none, unless IoThread::look_again says otherwise.
  virtual Micros tick(Micros now) = 0;
  virtual void news() = 0;
  virtual void stop() = 0;
  /// Closes at once.
  virtual void abort() = 0;

 private:
  friend class IoThread;
  std::size_t place_ = 0;  // among its thread's connections
};

class IoThread final : public node::Edge {
 public:
  explicit IoThread(Door& door);
  ~IoThread() override;

  void start();
  /// Ends the loop and joins. The caller has closed the connections.
  void stop();

  // --- any thread ---
  void deliver(node::Mail mail) override;
  void post(std::move_only_function<void()> task);

  // --- on this thread only ---
  Door& door() { return door_; }
  node::Node& node() { return door_.node; }
  Clock& clock() { return door_.clock; }
  Loop& loop() { return *loop_; }
  Counters& counters() { return counters_; }
  wire::http::EventReader& event_reader() { return event_reader_; }
  wire::http::Stamp& stamp() { return stamp_; }
  ReplyWatches& reply_watches() { return *reply_watches_; }
  std::string_view date() { return date_.at(door_.clock.wall()); }

  void add(std::shared_ptr<Connection> connection);
  /// Fine when it is gone already.
  void remove(Connection& connection);
  /// The connection is ticked again.
  void look_again(const Connection& connection);
  std::size_t connection_count() const { return connections_.size(); }
  void stop_connections();
  void abort_connections();

  /// Has connection.news() called when the topic gets records, until unwatch. One topic a connection.
  void watch(TopicId topic, Connection& connection);
  void unwatch(TopicId topic, Connection& connection);

 private:
  // Side by side, so that nothing of an idle connection is touched: its memory may be far away by then.
  struct Place {
    std::shared_ptr<Connection> connection;
    Micros quiet_until{0};
  };
  Place* find(const Connection& connection);
  std::vector<std::shared_ptr<Connection>> all_connections() const;
  struct Letter {
    node::Mail mail;
    Letter* next;
  };
  void run();
  void open_mail();
  void spread(const std::vector<PartitionRef>& advanced);
  void tick();

  Door& door_;
  std::unique_ptr<Loop> loop_;
  std::thread thread_;
  std::atomic<Letter*> letters_{nullptr};
  Counters counters_;
  wire::http::EventReader event_reader_;
  wire::http::Stamp stamp_;
  wire::http::DateText date_;
  const std::unique_ptr<ReplyWatches> reply_watches_;  // outlives the connections, which leave it
  std::vector<Place> connections_;
  std::unordered_map<TopicId, std::vector<Connection*>> watches_;
  std::vector<std::shared_ptr<Connection>> woken_;  // kept for its memory
  std::size_t tick_turn_ = 0;
};

}  // namespace continuo::serve
