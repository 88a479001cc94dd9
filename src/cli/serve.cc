// continuo serve, continuo dev
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "continuo/cli/commands.h"
#include "continuo/cli/file_limit.h"
#include "continuo/cli/settings_file.h"
#include "continuo/delivery/feeder.h"
#include "continuo/delivery/push.h"
#include "continuo/delivery/repairer.h"
#include "continuo/node/node.h"
#include "continuo/serve/server.h"

namespace continuo::cli {
namespace {

// What is wrong with an option says which one.
template <class T>
Result<T> of_option(std::string_view option, Result<T> value) {
  if (!value) value.error().code = Code::bad_usage, value.error().at = option;
  return value;
}

constexpr Millis look_at_health{200};
constexpr std::uint64_t dev_journal_bytes = 128u << 20;
constexpr std::uint64_t least_journal_bytes = 64u << 20;
constexpr std::uint64_t small_ring_segment_bytes = 16u << 20;

Result<node::Options> node_options(const Serve& command) {
  node::Options options{.data = command.data};
  options.open_topic_files = topic_files(file_limit());
  if (!command.page_cache.empty()) {
    auto bytes = of_option("--page-cache", parse_size(command.page_cache));
    if (!bytes) return pass(bytes);
    options.page_cache_bytes = *bytes;
  }
  if (command.journal_size.empty()) return options;
  auto size = of_option("--journal-size", parse_size(command.journal_size));
  if (!size) return pass(size);
  if (*size < least_journal_bytes)
    return fail(Code::bad_usage, fmt::format("a journal of {} is too small", format_size(*size)), "--journal-size",
                "at least " + format_size(least_journal_bytes));
  options.ring_segments =
      static_cast<std::uint32_t>(std::clamp<std::uint64_t>(*size / small_ring_segment_bytes, 4, options.ring_segments));
  options.ring_segment_bytes = (*size / options.ring_segments) & ~std::uint64_t{0xfffff};
  return options;
}

Result<client::Address> address_in(std::string_view option, const std::string& text) {
  auto address = of_option(option, client::parse_address(text));
  if (!address) address.error().hint = "ADDRESS:PORT, port 0 picks a free one";
  return address;
}

Result<std::optional<serve::KafkaOptions>> kafka_options(const Serve& command) {
  if (command.kafka.empty()) return std::nullopt;
  auto address = address_in("--kafka", command.kafka);
  if (!address) return pass(address);
  serve::KafkaOptions options{.address = address->host, .port = address->port};
  if (command.kafka_advertised.empty()) return options;
  auto advertised = address_in("--kafka-advertised", command.kafka_advertised);
  if (!advertised) return pass(advertised);
  options.advertised_host = advertised->host;
  options.advertised_port = advertised->port;
  return options;
}

Result<serve::ServerOptions> server_options(const Serve& command) {
  auto address = address_in("--http", command.http);
  if (!address) return pass(address);
  auto kafka = kafka_options(command);
  if (!kafka) return pass(kafka);
  return serve::ServerOptions{.address = address->host,
                              .port = address->port,
                              .kafka = *std::move(kafka),
                              .accept_insecure = command.accept_insecure,
                              .allow_private_webhooks = command.allow_private_webhooks,
                              .other_metrics = {},
                              .auto_create = !command.no_auto_create,
                              .io_threads = command.threads};
}

// Node, feeder, server and what pushes, in the order they are started; the server is stopped first.
class Service {
 public:
  static Result<std::unique_ptr<Service>> start(const Serve& command) {
    auto door = server_options(command);
    if (!door) return pass(door);
    raise_file_limit();  // every connection is an open file, and shells allow few
    auto options = node_options(command);
    if (!options) return pass(options);
    auto service = std::make_unique<Service>();
    auto node = node::Node::open(*options);
    if (!node) return pass(node);
    service->node_ = std::move(*node);
    service->feeder_.emplace(*service->node_);
    service->feeder_->start();
    service->repairer_.emplace(*service->node_);
    service->repairer_->start();
    service->push_.emplace(*service->node_, delivery::PushOptions{.allow_private = command.allow_private_webhooks});
    door->other_metrics = [&push = *service->push_] { return push.metrics(); };
    auto server = serve::Server::start(*service->node_, *door);
    if (!server) return pass(server);
    service->server_ = std::move(*server);
    service->push_->start();
    return service;
  }

  ~Service() {
    if (server_) server_->stop();
    if (push_) push_->stop();
    if (repairer_) repairer_->stop();
    if (feeder_) feeder_->stop();
    server_.reset();
    push_.reset();
    repairer_.reset();
    feeder_.reset();
  }

  std::string url() const { return "http://" + server_->endpoint(); }
  std::string kafka() const { return server_->kafka_endpoint(); }
  bool durable() const { return node_->durable(); }

  /// Until stop is requested, or the node fails.
  Result<void> wait(const std::stop_token& stop) {
    while (!stopped_within(stop, look_at_health))
      if (node_->health() == node::Health::failed) return fail(Code::node_failed, node_->failure());
    return {};
  }

 private:
  std::unique_ptr<node::Node> node_;
  std::optional<delivery::Feeder> feeder_;
  std::optional<delivery::Repairer> repairer_;
  std::optional<delivery::Push> push_;
  std::unique_ptr<serve::Server> server_;
};

void print_ready(const Service& service, const std::string& data) {
  const std::string kafka = service.kafka();
  fmt::print("continuo {} ready: {}{} data={} durable={}\n", CONTINUO_VERSION, service.url(),
             kafka.empty() ? "" : " kafka=" + kafka, data, service.durable());
  std::fflush(stdout);
}

void print_first_steps(const std::string& url) {
  const std::string server = url == "http://127.0.0.1:8080" ? "" : " --server " + url;
  fmt::print(
      "\nIn another terminal:\n"
      "  continuo publish{0} greetings --type Hello --key world --data '{{\"text\":\"hello\"}}'\n"
      "  continuo tail{0} greetings -f\n"
      "  curl -s {1}/v1/topics/greetings/events\n\n"
      "Webhooks may go to private addresses here; `continuo serve` wants --allow-private-webhooks for that.\n\n",
      server, url);
  std::fflush(stdout);
}

}  // namespace

Result<void> serve(const Serve& command) {
  if (command.data.empty())
    return fail(Code::bad_usage, "serve needs a data folder", "--data", "continuo serve --data DIR");
  const std::stop_token stop = stop_on_signals();
  auto service = Service::start(command);
  if (!service) return pass(service);
  print_ready(**service, command.data);
  return (*service)->wait(stop);
}

Result<void> dev(Serve command, bool port_given) {
  if (command.data.empty()) command.data = user_folder("DATA") + "/continuo/dev";
  if (command.journal_size.empty()) command.journal_size = std::to_string(dev_journal_bytes);
  std::error_code failed;
  std::filesystem::create_directories(command.data, failed);
  command.allow_private_webhooks = true;
  const std::stop_token stop = stop_on_signals();
  const bool kafka_given = !command.kafka.empty();
  if (!kafka_given) command.kafka = "127.0.0.1:9092";
  auto service = Service::start(command);
  // Somebody may have the usual ports.
  for (const auto& [option, given, address] :
       {std::tuple{"--http", port_given, &command.http}, std::tuple{"--kafka", kafka_given, &command.kafka}}) {
    if (service || service.error().code != Code::io_error || service.error().at != option || given) continue;
    *address = "127.0.0.1:0";
    service = Service::start(command);
  }
  if (!service) return pass(service);
  print_ready(**service, command.data);
  print_first_steps((*service)->url());
  return (*service)->wait(stop);
}

}  // namespace continuo::cli
