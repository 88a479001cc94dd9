#include "continuo/base/errors.h"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace continuo::inline base {
namespace {

struct Text {
  Code code;
  std::string_view meaning;
  std::string_view mend;
};

constexpr Text texts[] = {
    {Code::bad_request, "The request could not be understood; `at` names the part.",
     "Correct the part named by `at` and send it again."},
    {Code::bad_json, "The body is not valid JSON. `at` gives line and column.",
     "Correct the text at that line and column."},
    {Code::bad_utf8, "A text is not valid UTF-8. `at` gives the byte.",
     "Send UTF-8; put binary data into `data_base64`."},
    {Code::bad_event, "The event does not follow CloudEvents 1.0. `at` names the attribute.",
     "Set the attribute as CloudEvents 1.0.2 says."},
    {Code::bad_name, "Names are 1 to 200 characters of [A-Za-z0-9._-], and not '.' or '..'.", "Choose another name."},
    {Code::bad_pattern, "The event pattern is not valid. `at` names the place.", "See docs/patterns.md."},
    {Code::bad_setting, "A setting has a value it cannot take. `at` names it.",
     "Send a value as the detail asks for it; GET /openapi.json has every field, its kind and its limits."},
    {Code::unknown_field, "The request has a field nobody reads. `at` names it.",
     "Remove it, or use the name the hint proposes."},
    {Code::bad_position, "The position was not made by this server for this topic.",
     "Use a value of Continuo-Next, `earliest` or `latest`."},
    {Code::unknown_topic, "There is no topic of that name.", "Create it: continuo topic create NAME."},
    {Code::unknown_partition, "The topic has no partition of that number.",
     "Partitions count from 0; see continuo topic show NAME."},
    {Code::unknown_subscription, "There is no subscription of that name.",
     "Create it: continuo sub create NAME --topic TOPIC."},
    {Code::unknown_queue, "There is no queue of that name.", "Create it: continuo queue create NAME."},
    {Code::unknown_key, "The subscription knows no waiting or parked key of that name.",
     "List them: continuo parked list NAME."},
    {Code::unknown_group, "There is no consumer group of that name.", "List them: continuo group list."},
    {Code::not_found, "There is nothing at that path.", "See /openapi.json for the paths there are."},
    {Code::method_not_allowed, "The path does not take that method.", "See the Allow header of the answer."},
    {Code::topic_exists, "The topic exists already with other settings.",
     "Publish to it as it is, or delete it first."},
    {Code::subscription_exists, "The subscription exists already and this part of it cannot change.",
     "Delete it first, or choose another name."},
    {Code::id_reused, "An event of the same source and id but other content was published shortly before.",
     "Give every event its own id; repeat an event only unchanged."},
    {Code::lease_lost, "The lease ran out, or was given up, before the settle came.",
     "Do nothing: the event is delivered again. Ask for longer leases if this is frequent."},
    {Code::settle_refused,
     "A lease is not held any more, so this request settled and published nothing; an earlier one with the same leases "
     "may have done so.",
     "Drop the refused leases: what is not settled comes again."},
    {Code::out_of_order,
     "A batch of an idempotent producer does not begin with the number that comes next in its partition: one before it "
     "is missing.",
     "Clients send what is missing first, or begin a new epoch; a client that cannot must be restarted."},
    {Code::fenced, "A newer instance of this producer has taken its place.",
     "Stop this one; the newer goes on in its place."},
    {Code::group_not_empty, "The consumer group has members; only an empty one is deleted or has its offsets set.",
     "Stop its consumers: a group is empty when the last has left, or its session has run out."},
    {Code::keys_parked, "The subscription has parked keys and the request does not say what becomes of them.",
     "Say parked=keep or parked=discard."},
    {Code::not_parked, "The key has no failed event that waits for a decision.",
     "List the parked keys: continuo parked list NAME."},
    {Code::release_running, "A subscription releases parked keys in one job at a time, and one is under way.",
     "Look at it with continuo parked release NAME --status, wait, or stop it."},
    {Code::no_release, "No release of parked keys is under way in the subscription.",
     "Begin one, or look at the last."},
    {Code::system_name, "Names beginning with `continuo.` belong to the system.", "Choose another name."},
    {Code::too_large, "The body, or one event of it, is over the limit.",
     "Send less in one request; see GET /v1/node for the limits."},
    {Code::header_too_large, "The request line and headers are over the limit.", "Send fewer or shorter headers."},
    {Code::unsupported_media_type, "The Content-Type or Content-Encoding is not one that is read here.",
     "Use a type the hint names."},
    {Code::offset_out_of_range, "The offset lies before the first record kept or after the next one to be written.",
     "Start from earliest, latest or an offset between those the detail names."},
    {Code::limit_reached, "A limit of the server is reached; the detail names it.",
     "Remove what is no longer needed, or raise the limit."},
    {Code::request_timeout, "The request did not arrive completely in time.", "Send it again, faster."},
    {Code::reply_timeout, "The request was published, and no event that answers it came in time.",
     "Look for the reply later in the topic the answer names; publishing again is a new request."},
    {Code::overloaded, "More was asked than the disk takes; nothing of the request was done.",
     "Wait as long as Retry-After says, then send it again unchanged."},
    {Code::too_many_requests, "Too many requests are in flight; nothing of this one was done.",
     "Wait as long as Retry-After says, then send it again unchanged."},
    {Code::too_many_connections, "The server holds as many connections as it may.",
     "Close some, or raise --max-connections."},
    {Code::disk_full, "The disk is full: events are refused, reading, settling and deleting go on.",
     "Free space, or shorten a topic's retention, or delete a topic."},
    {Code::shutting_down, "The server is stopping.", "Send it again when the server is back."},
    {Code::not_ready, "The server is still recovering.", "Wait until /readyz answers 200."},
    {Code::node_failed, "A write to the journal failed; the node stopped so that no answer can lie.",
     "Look at the log for the disk error, mend the disk, start again."},
    {Code::unsupported, "This is not available here.", "See GET /v1/node for what is."},
    {Code::damaged_data, "Bytes on the disk do not have the checksum they were written with.",
     "Restore them, or pass over the range the detail names: it is lost."},
    {Code::damaged_journal, "An acknowledged group in the journal is damaged.",
     "Run `continuo doctor --data DIR` to see what it is; --accept-loss goes on without it."},
    {Code::wrong_format, "The data folder was written by a version this one cannot read.",
     "Use the version that wrote it, or a newer one."},
    {Code::data_locked, "Another process has the data folder open.", "Stop it, or use another folder."},
    {Code::io_error, "The disk or the network failed.", "Look at the detail; check the disk."},
    {Code::connection_failed, "The server could not be reached, or hung up.",
     "Check that it runs and the address is right."},
    {Code::bad_usage, "The command line is not one the program takes.",
     "Run `continuo help` or `continuo COMMAND --help`."},
    {Code::breach, "A check found a promise broken.", "Keep the data folder and report it."},
};

constexpr auto table = [] {
  constexpr std::size_t count = std::size(texts);
  std::array<CodeInfo, count> all{};
  std::size_t next = 0;
#define CONTINUO_ROW(NAME, STATUS, TITLE) \
  for (const Text& text : texts)          \
    if (text.code == Code::NAME) all[next++] = {Code::NAME, #NAME, STATUS, TITLE, text.meaning, text.mend};
  CONTINUO_ERRORS(CONTINUO_ROW)
#undef CONTINUO_ROW
  return all;
}();

#define CONTINUO_COUNT(NAME, STATUS, TITLE) +1
static_assert(table.size() == 0 CONTINUO_ERRORS(CONTINUO_COUNT), "every code has its text");
#undef CONTINUO_COUNT

}  // namespace

const CodeInfo& info(Code code) { return table[static_cast<std::size_t>(code)]; }

std::span<const CodeInfo> all_codes() { return table; }

const CodeInfo* find_code(std::string_view name) {
  for (const CodeInfo& entry : table)
    if (entry.name == name) return &entry;
  return nullptr;
}

void place_within(Error& error, std::string_view whole) {
  std::string at{whole};
  if (error.at.starts_with("line "))
    at.append(" (").append(error.at).append(")");
  else
    at.append(error.at.empty() || error.at.starts_with('[') ? "" : ".").append(error.at);
  error.at = std::move(at);
}

std::string to_string(const Error& error) {
  std::string text{name(error.code)};
  text += ": ";
  text += error.detail;
  if (!error.at.empty()) text += " (at " + error.at + ")";
  if (!error.hint.empty()) text += "; " + error.hint;
  return text;
}

void check_failed(const char* file, int line, const char* what, std::string_view why) {
  std::fprintf(stderr, "continuo: broken invariant at %s:%d: %s %.*s\n", file, line, what, static_cast<int>(why.size()),
               why.data());
  std::abort();
}

}  // namespace continuo::inline base
