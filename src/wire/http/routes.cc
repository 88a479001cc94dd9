#include "continuo/wire/http/routes.h"

#include <fmt/format.h>

namespace continuo::wire::http {
namespace {

// What is asked most often first.
constexpr RouteEntry table[] = {
    {Route::publish, Method::post, "/v1/topics/{topic}/events", "publish"},
    {Route::read, Method::get, "/v1/topics/{topic}/events", "read"},
    {Route::receive, Method::post, "/v1/subscriptions/{subscription}/receive", "receive"},
    {Route::settle, Method::post, "/v1/subscriptions/{subscription}/settle", "settle"},
    {Route::list_topics, Method::get, "/v1/topics", "list_topics"},
    {Route::put_topic, Method::put, "/v1/topics/{topic}", "put_topic"},
    {Route::change_topic, Method::patch, "/v1/topics/{topic}", "change_topic"},
    {Route::get_topic, Method::get, "/v1/topics/{topic}", "get_topic"},
    {Route::delete_topic, Method::del, "/v1/topics/{topic}", "delete_topic"},
    {Route::trim_topic, Method::post, "/v1/topics/{topic}/trim", "trim_topic"},
    {Route::skip_damaged, Method::post, "/v1/topics/{topic}/skip", "skip_damaged"},
    {Route::list_subscriptions, Method::get, "/v1/subscriptions", "list_subscriptions"},
    {Route::put_subscription, Method::put, "/v1/subscriptions/{subscription}", "put_subscription"},
    {Route::change_subscription, Method::patch, "/v1/subscriptions/{subscription}", "change_subscription"},
    {Route::get_subscription, Method::get, "/v1/subscriptions/{subscription}", "get_subscription"},
    {Route::delete_subscription, Method::del, "/v1/subscriptions/{subscription}", "delete_subscription"},
    {Route::pause, Method::post, "/v1/subscriptions/{subscription}/pause", "pause"},
    {Route::resume, Method::post, "/v1/subscriptions/{subscription}/resume", "resume"},
    {Route::list_parked, Method::get, "/v1/subscriptions/{subscription}/parked", "list_parked"},
    {Route::retry_parked, Method::post, "/v1/subscriptions/{subscription}/parked/{key}/retry", "retry_parked"},
    {Route::skip_parked, Method::post, "/v1/subscriptions/{subscription}/parked/{key}/skip", "skip_parked"},
    {Route::cancel_parked, Method::post, "/v1/subscriptions/{subscription}/parked/{key}/cancel", "cancel_parked"},
    {Route::edit_parked, Method::post, "/v1/subscriptions/{subscription}/parked/{key}/edit", "edit_parked"},
    {Route::release_parked, Method::post, "/v1/subscriptions/{subscription}/parked/release", "release_parked"},
    {Route::get_release, Method::get, "/v1/subscriptions/{subscription}/parked/release", "get_release"},
    {Route::stop_release, Method::del, "/v1/subscriptions/{subscription}/parked/release", "stop_release"},
    {Route::seek, Method::post, "/v1/subscriptions/{subscription}/seek", "seek"},
    {Route::list_groups, Method::get, "/v1/groups", "list_groups"},
    {Route::get_group, Method::get, "/v1/groups/{group}", "get_group"},
    {Route::delete_group, Method::del, "/v1/groups/{group}", "delete_group"},
    {Route::reset_offsets, Method::post, "/v1/groups/{group}/offsets", "reset_offsets"},
    {Route::list_queues, Method::get, "/v1/queues", "list_queues"},
    {Route::put_queue, Method::put, "/v1/queues/{queue}", "put_queue"},
    {Route::change_queue, Method::patch, "/v1/queues/{queue}", "change_queue"},
    {Route::get_queue, Method::get, "/v1/queues/{queue}", "get_queue"},
    {Route::delete_queue, Method::del, "/v1/queues/{queue}", "delete_queue"},
    {Route::send_messages, Method::post, "/v1/queues/{queue}/messages", "send_messages"},
    {Route::receive_messages, Method::post, "/v1/queues/{queue}/receive", "receive_messages"},
    {Route::settle_messages, Method::post, "/v1/queues/{queue}/settle", "settle_messages"},
    {Route::peek_queue, Method::post, "/v1/queues/{queue}/peek", "peek_queue"},
    {Route::purge_queue, Method::post, "/v1/queues/{queue}/purge", "purge_queue"},
    {Route::redrive_queue, Method::post, "/v1/queues/{queue}/redrive", "redrive_queue"},
    {Route::explain, Method::post, "/v1/patterns/explain", "explain"},
    {Route::node, Method::get, "/v1/node", "node"},
    {Route::livez, Method::get, "/livez", "livez"},
    {Route::readyz, Method::get, "/readyz", "readyz"},
    {Route::metrics, Method::get, "/metrics", "metrics"},
    {Route::openapi, Method::get, "/openapi.json", "openapi"},
    {Route::error_page, Method::get, "/errors/{code}", "error_page"},
};

std::string_view next_segment(std::string_view& pattern) {
  pattern.remove_prefix(1);
  const std::size_t end = std::min(pattern.find('/'), pattern.size());
  const std::string_view segment = pattern.substr(0, end);
  pattern.remove_prefix(end);
  return segment;
}

bool fits(std::string_view pattern, const Target& target, Match& match) {
  std::size_t parameter = 0, i = 0;
  for (; !pattern.empty(); ++i) {
    const std::string_view segment = next_segment(pattern);
    if (i == target.count) return false;
    if (segment.front() == '{') {
      if (target.segments[i].empty()) return false;
      match.parameters[parameter++] = target.segments[i];
    } else if (segment != target.segments[i]) {
      return false;
    }
  }
  return i == target.count;
}

}  // namespace

std::span<const RouteEntry> all_routes() { return table; }

std::string_view name(Route route) {
  for (const RouteEntry& entry : table)
    if (entry.route == route) return entry.name;
  return "none";
}

Result<Match> match(Method method, const Target& target) {
  std::string allowed;
  for (const RouteEntry& entry : table) {
    Match found{.route = entry.route, .parameters = {}};
    if (!fits(entry.pattern, target, found)) continue;
    if (entry.method == method || (method == Method::head && entry.method == Method::get)) return found;
    allowed += (allowed.empty() ? "" : ", ") + std::string(name(entry.method));
  }
  if (!allowed.empty())
    return fail(Code::method_not_allowed, fmt::format("this path does not take {}", name(method)), allowed);
  return fail(Code::not_found, "there is nothing at this path");
}

}  // namespace continuo::wire::http
