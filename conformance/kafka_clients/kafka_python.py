#!/usr/bin/env python3
"""kafka-python: Debian's 2.0 and a current 3."""

import importlib.util
import json
import time

import adapter
import kafka
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.structs import OffsetAndMetadata

NEW = int(kafka.__version__.split(".", maxsplit=1)[0]) >= 3
LIBRARIES = {"snappy": "snappy", "lz4": "lz4", "zstd": "zstandard"}


def only_new(what):
    if not NEW:
        raise adapter.NotOffered(what)


def done(results):
    """Answers of the admin client that name an error instead of raising it."""
    for what, said in results.items():
        if getattr(said, "errno", 0) != 0:
            raise said(what)


class KafkaPython:
    def __init__(self, server):
        self.server = {"bootstrap_servers": server}
        self.opened, self.consumers, self.ahead = {}, {}, {}
        self.made = None

    @property
    def admin(self):
        self.made = self.made or KafkaAdminClient(**self.server)
        return self.made

    def version(self):
        return kafka.__version__

    def producer(self, codec="none", acks=-1, idempotent=False, max_request=1048576):
        if idempotent:
            only_new("idempotent producers")
        if (module := LIBRARIES.get(codec)) and not importlib.util.find_spec(module):
            raise adapter.Skipped(f"{module} is not installed")
        more = {"enable_idempotence": idempotent} if NEW else {"buffer_memory": 64 << 20}
        return KafkaProducer(**self.server, **more, compression_type=None if codec == "none" else codec,
                             acks="all" if acks < 0 else acks, linger_ms=20, max_request_size=max_request, retries=5,
                             request_timeout_ms=10000)

    def produce(self, topic, records, options):
        name = json.dumps(options)
        if name not in self.opened:
            self.opened[name] = self.producer(**options)
        sent = [self.opened[name].send(
            topic, adapter.encoded(each["value"]), adapter.encoded(each["key"]), partition=each.get("partition"),
            headers=[(name, adapter.encoded(value)) for name, value in each.get("headers", [])],
            timestamp_ms=each.get("timestamp")) for each in records]
        self.opened[name].flush(20)
        places = [each.get(20) for each in sent]
        return [{"partition": place.partition, "offset": place.offset} for place in places]

    def open(self, name, topic, partition, start):
        consumer = self.consumers[name] = KafkaConsumer(**self.server, group_id=None, enable_auto_commit=False)
        place = TopicPartition(topic, partition)
        consumer.assign([place])
        if start == "earliest":
            consumer.seek_to_beginning(place)
        elif start == "latest":
            consumer.seek_to_end(place)
        elif isinstance(start, dict):
            consumer.seek(place, consumer.offsets_for_times({place: start["time"]})[place].offset)
        else:
            consumer.seek(place, start)
        if isinstance(start, str):
            consumer.position(place)

    def join(self, name, group, topic, strategy=None, instance=None, auto_commit=False):
        more = {}
        if instance:
            only_new("static members")
            more["group_instance_id"] = instance
        if strategy:
            only_new("cooperative rebalancing")
            from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
            more["partition_assignment_strategy"] = [CooperativeStickyAssignor]
        self.consumers[name] = KafkaConsumer(topic, **self.server, **more, group_id=group, auto_offset_reset="earliest",
                                             enable_auto_commit=auto_commit, session_timeout_ms=10000,
                                             heartbeat_interval_ms=500)

    def read(self, name, count, seconds):
        found, until = [], time.monotonic() + seconds
        while len(found) < count and (left := until - time.monotonic()) > 0:
            for records in self.consumers[name].poll(int(left * 1000), max_records=count - len(found)).values():
                found += [adapter.record(each.partition, each.offset, each.key, each.value, each.headers,
                                         each.timestamp) for each in records]
        return found

    def assignment(self, name):
        return [each.partition for each in self.consumers[name].assignment()]

    @staticmethod
    def place(offset, metadata):
        return OffsetAndMetadata(offset, metadata, -1) if NEW else OffsetAndMetadata(offset, metadata)

    def commit(self, name, topic, offsets):
        self.consumers[name].commit({TopicPartition(topic, int(partition)): self.place(*each)
                                     for partition, each in offsets.items()})

    def committed(self, name, topic, partition):
        found = self.consumers[name].committed(TopicPartition(topic, partition), metadata=True)
        return [found.offset, found.metadata]

    def close(self, name):
        self.consumers.pop(name).close()

    def offset(self, topic, partition, at):
        consumer, place = KafkaConsumer(**self.server), TopicPartition(topic, partition)
        try:
            if isinstance(at, int):
                return consumer.offsets_for_times({place: at})[place].offset
            return (consumer.beginning_offsets if at == "earliest" else consumer.end_offsets)([place])[place]
        finally:
            consumer.close()

    def admin_offset(self, topic, partition, at):
        only_new("list_partition_offsets")
        from kafka.admin import OffsetSpec
        place = TopicPartition(topic, partition)
        wanted = at if isinstance(at, int) else OffsetSpec[at.upper()]
        return self.admin.list_partition_offsets({place: wanted})[place].offset

    def topics(self):
        return {each["name" if NEW else "topic"]: len(each["partitions"]) for each in self.admin.describe_topics()}

    def cluster(self):
        said = self.admin.describe_cluster()
        return {"brokers": [f"{each['host']}:{each['port']}" for each in said["brokers"]],
                "controller": said["controller_id"], "id": said["cluster_id"]}

    def create_topic(self, topic, partitions, configs):
        from kafka.admin import NewTopic
        self.admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=configs)])

    def delete_topic(self, topic):
        self.admin.delete_topics([topic])

    @staticmethod
    def resource(topic, configs=None):
        from kafka.admin import ConfigResource, ConfigResourceType
        return ConfigResource(ConfigResourceType.TOPIC, topic, configs)

    def configs(self, topic):
        if NEW:
            said = self.admin.describe_configs([self.resource(topic)], config_filter="all")
            return {name: each["value"] for name, each in said["topic"][topic].items()}
        said = self.admin.describe_configs([self.resource(topic)])
        return {entry[0]: entry[1] for entry in said[0].resources[0][4]}

    def alter_configs(self, topic, configs):
        if NEW:
            self.admin.alter_configs([self.resource(topic, configs)], incremental=False)
            return
        said = self.admin.alter_configs([self.resource(topic, configs)])
        assert said.resources[0][0] == 0, said

    def alter_configs_incrementally(self, topic, configs):
        only_new("IncrementalAlterConfigs")
        self.admin.alter_configs([self.resource(topic, configs)], incremental=True)

    def create_partitions(self, topic, total):
        if NEW:
            self.admin.create_partitions({topic: total})
            return
        from kafka.admin import NewPartitions
        self.admin.create_partitions({topic: NewPartitions(total)})

    def delete_records(self, topic, partition, before):
        only_new("delete_records")
        place = TopicPartition(topic, partition)
        return self.admin.delete_records({place: before})[place]["low_watermark"]

    def log_dirs(self, topic):
        only_new("a log folder's topics")
        said = self.admin.describe_log_dirs([topic])
        return sum(partition["partition_size"] for broker in said for folder in broker["log_dirs"]
                   for each in folder["topics"] for partition in each["partitions"])

    def producers(self, topic, partition):
        only_new("describe_producers")
        place = TopicPartition(topic, partition)
        return [[each.producer_id, each.last_sequence]
                for each in self.admin.describe_producers([place])[place].active_producers]

    def groups(self):
        if NEW:
            return [each["group_id"] for each in self.admin.list_groups()]
        return [each[0] for each in self.admin.list_consumer_groups()]

    def group(self, group):
        if NEW:
            said = self.admin.describe_groups([group])[group]
            return {"state": said["group_state"], "members": [{} for _ in said["members"]]}
        said = self.admin.describe_consumer_groups([group])[0]
        return {"state": said.state, "members": [{} for _ in said.members]}

    def delete_group(self, group):
        if NEW:
            done(self.admin.delete_groups([group]))
            return
        assert self.admin.delete_consumer_groups([group])[0][1].errno == 0

    def group_offsets(self, group, topic):
        if NEW:
            said = self.admin.list_group_offsets(group)[group]
            return {each.partition: place.offset for each, place in said.items()}
        return {each.partition: place.offset for each, place in self.admin.list_consumer_group_offsets(group).items()}

    def alter_group_offsets(self, group, topic, offsets):
        only_new("alter_group_offsets")
        done(self.admin.alter_group_offsets(group, {TopicPartition(topic, int(partition)): self.place(offset, "")
                                                    for partition, offset in offsets.items()}))

    def delete_group_offsets(self, group, topic, partitions):
        only_new("delete_group_offsets")
        done(self.admin.delete_group_offsets(group, [TopicPartition(topic, partition) for partition in partitions]))


adapter.run(KafkaPython)
