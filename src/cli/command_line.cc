#include "continuo/cli/command_line.h"

#include <CLI/CLI.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "continuo/cli/nearest.h"
#include "continuo/cli/settings_file.h"
#include "continuo/cli/words.h"

namespace continuo::cli {
namespace {

constexpr std::string_view about =
    "Continuo, an event backbone: one durable log, and every event-driven pattern as a view over it.\n"
    "New here? `continuo demo` runs a shop on it; `continuo dev` starts a server to play with.";
constexpr std::string_view footer =
    "A flag wins over the environment (CONTINUO_SERVER, CONTINUO_DATA, ...), which wins over the settings file.\n"
    "Exit codes: 0 done, 1 refused, 2 usage, 3 no server, 4 the node failed, 5 a promise was broken, 130 interrupted.";

void add_session(CLI::App& app, Session& session) {
  app.add_option("--server", session.server, "Where the server is")->envname("CONTINUO_SERVER")->capture_default_str();
  app.add_option("-o,--output", session.output, "table, json or jsonl; a table on a terminal, JSON lines in a pipe")
      ->envname("CONTINUO_OUTPUT");
}

void add_topic_settings(CLI::App& command, TopicCreate& topic) {
  command.add_option("--retention-time", topic.retention_time, "Keep events this long: 7d");
  command.add_option("--retention-bytes", topic.retention_bytes, "Keep this much of a partition: 10GiB");
  command.add_option("--dedup-window", topic.dedup_window, "Recognise a repeated id this long: 2m");
  command.add_option("--max-batch", topic.max_batch, "Largest batch of a Kafka producer: 2MiB");
  command.add_option("--timestamps", topic.timestamps, "Times of records: created or appended");
  command.add_option("--segment", topic.segment, "How large a file of a partition grows: 64MiB");
}

void add_topics(CLI::App& app, Words& words) {
  CLI::App* topic = app.add_subcommand("topic", "Make and show topics")->require_subcommand(1);
  CLI::App* create = command(*topic, "create", "Make a topic", words,
                             [&] { return done(topic_create(words.session, words.topic_create)); });
  create->add_option("TOPIC", words.topic_create.name)->required();
  create->add_option("-p,--partitions", words.topic_create.partitions, "How many partitions")->capture_default_str();
  add_topic_settings(*create, words.topic_create);
  CLI::App* change = command(*topic, "change", "Change what is named of a topic; none takes a limit away", words,
                             [&] { return done(topic_change(words.session, words.topic_change)); });
  change->add_option("TOPIC", words.topic_change.name)->required();
  change->add_option("-p,--partitions", words.topic_change.partitions, "How many partitions: more than there are");
  add_topic_settings(*change, words.topic_change);
  command(*topic, "list", "All topics", words, [&] { return done(topic_list(words.session)); });
  CLI::App* show = command(*topic, "show", "One topic and its partitions", words,
                           [&] { return done(topic_show(words.session, words.name)); });
  show->add_option("TOPIC", words.name)->required();
  CLI::App* gone = command(*topic, "delete", "Delete topics with all their events", words,
                           [&] { return done(topic_delete(words.session, words.names)); });
  gone->add_option("TOPIC", words.names)->required();
  CLI::App* trim = command(*topic, "trim", "Delete the events of a partition before an offset", words,
                           [&] { return done(topic_trim(words.session, words.topic_trim)); });
  trim->add_option("TOPIC", words.topic_trim.name)->required();
  trim->add_option("--partition", words.topic_trim.partition, "Which partition")->capture_default_str();
  trim->add_option("--before", words.topic_trim.before, "First offset to keep")->required();
}

void add_publish(CLI::App& app, Words& words) {
  Publish& publish = words.publish;
  CLI::App* one =
      app.add_subcommand("publish", "Publish one event from the arguments, or many from stdin, one JSON event a line");
  CLI::Option* data =
      one->add_option("-d,--data", publish.data, "The event's data, JSON or text; - or none reads stdin");
  one->callback([&words, data] {
    words.publish.has_data = data->count() > 0;
    words.chosen = [&words] { return done(cli::publish(words.session, words.publish)); };
  });
  one->add_option("TOPIC", publish.topic)->required();
  one->add_option("-t,--type", publish.type, "The event's type; without it, events are read from stdin");
  one->add_option("-k,--key", publish.key, "What order is kept by (partitionkey)");
  one->add_option("--subject", publish.subject, "What the event is about");
  one->add_option("--source", publish.source, "Who publishes")->capture_default_str();
  one->add_option("--id", publish.id, "The event's id; made when absent");
  one->add_option("-e,--extension", publish.extensions, "NAME=VALUE, as often as needed");
}

void add_events(CLI::App& app, Words& words) {
  add_publish(app, words);
  CLI::App* import = command(
      app, "import",
      "Publish a file of events, one JSON event a line; repeated within the dedup window, nothing is there twice",
      words, [&] { return done(import_file(words.session, words.import)); });
  import->add_option("TOPIC", words.import.topic)->required();
  import->add_option("FILE", words.import.file, "NDJSON; - reads stdin")->required();
  import->add_option("--chunk", words.import.chunk, "Events in one commit")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  Tail& tail = words.tail;
  CLI::App* look = command(app, "tail", "Show events: the last ten, or from a place on; -f goes on as they arrive",
                           words, [&] { return done(cli::tail(words.session, words.tail)); });
  look->add_option("TOPIC", tail.topic, "Without a topic, --correlation shows one path through all topics");
  look->add_option("--from", tail.from, "earliest, latest, a time, a position, or with --partition an offset");
  look->add_option("--partition", tail.partition, "Only this partition");
  look->add_option("--correlation", tail.correlation, "Only events of this correlation");
  look->add_option("--filter", tail.filter, "Only events that match this pattern: JSON, a file's name, or -");
  look->add_option("-n,--count", tail.count, "How many events");
  look->add_flag("-f,--follow", tail.follow, "Go on as events arrive, also over restarts of the server");
}

void add_target(CLI::App& command, SubSettings& given) {
  CLI::Option* target =
      command.add_option("--target", given.target, "Where events go, as the API has it: JSON, a file's name, or -");
  CLI::Option* webhook =
      command.add_option("--webhook", given.webhook, "Post the events to this address")->excludes(target);
  command
      .add_option("--webhook-secret-file", given.webhook_secret_file,
                  "Sign the requests with what this file holds; or CONTINUO_WEBHOOK_SECRET")
      ->needs(webhook)
      ->check(CLI::ExistingFile);
  command.add_option("--webhook-mode", given.webhook_mode, "binary or structured")->needs(webhook);
  command.add_option("--webhook-concurrency", given.webhook_concurrency, "Requests under way at once")->needs(webhook);
  command.add_option("--webhook-rate", given.webhook_rate, "No more of them than: 100/s, 30/m")->needs(webhook);
  command.add_option("--webhook-timeout", given.webhook_timeout, "For one request: 10s")->needs(webhook);
  command.add_option("--webhook-header", given.webhook_headers, "\"Name: value\", as often as needed")->needs(webhook);
  command.add_option("--to-topic", given.to_topic, "Copy the events into this topic")
      ->excludes(target)
      ->excludes(webhook);
}

void add_sub_settings(CLI::App& command, SubSettings& given) {
  command.add_option("SUBSCRIPTION", given.name)->required();
  command.add_option("--filter", given.filter, "Only events that match this pattern: JSON, a file's name, or -");
  command.add_option("--concurrency", given.concurrency, "Keys under way at once");
  command.add_option("--lease", given.lease, "How long a consumer has for an event: 30s");
  command.add_option("--attempts", given.attempts, "Deliveries of one event before it is given up");
  command.add_option("--retry-delay", given.retry_delay, "Between them, or what the backoff begins with: 1s");
  command.add_option("--backoff", given.backoff, "How delays grow: fixed, linear, exponential or listed");
  command.add_option("--retry-max", given.retry_max, "No delay is longer: 30s");
  command.add_option("--retry-delays", given.retry_delays, "Listed: 1s,10s,5m; the last from then on")->delimiter(',');
  command.add_flag("--jitter", given.jitter, "Any time from none to the delay: what failed together comes apart");
  command.add_option("--on-failure", given.on_failure, "What becomes of what is given up: park, dead_letter or drop");
  command.add_option("--dead-letter", given.dead_letter, "The topic it goes to, with --on-failure dead_letter");
  command.add_option("--repairs", given.repairs, "Declared repairs, a JSON array: itself, a file's name, or -");
  command.add_option("--storm", given.storm, "Hold still when so many keys fail alike: 50/10s");
  command.add_option("--ttl", given.ttl, "Pass over what waited longer: 1h");
  command.add_option("--expires", given.expires, "Delete it after so long without a consumer: 7d");
  add_target(command, given);
}

void add_sub_define(CLI::App& sub, Words& words) {
  SubCreate& made = words.sub_create;
  CLI::App* create = command(sub, "create", "Make a subscription", words,
                             [&] { return done(sub_create(words.session, words.sub_create)); });
  add_sub_settings(*create, made.settings);
  create->add_option("--topic", made.topics, "A topic to read, as often as needed")->required();
  create->add_option("--from", made.from, "earliest, latest, or a time like 2026-11-21T08:30:00Z")
      ->capture_default_str();
  create->add_option("--order-by", made.order_by, "key or none")->capture_default_str();
  SubChange& other = words.sub_change;
  CLI::App* change = command(
      sub, "change", "Change what is named of a subscription; none takes a ttl, an expiry or a storm guard away", words,
      [&] { return done(sub_change(words.session, words.sub_change)); });
  add_sub_settings(*change, other.settings);
  change->add_flag("--no-jitter", other.settings.no_jitter, "Delays as they are said, from now on");
  change->add_flag("--no-filter", other.no_filter, "Every event from now on");
  change->add_flag("--no-repairs", other.no_repairs, "No declared repairs from now on");
  change->add_flag("--keep-parked", other.keep_parked, "Another filter also with keys parked: they stay so");
  SubSeek& to = words.sub_seek;
  CLI::App* seek = command(sub, "seek", "Go on from another place; leases held are lost", words,
                           [&] { return done(sub_seek(words.session, words.sub_seek)); });
  seek->add_option("SUBSCRIPTION", to.name)->required();
  seek->add_option("--to", to.to, "earliest, latest, a time, or a position")->required();
  seek->add_option("--parked", to.parked, "What becomes of parked keys: keep or discard");
  add_asked(*seek, to.asked);
}

void add_sub_consume(CLI::App& sub, Words& words) {
  CLI::App* receive = command(sub, "receive", "Take events under a lease", words,
                              [&] { return done(sub_receive(words.session, words.sub_receive)); });
  receive->add_option("SUBSCRIPTION", words.sub_receive.name)->required();
  receive->add_option("-n,--max", words.sub_receive.max, "At most this many")->capture_default_str();
  receive->add_option("--wait", words.sub_receive.wait, "Wait for the first event: 20s");
  receive->add_option("--lease", words.sub_receive.lease, "How long to have them: 30s");
  receive->add_flag("--ack", words.sub_receive.ack, "Settle them at once");
  CLI::App* ack = command(sub, "ack", "Settle events by their leases", words,
                          [&] { return done(sub_ack(words.session, words.name, words.names)); });
  ack->add_option("SUBSCRIPTION", words.name)->required();
  ack->add_option("LEASE", words.names)->required();
}

void add_subscriptions(CLI::App& app, Words& words) {
  CLI::App* sub =
      app.add_subcommand("sub", "Subscriptions: durable, in order per key, under leases")->require_subcommand(1);
  add_sub_define(*sub, words);
  command(*sub, "list", "All subscriptions", words, [&] { return done(sub_list(words.session)); });
  CLI::App* show =
      command(*sub, "show", "How one stands", words, [&] { return done(sub_show(words.session, words.name)); });
  show->add_option("SUBSCRIPTION", words.name)->required();
  CLI::App* gone = command(*sub, "delete", "Delete subscriptions", words,
                           [&] { return done(sub_delete(words.session, words.names)); });
  gone->add_option("SUBSCRIPTION", words.names)->required();
  add_sub_consume(*sub, words);
  CLI::App* pause = command(*sub, "pause", "Deliver nothing until it is resumed", words,
                            [&] { return done(sub_pause(words.session, words.name, true)); });
  pause->add_option("SUBSCRIPTION", words.name)->required();
  CLI::App* resume = command(*sub, "resume", "Go on delivering", words,
                             [&] { return done(sub_pause(words.session, words.name, false)); });
  resume->add_option("SUBSCRIPTION", words.name)->required();
}

void add_apply(CLI::App& app, Words& words) {
  CLI::App* made = command(app, "apply", "Make the topics, queues and subscriptions that a file names, or change them",
                           words, [&] { return done(apply(words.session, words.apply)); });
  made->add_option("-f,--file", words.apply.file, "YAML or JSON; -: standard input")->required();
  made->add_flag("--dry-run", words.apply.dry_run, "Only show what would be done");
}

void add_routes(CLI::App& app, Words& words) {
  CLI::App* route =
      app.add_subcommand("route", "Event patterns: which events go to which subscriptions")->require_subcommand(1);
  RouteExplain& asked = words.route_explain;
  CLI::App* why = command(*route, "explain", "Why an event matches a pattern, or the filters of subscriptions", words,
                          [&] { return done(route_explain(words.session, words.route_explain)); });
  why->add_option("TOPIC", asked.topic, "Its subscriptions; without it and --pattern, all subscriptions");
  why->add_option("--pattern", asked.pattern, "A pattern instead: JSON, a file's name, or -");
  why->add_option("--event", asked.event, "The event, a CloudEvent: JSON, a file's name, or -");
  why->add_option("--offset", asked.offset, "The event at this offset of the topic");
  why->add_option("--partition", asked.partition, "And of this partition")->capture_default_str();
}

void add_groups(CLI::App& app, Words& words) {
  CLI::App* group =
      app.add_subcommand("group", "Kafka's consumer groups: how far they are behind, and where they go on")
          ->require_subcommand(1);
  command(*group, "list", "All groups, with their lag", words, [&] { return done(group_list(words.session)); });
  CLI::App* show = command(*group, "show", "One group: its members, and offset and lag of each partition", words,
                           [&] { return done(group_show(words.session, words.name)); });
  show->add_option("GROUP", words.name)->required();
  CLI::App* gone = command(*group, "delete", "Delete groups without members, and their committed offsets", words,
                           [&] { return done(group_delete(words.session, words.names)); });
  gone->add_option("GROUP", words.names)->required();
  GroupReset& set = words.group_reset;
  CLI::App* reset = command(*group, "reset", "Set the committed offsets of a group without members", words,
                            [&] { return done(group_reset(words.session, words.group_reset)); });
  reset->add_option("GROUP", set.name)->required();
  reset->add_option("--topic", set.topic, "Whose offsets")->required();
  reset->add_option("--partition", set.partition, "Only this partition");
  reset->add_option("--to", set.to, "earliest, latest, an offset, or a time like 2026-11-21T08:30:00Z")->required();
  reset->add_flag("--dry-run", set.dry_run, "Only show what would be set");
}

CLI::Option* add_serving(CLI::App& app, Serve& serve) {
  app.add_option("--data", serve.data, "The data folder")->envname("CONTINUO_DATA");
  CLI::Option* http = app.add_option("--http", serve.http, "ADDRESS:PORT to listen on; port 0 picks a free one")
                          ->envname("CONTINUO_HTTP")
                          ->capture_default_str();
  app.add_option("--kafka", serve.kafka, "ADDRESS:PORT for Kafka clients, as 127.0.0.1:9092; port 0 picks a free one")
      ->envname("CONTINUO_KAFKA");
  app.add_option("--kafka-advertised", serve.kafka_advertised,
                 "HOST:PORT that Kafka clients are told to connect to, where it differs")
      ->envname("CONTINUO_KAFKA_ADVERTISED");
  app.add_option("--journal-size", serve.journal_size, "Bytes of the journal: 512MiB")
      ->envname("CONTINUO_JOURNAL_SIZE");
  app.add_option("--page-cache", serve.page_cache, "Bytes written last that stay in the page cache: 256MiB")
      ->envname("CONTINUO_PAGE_CACHE");
  app.add_option("--threads", serve.threads, "Threads for connections")
      ->envname("CONTINUO_THREADS")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  app.add_flag("--no-auto-create", serve.no_auto_create, "Refuse to publish to unknown topics")
      ->envname("CONTINUO_NO_AUTO_CREATE");
  app.add_flag("--allow-private-webhooks", serve.allow_private_webhooks,
               "Send webhooks to addresses that are not on the internet too")
      ->envname("CONTINUO_ALLOW_PRIVATE_WEBHOOKS");
  app.add_flag("--i-accept-insecure", serve.accept_insecure,
               "Listen beyond loopback, without TLS and without authentication")
      ->envname("CONTINUO_I_ACCEPT_INSECURE");
  return http;
}

void add_servers(CLI::App& app, Words& words) {
  CLI::App* serve = command(app, "serve", "Run the server", words, [&] { return done(cli::serve(words.serve)); });
  add_serving(*serve, words.serve);
  CLI::App* dev = app.add_subcommand("dev", "Run a server to play with, and print three lines to paste");
  CLI::Option* http = add_serving(*dev, words.serve);
  dev->callback([&words, http] {
    const bool given = http->count() > 0;
    words.chosen = [&words, given] { return done(cli::dev(words.serve, given)); };
  });
}

void add_demo(CLI::App& app, Words& words) {
  Demo& demo = words.demo;
  CLI::App* shop =
      command(app, "demo", "A shop of six services on a server of its own; some get killed, nothing gets lost", words,
              [&] { return demo_shop(words.demo); });
  shop->add_option("--orders", demo.orders_file, "NDJSON of orders to use instead of made ones")
      ->check(CLI::ExistingFile);
  shop->add_option("--count", demo.orders, "How many orders to make")->capture_default_str();
  shop->add_option("--seed", demo.seed, "What to make them from")->capture_default_str();
  shop->add_option("--rate", demo.rate, "Orders a second")->capture_default_str();
  shop->add_flag("--fast", demo.fast, "A short run, for tests");
  shop->add_flag("--stay", demo.stay, "Keep the server running at the end, until Ctrl-C");
  shop->add_option("--keep", demo.keep, "Folder for the data afterwards; without it continuo/demo in the cache folder");
  shop->add_flag("--no-keep", demo.no_keep, "Keep no data");
  CLI::App* github = command(*shop, "github", "Real webhook payloads as events: imported, tailed, counted, read back",
                             words, [&] { return demo_github(words.demo); });
  github
      ->add_option("--examples", demo.examples,
                   "api.github.com/index.json of the npm package @octokit/webhooks-examples")
      ->check(CLI::ExistingFile);
}

void add_measuring(CLI::App& app, Words& words) {
  CLI::App* bench = command(app, "bench", "Measure a running server: publish rates and latencies", words,
                            [&] { return done(cli::bench(words.session, words.bench)); });
  bench->add_option("--topic", words.bench.topic, "Made for it and deleted afterwards")->capture_default_str();
  bench->add_option("--seconds", words.bench.seconds, "For each measurement")
      ->capture_default_str()
      ->check(CLI::Range(1, 3600));
  bench->add_option("-c,--connections", words.bench.connections, "At once")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  bench->add_option("--bytes", words.bench.bytes, "Data of an event")->capture_default_str();
  bench->add_option("--batch", words.bench.batch, "Events in one commit")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  CLI::App* doctor = command(app, "doctor", "Look at limits, disk, clock and the server", words,
                             [&] { return done(cli::doctor(words.session, words.doctor)); });
  doctor->add_option("--data", words.doctor.data, "A data folder, or a place for one")->envname("CONTINUO_DATA");
  doctor->add_flag("--accept-loss", words.doctor.accept_loss,
                   "Start over damage in the journal of --data: what it held is lost");
}

void add_rest(CLI::App& app, Words& words) {
  CLI::App* code = command(app, "explain", "What an error code means and what to do about it", words,
                           [&] { return done(explain(words.session, words.name)); });
  code->add_option("CODE", words.name, "Without one, all are listed");
  command(app, "version", "Which version this is", words, [&] { return done(version(words.session)); });
}

// The first word that ought to be a command and is none: {word, commands there are}.
std::pair<std::string, std::vector<std::string>> unknown_command(CLI::App& app, int argc, char** argv) {
  CLI::App* at = &app;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.starts_with("-")) {
      const CLI::Option* option = word.find('=') == std::string::npos ? at->get_option_no_throw(word) : nullptr;
      if (!option && at != &app) option = app.get_option_no_throw(word);
      if (option && option->get_items_expected_max() > 0) ++i;
      continue;
    }
    const auto choices = at->get_subcommands([](CLI::App*) { return true; });
    if (choices.empty()) return {};
    const auto next = std::ranges::find_if(choices, [&](const CLI::App* choice) { return choice->get_name() == word; });
    if (next != choices.end()) {
      at = *next;
      continue;
    }
    std::vector<std::string> names;
    for (const CLI::App* choice : choices) names.push_back(choice->get_name());
    return {word, names};
  }
  return {};
}

int usage_error(CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help
  const auto [word, commands] = unknown_command(app, argc, argv);
  if (word.empty()) {
    fmt::print(stderr, "continuo: {}\n  `continuo help` or `continuo COMMAND --help` says what there is.\n",
               error.what());
  } else {
    const std::string close = nearest(word, commands);
    fmt::print(stderr, "continuo: there is no command '{}'{}\n  There are: {}\n", word,
               close.empty() ? "" : fmt::format("; did you mean '{}'?", close), fmt::join(commands, ", "));
  }
  return static_cast<int>(Exit::usage);
}

// Known before all else, since it stands below the environment in weight.
std::string settings_file_in(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--config" && i + 1 < argc) return argv[i + 1];
    if (word.starts_with("--config=")) return std::string{word.substr(9)};
  }
  return {};
}

int run_chosen(const Words& words) {
  const Result<Exit> exit = words.chosen();
  if (exit) return static_cast<int>(*exit);
  print_error(exit.error());
  return static_cast<int>(exit_of(exit.error()));
}

}  // namespace

int run(int argc, char** argv) {
  if (auto loaded = load_settings(settings_file_in(argc, argv)); !loaded) {
    print_error(loaded.error());
    return static_cast<int>(Exit::usage);
  }
  Words words;
  CLI::App app{std::string{about}, "continuo"};
  app.footer(std::string{footer});
  app.set_version_flag("--version", "continuo " CONTINUO_VERSION);
  app.require_subcommand(1)->fallthrough();
  app.add_option("--config", words.settings_file, "The settings file")->envname("CONTINUO_CONFIG");
  add_session(app, words.session);
  add_servers(app, words);
  add_demo(app, words);
  add_topics(app, words);
  add_events(app, words);
  add_subscriptions(app, words);
  add_parked(app, words);
  add_queues(app, words);
  add_apply(app, words);
  add_routes(app, words);
  add_groups(app, words);
  add_measuring(app, words);
  add_rest(app, words);
  command(app, "help", "This text", words, [&app]() -> Result<Exit> {
    fmt::print("{}", app.get_formatter()->make_help(&app, app.get_name(), CLI::AppFormatMode::Normal));
    return Exit::ok;
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error, argc, argv);
  }
  return run_chosen(words);
}

}  // namespace continuo::cli
