// Records out: what is there at once, or as soon as enough is durable, in the batches they are stored in.
#include <algorithm>

#include "continuo/serve/kafka/handlers.h"
#include "continuo/serve/kafka/session.h"
#include "continuo/serve/reading_aside.h"

namespace continuo::serve {
namespace {

using namespace wire::kafka;

constexpr std::uint64_t most_bytes = 16u << 20;       // of one answer, whatever is asked for
constexpr std::uint64_t most_when_short = 64u << 10;  // when all answers together take what they may
constexpr Millis longest_wait{60'000};

/// One partition of a fetch.
struct Part {
  std::size_t topic = 0;  // places in the answer
  std::size_t partition = 0;
  PartitionRef ref;
  Offset from;
  std::uint64_t most = 0;
};

/// What was read of one.
struct ReadPart {
  Part part;
  Result<node::Batches> batches = fail(Code::not_found, "not read");
};

/// A fetch under way: looks, waits where there is too little, reads, answers.
class Fetching final : public KafkaWaiter, public std::enable_shared_from_this<Fetching> {
 public:
  Fetching(KafkaCall& call, const FetchRequest& request)
      : call_(call.shared_from_this()),
        node_(call.node()),
        least_(static_cast<std::uint64_t>(std::max(0, request.min_bytes))),
        most_(std::min<std::uint64_t>(call.thread().door().budget.exhausted() ? most_when_short : most_bytes,
                                      static_cast<std::uint64_t>(std::max(0, request.max_bytes)))),
        wait_(std::clamp(Millis{request.max_wait_ms}, Millis{0}, longest_wait)) {
    prepare(request);
  }

  void begin() {
    if (failed_ || wait_ == Millis{0} || parts_.empty() || anything_new()) return read();
    wait();
    news();  // of what came between the look and the wait
  }

  void news() override {
    if (anything_new()) read();
  }
  void late() override {
    wait_ = Millis{0};
    read();
  }

 private:
  void prepare(const FetchRequest& request) {
    const auto catalogue = node_.catalogue();
    for (const FetchRequest::Topic& topic : request.topics) {
      auto& out = answer_.topics.emplace_back();
      out.topic = topic.topic;
      for (const FetchRequest::Partition& partition : topic.partitions)
        prepare(*catalogue, topic.topic, partition, request.isolation_level);
    }
  }

  void prepare(const node::Catalogue& catalogue, const std::string& topic, const FetchRequest::Partition& asked,
               std::int8_t isolation_level) {
    auto& place = answer_.topics.back().partitions.emplace_back();
    place.partition_index = asked.partition;
    if (isolation_level == 1) place.aborted_transactions.emplace();
    const auto ref = find_partition(catalogue, topic, asked.partition);
    const KafkaError epoch = check_epoch(asked.current_leader_epoch);
    if (!ref || epoch != KafkaError::none) return refuse(place, ref ? epoch : ref.error());
    parts_.push_back({answer_.topics.size() - 1, answer_.topics.back().partitions.size() - 1, *ref,
                      Offset{asked.fetch_offset}, static_cast<std::uint64_t>(std::max(0, asked.partition_max_bytes))});
    if (topics_.empty() || topics_.back() != ref->topic) topics_.push_back(ref->topic);
  }

  void refuse(FetchResponse::Partition& place, KafkaError error) {
    place.error_code = number(error);
    failed_ = true;
  }

  // Whether reading would bring something, an error counted too. Bytes are not known before they are read: an answer
  // smaller than asked for is waited for once more.
  bool anything_new() const {
    return std::ranges::any_of(parts_, [this](const Part& part) {
      const auto state = node_.partition_state(part.ref);
      return !state || part.from != state->next;
    });
  }

  void wait() {
    if (!waiting_) call_->session().wait(shared_from_this(), topics_, wait_);
    waiting_ = true;
  }

  void read() {
    if (reading_) return;
    reading_ = true;
    const bool near =
        std::ranges::all_of(parts_, [this](const Part& part) { return is_near_end(node_, part.ref, part.from); });
    ReaderPool& readers = call_->thread().door().readers;
    if (near || readers.empty()) return finish(read_all(node_, parts_, most_));
    readers.run([self = shared_from_this()] {
      self->call_->thread().post(
          [self, read = read_all(self->node_, self->parts_, self->most_)]() mutable { self->finish(std::move(read)); });
    });
  }

  // As far as `most` goes; the first batch there is at all comes whatever its size (KIP-74). Any thread.
  static std::vector<ReadPart> read_all(node::Node& node, const std::vector<Part>& parts, std::uint64_t most) {
    std::vector<ReadPart> all;
    std::uint64_t taken = 0;
    bool full = false;  // nothing that is read now would be told
    for (const Part& part : parts) {
      ReadPart read{part};
      const std::uint64_t left = most - std::min(most, taken);
      const std::uint64_t room = std::min(part.most, left);
      full = full || (taken != 0 && left == 0);
      read.batches = full ? look(node, part) : node.read(part.ref, part.from, room);
      if (read.batches) {
        auto& batches = read.batches->batches;
        std::size_t count = 0;
        std::uint64_t size = 0;
        while (count < batches.size() && ((taken == 0 && count == 0) || size + batches[count]->size() <= room))
          size += batches[count++]->size();
        full = full || (count < batches.size() && room == left);
        batches.resize(count);
        taken += size;
      }
      all.push_back(std::move(read));
    }
    return all;
  }

  // How a partition stands; nothing is read.
  static Result<node::Batches> look(node::Node& node, const Part& part) {
    const auto state = node.partition_state(part.ref);
    if (!state) return std::unexpected(state.error());
    if (part.from < state->first || part.from > state->next)
      return fail(Code::offset_out_of_range, "there is no record at that offset");
    node::Batches batches;
    batches.first = state->first;
    batches.end = state->next;
    return batches;
  }

  void finish(std::vector<ReadPart> all) {
    reading_ = false;
    if (call_->gone() || call_->done()) return;
    std::uint64_t bytes = 0;
    bool failed = failed_;
    for (ReadPart& read : all) {
      auto& place = answer_.topics[read.part.topic].partitions[read.part.partition];
      fill(place, read);
      bytes += place.records.size();
      failed = failed || place.error_code != 0;
    }
    const bool enough = failed || bytes >= least_ || bytes >= most_;
    if (!enough && wait_ != Millis{0}) {
      for (ReadPart& read : all) answer_.topics[read.part.topic].partitions[read.part.partition].records = {};
      return wait();
    }
    call_->session().stop_waiting();
    call_->answer(answer_);
  }

  void fill(FetchResponse::Partition& place, const ReadPart& read) const {
    place.records = {};
    if (!read.batches) {
      place.error_code = number(kafka_error(read.batches.error().code));
      const auto state = node_.partition_state(read.part.ref);
      if (state) place.log_start_offset = state->first.value;
      place.high_watermark = place.last_stable_offset = state ? state->next.value : -1;
      return;
    }
    place.high_watermark = place.last_stable_offset = read.batches->end.value;
    place.log_start_offset = read.batches->first.value;
    for (const auto& batch : read.batches->batches) place.records.pieces.push_back({batch, *batch});
  }

  std::shared_ptr<KafkaCall> call_;
  node::Node& node_;
  std::uint64_t least_;
  std::uint64_t most_;
  Millis wait_;
  std::vector<Part> parts_;
  std::vector<TopicId> topics_;
  FetchResponse answer_;
  bool failed_ = false;
  bool waiting_ = false;
  bool reading_ = false;
};

}  // namespace

void fetch(KafkaCall& call, FetchRequest request) {
  // Sessions are not kept: number 0 tells the client to name all its partitions each time (KIP-227). Who begins one, or
  // ends one, names them all now; only who goes on needs one.
  constexpr std::int32_t begins = 0, ends = -1;
  if (request.session_epoch != begins && request.session_epoch != ends) {
    FetchResponse answer;
    answer.error_code = number(KafkaError::fetch_session_id_not_found);
    return call.answer(answer);
  }
  std::make_shared<Fetching>(call, request)->begin();
}

}  // namespace continuo::serve
