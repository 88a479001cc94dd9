#!/usr/bin/env python3
"""A consumer group of a real Kafka client, as operators see it: it consumes some, its lag is shown over HTTP, by the
command line and as a metric; its offsets are set back and it consumes again; it is deleted. runs-beside-others"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

from backbone import Client, Server, event, program, skip

GROUP = "billing/night shift"
PATH = "/v1/groups/billing%2Fnight%20shift"

# Consumes so many records one by one, commits, says what it got, and stays until it is told to go.
CONSUMER = """
import json, sys
from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata
server, group, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
consumer = KafkaConsumer("orders", bootstrap_servers=server, group_id=group, auto_offset_reset="earliest",
                         enable_auto_commit=False, consumer_timeout_ms=20000, max_poll_records=1, client_id="night")
got = []
for record in consumer:
    got.append((record.partition, record.offset))
    consumer.commit({TopicPartition("orders", record.partition): OffsetAndMetadata(record.offset + 1, "")})
    if len(got) == count:
        break
print(json.dumps(got), flush=True)
sys.stdin.readline()
consumer.close(autocommit=False)
"""


class Consumer:
    def __init__(self, server, python, count):
        self.process = subprocess.Popen([python, "-c", CONSUMER, server.kafka, GROUP, str(count)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.got = [tuple(place) for place in json.loads(self.process.stdout.readline() or "[]")]
        assert len(self.got) == count, self.got

    def leave(self):
        self.process.communicate("go\n", timeout=60)
        assert self.process.returncode == 0


def run(server, *words, code=0):
    done = subprocess.run([program(), *words, "--server", f"http://127.0.0.1:{server.port}"], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def rows(text):
    return [json.loads(line) for line in text.splitlines()]


def metric(client, line):
    _, page, _ = client.ask("GET", "/metrics")
    found = [each for each in page.decode().splitlines() if each.startswith(line + " ")]
    return int(found[0].rsplit(" ", 1)[1]) if found else None


def check_consuming(server, client, consumer):
    status, group, _ = client.ask("GET", PATH)
    assert status == 200 and group["name"] == GROUP and group["state"] == "Stable", group
    member = group["members"][0]
    assert len(group["members"]) == 1 and member["client_id"] == "night" and member["host"] == "/127.0.0.1", group
    assert member["id"] == group["leader"]
    assert member["assigned"] == [{"topic": "orders", "partitions": [0, 1, 2]}], member
    ends = {place["partition"]: int(place["next"]) for place in group["partitions"]}
    assert sum(ends.values()) == 60, group
    for place in group["partitions"]:
        consumed = [offset for partition, offset in consumer.got if partition == place["partition"]]
        assert place["member"] == member["id"]
        assert place["committed"] == (str(max(consumed) + 1) if consumed else None), (place, consumer.got)
        assert place["lag"] == (ends[place["partition"]] - max(consumed) - 1 if consumed else None), place
    lag = sum(place["lag"] or 0 for place in group["partitions"])
    assert group["lag"] == lag
    assert metric(client, f'continuo_group_lag{{group="{GROUP}",topic="orders"}}') == lag
    assert metric(client, f'continuo_group_members{{group="{GROUP}"}}') == 1
    assert metric(client, 'continuo_consumer_groups{state="Stable"}') == 1
    listed = rows(run(server, "group", "list"))
    assert [(each["name"], each["state"], each["members"], each["topics"], each["lag"]) for each in listed] == \
        [(GROUP, "Stable", 1, ["orders"], lag)], listed
    assert listed[0]["path"] == PATH
    table = run(server, "group", "show", GROUP, "-o", "table")
    assert member["id"] in table and "LAG" in table and "night" in table, table
    assert "group_not_empty" in run(server, "group", "reset", GROUP, "--topic", "orders", "--to", "earliest", code=1)
    assert "group_not_empty" in run(server, "group", "delete", GROUP, code=1)


def check_reset(server, client):
    reset = ("group", "reset", GROUP, "--topic", "orders", "--to")
    tried = rows(run(server, *reset, "latest", "--dry-run"))
    assert [row["lag"] for row in tried] == [0, 0, 0] and client.ask("GET", PATH)[1]["lag"] != 0
    assert all(row["lag"] == 0 for row in rows(run(server, *reset, "latest")))
    assert client.ask("GET", PATH)[1]["lag"] == 0
    one = rows(run(server, *reset, "1", "--partition", "0"))
    assert len(one) == 1 and one[0]["committed"] == "1" and one[0]["before"] == one[0]["next"], one
    early = rows(run(server, *reset, "2001-01-01T00:00:00Z"))
    assert [row["committed"] for row in early] == ["0", "0", "0"] and early[0]["before"] == "1", early
    assert "unknown_topic" in run(server, "group", "reset", GROUP, "--topic", "none", "--to", "latest", code=1)
    assert "bad_setting" in run(server, *reset, "yesterday", code=1)
    assert client.ask("GET", PATH)[1]["lag"] == 60


def check_group(server, python):
    client = Client(server.port)
    assert client.ask("PUT", "/v1/topics/orders", {"partitions": 3})[0] == 201
    assert client.publish("orders", [event(f"e{number}", f"k{number % 9}") for number in range(60)])[0] == 201
    consumer = Consumer(server, python, 7)
    check_consuming(server, client, consumer)
    consumer.leave()
    group = client.ask("GET", PATH)[1]
    assert group["state"] == "Empty" and group["members"] == [] and group["leader"] is None, group
    check_reset(server, client)
    again = Consumer(server, python, 60)
    assert sorted(set(again.got)) == sorted(again.got) and {partition for partition, _ in again.got} == {0, 1, 2}
    assert min(offset for _, offset in again.got) == 0 and client.ask("GET", PATH)[1]["lag"] == 0
    again.leave()


def check_after_a_kill(server):
    assert rows(run(server, "group", "list"))[0]["lag"] == 0
    assert run(server, "group", "delete", GROUP) == f"group {GROUP} deleted\n"
    assert "unknown_group" in run(server, "group", "show", GROUP, code=1)
    assert run(server, "group", "list") == ""


def main():
    python = shutil.which("python3", path="/usr/bin")
    found = python and subprocess.run([python, "-c", "import kafka"], check=False, stderr=subprocess.DEVNULL)
    if not found or found.returncode != 0:
        skip("kafka-python is not installed")
    folder = tempfile.mkdtemp(prefix="continuo-groups-")
    flags = ("--kafka", "127.0.0.1:0", "--journal-size", "64MiB")
    try:
        server = Server(os.path.join(folder, "data"), *flags)
        check_group(server, python)
        server.kill()
        server = Server(os.path.join(folder, "data"), *flags)
        check_after_a_kill(server)
        assert server.stop() == 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("a group was seen, set back and deleted")
    return 0


sys.exit(main())
