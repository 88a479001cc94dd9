// Patterns explained: why an event matches one, or the filters of subscriptions, and why not.
//
// An event in the request is judged as the record it would be if it were published, so that what is said here is what
// matchers do. Explaining is slow next to matching, and a stored event may lie on the disk: readers do it.
#include <fmt/format.h>

#include <algorithm>

#include "continuo/record/cloudevents.h"
#include "continuo/routing/explain.h"
#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"
#include "continuo/serve/reading_aside.h"

namespace continuo::serve {
namespace {

void write_explanation(const routing::Explanation& explanation, std::string& out) {
  out += explanation.matches ? "\"matches\":true,\"because\":[" : "\"matches\":false,\"because\":[";
  for (const routing::Because& because : explanation.because) {
    if (out.back() != '[') out += ",";
    out += "{\"at\":";
    record::write_json_string(because.at, out);
    out += fmt::format(R"(,"reason":"{}","wanted":{})", routing::name_of(because.reason), because.wanted);
    if (!because.found.empty()) out += ",\"found\":" + because.found;
    out += "}";
  }
  out += "]";
}

// What is explained, once the event is at hand. Any thread.
class Question {
 public:
  Question(std::shared_ptr<const node::Catalogue> catalogue, const wire::http::ExplainPattern& request)
      : catalogue_(std::move(catalogue)), pattern_(request.pattern), topic_(request.topic) {}

  std::string answer(const routing::Input& input) const {
    std::string out = "{";
    if (pattern_)
      write_explanation(routing::explain(*pattern_, input), out);
    else
      write_subscriptions(input, out);
    return out + "}";
  }

 private:
  void write_subscriptions(const routing::Input& input, std::string& out) const {
    out += "\"subscriptions\":[";
    bool complete = true;
    for (const auto& [name, subscription] : catalogue_->subscriptions) {
      const auto& topics = subscription->settings.topics;
      if (!topic_.empty() && std::ranges::find(topics, topic_) == topics.end()) continue;
      complete = out.size() < read_answer_bytes;
      if (!complete) break;
      if (out.back() != '[') out += ",";
      out += fmt::format(R"({{"name":"{}",)", name);
      write_subscription(*subscription, input, out);
      out += "}";
    }
    out += complete ? "],\"complete\":true" : "],\"complete\":false";
  }

  static void write_subscription(const node::Subscription& subscription, const routing::Input& input,
                                 std::string& out) {
    if (subscription.settings.filter.empty()) return write_explanation({.matches = true, .because = {}}, out);
    const auto filter = routing::Pattern::parse(subscription.settings.filter);
    write_explanation(filter ? routing::explain(*filter, input) : routing::Explanation{}, out);
  }

  const std::shared_ptr<const node::Catalogue> catalogue_;
  const std::optional<routing::Pattern> pattern_;
  const std::string topic_;
};

// Of the record at `offset` in a batch.
Result<std::string> answer_of(const Question& question, std::string_view batch, const record::RecordPlace& place,
                              Offset offset) {
  std::string scratch;
  record::RecordWalk walk{batch};
  while (const auto record = walk.next()) {
    if (record->offset != offset) continue;
    const record::Event event = record::event_of(*record, place, scratch);
    return question.answer({&event, record->key, &*record});
  }
  return fail(Code::not_found, "there is no event at that offset", "event.offset");
}

void answer(Exchange& exchange, const Result<std::string>& text) {
  if (!text) return exchange.refuse(text.error(), {});
  exchange.answer_json(*text);
}

void explain_stored(Exchange& exchange, const node::Topic& topic, const wire::http::ExplainPattern::Record& record,
                    Question question) {
  const PartitionRef ref{topic.id, record.partition};
  node::Node& node = exchange.thread().node();
  auto work = [&node, ref, offset = record.offset, name = topic.name,
               question = std::move(question)]() -> Result<std::string> {
    auto batch = node.read_one(ref, offset);
    if (!batch) return pass(batch);
    return answer_of(question, **batch, {name, ref.partition}, offset);
  };
  read_aside(exchange, true, std::move(work), answer);
}

// The event as a record in a batch of its own.
Result<std::string> batch_of(std::string_view json, WallTime now) {
  record::EventParser parser;
  auto event = parser.parse(json);
  if (!event) {
    place_within(event.error(), "event");
    return pass(event);
  }
  std::string body;
  record::encode_record_body(*event, body);
  record::BatchBuilder builder;
  builder.add(body, now.ms);
  return builder.finish(Offset{0});
}

}  // namespace

void explain_pattern(Exchange& exchange, const wire::http::ExplainPattern& request) {
  IoThread& thread = exchange.thread();
  const auto catalogue = thread.node().catalogue();
  if (!request.topic.empty() && !catalogue->find_topic(request.topic))
    return exchange.refuse(unknown_topic(request.topic), {});
  Question question{catalogue, request};
  if (request.record) {
    const node::Topic* topic = catalogue->find_topic(request.record->topic);
    if (!topic) return exchange.refuse(unknown_topic(request.record->topic), {});
    if (request.record->partition.value >= topic->settings.partitions)
      return exchange.refuse(unknown_partition(*topic, request.record->partition), {});
    return explain_stored(exchange, *topic, *request.record, std::move(question));
  }
  auto batch = batch_of(request.event, thread.clock().wall());
  if (!batch) return exchange.refuse(batch.error(), {});
  auto work = [batch = std::move(*batch), topic = request.topic, question = std::move(question)] {
    return answer_of(question, batch, {topic, PartitionId{0}}, Offset{0});
  };
  read_aside(exchange, true, std::move(work), answer);
}

}  // namespace continuo::serve
