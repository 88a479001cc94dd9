// Runs librdkafka's producers and consumers against a server that is killed again and again, and checks what they saw.
//
//   kafka_history --server build/continuo --seconds 60 --kills 6 --seed 1
#include <CLI/CLI.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <filesystem>

#include "kafka.h"
#include "roles.h"
#include "run.h"

namespace {

using namespace continuo::history;

CLI::App* add_role(CLI::App& app, const char* name, Role& role) {
  CLI::App* made = app.add_subcommand(name)->group("");  // for this program's own use
  made->add_option("--history", role.history);
  made->add_option("--address", role.server);
  made->add_option("--topics", role.topics);
  made->add_option("--id", role.id);
  made->add_option("--seed", role.seed);
  return made;
}

void add_run(CLI::App& app, RunSettings& run) {
  app.add_option("--server", run.server, "The server's program")->check(CLI::ExistingFile);
  app.add_option("--folder", run.folder, "An empty folder for the server's data, on the disk to be used");
  app.add_option("--seed", run.seed, "Decides who does what; not when, for processes are real")->capture_default_str();
  app.add_option("--seconds", run.seconds, "Of trouble; the end comes on top")->capture_default_str();
  app.add_option("--kills", run.kills, "How often the server is killed")->capture_default_str();
  app.add_option("--pauses", run.pauses, "How often the server stands still for up to 5 s")->capture_default_str();
  app.add_option("--producers", run.producers)->capture_default_str();
  app.add_option("--consumers", run.consumers, "Members of each of the three groups, at most")->capture_default_str();
  app.add_option("--partitions", run.partitions, "Of the larger topic")->capture_default_str();
  app.add_option("--rate", run.rate, "Records a second of each producer")->capture_default_str();
  app.add_option("--patience", run.patience_s, "Seconds at the end for what is outstanding")->capture_default_str();
  app.add_flag("--let-start", run.let_start, "Never kill the server while it starts");
  app.add_flag("--keep", run.keep, "Keep history and data also when nothing is found");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Producers, consumers, kills, and a check of what they saw");
  RunSettings run_settings;
  ProducerRole producer;
  MemberRole member;
  ObserverRole observer;
  add_run(app, run_settings);
  auto* produces = add_role(app, "producer", producer);
  produces->add_flag("!--not-idempotent", producer.idempotent);
  produces->add_option("--compression", producer.compression);
  produces->add_option("--linger", producer.linger_ms);
  produces->add_option("--batch", producer.batch);
  produces->add_option("--timeout", producer.timeout_ms);
  produces->add_option("--rate", producer.rate);
  auto* consumes = add_role(app, "member", member);
  consumes->add_option("--group", member.group);
  consumes->add_option("--strategy", member.strategy);
  consumes->add_option("--instance", member.instance);
  auto* observes = add_role(app, "observer", observer);
  observes->add_option("--group", observer.group);
  CLI11_PARSE(app, argc, argv);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  try {
    if (app.get_subcommands().empty()) {
      if (run_settings.server.empty()) throw std::runtime_error("--server PROGRAM is missing");
      run_settings.self = std::filesystem::read_symlink("/proc/self/exe").string();
      return run(run_settings);
    }
    listen_for_the_end();
    if (produces->parsed()) return produce(producer);
    return consumes->parsed() ? consume(member) : observe(observer);
  } catch (const std::exception& error) {
    fmt::print(stderr, "kafka_history: {}\n", error.what());
    return 2;
  }
}
