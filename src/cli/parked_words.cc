// The words of `continuo parked ...`.
#include <CLI/CLI.hpp>

#include "continuo/cli/words.h"

namespace continuo::cli {
namespace {

void add_parked_verbs(CLI::App& parked, Words& words) {
  ParkedKey& key = words.parked_key;
  const auto verb = [&](const char* name, const char* does, auto act) {
    CLI::App* made =
        command(parked, name, does, words, [&words, act] { return done(act(words.session, words.parked_key)); });
    made->add_option("SUBSCRIPTION", key.subscription)->required();
    made->add_option("KEY", key.key, "As `parked list` shows it, or its ~id")->required();
    return made;
  };
  verb("show", "The failed event of a key, and how it failed", &parked_show);
  add_asked(*verb("retry", "Deliver the failed event again", &parked_retry), key.asked);
  add_asked(*verb("skip", "Pass over the failed event", &parked_skip), key.asked);
  add_asked(*verb("cancel", "Pass over all that waits of the key", &parked_cancel), key.asked);
  ParkedEdit& edit = words.parked_edit;
  CLI::App* made = command(parked, "edit", "Deliver another event in the failed one's place", words,
                           [&] { return done(parked_edit(words.session, words.parked_edit)); });
  made->add_option("SUBSCRIPTION", edit.parked.subscription)->required();
  made->add_option("KEY", edit.parked.key, "As `parked list` shows it, or its ~id")->required();
  made->add_option("--event", edit.event, "The event, a CloudEvent: JSON, a file's name, or -")->required();
  made->add_flag("--keep-parked", edit.keep_parked, "Do not deliver it yet");
  add_asked(*made, edit.parked.asked);
}

}  // namespace

void add_asked(CLI::App& command, Asked& asked) {
  command.add_option("--reason", asked.reason, "Why; kept in the log");
  command.add_option("--by", asked.by, "Who; kept in the log. $USER without it");
}

void add_parked(CLI::App& app, Words& words) {
  CLI::App* parked =
      app.add_subcommand("parked", "Keys that wait behind a failed event, while others flow")->require_subcommand(1);
  ParkedList& listed = words.parked_list;
  CLI::App* list = command(*parked, "list", "Parked keys of a subscription", words,
                           [&] { return done(parked_list(words.session, words.parked_list)); });
  list->add_option("SUBSCRIPTION", listed.subscription)->required();
  list->add_option("--key", listed.key, "Only this key");
  list->add_option("--fingerprint", listed.fingerprint, "Only what failed alike");
  list->add_option("--type", listed.type, "Only failed events of this type");
  list->add_option("--limit", listed.limit, "At most this many")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  add_parked_verbs(*parked, words);
  ParkedRelease& many = words.parked_release;
  CLI::App* release = command(*parked, "release", "Deliver again what failed: many keys, one after the other", words,
                              [&] { return parked_release(words.session, words.parked_release); });
  release->add_option("SUBSCRIPTION", many.subscription)->required();
  release->add_option("--fingerprint", many.fingerprint, "Only what failed alike");
  release->add_option("--type", many.type, "Only failed events of this type");
  release->add_option("--after", many.after, "Only what was parked then or later: 2026-11-21T08:30:00Z");
  release->add_option("--before", many.before, "Only what was parked before");
  release->add_option("--rate", many.rate, "Not more keys than this: 100/s");
  release->add_flag("--go-on", many.go_on, "Also when a key fails again; without it the release stops there");
  CLI::Option* dry = release->add_flag("--dry-run", many.dry_run, "Only count them");
  release->add_flag("--wait", many.wait, "Until its keys are drained; exit code 1 when one failed again");
  CLI::Option* status = release->add_flag("--status", many.status, "How far the last one is");
  release->add_flag("--stop", many.stop, "Stop the one under way")->excludes(dry)->excludes(status);
  add_asked(*release, many.asked);
}

}  // namespace continuo::cli
