#!/usr/bin/env python3
"""Kafka clients that Debian carries, unchanged: they produce, consume, and read what came over HTTP, also after the
server was killed. runs-beside-others"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

from backbone import Client, Server, event, skip

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
LINES = [f"k{number % 7}:line {number}" for number in range(2000)]

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


def check_module(server, name, program):
    python = shutil.which("python3", path="/usr/bin")
    found = python and subprocess.run([python, "-c", f"import {name}"], check=False, stderr=subprocess.DEVNULL)
    if not found or found.returncode != 0:
        print(f"without {name}: it is not installed")
        return
    subprocess.run([python, "-c", program, server.kafka, f"from-{name}"], check=True, timeout=120)


def main():
    if not shutil.which("kcat"):
        skip("kcat is not installed")
    folder = tempfile.mkdtemp(prefix="continuo-kafka-")
    try:
        server = Server(os.path.join(folder, "data"), "--kafka", "127.0.0.1:0", "--journal-size", "64MiB")
        check_codecs(server)
        check_both_doors(server)
        check_module(server, "kafka", KAFKA_PYTHON)
        check_module(server, "confluent_kafka", CONFLUENT)
        server.kill()
        server = Server(os.path.join(folder, "data"), "--kafka", "127.0.0.1:0", "--journal-size", "64MiB")
        for codec in CODECS:
            assert read_all(server, f"lines-{codec}") == sorted(LINES), f"{codec} after a kill"
        assert json.loads(kcat(server, "-L", "-J"))["brokers"][0]["name"] == server.kafka
        assert server.stop() == 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("every client did what it does with Kafka")
    return 0


sys.exit(main())
