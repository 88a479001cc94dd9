#!/usr/bin/env python3
"""A full disk: events are refused with `disk_full`, reading, settling and deleting go on, a restart on the full
disk works, and when there is room again publishing does."""

import os
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(__file__))
from backbone import Client, LoopImage, Server, check_acknowledged, event, program  # noqa: E402


def fill(client, acknowledged, topic, limit_s=60):
    """Publishes until the disk is full; returns the last status."""
    end, count = time.monotonic() + limit_s, 0
    while time.monotonic() < end:
        events = [event(f"{topic}-{count + i}", f"k{i % 5}", "x" * 8000) for i in range(50)]
        status, answer = client.publish(topic, events)
        if status == 507:
            return answer["code"]
        if status == 503:
            time.sleep(0.05)
            continue
        assert status == 201, (status, answer)
        count += len(events)
        for sent, place in zip(events, answer["events"]):
            acknowledged[sent["id"]] = (place["partition"], int(place["offset"]))
    raise AssertionError("the disk never got full")


def settle_some(client):
    status, got, _ = client.ask("POST", "/v1/subscriptions/s/receive", {"max": 20, "wait": "2s"})
    assert status == 200 and got["deliveries"], (status, got)
    status, answer, _ = client.ask(
        "POST", "/v1/subscriptions/s/settle", {"ack": [each["lease"] for each in got["deliveries"]]}
    )
    assert status == 200 and answer["settled"] == len(got["deliveries"]), (status, answer)


def run(image):
    arguments = ["--journal-size", "96MiB"]
    data = os.path.join(image.place, "data")
    server = Server(data, *arguments)
    client = Client(server.port)
    for topic in ("keep", "victim"):
        client.ask("PUT", f"/v1/topics/{topic}", {"dedup_window": "0s"} if topic == "victim" else {})
    status, answer, _ = client.ask("PUT", "/v1/subscriptions/s", {"topics": ["keep"], "from": "earliest"})
    assert status == 201, answer
    acknowledged = {}
    events = [event(f"keep-{i}", f"k{i % 5}", "y" * 100) for i in range(500)]
    status, answer = client.publish("keep", events)
    assert status == 201, answer
    for sent, place in zip(events, answer["events"]):
        acknowledged[sent["id"]] = (place["partition"], int(place["offset"]))
    victims = {}
    assert fill(client, victims, "victim") == "disk_full"
    print(f"full after {len(victims)} events")
    check_acknowledged(client, "keep", 1, acknowledged)
    check_acknowledged(client, "victim", 1, victims)
    settle_some(client)
    server.kill()

    server = Server(data, *arguments)
    client = Client(server.port)
    check_acknowledged(client, "keep", 1, acknowledged)
    check_acknowledged(client, "victim", 1, victims)
    settle_some(client)
    status, answer, _ = client.ask("DELETE", "/v1/topics/victim")
    assert status in (200, 204), (status, answer)
    for _ in range(200):
        status, answer = client.publish("keep", [event("after", "k1", "z")])
        if status == 201:
            break
        time.sleep(0.1)
    assert status == 201, f"there is room again, but publishing is still refused: {answer}"
    check_acknowledged(client, "keep", 1, acknowledged)
    assert server.stop() == 0
    print("full disk: refused, read, settled, restarted, deleted, published again")


def main():
    program()
    folder = tempfile.mkdtemp(prefix="continuo-full-")
    image = LoopImage(folder, "ext4", 220)
    try:
        run(image)
    finally:
        image.unmount()
        shutil.rmtree(folder, ignore_errors=True)


main()
