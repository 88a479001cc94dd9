#include "continuo/wire/http/head.h"

#include <boost/beast/http/basic_parser.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "continuo/record/media_type.h"
#include "continuo/wire/http/inflate.h"

namespace continuo::wire::http {
namespace {

namespace beast = boost::beast;
using beast::http::field;
using beast::http::verb;
using ErrorCode = beast::error_code;
using Text = beast::string_view;

Method method_of(verb v) {
  switch (v) {
    case verb::get: return Method::get;
    case verb::head: return Method::head;
    case verb::put: return Method::put;
    case verb::post: return Method::post;
    case verb::patch: return Method::patch;
    case verb::delete_: return Method::del;
    case verb::options: return Method::options;
    default: return Method::other;
  }
}

// Beast's grammar with our own storage: fields become spans, body bytes go to a string.
class Grammar final : public beast::http::basic_parser<true> {
 public:
  Grammar(Head& head, const HeadLimits& limits) : head_(head), limits_(limits) {
    header_limit(limits.bytes);
    body_limit(boost::none);
    eager(false);
  }

  void set_origin(const char* origin) { origin_ = origin; }
  void set_sink(std::string* sink) { sink_ = sink; }
  const Error& refusal() const { return refusal_; }
  bool refused() const { return refused_; }

 private:
  Span span(Text text) const {
    return {static_cast<std::uint32_t>(text.data() - origin_), static_cast<std::uint32_t>(text.size())};
  }

  void refuse(ErrorCode& ec, Error error) {
    refusal_ = std::move(error);
    refused_ = true;
    ec = beast::http::error::bad_field;
  }

  void on_request_impl(verb v, Text, Text target, int version, ErrorCode&) override {
    head_.method = method_of(v);
    head_.http_1_0 = version == 10;
    head_.target = span(target);
  }

  void on_field_impl(field known, Text name, Text value, ErrorCode& ec) override {
    if (is_header_done()) return;  // a trailer: nothing here reads them
    if (head_.fields.size() >= limits_.fields)
      return refuse(ec, {Code::header_too_large, fmt::format("more than {} header fields", limits_.fields), {}, {}});
    // A folded line is unfolded into memory of Beast's own. RFC 9112 5.2 wants it refused, and spans need it.
    if (!value.empty() && (value.data() < name.data() || value.data() > name.data() + 2 * limits_.bytes))
      return refuse(ec, {Code::bad_request, "a header field is folded over several lines", std::string(name), {}});
    const Span at = value.empty() ? Span{} : span(value);
    head_.fields.push_back({span(name), at});
    note(known, name, value, at, ec);
  }

  void note(field known, Text name, Text value, Span at, ErrorCode& ec) {
    switch (known) {
      case field::host: head_.has_host = true; break;
      case field::content_type: head_.content_type = at; break;
      case field::accept: head_.accept = at; break;
      case field::expect: head_.expect_continue = beast::iequals(value, "100-continue"); break;
      case field::content_encoding: note_encoding(value, ec); break;
      case field::transfer_encoding:
        if (!beast::iequals(value, "chunked"))
          refuse(ec,
                 {Code::unsupported_media_type, fmt::format("Transfer-Encoding '{}' is not read here", brief(value)),
                  "Transfer-Encoding", "use chunked, or Content-Length"});
        break;
      default:
        if (beast::iequals(name, "last-event-id")) head_.last_event_id = at;
    }
  }

  void note_encoding(Text value, ErrorCode& ec) {
    if (value.empty() || beast::iequals(value, "identity")) return;
    if (!beast::iequals(value, "gzip") && !beast::iequals(value, "x-gzip"))
      return refuse(ec,
                    {Code::unsupported_media_type, fmt::format("Content-Encoding '{}' is not read here", brief(value)),
                     "Content-Encoding", "use gzip, or none"});
    head_.encoding = Encoding::gzip;
  }

  static std::string_view brief(Text value) { return {value.data(), std::min<std::size_t>(value.size(), 40)}; }

  void on_header_impl(ErrorCode&) override {
    head_.keep_alive = keep_alive();
    head_.chunked = chunked();
    if (const auto length = content_length()) head_.content_length = *length;
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
  std::size_t on_body_impl(Text body, ErrorCode&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, Text, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text body, ErrorCode&) override {
    sink_->append(body.data(), body.size());
    return body.size();
  }
  void on_finish_impl(ErrorCode&) override {}
  void on_response_impl(int, Text, int, ErrorCode&) override {}

  Head& head_;
  const HeadLimits& limits_;
  const char* origin_ = nullptr;
  std::string* sink_ = nullptr;
  Error refusal_{};
  bool refused_ = false;
};

Error head_too_large(const HeadLimits& limits) {
  return {Code::header_too_large, fmt::format("the request line and headers are over {} bytes", limits.bytes), {}, {}};
}

Error head_error(const Grammar& grammar, const ErrorCode& ec, const HeadLimits& limits) {
  if (grammar.refused()) return grammar.refusal();
  if (ec == beast::http::error::header_limit) return head_too_large(limits);
  return {Code::bad_request, "not a HTTP/1.1 request: " + ec.message(), "head", "see RFC 9112"};
}

}  // namespace

std::string_view name(Method method) {
  constexpr std::string_view names[] = {"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "?"};
  return names[static_cast<std::size_t>(method)];
}

std::string_view Request::field(std::string_view wanted) const {
  for (const Head::Field& each : head->fields)
    if (record::equal_ignoring_case(each.name.in(bytes), wanted)) return each.value.in(bytes);
  return {};
}

struct RequestParser::State {
  std::optional<Grammar> grammar;
  std::size_t parsed = 0;       // of the head
  std::uint64_t body_left = 0;  // of a Content-Length body
  bool framing_done = false;    // the last byte of the body as framed was taken
  std::optional<Inflater> inflater;
  std::string joined;  // chunk contents on their way into the inflater
  std::size_t joined_used = 0;
};

RequestParser::RequestParser(const HeadLimits& limits) : state_(std::make_unique<State>()), limits_(limits) { reset(); }
RequestParser::~RequestParser() = default;

void RequestParser::reset() {
  auto fields = std::move(head_.fields);
  fields.clear();
  head_ = Head{};
  head_.fields = std::move(fields);
  state_->grammar.emplace(head_, limits_);
  state_->parsed = 0;
  state_->framing_done = false;
  state_->inflater.reset();
  state_->joined.clear();
  state_->joined_used = 0;
}

Result<bool> RequestParser::read_head(std::string_view bytes) {
  State& state = *state_;
  Grammar& grammar = *state.grammar;
  grammar.set_origin(bytes.data());
  while (!grammar.is_header_done()) {
    if (state.parsed == 0)  // RFC 9112 2.2: empty lines before a request are passed over by who holds the buffer
      if (bytes.empty()) return false;
    ErrorCode ec;
    const std::string_view rest = bytes.substr(state.parsed);
    state.parsed += grammar.put(boost::asio::const_buffer(rest.data(), rest.size()), ec);
    if (ec == beast::http::error::need_more) {
      if (bytes.size() >= limits_.bytes) return std::unexpected(head_too_large(limits_));
      return false;
    }
    if (ec) return std::unexpected(head_error(grammar, ec, limits_));
  }
  if (state.parsed > limits_.bytes) return std::unexpected(head_too_large(limits_));
  if (!head_.has_host && !head_.http_1_0)
    return fail(Code::bad_request, "the Host header is missing", "Host", "every HTTP/1.1 request names its host");
  head_.size = static_cast<std::uint32_t>(state.parsed);
  state.body_left = head_.content_length;
  state.framing_done = !head_.has_body();
  if (head_.encoding == Encoding::gzip && head_.has_body()) state.inflater.emplace();
  return true;
}

// Takes framed bytes off `raw`: appends their content to `out`, until that grew by `room` or more.
static Result<std::size_t> unframe(Grammar& grammar, std::string_view raw, std::size_t room, std::string& out) {
  constexpr std::size_t max_chunk_line = 8 * 1024;
  std::size_t used = 0;
  grammar.set_sink(&out);
  const std::size_t start = out.size();
  while (used < raw.size() && !grammar.is_done() && out.size() - start < room) {
    ErrorCode ec;
    const std::size_t now = grammar.put(boost::asio::const_buffer(raw.data() + used, raw.size() - used), ec);
    used += now;
    if (ec && ec != beast::http::error::need_more)
      return fail(Code::bad_request, "the chunks of the body are not well formed: " + ec.message(), "body");
    if (now != 0) continue;
    if (raw.size() - used <= max_chunk_line) break;
    return fail(Code::bad_request, "a chunk header or trailer is over 8 KiB", "body");
  }
  return used;
}

Result<std::size_t> RequestParser::read_body(std::string_view raw, std::size_t room, std::string& out) {
  State& state = *state_;
  std::string& framed = state.inflater ? state.joined : out;
  std::size_t used = 0;
  if (head_.chunked && !state.framing_done) {
    auto taken = unframe(*state.grammar, raw, room, framed);
    if (!taken) return taken;
    used = *taken;
    state.framing_done = state.grammar->is_done();
  } else if (!state.framing_done) {
    used = static_cast<std::size_t>(std::min<std::uint64_t>({raw.size(), state.body_left, room}));
    framed.append(raw.substr(0, used));
    state.body_left -= used;
    state.framing_done = state.body_left == 0;
  }
  if (!state.inflater) return used;

  auto inflated = state.inflater->inflate(std::string_view(state.joined).substr(state.joined_used), room, out);
  if (!inflated) return inflated;
  state.joined_used += *inflated;
  if (state.joined_used == state.joined.size()) {
    state.joined.clear();
    state.joined_used = 0;
  }
  const bool drained = state.joined.empty() && !state.inflater->pending();
  if (state.framing_done && drained && !state.inflater->at_end())
    return fail(Code::bad_request, "the gzip stream ends too early", "Content-Encoding");
  return used;
}

bool RequestParser::body_complete() const {
  if (!state_->framing_done) return false;
  return !state_->inflater || (state_->joined.empty() && !state_->inflater->pending() && state_->inflater->at_end());
}

}  // namespace continuo::wire::http
