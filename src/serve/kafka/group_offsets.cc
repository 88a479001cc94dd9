// Offsets that groups commit, ask for and delete.
#include <algorithm>
#include <map>

#include "continuo/node/groups.h"
#include "continuo/serve/kafka/group_errors.h"
#include "continuo/serve/kafka/handlers.h"
#include "continuo/serve/kafka/session.h"

namespace continuo::serve {
namespace {

using namespace wire::kafka;
using Committed = std::vector<node::CommittedOffset>;

/// Partitions that are known, and where their outcomes go; the others have their error already.
class Outcomes {
 public:
  Outcomes(KafkaCall& call, const auto& topics) : catalogue_(call.node().catalogue()) {
    for (const auto& topic : topics) {
      auto& out = all_.emplace_back();
      out.name = topic.name;
      for (const auto& partition : topic.partitions)
        out.partitions.push_back({partition.partition_index, number(KafkaError::none)});
    }
  }
  /// Calls known(place of the topic, of the partition, ref) for each partition that exists.
  void each_known(auto known) {
    for (std::size_t t = 0; t < all_.size(); ++t)
      for (std::size_t p = 0; p < all_[t].partitions.size(); ++p) {
        const auto ref = find_partition(*catalogue_, all_[t].name, all_[t].partitions[p].partition_index);
        all_[t].partitions[p].error_code = ref ? 0 : number(ref.error());
        if (!ref) continue;
        known(t, p, *ref);
        places_.emplace_back(t, p);
      }
  }
  void take(const Result<node::GroupOutcomes>& told) {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const auto [t, p] = places_[i];
      const bool own = told && i < told->each.size();
      all_[t].partitions[p].error_code = own    ? number(kafka_error(told->each[i]))
                                         : told ? number(kafka_error(told->error))
                                                : failed(told.error());
    }
  }
  std::vector<TopicOutcome> all() const { return all_; }

 private:
  std::shared_ptr<const node::Catalogue> catalogue_;
  std::vector<TopicOutcome> all_;
  std::vector<std::pair<std::size_t, std::size_t>> places_;
};

OffsetFetchResponse::Partition place_of(std::int32_t partition, const node::CommittedOffset* committed) {
  OffsetFetchResponse::Partition out;
  out.partition_index = partition;
  out.metadata = "";
  if (committed == nullptr) return out;
  out.committed_offset = committed->offset.value;
  if (committed->leader_epoch) out.committed_leader_epoch = static_cast<std::int32_t>(*committed->leader_epoch);
  out.metadata = committed->metadata;
  return out;
}

// All there are, by topic.
std::vector<OffsetFetchResponse::Topic> tell_all(const node::Catalogue& catalogue, const Committed& committed) {
  std::map<TopicId, const std::string*> names;
  for (const auto& [name, topic] : catalogue.topics) names[topic->id] = &name;
  std::vector<OffsetFetchResponse::Topic> all;
  for (const node::CommittedOffset& each : committed) {
    const auto name = names.find(each.partition.topic);
    if (name == names.end()) continue;  // deleted meanwhile
    if (all.empty() || all.back().name != *name->second) all.push_back({*name->second, {}});
    all.back().partitions.push_back(place_of(static_cast<std::int32_t>(each.partition.partition.value), &each));
  }
  return all;
}

std::vector<OffsetFetchResponse::Topic> tell(const node::Catalogue& catalogue, const Committed& committed,
                                             const std::vector<OffsetFetchRequest::Topic>& topics) {
  std::vector<OffsetFetchResponse::Topic> all;
  for (const OffsetFetchRequest::Topic& topic : topics) {
    auto& out = all.emplace_back();
    out.name = topic.name;
    for (const std::int32_t partition : topic.partition_indexes) {
      const auto ref = find_partition(catalogue, topic.name, partition);
      const auto found = ref ? std::ranges::find(committed, *ref, &node::CommittedOffset::partition) : committed.end();
      out.partitions.push_back(place_of(partition, found == committed.end() ? nullptr : &*found));
    }
  }
  return all;
}

}  // namespace

void offset_commit(KafkaCall& call, OffsetCommitRequest request) {
  engines::CommitOffsets commit{
      .who = {request.group_id, request.member_id, request.group_instance_id, request.generation_id}};
  const auto outcomes = std::make_shared<Outcomes>(call, request.topics);
  outcomes->each_known([&](std::size_t t, std::size_t p, PartitionRef ref) {
    auto& asked = request.topics[t].partitions[p];
    std::optional<std::uint32_t> epoch;
    if (asked.committed_leader_epoch >= 0) epoch = static_cast<std::uint32_t>(asked.committed_leader_epoch);
    commit.partitions.push_back(
        {ref, Offset{asked.committed_offset}, epoch, std::move(asked.committed_metadata).value_or("")});
  });
  call.node().groups().commit(call.thread(), std::move(commit),
                              [self = call.shared_from_this(), outcomes](Result<node::GroupOutcomes> told) {
                                if (self->gone()) return;
                                outcomes->take(told);
                                OffsetCommitResponse answer;
                                answer.topics = outcomes->all();
                                self->answer(answer);
                              });
}

// Before version 8 one group is asked for, from then on several; both are answered from the same.
void offset_fetch(KafkaCall& call, OffsetFetchRequest request) {
  const bool one = call.version() < 8;
  if (one) request.groups = {{request.group_id, std::move(request.topics)}};
  const auto answer = std::make_shared<OffsetFetchResponse>();
  answer->groups.resize(request.groups.size());
  const auto all_told = std::make_shared<Gathering>([self = call.shared_from_this(), answer, one] {
    if (self->gone()) return;
    if (one) {
      answer->error_code = answer->groups[0].error_code;
      answer->topics = std::move(answer->groups[0].topics);
      answer->groups.clear();
    }
    self->answer(*answer);
  });
  for (std::size_t i = 0; i < request.groups.size(); ++i) {
    OffsetFetchResponse::Group& place = answer->groups[i];
    place.group_id = request.groups[i].group_id;
    call.node().groups().committed(call.thread(), place.group_id,
                                   [all_told, answer, &place, &node = call.node(),
                                    topics = std::move(request.groups[i].topics)](Result<Committed> committed) {
                                     if (!committed) {
                                       place.error_code = failed(committed.error());
                                       return;
                                     }
                                     const auto catalogue = node.catalogue();
                                     place.topics = topics ? tell(*catalogue, *committed, *topics)
                                                           : tell_all(*catalogue, *committed);
                                   });
  }
}

void offset_delete(KafkaCall& call, OffsetDeleteRequest request) {
  if (request.group_id.empty()) {
    OffsetDeleteResponse answer;
    answer.error_code = number(KafkaError::invalid_group_id);
    return call.answer(answer);
  }
  engines::DeleteOffsets remove{.group = request.group_id};
  const auto outcomes = std::make_shared<Outcomes>(call, request.topics);
  outcomes->each_known([&](std::size_t t, std::size_t, PartitionRef ref) {
    remove.partitions.push_back({request.topics[t].name, ref});
  });
  call.node().groups().remove_offsets(
      call.thread(), std::move(remove), [self = call.shared_from_this(), outcomes](Result<node::GroupOutcomes> told) {
        if (self->gone()) return;
        OffsetDeleteResponse answer;
        using engines::GroupError;
        const bool subscribed = told && told->error == GroupError::group_subscribed_to_topic;
        if (!told)
          answer.error_code = failed(told.error());
        else if (!subscribed)
          answer.error_code = number(kafka_error(told->error));
        outcomes->take(told);
        if (answer.error_code == 0) answer.topics = outcomes->all();
        self->answer(answer);
      });
}

}  // namespace continuo::serve
