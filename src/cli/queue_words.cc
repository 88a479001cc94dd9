// The words of `continuo queue ...`.
#include <CLI/CLI.hpp>

#include "continuo/cli/words.h"

namespace continuo::cli {
namespace {

void add_settings(CLI::App& to, QueueSettings& made) {
  to.add_option("QUEUE", made.name)->required();
  to.add_option("--lease", made.lease, "How long a consumer has for a message: 30s");
  to.add_option("--max-receives", made.max_receives, "Deliveries of a message before it is given up");
  to.add_option("--retry-delay", made.retry_delay, "Between them: 1s");
  to.add_option("--on-failure", made.on_failure, "dead_letter, park or drop");
  to.add_option("--dead-letter", made.dead_letter, "The queue of dead letters; QUEUE.dead");
  to.add_option("--retention", made.retention, "A message that waited so long is passed over: 4d");
  to.add_option("--dedup-window", made.dedup_window, "Recognise a repeated id this long: 5m");
  to.add_option("-p,--partitions", made.partitions, "How many partitions");
  to.add_option("--concurrency", made.concurrency, "Leases at once");
}

void add_definitions(CLI::App& queue, Words& words) {
  CLI::App* create = command(queue, "create", "Make a queue, and the one of its dead letters", words,
                             [&] { return done(queue_create(words.session, words.queue_create)); });
  add_settings(*create, words.queue_create);
  create->add_flag("--fifo", words.queue_create.fifo, "In order within each group");
  CLI::App* change = command(queue, "change", "Change what is named of a queue; none takes its retention away", words,
                             [&] { return done(queue_change(words.session, words.queue_change)); });
  add_settings(*change, words.queue_change);
  command(queue, "list", "All queues, and how they stand", words, [&] { return done(queue_list(words.session)); });
  CLI::App* show =
      command(queue, "show", "How one stands", words, [&] { return done(queue_show(words.session, words.name)); });
  show->add_option("QUEUE", words.name)->required();
  CLI::App* gone = command(queue, "delete", "Delete queues with all their messages", words,
                           [&] { return done(queue_delete(words.session, words.names)); });
  gone->add_option("QUEUE", words.names)->required();
}

void add_messages(CLI::App& queue, Words& words) {
  QueueSend& sent = words.queue_send;
  CLI::App* send = command(queue, "send", "Send one message", words,
                           [&] { return done(queue_send(words.session, words.queue_send)); });
  send->add_option("QUEUE", sent.name)->required();
  CLI::Option* data = send->add_option("-d,--data", sent.data, "What it says: JSON, or text");
  send->add_option("--event", sent.event, "A CloudEvent instead: JSON, a file's name, or -")->excludes(data);
  send->add_option("--delay", sent.delay, "Not to be delivered before so long: 5m");
  send->add_option("--not-before", sent.not_before, "Or before this time: 2026-01-31T08:00:00Z");
  send->add_option("--ttl", sent.ttl, "Passed over after so long: 1h");
  send->add_option("--group", sent.group, "In order with the others of its group");
  send->add_option("--dedup-id", sent.dedup_id, "Sent again with the same, it is there once");
  QueueReceive& got = words.queue_receive;
  CLI::App* receive = command(queue, "receive", "Take messages under a lease", words,
                              [&] { return done(queue_receive(words.session, words.queue_receive)); });
  receive->add_option("QUEUE", got.name)->required();
  receive->add_option("-n,--max", got.max, "At most this many")->capture_default_str();
  receive->add_option("--wait", got.wait, "Wait for the first message: 20s");
  receive->add_option("--lease", got.lease, "How long to have them: 30s");
  receive->add_flag("--ack", got.ack, "Settle them at once");
  CLI::App* ack = command(queue, "ack", "Settle messages by their leases", words,
                          [&] { return done(queue_ack(words.session, words.name, words.names)); });
  ack->add_option("QUEUE", words.name)->required();
  ack->add_option("LEASE", words.names)->required();
}

void add_care(CLI::App& queue, Words& words) {
  CLI::App* peek = command(queue, "peek", "Look at messages without taking them", words,
                           [&] { return done(queue_peek(words.session, words.queue_peek)); });
  peek->add_option("QUEUE", words.queue_peek.name)->required();
  peek->add_option("-n,--max", words.queue_peek.max, "At most this many")->capture_default_str();
  peek->add_option("--from", words.queue_peek.from, "Where the peek before ended");
  CLI::App* purge = command(queue, "purge", "Drop all messages that nobody has leased and no repair waits for", words,
                            [&] { return done(queue_purge(words.session, words.queue_purge)); });
  purge->add_option("QUEUE", words.queue_purge.name)->required();
  add_asked(*purge, words.queue_purge.asked);
  QueueRedrive& moved = words.queue_redrive;
  CLI::App* redrive = command(queue, "redrive", "Move dead letters back into a queue", words,
                              [&] { return done(queue_redrive(words.session, words.queue_redrive)); });
  redrive->add_option("QUEUE", moved.name)->required();
  redrive->add_option("--from", moved.from, "The queue of dead letters, or a subscription")->required();
  redrive->add_option("--rate", moved.rate, "Messages a second: 100/s");
  redrive->add_option("-n,--max", moved.max, "At most this many");
  add_asked(*redrive, moved.asked);
}

}  // namespace

void add_queues(CLI::App& app, Words& words) {
  CLI::App* queue =
      app.add_subcommand("queue", "Queues: messages for competing consumers, trimmed when they are settled")
          ->require_subcommand(1);
  add_definitions(*queue, words);
  add_messages(*queue, words);
  add_care(*queue, words);
}

}  // namespace continuo::cli
