// Connections against a receiver that fails in all ways.
#include "continuo/delivery/webhook/connections.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "continuo/delivery/webhook/loop.h"
#include "continuo/delivery/webhook/receiver_test.h"

namespace continuo::delivery::webhook {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr std::string_view fine = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class ConnectionsTest : public testing::Test {
 protected:
  ConnectionsTest() { loop_.tls.set_verify_mode(boost::asio::ssl::verify_peer); }
  ~ConnectionsTest() override {
    to_.reset();
    loop_.context.stop();
  }

  void connect(const std::string& url, Millis timeout = Millis{2'000}, bool allow_private = true) {
    to_.emplace(loop_, Connections::To{wire::http::parse_webhook_url(url).value(), timeout, allow_private});
  }
  Reply post(std::string_view body = "{}") {
    std::optional<Reply> reply;
    to_->post(
        "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body},
        [&](Reply came) { reply = std::move(came); });
    EXPECT_FALSE(reply) << "it runs later";
    while (!reply) loop_.context.run_one();
    return *reply;
  }
  // What comes from here on is this.
  static Receiver::Answer say(std::string bytes) {
    return [bytes = std::move(bytes)](Peer& peer, const Request&) { peer.send(bytes); };
  }

  Loop loop_;
  std::optional<Connections> to_;
};

TEST_F(ConnectionsTest, KeepAConnectionForTheNextRequest) {
  Receiver receiver;
  connect(receiver.url());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(post().status, 204);
  receiver.answer(say(std::string{fine}));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(post().status, 200);
  receiver.answer(say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(post().status, 200);
  receiver.answer(say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + std::string{fine}));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(post().status, 200);
  EXPECT_EQ(receiver.connections(), 1);
}

TEST_F(ConnectionsTest, OpenAnotherOneWhereItIsClosed) {
  Receiver receiver;
  connect(receiver.url());
  receiver.answer([](Peer& peer, const Request&) {
    peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    peer.close();
  });
  EXPECT_EQ(post().status, 200);
  EXPECT_EQ(post().status, 200);
  // Closed without a word while nobody looks.
  receiver.answer([](Peer& peer, const Request&) {
    peer.send(fine);
    peer.close();
  });
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(post().status, 200);
    std::this_thread::sleep_for(milliseconds{20});
  }
  receiver.answer([](Peer& peer, const Request&) {
    peer.send("HTTP/1.0 200 OK\r\n\r\nuntil the end");
    peer.close();
  });
  EXPECT_EQ(post().status, 200);
  EXPECT_EQ(post().status, 200);
  EXPECT_EQ(receiver.connections(), 9);
}

TEST_F(ConnectionsTest, TellStatusAndRetryAfter) {
  Receiver receiver;
  connect(receiver.url());
  receiver.answer(say("HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\nContent-Length: 0\r\n\r\n"));
  const Reply busy = post();
  EXPECT_EQ(busy.status, 429);
  EXPECT_EQ(busy.retry_after, "7");
  receiver.answer(say("HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_EQ(post().status, 301);
  EXPECT_EQ(post().retry_after, "");
}

TEST_F(ConnectionsTest, TellWhyThereIsNoAnswer) {
  std::optional<Receiver> receiver{std::in_place};
  connect(receiver->url(), Millis{300});
  receiver->answer([](Peer& peer, const Request&) { peer.reset(); });
  EXPECT_EQ(post().trouble, Trouble::connection_reset);
  receiver->answer([](Peer& peer, const Request&) { peer.close(); });
  EXPECT_EQ(post().trouble, Trouble::connection_reset);
  receiver->answer([](Peer& peer, const Request&) {
    peer.send("HTTP/1.1 200 OK\r\nContent-Le");
    peer.reset();
  });
  EXPECT_EQ(post().trouble, Trouble::connection_reset);
  receiver->answer([](Peer& peer, const Request&) { peer.wait(milliseconds{5'000}); });
  EXPECT_EQ(post().trouble, Trouble::timeout);
  receiver->answer([](Peer& peer, const Request&) {
    peer.send("HTTP/1.1 200 OK\r\n");
    while (peer.send("X: 1\r\n")) peer.wait(milliseconds{50});  // one header after the other
  });
  EXPECT_EQ(post().trouble, Trouble::timeout);
  receiver->answer(say("SMTP ready\r\n\r\n"));
  EXPECT_EQ(post().trouble, Trouble::bad_answer);
  receiver->answer(say("HTTP/1.1 200 OK\r\nX: " + std::string(2 * most_head_bytes, 'x') + "\r\n\r\n"));
  EXPECT_EQ(post().trouble, Trouble::bad_answer);
  std::string hints;
  for (int i = 0; i < 20; ++i) hints += "HTTP/1.1 103 Early Hints\r\n\r\n";
  receiver->answer(say(hints));
  EXPECT_EQ(post().trouble, Trouble::bad_answer);
  receiver.reset();
  const Reply refused = post();
  EXPECT_EQ(refused.trouble, Trouble::connection_refused);
  EXPECT_EQ(refused.detail, "the webhook refused the connection");
}

TEST_F(ConnectionsTest, TheStatusCountsWhateverTheBodyDoes) {
  Receiver receiver;
  connect(receiver.url());
  receiver.answer([](Peer& peer, const Request&) {
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly some");
    peer.reset();
  });
  EXPECT_EQ(post().status, 200);
  receiver.answer([](Peer& peer, const Request&) {
    peer.send("HTTP/1.1 500 Broken\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (peer.send("1000\r\n" + std::string(4'096, 'x') + "\r\n")) {
    }
  });
  EXPECT_EQ(post().status, 500);
  const auto before = std::chrono::steady_clock::now();
  receiver.answer([](Peer& peer, const Request&) {
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    while (peer.send("x")) peer.wait(milliseconds{20});
  });
  EXPECT_EQ(post().status, 200);
  EXPECT_LT(std::chrono::steady_clock::now() - before, milliseconds{10'000}) << "a slow body is cut";
  EXPECT_EQ(receiver.connections(), 3) << "none of them is used again";
}

TEST_F(ConnectionsTest, AnAnswerThatComesBeforeTheRequestIsTakenCounts) {
  Receiver receiver;
  connect(receiver.url());
  receiver.answer(say("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_EQ(post(std::string(4u << 20, 'x')).status, 413);
}

TEST_F(ConnectionsTest, GoToThePrivateOnlyWhereThatIsAllowed) {
  Receiver receiver;
  connect(receiver.url(), Millis{2'000}, false);
  EXPECT_EQ(post().trouble, Trouble::private_address);
  connect("http://localhost:" + std::to_string(receiver.port()), Millis{2'000}, false);
  EXPECT_EQ(post().trouble, Trouble::private_address) << "what a name leads to counts";
  EXPECT_EQ(receiver.connections(), 0);
  connect("http://localhost:" + std::to_string(receiver.port()));
  EXPECT_EQ(post().status, 204);
  connect("http://continuo-webhook.invalid/");
  EXPECT_EQ(post().trouble, Trouble::dns_error);
}

TEST_F(ConnectionsTest, TrustOnlyWhomTheMachineTrusts) {
  Receiver receiver{true};
  connect(receiver.url());
  const Reply unknown = post();
  EXPECT_EQ(unknown.trouble, Trouble::tls_error);
  EXPECT_THAT(unknown.detail, HasSubstr("self-signed certificate"));
  EXPECT_TRUE(receiver.requests().empty()) << "nothing was told to it";
  loop_.tls.add_certificate_authority(boost::asio::buffer(receiver.certificate()));
  connect(receiver.url());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(post().status, 204);
  EXPECT_EQ(receiver.requests().size(), 3u);
  EXPECT_EQ(receiver.requests().front().connection, receiver.requests().back().connection);
  // The right certificate for another name.
  connect("https://127.0.0.1:" + std::to_string(receiver.port()));
  EXPECT_EQ(post().trouble, Trouble::tls_error);
  Receiver plain;
  connect("https://localhost:" + std::to_string(plain.port()), Millis{500});
  EXPECT_NE(post().trouble, Trouble::none);
}

TEST_F(ConnectionsTest, EndWithWhatIsUnderWay) {
  Receiver receiver;
  receiver.answer([](Peer& peer, const Request&) { peer.wait(milliseconds{200}); });
  connect(receiver.url());
  bool answered = false;
  for (int i = 0; i < 3; ++i)
    to_->post("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", [&](const Reply&) { answered = true; });
  while (receiver.connections() < 3) loop_.context.run_one_for(milliseconds{10});
  to_.reset();
  loop_.context.run_for(milliseconds{50});
  EXPECT_FALSE(answered);
}

}  // namespace
}  // namespace continuo::delivery::webhook
