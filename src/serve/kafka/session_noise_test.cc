// Any bytes at Kafka's door: requests as clients make them, some bent afterwards, sent in arbitrary pieces over a real
// connection to a real node. Whatever comes: answers come in the order asked, each can be read, what is left out was
// asked without acknowledgement, and the server goes on.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdlib>
#include <vector>

#include "continuo/base/random.h"
#include "continuo/serve/kafka/client_test.h"
#include "continuo/wire/kafka/messages_test.h"

namespace continuo::serve {
namespace {

using namespace wire::kafka;

const std::uint64_t lives = std::getenv("CONTINUO_LONG") != nullptr ? 5'000 : 200;
constexpr std::size_t length_bytes = 4;
constexpr int patience_ms = 40;  // for an answer that may wait longer than anybody wants to here

// A request with anything in its fields, in any version that is told of.
std::string any_request(Random& random, std::int32_t number) {
  const std::uint64_t chosen = random.below(apis().size());
  std::string bytes;
  each_api([&]<class Request, class Response>(ApiKey key) {
    const Api& api = apis()[chosen];
    if (api.key != key) return;
    const auto spread = static_cast<std::uint64_t>(api.max_version - api.first_served + 1);
    const auto version = static_cast<std::int16_t>(api.first_served + static_cast<std::int16_t>(random.below(spread)));
    Request request;
    Filler filler{random.next(), version};
    fields(filler, request);
    bytes = write_request(api, version, number, "noise", request);
  });
  return bytes;
}

// One that the node has work with.
std::string sound_request(Random& random, std::int32_t number) {
  const auto write = [&](const auto& request) {
    using Request = std::remove_cvref_t<decltype(request)>;
    const Api& api = *find_api(static_cast<std::int16_t>(AnswerOf<Request>::key));
    const auto oldest = std::max<std::int16_t>(api.first_served, 3);
    const auto spread = static_cast<std::uint64_t>(api.max_version - oldest + 1);
    return write_request(api, static_cast<std::int16_t>(oldest + static_cast<std::int16_t>(random.below(spread))),
                         number, "noise", request);
  };
  const std::string batch = batch_of({"a", "b"}, {7, 0, static_cast<std::int32_t>(random.below(6))});
  if (random.chance(1, 3)) return write(fetch_from("orders", 0, static_cast<std::int64_t>(random.below(4))));
  return write(produce_to("orders", 0, batch, random.chance(1, 3) ? 0 : -1));
}

// Flips, leaves out, puts in; mostly the length is made right again.
void bend(Random& random, std::string& frame) {
  for (std::uint64_t left = random.below(4); left > 0 && frame.size() > length_bytes; --left) {
    const auto at = static_cast<std::size_t>(random.below(frame.size()));
    switch (random.below(4)) {
      case 0: frame[at] = static_cast<char>(random.next()); break;
      case 1: frame[at] = static_cast<char>(random.chance(1, 2) ? 0xff : 0x7f); break;
      case 2: frame.erase(at, random.below(9)); break;
      default: frame.insert(at, std::string(random.below(9), static_cast<char>(random.next())));
    }
  }
  if (frame.size() >= length_bytes && !random.chance(1, 10))
    store(frame.data(), big_endian(static_cast<std::int32_t>(frame.size() - length_bytes)));
}

std::string any_stream(Random& random) {
  std::string stream;
  for (std::uint64_t left = 1 + random.below(8); left > 0; --left) {
    const auto number = static_cast<std::int32_t>(random.below(1'000'000));
    std::string frame = random.chance(1, 2) ? sound_request(random, number) : any_request(random, number);
    if (random.chance(1, 3)) bend(random, frame);
    stream += frame;
  }
  if (random.chance(1, 10)) stream.resize(random.below(stream.size() + 1));
  return stream;
}

// The frames at the front of it, as far as there are whole ones.
std::vector<std::string_view> frames_of(std::string_view stream) {
  std::vector<std::string_view> frames;
  while (stream.size() >= length_bytes) {
    const auto size = static_cast<std::uint32_t>(big_endian(load<std::int32_t>(stream.data())));
    if (stream.size() - length_bytes < size) break;
    frames.push_back(stream.substr(length_bytes, size));
    stream.remove_prefix(length_bytes + size);
  }
  return frames;
}

// All that comes until the connection ends, or nothing comes for a while.
std::string listen(int socket) {
  std::string all;
  for (;;) {
    pollfd waits{socket, POLLIN, 0};
    if (::poll(&waits, 1, patience_ms) <= 0) return all;
    std::array<char, 65536> piece;
    const auto got = ::recv(socket, piece.data(), piece.size(), 0);
    if (got <= 0) return all;
    all.append(piece.data(), static_cast<std::size_t>(got));
  }
}

void send_in_pieces(Random& random, int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto size = 1 + random.below(random.chance(1, 2) ? 20 : bytes.size());
    const std::string_view piece = bytes.substr(0, size);
    if (::send(socket, piece.data(), piece.size(), MSG_NOSIGNAL) < 0) return;  // it had enough
    bytes.remove_prefix(piece.size());
  }
}

// An answer to a request that is served reads as one.
void expect_readable(const Request& asked, std::string_view answer, const std::string& where) {
  const std::int16_t version = asked.header.api_version;
  if (!asked.supported || version < asked.api->first_served) return;
  each_api([&]<class Asked, class Answer>(ApiKey key) {
    if (key != asked.api->key) return;
    const bool flexible = asked.api->flexible(version);
    const bool tags = flexible && key != ApiKey::api_versions;
    Answer message;
    Reader reader{answer.substr(length_bytes + (tags ? 1 : 0)), version, flexible};
    reader.structure(message);
    EXPECT_TRUE(reader.done()) << where << ": the answer to " << asked.api->name << " " << version;
  });
}

// Each answer is to one of the requests, in their order; only what wants no acknowledgement is passed over.
void expect_in_order(std::string_view stream, std::string_view answers, const std::string& where) {
  const auto asked = frames_of(stream);
  std::size_t next = 0;
  for (const std::string_view answer : frames_of(answers)) {
    ASSERT_GE(answer.size(), length_bytes) << where;
    const auto number = big_endian(load<std::int32_t>(answer.data()));
    for (;; ++next) {
      ASSERT_LT(next, asked.size()) << where << ": an answer to no request, number " << number;
      const auto request = read_request(asked[next]);
      ASSERT_TRUE(request && request->api != nullptr) << where << ": an answer behind what cannot be read";
      if (request->header.correlation_id != number) {
        ASSERT_EQ(request->api->key, ApiKey::produce) << where << ": a request is passed over";
        continue;
      }
      expect_readable(*request, answer, where);
      ++next;
      break;
    }
  }
}

TEST(KafkaNoise, EndsNothingButItsConnection) {
  ServerOptions options;
  options.max_kafka_request_bytes = 1u << 20;
  options.max_buffer_bytes = 16u << 20;
  KafkaServed served{options};
  served.make_topic("orders");
  std::size_t answered = 0;
  for (std::uint64_t seed = 1; seed <= lives && !testing::Test::HasFailure(); ++seed) {
    SeededRandom random{seed};
    const std::string stream = any_stream(random);
    std::string answers;
    {
      Client client{served.port};
      send_in_pieces(random, client.socket(), stream);
      answers = listen(client.socket());
    }
    answered += frames_of(answers).size();
    expect_in_order(stream, answers, "life " + std::to_string(seed));
    if (seed % 50 == 0) {
      KafkaClient client = served.client();
      EXPECT_EQ(client.ask(ApiVersionsRequest{}).error_code, 0);
    }
  }
  EXPECT_GT(answered, lives);
}

}  // namespace
}  // namespace continuo::serve
