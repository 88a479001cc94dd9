// The paths there are. One table; the router, openapi.json, the metrics and the tests read it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "continuo/base/errors.h"
#include "continuo/wire/http/head.h"
#include "continuo/wire/http/uri.h"

namespace continuo::wire::http {

enum class Route : std::uint8_t {
  publish,
  read,
  receive,
  settle,
  list_topics,
  put_topic,
  change_topic,
  get_topic,
  delete_topic,
  trim_topic,
  skip_damaged,
  list_subscriptions,
  put_subscription,
  change_subscription,
  get_subscription,
  delete_subscription,
  pause,
  resume,
  list_parked,
  retry_parked,
  skip_parked,
  cancel_parked,
  edit_parked,
  release_parked,
  get_release,
  stop_release,
  seek,
  list_groups,
  get_group,
  delete_group,
  reset_offsets,
  list_queues,
  put_queue,
  change_queue,
  get_queue,
  delete_queue,
  send_messages,
  receive_messages,
  settle_messages,
  peek_queue,
  purge_queue,
  redrive_queue,
  explain,
  node,
  livez,
  readyz,
  metrics,
  openapi,
  error_page,
  later,  ///< in the contract, not in this release: answered `unsupported`
};
constexpr std::size_t route_count = static_cast<std::size_t>(Route::later) + 1;

struct RouteEntry {
  Route route;
  Method method;
  std::string_view pattern;  ///< "/v1/topics/{topic}/events"
  std::string_view name;     ///< "publish": operationId and metrics label
};

std::span<const RouteEntry> all_routes();
/// The metrics label of a route.
std::string_view name(Route route);

/// A request's route and what stood in the pattern's braces, still percent-encoded.
struct Match {
  Route route = Route::later;
  std::array<std::string_view, 2> parameters;
};

/// Errors: not_found, method_not_allowed (the methods the path takes are in `at`: "GET, PUT"). HEAD is taken where GET
/// is.
Result<Match> match(Method method, const Target& target);

}  // namespace continuo::wire::http
