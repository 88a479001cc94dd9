// Any bytes as a request: its header, then its fields as what the header says. What can be read can be written, and
// reads the same again.
#include <cstdint>
#include <string_view>

#include "continuo/wire/kafka/messages_test.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace continuo;
  using namespace continuo::wire::kafka;
  const auto request = read_request({reinterpret_cast<const char*>(data), size});
  if (!request || request->api == nullptr || !request->supported) return 0;
  const Api& api = *request->api;
  const std::int16_t version = request->header.api_version;
  each_api([&]<class Request, class Response>(ApiKey key) {
    if (key != api.key) return;
    const auto message = read_body<Request>(*request);
    if (message) {
      const std::string bytes = written(*message, api, version);
      Request again;
      Reader reader{bytes, version, api.flexible(version)};
      reader.structure(again);
      CHECK(reader.done() && written(again, api, version) == bytes, "what was read is written and read again");
    }
    // The same bytes as an answer: what a client of this codec would read.
    Response answer;
    Reader reader{request->body, version, api.flexible(version)};
    reader.structure(answer);
  });
  return 0;
}
