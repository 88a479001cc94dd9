#include "continuo/wire/http/healing.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "continuo/wire/http/rate.h"

namespace continuo::wire::http {
namespace {

constexpr std::size_t longest_by = 200, longest_reason = 4'096;

void read_text(Fields& fields, std::string_view name, std::string& into, std::size_t most) {
  fields.text(name, into);
  if (into.size() > most) fields.refuse(name, Code::bad_setting, fmt::format("at most {} bytes", most));
}

void read_outcomes(Fields& fields, std::string_view name, engines::RepairSettle::Outcome outcome,
                   SettleRepairs& settle) {
  const bool repaired = outcome == engines::RepairSettle::Outcome::repaired;
  const Json* list = fields.array(name);
  if (!list) return;
  if (list->items.size() + settle.repairs.size() > SettleRepairs::most)
    return fields.refuse(name, Code::limit_reached, "more than 1,000 repairs in one request",
                         "send them in several requests");
  for (std::size_t i = 0; i < list->items.size() && fields.ok(); ++i) {
    const std::string path = fmt::format("{}[{}]", name, i);
    Fields inner = repaired ? Fields(list->items[i], path, {"lease", "reason", "event"})
                            : Fields(list->items[i], path, {"lease", "reason"});
    SettleRepairs::One& one = settle.repairs.emplace_back();
    one.outcome = outcome;
    inner.required("lease");
    inner.text("lease", one.lease);
    read_text(inner, "reason", one.reason, longest_reason);
    if (repaired) inner.required("event");
    if (const Json* event = repaired ? inner.object("event") : nullptr) one.event = event->raw;
    fields.take(inner.result());
  }
}

}  // namespace

void read_asked(Fields& fields, engines::Asked& asked) {
  read_text(fields, "by", asked.by, longest_by);
  read_text(fields, "reason", asked.reason, longest_reason);
}

Result<ListParked> read_parked_list(const Query& query) {
  if (auto known = query.only({"key", "fingerprint", "type", "limit", "after"}); !known) return pass(known);
  ListParked list;
  if (const auto key = query.find("key")) list.key.emplace(*key);
  list.filter.fingerprint = query.find("fingerprint").value_or("");
  list.filter.event_type = query.find("type").value_or("");
  if (const auto after = query.find("after")) list.after.emplace(*after);
  if (const auto limit = query.find("limit")) {
    const auto [end, error] = std::from_chars(limit->data(), limit->data() + limit->size(), list.limit);
    if (error != std::errc{} || end != limit->data() + limit->size() || list.limit == 0 ||
        list.limit > ListParked::max_limit)
      return fail(Code::bad_setting, fmt::format("'limit' is '{}'", limit->substr(0, 40)), "limit",
                  "a whole number from 1 to 1000");
  }
  return list;
}

Result<OneParkedKey> read_parked_verb(const Json& object, bool edit) {
  Fields fields =
      edit ? Fields(object, {}, {"by", "reason", "event", "release"}) : Fields(object, {}, {"by", "reason"});
  OneParkedKey parked;
  read_asked(fields, parked.asked);
  if (edit) {
    fields.required("event");
    if (const Json* event = fields.object("event")) parked.event = event->raw;
    fields.boolean("release", parked.release);
  }
  if (auto checked = fields.result(); !checked) return pass(checked);
  return parked;
}

Result<ReleaseParked> read_release(const Json& object) {
  Fields fields(object, {},
                {"fingerprint", "type", "after", "before", "rate", "stop_at_relapse", "dry_run", "by", "reason"});
  ReleaseParked release;
  read_text(fields, "fingerprint", release.filter.fingerprint, longest_reason);
  read_text(fields, "type", release.filter.event_type, longest_reason);
  fields.time("after", release.filter.after);
  fields.time("before", release.filter.before);
  if (fields.has("rate")) {
    std::string text;
    fields.text("rate", text);
    if (auto rate = rate_from(text)) {
      release.rate = std::max<std::uint32_t>(1, static_cast<std::uint32_t>(rate->count * 1'000ll / rate->per.count()));
    } else {
      rate.error().at = "rate";
      fields.refuse(std::move(rate.error()));
    }
  }
  if (release.filter.after && release.filter.before && *release.filter.before <= *release.filter.after)
    fields.refuse("before", Code::bad_setting, "there is no time between 'after' and 'before'",
                  "a time later than that of 'after'");
  fields.boolean("stop_at_relapse", release.stop_at_relapse);
  fields.boolean("dry_run", release.dry_run);
  read_asked(fields, release.asked);
  if (auto checked = fields.result(); !checked) return pass(checked);
  return release;
}

Result<SettleRepairs> read_repairs_settled(const Json& object) {
  using Outcome = engines::RepairSettle::Outcome;
  Fields fields(object, {}, {"repaired", "needs_person", "skip", "by"});
  SettleRepairs settle;
  read_outcomes(fields, "repaired", Outcome::repaired, settle);
  read_outcomes(fields, "needs_person", Outcome::needs_person, settle);
  read_outcomes(fields, "skip", Outcome::skip, settle);
  read_text(fields, "by", settle.by, longest_by);
  if (auto checked = fields.result(); !checked) return pass(checked);
  return settle;
}

Result<SeekSubscription> read_seek(const Json& object) {
  Fields fields(object, {}, {"to", "parked", "by", "reason"});
  SeekSubscription seek;
  std::string to, parked;
  fields.required("to");
  fields.text("to", to);
  if (fields.ok()) {
    if (auto from = parse_from(to, false)) {
      seek.to = std::move(*from);
    } else {
      from.error().at = "to";
      fields.refuse(std::move(from.error()));
    }
  }
  fields.text("parked", parked);
  if (fields.has("parked") && parked != "keep" && parked != "discard")
    fields.refuse("parked", Code::bad_setting, fmt::format("'parked' cannot be '{}'", parked.substr(0, 80)),
                  "one of: keep, discard");
  if (!parked.empty()) seek.keep_parked = parked == "keep";
  read_asked(fields, seek.asked);
  if (auto checked = fields.result(); !checked) return pass(checked);
  return seek;
}

}  // namespace continuo::wire::http
