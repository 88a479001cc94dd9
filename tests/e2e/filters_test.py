#!/usr/bin/env python3
"""Subscriptions with filters: each gets exactly what matches, over kill -9, a change of filter under load, and whoever
published it. runs-beside-others"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from backbone import Client, Server, event, eventually, good, program

SUBSCRIPTIONS = 1000
EVENTS = 3000

KAFKA_PYTHON = """
import json
import sys
from kafka import KafkaProducer
producer = KafkaProducer(bootstrap_servers=sys.argv[1], acks="all", compression_type="gzip")
for n in range(100):
    producer.send("plain", key=b"k%d" % (n % 3), value=json.dumps({"n": n}).encode(),
                  headers=[("kind", b"even" if n % 2 == 0 else b"odd")])
producer.flush(20)
"""


def subscribe(client, name, topic, pattern, **more):
    settings = {"topics": [topic], "filter": pattern, "from": "earliest", "order_by": "none", **more}
    good(client.ask("PUT", f"/v1/subscriptions/{name}", settings))


def take(client, name, count, wait="10s"):
    """Receives and acknowledges until `count` came, or nothing comes any more: a list of (partition, offset, event)."""
    taken = []
    while len(taken) < count:
        body = {"max": 1000, "wait": wait, "lease": "60s"}
        deliveries = good(client.ask("POST", f"/v1/subscriptions/{name}/receive", body))["deliveries"]
        if not deliveries:
            break
        leases = [each["lease"] for each in deliveries]
        settled = good(client.ask("POST", f"/v1/subscriptions/{name}/settle", {"ack": leases}))
        assert settled["settled"] == len(leases), settled
        events = [each["event"] for each in deliveries]
        taken += [(int(each["partition"]), int(each["offset"]), each) for each in events]
    return taken


def tenant_event(number):
    return event(f"e{number}", f"k{number % 97}", {"tenant": number % SUBSCRIPTIONS, "n": number}, f"T{number % 3}")


def publish(client, numbers):
    good(client.publish("many", [tenant_event(number) for number in numbers]))


def check_many(data, running):
    """A thousand subscriptions: what each gets is what it asked for, once, over a kill with nothing settled yet."""
    client = Client(running[-1].port)
    good(client.ask("PUT", "/v1/topics/many", {"partitions": 4}))
    for number in range(SUBSCRIPTIONS):
        subscribe(client, f"s{number}", "many", {"data": {"tenant": [number]}})
    subscribe(client, "third", "many", {"type": ["T1"], "data": {"n": [{"numeric": ["<", 300]}]}})
    for begin in range(0, EVENTS, 500):
        publish(client, range(begin, begin + 500))
        if begin == 1000:
            running[-1].kill()
            running.append(Server(data, *KAFKA))
            client = Client(running[-1].port)
    for number in range(SUBSCRIPTIONS):
        expected = sorted(f"e{each}" for each in range(number, EVENTS, SUBSCRIPTIONS))
        got = sorted(each["id"] for _, _, each in take(client, f"s{number}", len(expected)))
        assert got == expected, (number, got)
    third = sorted(each["data"]["n"] for _, _, each in take(client, "third", 100))
    assert third == list(range(1, 300, 3)), third
    eventually(lambda: good(client.ask("GET", "/v1/subscriptions/s7"))["lag"] == 0, 20, "a lag of nothing")
    assert take(client, "s7", 1, "100ms") == [], "nothing comes twice"
    assert good(client.ask("GET", "/v1/subscriptions/third"))["matched"] <= 100
    metrics = client.ask("GET", "/metrics")[1].decode()
    assert 'continuo_subscription_matched_total{subscription="s1"}' in metrics


class Load(threading.Thread):
    """Publishes small batches of types A and B until it is told to stop."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.stopping, self.failed = port, False, None
        self.start()

    def run(self):
        client, number = Client(self.port), 0
        while not self.stopping:
            events = [event(f"l{number + i}", f"k{(number + i) % 13}", "", "AB"[(number + i) % 2]) for i in range(10)]
            number += 10
            status, answer = client.publish("load", events)
            if status != 201:
                self.failed = answer
                return
            time.sleep(0.002)


def check_change(server):
    """A filter that is changed while events come decides from the places the answer tells."""
    client = Client(server.port)
    good(client.ask("PUT", "/v1/topics/load", {"partitions": 2}))
    subscribe(client, "moody", "load", {"type": ["A"]})
    load = Load(server.port)
    got, spans, filters = [], [[0, 0]], [{"type": ["A"]}]
    for pattern in ({"type": ["B"]}, None, {"subject": ["k1", "k2"]}, {"type": [{"anything-but": "A"}]}):
        got += take(client, "moody", 200)
        changed = good(client.ask("PATCH", "/v1/subscriptions/moody", {"filter": pattern}))
        spans.append([int(each["offset"]) for each in sorted(changed["filtered_from"], key=lambda e: e["partition"])])
        filters.append(pattern)
    load.stopping = True
    load.join(20)
    assert load.failed is None, load.failed
    expected = []
    for partition in range(2):
        events = client.read_all("load", partition)
        for offset, each in events:
            span = max(number for number, begin in enumerate(spans) if begin[partition] <= offset)
            if passes(filters[span], each):
                expected.append((partition, offset))
    got += take(client, "moody", len(expected) - len(got))
    assert sorted(each[:2] for each in got) == sorted(expected)
    assert take(client, "moody", 1, "100ms") == []


def passes(pattern, each):
    if pattern is None:
        return True
    if "subject" in pattern:
        return each["subject"] in pattern["subject"]
    wanted = pattern["type"][0]
    return each["type"] != "A" if isinstance(wanted, dict) else each["type"] == wanted


def check_reads(client):
    """Reads and tails with a filter."""
    pattern = urllib.parse.quote(json.dumps({"data": {"tenant": [5, 6]}}))
    at, got = "earliest", []
    for _ in range(20):
        status, events, answer = client.ask("GET", f"/v1/topics/many/events?from={at}&limit=2&filter={pattern}")
        assert status == 200, events
        got += [each["id"] for each in events]
        if at == answer.getheader("Continuo-Next"):
            break
        at = answer.getheader("Continuo-Next")
    assert sorted(got) == sorted(f"e{n}" for n in range(EVENTS) if n % SUBSCRIPTIONS in (5, 6)), got


def check_kafka(server):
    """Records of Kafka's producers, by their headers and by what is in them."""
    python = "/usr/bin/python3"
    found = os.path.exists(python) and subprocess.run([python, "-c", "import kafka"], check=False, capture_output=True)
    if not found or found.returncode != 0:
        print("without kafka-python: records of Kafka's producers were not looked at")
        return
    client = Client(server.port)
    good(client.ask("PUT", "/v1/topics/plain", {}))
    subscribe(client, "even", "plain", {"headers": {"kind": ["even"]}})
    subscribe(client, "large", "plain", {"data": {"n": [{"numeric": [">=", 90]}]}, "key": ["k1"]})
    subprocess.run([python, "-c", KAFKA_PYTHON, server.kafka], check=True, timeout=60)
    assert sorted(each["data"]["n"] for _, _, each in take(client, "even", 50)) == list(range(0, 100, 2))
    assert sorted(each["data"]["n"] for _, _, each in take(client, "large", 3)) == [91, 94, 97]


def continuo(server, *words):
    return subprocess.run([program(), *words, "--server", f"http://127.0.0.1:{server.port}", "-o", "json"], text=True,
                          check=False, capture_output=True, timeout=60)


def check_command_line(server):
    """The same from the command line."""
    made = continuo(server, "sub", "create", "typed", "--topic", "many", "--filter", '{"type":["T2"]}')
    assert made.returncode == 0, made.stderr
    changed = continuo(server, "sub", "change", "typed", "--filter", '{"type":["T1"]}')
    assert changed.returncode == 0, changed.stderr
    assert "another filter, from many/0@" in changed.stdout, changed.stdout
    listed = json.loads(continuo(server, "sub", "list").stdout)
    assert next(each for each in listed if each["name"] == "typed")["filter"] == {"type": ["T1"]}, listed[-1]
    why = continuo(server, "route", "explain", "many", "--offset", "0")
    verdicts = {each["name"]: each for each in json.loads(why.stdout)["subscriptions"]}
    assert len(verdicts) == SUBSCRIPTIONS + 2
    matching = [name for name, each in verdicts.items() if each["matches"] and name.startswith("s")]
    assert len(matching) == 1, matching
    refused = continuo(server, "sub", "change", "typed", "--filter", '{"type":"T1"}')
    assert refused.returncode == 1 and "filter.type" in refused.stderr, refused.stderr
    tailed = continuo(server, "tail", "many", "--from", "earliest", "--filter", '{"data":{"tenant":[7]}}')
    assert len(tailed.stdout.splitlines()) == EVENTS // SUBSCRIPTIONS, tailed.stdout


KAFKA = ("--kafka", "127.0.0.1:0")


def main():
    data = tempfile.mkdtemp(prefix="continuo-filters-")
    running = [Server(data, *KAFKA)]
    try:
        check_many(data, running)
        server = running[-1]
        check_reads(Client(server.port))
        check_kafka(server)
        check_command_line(server)
        check_change(server)
        assert server.stop() == 0
    finally:
        running[-1].kill()
        shutil.rmtree(data, ignore_errors=True)
    print(f"{SUBSCRIPTIONS} subscriptions got what their filters match, and nothing else")


if __name__ == "__main__":
    sys.exit(main())
