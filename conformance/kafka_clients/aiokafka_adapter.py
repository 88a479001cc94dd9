#!/usr/bin/env python3
"""aiokafka."""

import asyncio
import json
import threading
import time

import adapter
import aiokafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import for_code

LARGE = 1048576


def done(code):
    if code:
        raise for_code(code)


class Aiokafka:
    """Its methods are coroutines; Waiting runs them."""

    def __init__(self, server):
        self.server = {"bootstrap_servers": server}
        self.opened, self.consumers, self.coordinated = {}, {}, {}
        self.made = None

    async def admin(self):
        if self.made is None:
            self.made = AIOKafkaAdminClient(**self.server)
            await self.made.start()
        return self.made

    async def version(self):
        return aiokafka.__version__

    async def producer(self, codec="none", acks=-1, idempotent=False, max_request=LARGE):
        made = AIOKafkaProducer(**self.server, compression_type=None if codec == "none" else codec, linger_ms=20,
                                acks="all" if acks < 0 else acks, enable_idempotence=idempotent,
                                max_request_size=max_request,
                                max_batch_size=max_request if max_request > LARGE else 16384,
                                request_timeout_ms=15000)
        await made.start()
        return made

    async def produce(self, topic, records, options):
        name = json.dumps(options)
        if name not in self.opened:
            self.opened[name] = await self.producer(**options)
        sent = [await self.opened[name].send(
            topic, adapter.encoded(each["value"]), adapter.encoded(each["key"]), each.get("partition"),
            each.get("timestamp"),
            [(header, adapter.encoded(value)) for header, value in each.get("headers", [])]) for each in records]
        places = [await asyncio.wait_for(each, 20) for each in sent]
        return [{"partition": place.partition, "offset": place.offset} if place else None for place in places]

    async def open(self, name, topic, partition, start):
        consumer = self.consumers[name] = AIOKafkaConsumer(**self.server, enable_auto_commit=False)
        await consumer.start()
        place = TopicPartition(topic, partition)
        consumer.assign([place])
        if isinstance(start, dict):
            start = (await consumer.offsets_for_times({place: start["time"]}))[place].offset
        elif start == "earliest":
            start = (await consumer.beginning_offsets([place]))[place]
        elif start == "latest":
            start = (await consumer.end_offsets([place]))[place]
        consumer.seek(place, start)

    async def join(self, name, group, topic, strategy=None, instance=None, auto_commit=False):
        if strategy:
            raise adapter.NotOffered("cooperative rebalancing")
        consumer = self.consumers[name] = AIOKafkaConsumer(
            topic, **self.server, group_id=group, group_instance_id=instance, auto_offset_reset="earliest",
            enable_auto_commit=auto_commit, session_timeout_ms=10000, heartbeat_interval_ms=500,
            partition_assignment_strategy=[RangePartitionAssignor])
        # The start waits for the other members; they are asked meanwhile.
        self.coordinated[name] = asyncio.create_task(consumer.start())

    async def read(self, name, count, seconds):
        found, until = [], time.monotonic() + seconds
        if name in self.coordinated:
            finished, _ = await asyncio.wait([self.coordinated[name]], timeout=seconds)
            if not finished:
                return []
            await self.coordinated[name]
        while len(found) < count and (left := until - time.monotonic()) > 0:
            polled = await self.consumers[name].getmany(timeout_ms=int(left * 1000), max_records=count - len(found))
            for records in polled.values():
                found += [adapter.record(each.partition, each.offset, each.key, each.value, each.headers,
                                         each.timestamp) for each in records]
        return found

    async def assignment(self, name):
        return [each.partition for each in self.consumers[name].assignment()]

    async def commit(self, name, topic, offsets):
        await self.consumers[name].commit({TopicPartition(topic, int(partition)): tuple(each)
                                           for partition, each in offsets.items()})

    async def committed(self, name, topic, partition):
        consumer = self.consumers[name]
        place = TopicPartition(topic, partition)
        groups = await (await self.admin()).list_consumer_group_offsets(consumer._group_id, partitions=[place])
        assert groups[place].offset == await consumer.committed(place), groups
        return [groups[place].offset, groups[place].metadata]

    async def close(self, name):
        await self.consumers.pop(name).stop()

    async def offset(self, topic, partition, at):
        consumer, place = AIOKafkaConsumer(**self.server), TopicPartition(topic, partition)
        await consumer.start()
        try:
            if isinstance(at, int):
                return (await consumer.offsets_for_times({place: at}))[place].offset
            ask = consumer.beginning_offsets if at == "earliest" else consumer.end_offsets
            return (await ask([place]))[place]
        finally:
            await consumer.stop()

    async def topics(self):
        said = await (await self.admin()).describe_topics()
        return {each["topic"]: len(each["partitions"]) for each in said}

    async def cluster(self):
        said = await (await self.admin()).describe_cluster()
        return {"brokers": [f"{each['host']}:{each['port']}" for each in said["brokers"]],
                "controller": said["controller_id"], "id": said["cluster_id"]}

    async def create_topic(self, topic, partitions, configs):
        said = await (await self.admin()).create_topics([NewTopic(topic, partitions, 1, topic_configs=configs)])
        done(said.topic_errors[0][1])

    async def delete_topic(self, topic):
        said = await (await self.admin()).delete_topics([topic])
        done(said.topic_error_codes[0][1])

    async def configs(self, topic):
        resource = ConfigResource(ConfigResourceType.TOPIC, topic)
        said = (await (await self.admin()).describe_configs([resource]))[0].resources[0]
        done(said[0])
        return {entry[0]: entry[1] for entry in said[4]}

    async def alter_configs(self, topic, configs):
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs)
        said = await (await self.admin()).alter_configs([resource])
        done(said[0].resources[0][0])

    async def create_partitions(self, topic, total):
        said = await (await self.admin()).create_partitions({topic: NewPartitions(total)})
        done(said.topic_errors[0][1])

    async def delete_records(self, topic, partition, before):
        place = TopicPartition(topic, partition)
        return (await (await self.admin()).delete_records({place: RecordsToDelete(before_offset=before)}))[place]

    async def groups(self):
        return [each[0] for each in await (await self.admin()).list_consumer_groups()]

    async def group(self, group):
        said = (await (await self.admin()).describe_consumer_groups([group]))[0].groups[0]
        return {"state": said[2], "members": [{} for _ in said[5]]}

    async def group_offsets(self, group, topic):
        said = await (await self.admin()).list_consumer_group_offsets(group)
        return {each.partition: place.offset for each, place in said.items() if each.topic == topic}


class Waiting:
    """The client's loop runs by itself: its members' heartbeats do not wait for requests."""

    def __init__(self, server):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.client = Aiokafka(server)

    def __getattr__(self, name):
        method = getattr(self.client, name, None)
        if method is None:
            return None
        return lambda **arguments: asyncio.run_coroutine_threadsafe(method(**arguments), self.loop).result(60)


adapter.run(Waiting)
