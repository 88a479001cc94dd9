// The whole way of a request from bytes to its type: head, body framing, gzip, route, query, JSON, events. The first
// byte chooses in what pieces the rest arrives.
#include <cstddef>
#include <cstdint>
#include <string>

#include "continuo/wire/http/requests.h"
#include "continuo/wire/http/uri.h"

namespace {

using namespace continuo;
using namespace continuo::wire::http;

constexpr std::size_t max_body = 1 << 20;

bool read_head(RequestParser& parser, std::string& in, const std::string& input, std::size_t& given, std::size_t step) {
  for (;;) {
    const auto complete = parser.read_head(in);
    if (!complete) return false;
    if (*complete) return true;
    if (given == input.size()) return false;
    in.append(input, given, step);
    given = std::min(input.size(), given + step);
  }
}

bool read_body(RequestParser& parser, std::string raw, std::string& body) {
  while (!parser.body_complete()) {
    const std::size_t before = body.size();
    const auto used = parser.read_body(raw, max_body + 1 - before, body);
    if (!used || body.size() > max_body) return false;
    raw.erase(0, *used);
    if (*used == 0 && body.size() == before) return false;
  }
  return true;
}

void read_events(EventReader& reader, const Publish& publish, const Request& request) {
  if (publish.format != EventFormat::lines)
    return (void)reader.read(publish.format, request, [](const record::Event&) { return Result<void>{}; });
  Lines lines;
  std::size_t used = 0;
  while (const auto line = lines.next(request.body, used, true)) (void)reader.read_one(*line, lines.number());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static EventReader reader;
  if (size == 0) return 0;
  const std::string input(reinterpret_cast<const char*>(data + 1), size - 1);
  RequestParser parser;
  std::string in, body;
  std::size_t given = 0;
  if (!read_head(parser, in, input, given, data[0] + 1u)) return 0;
  const Head& head = parser.head();
  in.append(input, given);
  if (!read_body(parser, in.substr(head.size), body)) return 0;
  body.reserve(body.size() + record::json_padding);
  Request request{&head, std::string_view(in).substr(0, head.size), body};
  const auto route = match(head.method, split_target(request.target()));
  if (!route) return 0;
  const auto typed = read_request(*route, request);
  if (!typed) return 0;
  if (const auto* publish = std::get_if<Publish>(&*typed)) read_events(reader, *publish, request);
  return 0;
}
