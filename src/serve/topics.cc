// Topics: define, change, look, delete, trim.
#include <fmt/format.h>

#include "continuo/record/cloudevents.h"
#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"
#include "continuo/wire/http/definitions.h"

namespace continuo::serve {
namespace {

std::string definition(const node::Topic& topic) {
  std::string out = "{\"name\":";
  record::write_json_string(topic.name, out);
  out += fmt::format(",\"partitions\":{}", topic.settings.partitions);
  wire::http::write_topic_settings(topic.settings, out);
  return out + "}";
}

void write_partition(const node::PartitionState& state, std::string& out) {
  out += fmt::format(R"({{"partition":{},"first":"{}","next":"{}","bytes":{}}})", state.partition.value,
                     state.first.value, state.next.value, state.bytes);
}

Result<std::string> description(node::Node& node, const node::Topic& topic) {
  std::string out = "{\"name\":";
  record::write_json_string(topic.name, out);
  out += fmt::format(",\"durable\":{},\"created\":\"{}\"", node.durable(), format_time(topic.created));
  wire::http::write_topic_settings(topic.settings, out);
  out += ",\"partitions\":[";
  for (std::uint32_t i = 0; i < topic.settings.partitions; ++i) {
    auto state = node.partition_state({topic.id, PartitionId{i}});
    if (!state) return pass(state);
    if (i != 0) out += ",";
    write_partition(*state, out);
  }
  return out + "]}";
}

}  // namespace

Error unknown_topic(std::string_view name) {
  return {Code::unknown_topic, fmt::format("there is no topic '{}'", name), "topic", {}};
}

Error unknown_partition(const node::Topic& topic, PartitionId wanted) {
  return {
      Code::unknown_partition,
      fmt::format("topic '{}' has partitions 0 to {}, not {}", topic.name, topic.settings.partitions - 1, wanted.value),
      "partition",
      {}};
}

void with_topic(Exchange& exchange, const std::string& name,
                std::move_only_function<void(Exchange&, const node::Topic&)> then) {
  IoThread& thread = exchange.thread();
  const auto catalogue = thread.node().catalogue();
  if (const node::Topic* topic = catalogue->find_topic(name)) return then(exchange, *topic);
  if (!thread.door().options.auto_create) return exchange.refuse(unknown_topic(name), {});
  thread.node().create_topic(
      thread, name, {},
      [self = exchange.shared_from_this(), name, then = std::move(then)](Result<node::Put<node::Topic>> made) mutable {
        if (self->gone()) return;
        if (made) return then(*self, made->value);
        // Made by another request meanwhile, with other settings: that one, then.
        const auto now = self->thread().node().catalogue();
        const node::Topic* topic = now->find_topic(name);
        if (!topic) return self->refuse(made.error(), {});
        then(*self, *topic);
      });
}

void list_topics(Exchange& exchange) {
  const auto catalogue = exchange.thread().node().catalogue();
  std::string out = "{\"topics\":[";
  for (const auto& [name, topic] : catalogue->topics) {
    if (out.back() != '[') out += ",";
    out += definition(*topic);
  }
  exchange.answer_json(out + "]}");
}

void put_topic(Exchange& exchange, const wire::http::PutTopic& request) {
  IoThread& thread = exchange.thread();
  thread.node().create_topic(thread, request.topic, request.settings,
                             [self = exchange.shared_from_this()](Result<node::Put<node::Topic>> put) {
                               if (!put) return self->refuse(put.error(), {});
                               self->answer_json(definition(put->value), put->created ? 201 : 200);
                             });
}

void change_topic(Exchange& exchange, const wire::http::ChangeTopic& request) {
  IoThread& thread = exchange.thread();
  thread.node().change_topic(thread, request.topic, request.change, false,
                             [self = exchange.shared_from_this()](const Result<node::Topic>& changed) {
                               if (!changed) return self->refuse(changed.error(), {});
                               self->answer_json(definition(*changed));
                             });
}

void get_topic(Exchange& exchange, const wire::http::OneTopic& request) {
  node::Node& node = exchange.thread().node();
  const auto catalogue = node.catalogue();
  const node::Topic* topic = catalogue->find_topic(request.topic);
  if (!topic) return exchange.refuse(unknown_topic(request.topic), {});
  auto out = description(node, *topic);
  if (!out) return exchange.refuse(out.error(), {});
  exchange.answer_json(*out);
}

void delete_topic(Exchange& exchange, const wire::http::OneTopic& request) {
  IoThread& thread = exchange.thread();
  thread.node().delete_topic(thread, request.topic, [self = exchange.shared_from_this()](Result<void> done) {
    if (!done) return self->refuse(done.error(), {});
    self->answer(204, {}, {}, {});
  });
}

void skip_damaged(Exchange& exchange, wire::http::SkipDamaged request) {
  IoThread& thread = exchange.thread();
  const auto catalogue = thread.node().catalogue();
  const node::Topic* topic = catalogue->find_topic(request.topic);
  if (!topic) return exchange.refuse(unknown_topic(request.topic), {});
  thread.node().skip_damaged(thread, {topic->id, request.partition}, request.from, request.next,
                             std::move(request.reason), [self = exchange.shared_from_this()](Result<void> done) {
                               if (!done) return self->refuse(done.error(), {});
                               self->answer(204, {}, {}, {});
                             });
}

void trim_topic(Exchange& exchange, const wire::http::TrimTopic& request) {
  IoThread& thread = exchange.thread();
  const auto catalogue = thread.node().catalogue();
  const node::Topic* topic = catalogue->find_topic(request.topic);
  if (!topic) return exchange.refuse(unknown_topic(request.topic), {});
  thread.node().trim(thread, topic->id, request.partition, request.before,
                     [self = exchange.shared_from_this()](Result<node::PartitionState> state) {
                       if (!state) return self->refuse(state.error(), {});
                       std::string out;
                       write_partition(*state, out);
                       self->answer_json(out);
                     });
}

}  // namespace continuo::serve
