#!/usr/bin/env python3
"""The load generators of the benchmarks do what they say: what they count is what the server counts, in every mode."""

import json
import os
import subprocess
import tempfile
import time

from backbone import Client, Server, build_folder, skip

LOAD = os.path.join(build_folder(), "load")
KAFKA_LOAD = os.path.join(build_folder(), "kafka_load")


def load(port, **settings):
    words = [LOAD, "--port", str(port), "--seconds", str(settings.pop("seconds", 0.3)), "--warmup", "0"]
    for name, value in settings.items():
        words += [f"--{name}", str(value)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return json.loads(done.stdout)


def kafka_load(port, what, **settings):
    words = [KAFKA_LOAD, what, "--port", str(port)]
    for name, value in settings.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return json.loads(done.stdout) if done.stdout else None


def metric(client, name):
    time.sleep(0.3)  # the page is a little behind
    page = client.ask("GET", "/metrics")[1].decode()
    return next(float(line.split()[1]) for line in page.splitlines() if line.startswith(name + " "))


def check_kafka_load(server, client):
    """What was acknowledged is there, once; a reader gets whole rounds of it; members come to one generation."""
    port = server.kafka.rsplit(":", 1)[1]
    shape = {"topic": "kafka-load", "partitions": 3}
    kafka_load(port, "topic", **shape)
    run = kafka_load(port, "produce", connections=2, megabytes=0.3, batch_bytes=2000, record_bytes=100, **shape)
    assert run["errors"] == {} and run["records_in_batch"] == 17, run
    there = sum(len(client.read_all("kafka-load", partition)) for partition in range(3))
    assert there == run["all_records"] > 0, (there, run)

    read = kafka_load(port, "fetch", connections=2, seconds=0.3, warmup=0, record_bytes=100, **shape)
    assert read["all_bytes"] >= run["all_bytes"], (read, run)
    group = kafka_load(port, "group", topic="members", connections=10, seconds=0.2)
    assert group["members"] == 10 and group["heartbeats"] > 0, group

    kafka_load(port, "delete", topic="kafka-load")
    assert client.ask("GET", "/v1/topics/kafka-load")[0] == 404


def main():
    if not os.path.exists(LOAD):
        skip(f"{LOAD} is not built")
    with tempfile.TemporaryDirectory() as data:
        server = Server(data, "--kafka", "127.0.0.1:0")
        client = Client(server.port)
        assert load(server.port, mode="livez")["requests_per_s"] > 0

        published = 0
        for mode, in_flight in (("publish", 4), ("batch", 2 * 100)):
            run = load(server.port, mode=mode, connections=4 if mode == "publish" else 2, topic="load")
            assert run["events_per_s"] > 0 and run["broken"] == 0, run
            before, published = published, metric(client, "continuo_published_events_total")
            # Answers under way at the end are not counted by the generator.
            assert 0 <= published - before - run["events"] <= in_flight, (mode, run, published - before)

        status, said, _ = client.ask("PUT", "/v1/subscriptions/load", {"topics": ["load"], "from": "earliest"})
        assert status == 201, said
        run = load(server.port, mode="consume", connections=2, topic="load")
        assert run["events_per_s"] > 0, run
        assert 0 <= metric(client, "continuo_settled_total") - run["events"] <= 2 * 100, run

        run = load(server.port, mode="publish", connections=8, rate=200, seconds=1, topic="load")
        assert 100 < run["requests_per_s"] < 300, f"an open loop keeps its rate: {run}"
        check_kafka_load(server, client)
        assert server.stop() == 0
    print("the load generators count what the server counts")


main()
