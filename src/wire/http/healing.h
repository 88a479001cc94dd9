// Requests that heal parked keys, repair as a workflow, and move subscriptions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/engines/effects.h"
#include "continuo/engines/subscription_requests.h"
#include "continuo/wire/http/json.h"
#include "continuo/wire/http/position.h"
#include "continuo/wire/http/uri.h"

namespace continuo::wire::http {

struct ListParked {
  static constexpr std::uint32_t max_limit = 1'000;
  std::string subscription;
  std::optional<std::string> key;
  engines::ReleaseFilter filter;
  std::optional<std::string> after;  ///< the `next` of the page before
  std::uint32_t limit = 100;
};

/// retry_parked, skip_parked, cancel_parked, edit_parked. Views point into the body.
struct OneParkedKey {
  std::string subscription;
  std::string key;  ///< as in the path, decoded: the key's text, or "~" and the 16 hex digits of its `id`
  engines::Asked asked;
  std::string_view event;  ///< of an edit: structured, as sent
  bool release = true;     ///< the edited key drains
};

struct ReleaseParked {
  std::string subscription;
  engines::ReleaseFilter filter;
  std::uint32_t rate = 0;  ///< keys a second; 0: no limit
  bool stop_at_relapse = true;
  bool dry_run = false;
  engines::Asked asked;
};

/// Leases are tokens still. Views point into the body.
struct SettleRepairs {
  static constexpr std::size_t most = 1'000;
  struct One {
    engines::RepairSettle::Outcome outcome;
    std::string lease;
    std::string reason;
    std::string_view event;  ///< repaired: structured, as sent
  };
  std::string subscription;
  std::vector<One> repairs;
  std::string by;
};

struct SeekSubscription {
  std::string subscription;
  From to;
  std::optional<bool> keep_parked;  ///< none: it is not said what becomes of parked keys
  engines::Asked asked;
};

/// Reads the members "by" and "reason".
void read_asked(Fields& fields, engines::Asked& asked);
/// ?fingerprint=&type=&key=&limit=&after=
Result<ListParked> read_parked_list(const Query& query);
/// {"by":"ann","reason":"..."}; with `edit` also {"event":{...},"release":true}.
Result<OneParkedKey> read_parked_verb(const Json& object, bool edit);
/// {"fingerprint":"..","type":"..","after":"<time>","before":"<time>","rate":"100/s","stop_at_relapse":true,
/// "dry_run":false,"by":"..","reason":".."}
Result<ReleaseParked> read_release(const Json& object);
/// {"repaired":[{"lease":"..","event":{...},"reason":".."}],"needs_person":[{"lease":".."}],"skip":[..],"by":".."}
Result<SettleRepairs> read_repairs_settled(const Json& object);
/// {"to":"earliest|latest|<time>|<position>","parked":"keep|discard","by":"..","reason":".."}
Result<SeekSubscription> read_seek(const Json& object);

}  // namespace continuo::wire::http
