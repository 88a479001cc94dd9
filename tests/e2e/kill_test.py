#!/usr/bin/env python3
"""kill -9 the server at random moments under load: 20 rounds, 200 under `./x test long`.

Load runs in processes of its own, which write down what was acknowledged; this process kills, starts again, and judges
at the end: every acknowledged event is there exactly once, where its answer said, in order per key; and each event was
relayed exactly once, in order.
"""

import collections
import json
import os
import random
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import cli_server
from cli_server import Server, clean_environment

ROUNDS = 200 if os.environ.get("CONTINUO_LONG") else 20
STANDSTILL_S = 30
PUBLISHERS = ["p0", "p1", "p2"]
LOAD = Path(__file__).resolve().parent / "kill_load.py"


def start_load(server, what, name):
    return subprocess.Popen([sys.executable, LOAD, what, server.url, name, server.folder / f"{name}.acknowledged"],
                            env=clean_environment(server.folder))


def read_topic(server, topic):
    """All events by partition, in offset order."""
    partitions = collections.defaultdict(list)
    position = "earliest"
    while True:
        path = f"/v1/topics/{topic}/events?from={position}&limit=5000"
        with urllib.request.urlopen(server.url + path, timeout=60) as answer:
            after = answer.headers["Continuo-Next"]
            events = json.loads(answer.read())
        if not events and after == position:
            return partitions
        position = after
        for event in events:
            partitions[event["partition"]].append(event)


def check_once_and_in_order(partitions, number_of):
    """Every id once; the numbers of each key without gap and in order."""
    seen, last = {}, collections.defaultdict(lambda: -1)
    for partition, events in partitions.items():
        before = -1
        for event in events:
            place = (partition, event["offset"])
            assert int(event["offset"]) > before, f"offsets do not grow at {place}"
            before = int(event["offset"])
            assert event["id"] not in seen, f"{event['id']} is there twice: {seen[event['id']]} and {place}"
            seen[event["id"]] = place
            number, key = number_of(event), event["subject"]
            assert number == last[key] + 1, f"key {key}: {number} comes after {last[key]} at {place}"
            last[key] = number
    return seen


def judge(server):
    published = check_once_and_in_order(read_topic(server, "load"), lambda event: event["data"]["n"])
    acknowledged = 0
    for name in PUBLISHERS:
        for line in (server.folder / f"{name}.acknowledged").read_text().splitlines():
            id_, partition, offset = line.split()
            is_at = published.get(id_)
            assert is_at == (partition, offset), f"{id_} was acknowledged at {partition}/{offset} and is at {is_at}"
            acknowledged += 1
    relayed = check_once_and_in_order(read_topic(server, "relayed"), lambda event: event["data"])
    missing = [id_ for id_ in published if "r-" + id_ not in relayed]
    assert not missing, f"{len(missing)} events were not relayed, among them {missing[:3]}"
    assert len(relayed) == len(published), f"{len(relayed)} events were relayed, of {len(published)}"
    return acknowledged, len(published)


def wait_until_relayed(server):
    """A backlog may take its time, but it has to shrink."""
    least, since = None, time.monotonic()
    while True:
        state = server.ask("GET", "/v1/subscriptions/relay")[1]
        if state.get("lag") == 0:
            return
        if least is None or state["lag"] < least:
            least, since = state["lag"], time.monotonic()
        assert time.monotonic() - since < STANDSTILL_S, f"the relay stands still: {state}"
        time.sleep(0.2)


def main():
    cli_server.need("continuo")
    seed = int(os.environ.get("CONTINUO_SEED", time.time_ns() % 1_000_000))
    print(f"seed {seed}", flush=True)
    rng = random.Random(seed)
    with Server() as server:
        for topic in ("load", "relayed"):
            assert server.ask("PUT", f"/v1/topics/{topic}", {"partitions": 3})[0] == 201
        assert server.ask("PUT", "/v1/subscriptions/relay", {"topics": ["load"], "from": "earliest", "lease": "1s",
                                                             "retry": {"attempts": 1000, "delay": "50ms"}})[0] == 201
        publishers = [start_load(server, "publish", name) for name in PUBLISHERS]
        relays = [start_load(server, "relay", name) for name in ("r0", "r1")]
        try:
            for _ in range(ROUNDS):
                time.sleep(rng.uniform(0.05, 1.0))
                server.kill()
                server.process.stdout.close()
                server.start()
            assert all(load.poll() is None for load in publishers + relays), "a load process gave up"
            for load in publishers:
                load.terminate()
                load.wait(timeout=20)
            wait_until_relayed(server)
        finally:
            for load in publishers + relays:
                load.terminate()
                load.wait(timeout=20)
        acknowledged, published = judge(server)
        assert acknowledged > ROUNDS, "too little load to tell anything"
    print(f"{ROUNDS} kills, {acknowledged} events acknowledged, {published} there; each once, in order, relayed once")
    return 0


if __name__ == "__main__":
    sys.exit(main())
