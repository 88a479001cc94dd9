#!/usr/bin/env python3
"""confluent-kafka, which is librdkafka: Debian's and a current one."""

import json
import time

import adapter
import confluent_kafka
from confluent_kafka import Consumer, Producer, TopicPartition, admin

NOW = 20


def first(futures):
    return list(futures.values())[0].result(NOW)


def has(name):
    if not hasattr(admin.AdminClient, name):
        raise adapter.NotOffered(f"no {name}")


class Confluent:
    def __init__(self, server):
        self.settings = {"bootstrap.servers": server}
        self.opened, self.consumers = {}, {}
        self.made = None

    @property
    def admin(self):
        self.made = self.made or admin.AdminClient(self.settings)
        return self.made

    def version(self):
        return f"{confluent_kafka.__version__} (librdkafka {confluent_kafka.libversion()[0]})"

    def producer(self, codec="none", acks=-1, idempotent=False, max_request=1000000, partitioner="murmur2_random"):
        return Producer({**self.settings, "compression.type": codec, "acks": acks, "enable.idempotence": idempotent,
                         "message.max.bytes": max_request, "partitioner": partitioner, "linger.ms": 20,
                         "message.timeout.ms": 20000})

    def produce(self, topic, records, options):
        name = json.dumps(options)
        if name not in self.opened:
            self.opened[name] = self.producer(**options)
        producer = self.opened[name]
        places = [None] * len(records)

        def sent(number):
            def said(error, message):
                places[number] = error or {"partition": message.partition(), "offset": message.offset()}
            return said
        for number, each in enumerate(records):
            more = {name: each[name] for name in ("partition", "timestamp") if name in each}
            headers = [(name, adapter.encoded(value)) for name, value in each.get("headers", [])]
            producer.produce(topic, adapter.encoded(each["value"]), adapter.encoded(each["key"]), headers=headers,
                             on_delivery=sent(number), **more)
        assert producer.flush(25) == 0, "not all was sent"
        for place in places:
            if not isinstance(place, dict):
                raise confluent_kafka.KafkaException(place)
        return places

    def open(self, name, topic, partition, start):
        consumer = self.consumers[name] = Consumer({**self.settings, "group.id": "unused", "enable.auto.commit": False,
                                                    "auto.offset.reset": "error"})
        if isinstance(start, dict):
            start = consumer.offsets_for_times([TopicPartition(topic, partition, start["time"])], NOW)[0].offset
        elif isinstance(start, str):
            start = consumer.get_watermark_offsets(TopicPartition(topic, partition), NOW)[start == "latest"]
        consumer.assign([TopicPartition(topic, partition, start)])

    def join(self, name, group, topic, strategy=None, instance=None, auto_commit=False):
        more = {"group.instance.id": instance} if instance else {}
        consumer = self.consumers[name] = Consumer({
            **self.settings, **more, "group.id": group, "auto.offset.reset": "earliest", "session.timeout.ms": 10000,
            "enable.auto.commit": auto_commit, "heartbeat.interval.ms": 500,
            "partition.assignment.strategy": strategy or "range"})
        consumer.subscribe([topic])

    def read(self, name, count, seconds):
        found, until = [], time.monotonic() + seconds
        while len(found) < count and (left := until - time.monotonic()) > 0:
            message = self.consumers[name].poll(left)
            if message is None:
                continue
            if message.error():
                if message.error().retriable() or message.error().code() < 0:
                    continue
                raise confluent_kafka.KafkaException(message.error())
            found.append(adapter.record(message.partition(), message.offset(), message.key(), message.value(),
                                        message.headers(), message.timestamp()[1]))
        return found

    def assignment(self, name):
        return [each.partition for each in self.consumers[name].assignment()]

    def commit(self, name, topic, offsets):
        def place(partition, offset, metadata):
            try:
                return TopicPartition(topic, int(partition), offset, metadata)
            except TypeError as old:
                if metadata:
                    raise adapter.NotOffered("metadata") from old
                return TopicPartition(topic, int(partition), offset)
        done = self.consumers[name].commit(offsets=[place(p, *each) for p, each in offsets.items()], asynchronous=False)
        assert all(each.error is None for each in done), done

    def committed(self, name, topic, partition):
        found = self.consumers[name].committed([TopicPartition(topic, partition)], NOW)[0]
        assert found.error is None, found.error
        return [found.offset, getattr(found, "metadata", None)]

    def close(self, name):
        self.consumers.pop(name).close()

    def offset(self, topic, partition, at):
        consumer = Consumer({**self.settings, "group.id": "unused"})
        try:
            if isinstance(at, int):
                return consumer.offsets_for_times([TopicPartition(topic, partition, at)], NOW)[0].offset
            return consumer.get_watermark_offsets(TopicPartition(topic, partition), NOW)[at == "latest"]
        finally:
            consumer.close()

    def admin_offset(self, topic, partition, at):
        has("list_offsets")
        spec = admin.OffsetSpec
        wanted = spec.for_timestamp(at) if isinstance(at, int) else getattr(spec, at)()
        return first(self.admin.list_offsets({TopicPartition(topic, partition): wanted})).offset

    def topics(self):
        return {name: len(topic.partitions) for name, topic in self.admin.list_topics(timeout=NOW).topics.items()}

    def cluster(self):
        if hasattr(self.admin, "describe_cluster"):
            said = self.admin.describe_cluster().result(NOW)
            return {"brokers": [f"{node.host}:{node.port}" for node in said.nodes], "controller": said.controller.id,
                    "id": said.cluster_id}
        said = self.admin.list_topics(timeout=NOW)
        return {"brokers": [f"{node.host}:{node.port}" for node in said.brokers.values()],
                "controller": said.controller_id, "id": said.cluster_id}

    def create_topic(self, topic, partitions, configs):
        first(self.admin.create_topics([admin.NewTopic(topic, partitions, 1, config=configs)]))

    def delete_topic(self, topic):
        first(self.admin.delete_topics([topic]))

    def resource(self, topic, configs=None):
        return admin.ConfigResource(admin.ConfigResource.Type.TOPIC, topic, set_config=configs)

    def configs(self, topic):
        return {name: entry.value for name, entry in first(self.admin.describe_configs([self.resource(topic)])).items()}

    def alter_configs(self, topic, configs):
        first(self.admin.alter_configs([self.resource(topic, configs)]))

    def alter_configs_incrementally(self, topic, configs):
        has("incremental_alter_configs")
        operation = admin.AlterConfigOpType.SET
        entries = [admin.ConfigEntry(name, value, incremental_operation=operation) for name, value in configs.items()]
        first(self.admin.incremental_alter_configs([admin.ConfigResource(
            admin.ConfigResource.Type.TOPIC, topic, incremental_configs=entries)]))

    def create_partitions(self, topic, total):
        first(self.admin.create_partitions([admin.NewPartitions(topic, total)]))

    def delete_records(self, topic, partition, before):
        has("delete_records")
        return first(self.admin.delete_records([TopicPartition(topic, partition, before)])).low_watermark

    def groups(self):
        if hasattr(self.admin, "list_consumer_groups"):
            return [each.group_id for each in self.admin.list_consumer_groups().result(NOW).valid]
        return [each.id for each in self.admin.list_groups(timeout=NOW)]

    def group(self, group):
        if hasattr(self.admin, "describe_consumer_groups"):
            said = first(self.admin.describe_consumer_groups([group]))
            members = [{"instance": each.group_instance_id,
                        "partitions": [place.partition for place in each.assignment.topic_partitions]}
                       for each in said.members]
            return {"state": said.state.name.title(), "members": members}
        said = self.admin.list_groups(group, timeout=NOW)[0]
        return {"state": said.state, "members": [{} for _ in said.members]}

    def delete_group(self, group):
        has("delete_consumer_groups")
        first(self.admin.delete_consumer_groups([group]))

    def group_offsets(self, group, topic):
        has("list_consumer_group_offsets")
        said = first(self.admin.list_consumer_group_offsets([confluent_kafka.ConsumerGroupTopicPartitions(group)]))
        return {each.partition: each.offset for each in said.topic_partitions if each.topic == topic}

    def alter_group_offsets(self, group, topic, offsets):
        has("alter_consumer_group_offsets")
        places = [TopicPartition(topic, int(partition), offset) for partition, offset in offsets.items()]
        first(self.admin.alter_consumer_group_offsets([confluent_kafka.ConsumerGroupTopicPartitions(group, places)]))


adapter.run(Confluent)
