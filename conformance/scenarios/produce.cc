// Records in: what is taken, and what is refused and how.
#include "continuo/record/compressed_batch_test.h"
#include "requests.h"
#include "scenarios.h"

namespace continuo::conformance {
namespace {

using L = record::BatchLayout;

void good(Run& run) {
  make_topic(run, "good", 2);
  const std::string batch = batch_of({"a", "b", "c"});
  run.ask_in_all("three records", produce_to("good", 0, batch), 3);
  run.ask("acks 1", produce_to("good", 0, batch, 1));
  run.ask("the other partition", produce_to("good", 1, batch));
  ProduceRequest both = produce_to("good", 0, batch);
  both.topics[0].partitions.push_back({1, {batch}});
  both.topics[0].partitions.push_back({7, {batch}});
  both.topics.push_back({"unknown", {{0, {batch}}}});
  run.ask("several partitions, some unknown", both);
  run.ask("nothing", ProduceRequest{std::nullopt, -1, 5'000, {}});
  run.ask("what was written", fetch_from("good", 0, 0));
}

void compressed(Run& run) {
  make_topic(run, "compressed");
  for (const auto codec :
       {record::Compression::gzip, record::Compression::snappy, record::Compression::lz4, record::Compression::zstd}) {
    const std::string name = "codec " + std::to_string(static_cast<int>(codec));
    const std::string batch = record::compressed_batch(batch_of({"a", "b", std::string(5'000, 'c')}), codec);
    run.ask_in_all(name, produce_to("compressed", 0, batch), codec == record::Compression::zstd ? 7 : 3);
    if (codec == record::Compression::zstd) run.ask("zstd in version 6", produce_to("compressed", 0, batch), 6);
    std::string cut = batch;
    cut.resize(cut.size() - 3);
    run.ask(name + " cut short",
            produce_to("compressed", 0, with(cut, L::batch_length, static_cast<std::int32_t>(cut.size() - 12))));
    std::string rubbish = batch;
    std::fill(rubbish.begin() + L::records, rubbish.end(), 'x');
    run.ask(name + " rubbish", produce_to("compressed", 0, with_crc(rubbish)));
  }
  run.ask("codec 5", produce_to("compressed", 0, with(batch_of({"a"}), L::attributes, std::int16_t{5})));
  run.ask("what was written", fetch_from("compressed", 0, 0));
}

void refused(Run& run) {
  make_topic(run, "refused");
  const std::string batch = batch_of({"a", "b"});
  const auto send = [&run](std::string_view step, std::string_view bytes) {
    run.ask(step, produce_to("refused", 0, bytes));
  };
  std::string rotten = batch;
  rotten.back() ^= 1;
  send("a wrong CRC", rotten);
  for (const int magic : {0, 1, 3}) {
    std::string other = batch;
    other[L::magic] = static_cast<char>(magic);
    send("magic " + std::to_string(magic), other);
  }
  send("no bytes", "");
  ProduceRequest null = produce_to("refused", 0, "");
  null.topics[0].partitions[0].records.bytes.reset();
  run.ask("null", null);
  send("half a header", std::string_view{batch}.substr(0, 30));
  send("a batch cut short", std::string_view{batch}.substr(0, batch.size() - 2));
  send("two batches", batch + batch);
  send("bytes behind the batch", batch + "more");
  send("too large a batch", batch_of({std::string(1'100'000, 'x')}));
  send("a count of 3 with 2 records", with(batch, L::record_count, std::int32_t{3}));
  send("a count of 1 with 2 records", with(batch, L::record_count, std::int32_t{1}));
  send("a count of 0", with(batch, L::record_count, std::int32_t{0}));
  send("a count of -1", with(batch, L::record_count, std::int32_t{-1}));
  send("a last delta of 5 with 2 records", with(batch, L::last_offset_delta, std::int32_t{5}));
  send("a last delta of 0 with 2 records", with(batch, L::last_offset_delta, std::int32_t{0}));
  std::string gap = batch;
  gap[L::records + (gap.size() - L::records) / 2 + 3] = 8;  // the second record's offset delta: 4
  send("deltas 0 and 4", with_crc(gap));
  std::string broken = batch;
  broken[L::records] = 0x7e;  // the first record's length
  send("a record longer than the batch", with_crc(broken));
  send("a base offset of 40", with(batch, L::base_offset, std::int64_t{40}));
  send("a transaction's batch", with(batch, L::attributes, std::int16_t{16}));
  send("a control batch", with(batch, L::attributes, std::int16_t{32}));
  send("the time of appending", with(batch, L::attributes, std::int16_t{8}));
  run.ask("what was written", fetch_from("refused", 0, 0));
}

void wrong_requests(Run& run) {
  make_topic(run, "asked");
  const std::string batch = batch_of({"a"});
  for (const std::int16_t acks : {2, -2}) {
    run.ask("acks " + std::to_string(acks), produce_to("asked", 0, batch, acks));
    run.ask("acks " + std::to_string(acks) + " in version 3", produce_to("asked", 0, batch, acks), 3);
  }
  run.ask_in_all("an unknown topic", produce_to("nowhere", 0, batch), 3);
  run.ask("an unknown partition", produce_to("asked", 1, batch));
  run.ask("partition -1", produce_to("asked", -1, batch));
  run.ask("a name that cannot be", produce_to("no name", 0, batch));
  for (const std::int16_t version : {0, 1, 2}) {
    ProduceRequest request = produce_to("asked", 0, batch);
    run.ask("an old version", request, version);
  }
  ProduceRequest transaction = produce_to("asked", 0, batch);
  transaction.transactional_id = "t";
  run.ask("a transactional id with a batch of none", transaction);
}

void without_acks(Run& run) {
  make_topic(run, "quiet");
  const std::string batch = batch_of({"quiet"});
  run.send(produce_to("quiet", 0, batch, 0));
  run.ask("what follows is answered", produce_to("quiet", 0, batch));
  run.send(produce_to("quiet", 9, batch, 0));
  run.ask("behind an unknown partition", ApiVersionsRequest{"differential", "1"}, 0);
  run.ask("what was written", fetch_from("quiet", 0, 0));
}

void other_times(Run& run) {
  make_topic(run, "times");
  run.ask("no time", produce_to("times", 0, batch_of({"a"}, {}, -1)));
  run.ask("time 0", produce_to("times", 0, batch_of({"a"}, {}, 0)));
  run.ask("time -5", produce_to("times", 0, batch_of({"a"}, {}, -5)));
  run.ask("the year 2100", produce_to("times", 0, batch_of({"a"}, {}, 4'102'444'800'000)));
}

}  // namespace

void produce(Run& run) {
  run.play("Produce", good);
  run.play("Produce compressed", compressed);
  run.play("Produce what cannot be", refused);
  run.play("Produce wrongly asked", wrong_requests);
  run.play("Produce without acks", without_acks);
  run.play("Produce with odd times", other_times);
}

}  // namespace continuo::conformance
