#!/usr/bin/env python3
"""The load generator of the benchmarks does what it says: what it counts is what the server counts, in every mode."""

import json
import os
import subprocess
import tempfile
import time

from backbone import Client, Server, build_folder, skip

LOAD = os.path.join(build_folder(), "load")


def load(port, **settings):
    words = [LOAD, "--port", str(port), "--seconds", str(settings.pop("seconds", 0.3)), "--warmup", "0"]
    for name, value in settings.items():
        words += [f"--{name}", str(value)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return json.loads(done.stdout)


def metric(client, name):
    time.sleep(0.3)  # the page is a little behind
    page = client.ask("GET", "/metrics")[1].decode()
    return next(float(line.split()[1]) for line in page.splitlines() if line.startswith(name + " "))


def main():
    if not os.path.exists(LOAD):
        skip(f"{LOAD} is not built")
    with tempfile.TemporaryDirectory() as data:
        server = Server(data)
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
        assert server.stop() == 0
    print("the load generator counts what the server counts")


main()
