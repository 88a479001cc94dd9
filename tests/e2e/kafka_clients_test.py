#!/usr/bin/env python3
"""Kafka clients that Debian carries, and kafkajs, unchanged: they produce, consume, and read what came over HTTP, also
after the server was killed. runs-beside-others"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

from backbone import Client, Server, event, skip

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
LINES = [f"k{number % 7}:line {number}" for number in range(2000)]

KAFKAJS = ("metadata", "records", "gzip", "snappy", "lz4", "zstd", "group", "commit", "http-to-kafka", "same-partition",
           "kill")

# The other clients are modules of Debian's own Python, whichever runs this.
KAFKA_PYTHON = """
import sys
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
server, topic = sys.argv[1:]
producer = KafkaProducer(bootstrap_servers=server, acks="all", compression_type="gzip")
places = [producer.send(topic, key=b"k%d" % (n % 3), value=b"v%d" % n, headers=[("n", b"%d" % n)]) for n in range(500)]
assert sorted(place.get(20).offset for place in places) == list(range(500))
consumer = KafkaConsumer(bootstrap_servers=server, consumer_timeout_ms=5000)
place = TopicPartition(topic, 0)
consumer.assign([place])
consumer.seek_to_beginning(place)
got = []
for record in consumer:
    got.append((record.offset, record.key, record.value, record.headers))
    if len(got) == 500:
        break
assert got == [(n, b"k%d" % (n % 3), b"v%d" % n, [("n", b"%d" % n)]) for n in range(500)], got[:3]
assert consumer.end_offsets([place]) == {place: 500}
assert consumer.offsets_for_times({place: 0})[place].offset == 0
"""

CONFLUENT = """
import sys
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
server, topic = sys.argv[1:]
admin = AdminClient({"bootstrap.servers": server})
made = admin.create_topics([NewTopic(topic, 3, 1, config={"retention.ms": "86400000"})])
made[topic].result(20)
producer = Producer({"bootstrap.servers": server, "enable.idempotence": True, "compression.type": "lz4",
                     "partitioner": "murmur2_random"})
places = []
for n in range(3000):
    producer.produce(topic, key=b"k%d" % (n % 50), value=b"v%d" % n, on_delivery=lambda e, m: places.append((e, m)))
assert producer.flush(30) == 0
assert all(error is None for error, _ in places) and len(places) == 3000
consumer = Consumer({"bootstrap.servers": server, "group.id": "none", "enable.auto.commit": False})
consumer.assign([TopicPartition(topic, p, 0) for p in range(3)])
seen, last = [], {}
while len(seen) < 3000:
    message = consumer.poll(10)
    assert message is not None and message.error() is None, message and message.error()
    key, number = message.key(), int(message.value()[1:])
    assert last.get(key, -1) < number, "the order of a key"
    last[key] = number
    seen.append(number)
assert sorted(seen) == list(range(3000))
consumer.close()
admin.delete_topics([topic])[topic].result(20)
"""

# Two members share a topic and swap its partitions while one comes and goes; what was committed is not seen again.
GROUP = """
import sys, time
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
server, topic = sys.argv[1:]
admin = AdminClient({"bootstrap.servers": server})
admin.create_topics([NewTopic(topic, 4, 1)])[topic].result(20)
producer = Producer({"bootstrap.servers": server, "partitioner": "murmur2_random"})
sent = 0
def produce(count):
    global sent
    for n in range(sent, sent + count):
        producer.produce(topic, key=b"k%d" % (n % 40), value=b"%d" % n)
    sent += count
    assert producer.flush(30) == 0
def member(strategy):
    made = Consumer({"bootstrap.servers": server, "group.id": "workers-" + strategy, "auto.offset.reset": "earliest",
                     "enable.auto.commit": False, "session.timeout.ms": 6000, "heartbeat.interval.ms": 500,
                     "partition.assignment.strategy": strategy})
    made.subscribe([topic])
    return made
def read(members, until):
    deadline = time.monotonic() + 60
    while not until():
        assert time.monotonic() < deadline, ("nothing more comes", len(seen))
        for each in members:
            message = each.poll(0.1)
            if message is None:
                continue
            assert message.error() is None, message.error()
            seen.append((message.partition(), message.offset()))
            each.commit(message, asynchronous=False)
for strategy in ("range", "cooperative-sticky"):
    seen = []
    first = member(strategy)
    produce(400)
    total = sent
    read([first], lambda: len(seen) == total)
    second = member(strategy)
    read([first, second], lambda: len(first.assignment()) == 2 and len(second.assignment()) == 2)
    produce(400)
    read([first, second], lambda: len(seen) == sent)
    second.close()
    read([first], lambda: len(first.assignment()) == 4)
    produce(100)
    read([first], lambda: len(seen) == sent)
    assert len(set(seen)) == sent, "each record once"
    ends = {p: first.get_watermark_offsets(TopicPartition(topic, p))[1] for p in range(4)}
    committed = {each.partition: each.offset for each in first.committed([TopicPartition(topic, p) for p in range(4)])}
    assert committed == ends, (committed, ends)
    first.close()
    again = member(strategy)
    assert again.poll(3) is None, "all was committed"
    again.close()
"""

GROUP_OF_KAFKA_PYTHON = """
import sys
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.structs import OffsetAndMetadata
server, topic = sys.argv[1:]
producer = KafkaProducer(bootstrap_servers=server, acks="all")
for n in range(100):
    producer.send(topic, b"%d" % n)
producer.flush()
consumer = KafkaConsumer(topic, bootstrap_servers=server, group_id="readers", auto_offset_reset="earliest",
                         enable_auto_commit=False, consumer_timeout_ms=8000)
got = [next(consumer).value for _ in range(100)]
assert got == [b"%d" % n for n in range(100)]
place = TopicPartition(topic, 0)
consumer.commit({place: OffsetAndMetadata(60, "as far as lunch")})
assert consumer.committed(place, metadata=True) == OffsetAndMetadata(60, "as far as lunch")
admin = KafkaAdminClient(bootstrap_servers=server)
assert ("readers", "consumer") in admin.list_consumer_groups()
described = admin.describe_consumer_groups(["readers"])[0]
assert described.state == "Stable" and len(described.members) == 1, described
consumer.close(autocommit=False)
assert admin.describe_consumer_groups(["readers"])[0].state == "Empty"
assert admin.list_consumer_group_offsets("readers")[place].offset == 60
"""


def kcat(server, *arguments, text=None):
    done = subprocess.run(["kcat", "-b", server.kafka, *arguments], input=text, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout


def read_all(server, topic):
    return sorted(kcat(server, "-t", topic, "-C", "-o", "beginning", "-e", "-q", "-K", ":").splitlines())


def check_codecs(server):
    for codec in CODECS:
        kcat(server, "-t", f"lines-{codec}", "-P", "-K", ":", "-z", codec, "-X", "enable.idempotence=true",
             text="\n".join(LINES))
        assert read_all(server, f"lines-{codec}") == sorted(LINES), codec
    # Compressed in fact: clients leave it out, silently, when they think the broker cannot take it.
    status, topic, _ = Client(server.port).ask("GET", "/v1/topics/lines-zstd")
    assert status == 200 and topic["partitions"][0]["bytes"] < len("".join(LINES)) / 2, topic


def check_both_doors(server):
    client = Client(server.port)
    made = dict(event("e1", "k1", {"n": 1}), partitionkey="k1")
    assert client.publish("both", [made])[0] == 201
    assert kcat(server, "-t", "both", "-C", "-e", "-q", "-f", "%k %h %s").startswith("k1 ")
    kcat(server, "-t", "both", "-P", "-K", ":", "-z", "snappy", text='k2:{"n":2}')
    got = client.read_all("both", 0)
    assert [(offset, each["data"]) for offset, each in got] == [(0, {"n": 1}), (1, {"n": 2})], got


def consume_as_group(server, topic):
    return sorted(kcat(server, "-G", "liners", "-q", "-e", "-X", "auto.offset.reset=earliest", "-f", "%k:%s\\n",
                       topic).splitlines())


def check_module(server, name, program, topic):
    python = shutil.which("python3", path="/usr/bin")
    found = python and subprocess.run([python, "-c", f"import {name}"], check=False, stderr=subprocess.DEVNULL)
    if not found or found.returncode != 0:
        print(f"without {name}: it is not installed")
        return
    subprocess.run([python, "-c", program, server.kafka, topic], check=True, timeout=120)


def check_kafkajs():
    """A part of what `./x conformance clients` asks of it; without npm or its registry it says so and skips."""
    clients = os.path.join(os.path.dirname(__file__), "..", "..", "conformance", "clients")
    features = [f"--feature={name}" for name in KAFKAJS]
    done = subprocess.run([sys.executable, clients, "--quiet", "--client=kafkajs", *features], check=False, timeout=240)
    assert done.returncode in (0, 77), "kafkajs failed"


def main():
    if not shutil.which("kcat"):
        skip("kcat is not installed")
    folder = tempfile.mkdtemp(prefix="continuo-kafka-")
    try:
        server = Server(os.path.join(folder, "data"), "--kafka", "127.0.0.1:0", "--journal-size", "64MiB")
        check_codecs(server)
        check_both_doors(server)
        check_module(server, "kafka", KAFKA_PYTHON, "plain-python")
        check_module(server, "confluent_kafka", CONFLUENT, "plain-confluent")
        check_module(server, "kafka", GROUP_OF_KAFKA_PYTHON, "group-python")
        check_module(server, "confluent_kafka", GROUP, "group-confluent")
        assert consume_as_group(server, "lines-gzip") == sorted(LINES)
        server.kill()
        server = Server(os.path.join(folder, "data"), "--kafka", "127.0.0.1:0", "--journal-size", "64MiB")
        for codec in CODECS:
            assert read_all(server, f"lines-{codec}") == sorted(LINES), f"{codec} after a kill"
        kcat(server, "-t", "lines-gzip", "-P", "-K", ":", text="k1:after")
        assert consume_as_group(server, "lines-gzip") == ["k1:after"], "a group goes on where it stood"
        assert json.loads(kcat(server, "-L", "-J"))["brokers"][0]["name"] == server.kafka
        assert server.stop() == 0
        check_kafkajs()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("every client did what it does with Kafka")
    return 0


sys.exit(main())
