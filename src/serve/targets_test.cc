// What is refused of targets is refused at the door, and shown without secrets.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "continuo/serve/client_test.h"

namespace continuo::serve {
namespace {

using testing::HasSubstr;
using testing::Not;

class Targets : public testing::Test {
 protected:
  Targets() { client.ask("PUT", "/v1/topics/t", "{}"); }
  Reply put(std::string_view target, std::string_view name = "s", std::string_view topic = "t") {
    return client.ask("PUT", fmt::format("/v1/subscriptions/{}", name),
                      fmt::format(R"({{"topics":["{}"],"target":{}}})", topic, target));
  }

  Served served;
  Client client = served.client();
};

TEST_F(Targets, ArePrivateOnlyWhereThatIsAllowed) {
  for (const char* host :
       {"127.0.0.1:9000", "localhost", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]"}) {
    const Reply reply = put(fmt::format(R"({{"webhook":{{"url":"http://{}/"}}}})", host));
    EXPECT_EQ(reply.status, 400) << host;
    EXPECT_EQ(reply.text("at"), "target.webhook.url");
    EXPECT_THAT(reply.text("hint"), HasSubstr("--allow-private-webhooks"));
  }
  EXPECT_EQ(put(R"({"webhook":{"url":"https://1.1.1.1/"}})").status, 201);
  Served open({.allow_private_webhooks = true});
  Client other = open.client();
  other.ask("PUT", "/v1/topics/t", "{}");
  EXPECT_EQ(other
                .ask("PUT", "/v1/subscriptions/s",
                     R"({"topics":["t"],"target":{"webhook":{"url":"http://127.0.0.1:9000/"}}})")
                .status,
            201);
}

TEST_F(Targets, AreShownWithoutSecretsAndTakenBackSo) {
  const std::string target =
      R"({"webhook":{"url":"https://shop.example/","secret":"0123456789abcdef","headers":{"Authorization":"Bearer x"}}})";
  const Reply made = put(target);
  EXPECT_EQ(made.status, 201);
  for (const std::string& body :
       {made.body, client.ask("GET", "/v1/subscriptions/s").body, client.ask("GET", "/v1/subscriptions").body}) {
    EXPECT_THAT(body, HasSubstr(R"("secret":"***","headers":{"Authorization":"***"})"));
    EXPECT_THAT(body, Not(HasSubstr("0123456789")));
    EXPECT_THAT(body, Not(HasSubstr("Bearer")));
  }
  EXPECT_EQ(put(target).status, 200);
  const std::string shown =
      R"({"webhook":{"url":"https://shop.example/","secret":"***","headers":{"Authorization":"***"}}})";
  EXPECT_EQ(put(shown).status, 200);
  EXPECT_EQ(put(shown, "other").text("at"), "target.webhook.secret") << "there is none that the stars could mean";
}

TEST_F(Targets, AreCheckedWhenTheyBecomeOthers) {
  EXPECT_EQ(put(R"({"webhook":{"url":"https://shop.example/","secret":"0123456789abcdef"}})").status, 201);
  const auto change = [&](std::string_view target) {
    return client.ask("PATCH", "/v1/subscriptions/s", fmt::format(R"({{"target":{}}})", target));
  };
  EXPECT_EQ(change(R"({"webhook":{"url":"http://10.0.0.1/"}})").text("at"), "target.webhook.url");
  EXPECT_EQ(change(R"({"topic":{"name":"t"}})").text("at"), "target.topic.name");
  EXPECT_EQ(change(R"({"webhook":{"url":"https://new.example/","secret":"***"}})").status, 200);
  EXPECT_EQ(change(R"({"topic":{"name":"b"}})").status, 200);
  EXPECT_EQ(client.ask("GET", "/v1/topics/b").status, 200);
  EXPECT_EQ(change(R"({"webhook":{"url":"https://new.example/","secret":"***"}})").text("at"), "target.webhook.secret");
}

TEST_F(Targets, OfCopiesAreMadeAndNeverGoRound) {
  EXPECT_EQ(put(R"({"topic":{"name":"b"}})", "there").status, 201);
  EXPECT_EQ(client.ask("GET", "/v1/topics/b").status, 200) << "made with the defaults";
  EXPECT_EQ(put(R"({"topic":{"name":"b"}})", "there").status, 200);
  const Reply round = put(R"({"topic":{"name":"t"}})", "back", "b");
  EXPECT_EQ(round.status, 400);
  EXPECT_EQ(round.text("detail"), "copies would go round: b -> t (by 'back') -> b (by 'there')");
  EXPECT_EQ(round.text("at"), "target.topic.name");
  EXPECT_EQ(put(R"({"topic":{"name":"t"}})", "self").text("at"), "target.topic.name");
  EXPECT_EQ(put(R"({"topic":{"name":"new"}})", "s", "missing").text("code"), "unknown_topic");
  EXPECT_EQ(client.ask("GET", "/v1/topics/new").status, 404) << "a refused request changes nothing";
  Served strict({.auto_create = false});
  Client other = strict.client();
  other.ask("PUT", "/v1/topics/t", "{}");
  EXPECT_EQ(other.ask("PUT", "/v1/subscriptions/s", R"({"topics":["t"],"target":{"topic":{"name":"b"}}})").text("code"),
            "unknown_topic");
}

}  // namespace
}  // namespace continuo::serve
