// What a command line can say: the words of all commands, and how a command is made of some.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "continuo/cli/commands.h"
#include "continuo/cli/exit_code.h"

namespace continuo::cli {

using Command = std::function<Result<Exit>()>;

inline Result<Exit> done(Result<void> result) {
  if (!result) return pass(result);
  return Exit::ok;
}

/// All that the words of a command line may set, and the command they choose.
struct Words {
  Session session;
  std::string settings_file;
  TopicCreate topic_create;
  TopicChange topic_change{.name = {}, .partitions = 0};
  TopicTrim topic_trim;
  Apply apply;
  Publish publish;
  Import import;
  Tail tail;
  SubCreate sub_create;
  SubChange sub_change;
  SubSeek sub_seek;
  SubReceive sub_receive;
  ParkedList parked_list;
  ParkedKey parked_key;
  ParkedEdit parked_edit;
  ParkedRelease parked_release;
  QueueSettings queue_create, queue_change;
  QueueSend queue_send;
  QueueReceive queue_receive;
  QueuePeek queue_peek;
  QueuePurge queue_purge;
  QueueRedrive queue_redrive;
  RouteExplain route_explain;
  GroupReset group_reset;
  Bench bench;
  Doctor doctor;
  Serve serve;
  Demo demo;
  std::string name;                ///< of one topic, subscription, queue, group or code
  std::vector<std::string> names;  ///< of many; leases
  std::string unused;
  Command chosen;
};

/// Makes a command that runs `act` when it is chosen.
inline CLI::App* command(CLI::App& parent, const std::string& name, const std::string& does, Words& words,
                         Command act = {}) {
  CLI::App* made = parent.add_subcommand(name, does);
  if (!act) return made;
  made->callback([&words, made, act = std::move(act)] {
    if (made->get_subcommands().empty()) words.chosen = act;  // else the inner one is meant
  });
  return made;
}

/// Who asks and why.
void add_asked(CLI::App& command, Asked& asked);  // parked_words.cc

// Each adds its commands.
void add_parked(CLI::App& app, Words& words);  // parked_words.cc
void add_queues(CLI::App& app, Words& words);  // queue_words.cc

}  // namespace continuo::cli
