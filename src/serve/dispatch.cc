// From the route table to the handlers.
#include "continuo/serve/handlers.h"
#include "continuo/serve/io_thread.h"

namespace continuo::serve {
namespace {

using namespace wire::http;  // the request types

void run(Exchange& exchange, Route route, AnyRequest& request) {
  switch (route) {
    case Route::list_topics: return list_topics(exchange);
    case Route::put_topic: return put_topic(exchange, std::get<PutTopic>(request));
    case Route::change_topic: return change_topic(exchange, std::get<ChangeTopic>(request));
    case Route::get_topic: return get_topic(exchange, std::get<OneTopic>(request));
    case Route::delete_topic: return delete_topic(exchange, std::get<OneTopic>(request));
    case Route::trim_topic: return trim_topic(exchange, std::get<TrimTopic>(request));
    case Route::skip_damaged: return skip_damaged(exchange, std::move(std::get<SkipDamaged>(request)));
    case Route::publish: return publish(exchange, std::get<Publish>(request));
    case Route::read: return read(exchange, std::get<Read>(request));
    case Route::list_subscriptions: return list_subscriptions(exchange);
    case Route::put_subscription: return put_subscription(exchange, std::get<PutSubscription>(std::move(request)));
    case Route::change_subscription:
      return change_subscription(exchange, std::get<ChangeSubscription>(std::move(request)));
    case Route::get_subscription: return get_subscription(exchange, std::get<OneSubscription>(request));
    case Route::delete_subscription: return delete_subscription(exchange, std::get<OneSubscription>(request));
    case Route::pause: return pause(exchange, std::get<OneSubscription>(request), true);
    case Route::resume: return pause(exchange, std::get<OneSubscription>(request), false);
    case Route::receive: {
      const Receive& wanted = std::get<Receive>(request);
      return wanted.repair ? receive_repairs(exchange, wanted) : receive(exchange, wanted);
    }
    case Route::settle:
      if (const auto* repairs = std::get_if<SettleRepairs>(&request)) return settle_repairs(exchange, *repairs);
      return settle(exchange, std::move(std::get<Settle>(request)));
    case Route::list_parked: return list_parked(exchange, std::get<ListParked>(request));
    case Route::retry_parked: return retry_parked(exchange, std::get<OneParkedKey>(request));
    case Route::skip_parked: return skip_parked(exchange, std::get<OneParkedKey>(request));
    case Route::cancel_parked: return cancel_parked(exchange, std::get<OneParkedKey>(request));
    case Route::edit_parked: return edit_parked(exchange, std::get<OneParkedKey>(request));
    case Route::release_parked: return release_parked(exchange, std::get<ReleaseParked>(request));
    case Route::get_release: return get_release(exchange, std::get<OneSubscription>(request));
    case Route::stop_release: return stop_release(exchange, std::get<OneSubscription>(request));
    case Route::seek: return seek(exchange, std::get<SeekSubscription>(request));
    case Route::list_groups: return list_groups(exchange, std::get<ListGroups>(request));
    case Route::get_group: return get_group(exchange, std::get<OneGroup>(request));
    case Route::delete_group: return delete_group(exchange, std::get<OneGroup>(request));
    case Route::reset_offsets: return reset_offsets(exchange, std::move(std::get<ResetOffsets>(request)));
    case Route::list_queues: return list_queues(exchange);
    case Route::put_queue: return put_queue(exchange, std::move(std::get<PutQueue>(request)));
    case Route::change_queue: return change_queue(exchange, std::move(std::get<ChangeQueue>(request)));
    case Route::get_queue: return get_queue(exchange, std::get<OneQueue>(request));
    case Route::delete_queue: return delete_queue(exchange, std::get<OneQueue>(request));
    case Route::send_messages: return send_messages(exchange, std::move(std::get<SendMessages>(request)));
    case Route::receive_messages: return receive_messages(exchange, std::get<Receive>(request));
    case Route::settle_messages: return settle_messages(exchange, std::move(std::get<Settle>(request)));
    case Route::peek_queue: return peek_queue(exchange, std::get<PeekQueue>(request));
    case Route::purge_queue: return purge_queue(exchange, std::get<PurgeQueue>(request));
    case Route::redrive_queue: return redrive_queue(exchange, std::get<RedriveQueue>(request));
    case Route::explain: return explain_pattern(exchange, std::get<ExplainPattern>(request));
    case Route::node: return node_page(exchange);
    case Route::livez: return livez(exchange);
    case Route::readyz: return readyz(exchange);
    case Route::metrics: return metrics(exchange);
    case Route::openapi: return openapi(exchange);
    case Route::error_page: return error_page(exchange, std::get<ErrorPage>(request));
    case Route::later: break;
  }
  exchange.refuse({Code::unsupported, "this path is not in this release", {}, {}}, {});
}

}  // namespace

void handle(Exchange& exchange) {
  if (exchange.match().route == Route::publish) {  // the short way for what comes most often
    auto request = read_publish(exchange.match(), exchange.request());
    if (!request) return exchange.refuse(request.error(), {});
    if (request->format == EventFormat::lines) return publish_lines(exchange, *request);
    return request->reply_within ? publish_and_wait(exchange, *request) : publish(exchange, *request);
  }
  auto request = read_request(exchange.match(), exchange.request());
  if (!request) return exchange.refuse(request.error(), {});
  run(exchange, exchange.match().route, *request);
}

}  // namespace continuo::serve
