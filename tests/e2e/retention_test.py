#!/usr/bin/env python3
"""Retention under a parked key: what consumers hold outlives it, over kill -9 too; what they lose is told."""

import json
import shutil
import sys
import tempfile

from backbone import Client, Server, event, eventually, good

RETENTION_S = 2


def first_offset(client, topic):
    return int(good(client.ask("GET", f"/v1/topics/{topic}"))["partitions"][0]["first"])


def receive(client, most=10):
    body = {"max": most, "wait": "2s"}
    return good(client.ask("POST", "/v1/subscriptions/ship/receive", body))["deliveries"]


def park_a_key(client):
    """Key `bad` fails at its first event; its second waits behind it. `good` is settled, `slow` stays queued."""
    good(client.ask("PUT", "/v1/topics/orders", {"partitions": 1, "retention": {"time": f"{RETENTION_S}s"}}))
    settings = {"topics": ["orders"], "from": "earliest", "lease": "60s", "retry": {"attempts": 1, "delay": "1s"}}
    good(client.ask("PUT", "/v1/subscriptions/ship", settings))
    for identity, key in (("b1", "bad"), ("b2", "bad"), ("g1", "good")):
        good(client.publish("orders", [event(identity, key, {"of": identity})]))
    deliveries = eventually(lambda: receive(client), 10, "a delivery")
    while not any(each["event"]["id"] == "g1" for each in deliveries):
        deliveries += receive(client)
    by_id = {each["event"]["id"]: each for each in deliveries}
    refused = {"lease": by_id["b1"]["lease"], "error": {"code": "broken", "message": "cannot be shipped"}}
    body = {"ack": [by_id["g1"]["lease"]], "nack": [refused]}
    assert good(client.ask("POST", "/v1/subscriptions/ship/settle", body))["refused"] == []
    good(client.ask("POST", "/v1/subscriptions/ship/pause"))
    good(client.publish("orders", [event("s1", "slow")]))


def parked_head(client):
    keys = good(client.ask("GET", "/v1/subscriptions/ship/parked"))["keys"]
    assert len(keys) == 1 and keys[0]["key"] == "bad" and keys[0]["waiting"] == 1, keys
    return keys[0]["head"]["event"]


def losses(client):
    status, events, _ = client.ask("GET", "/v1/topics/continuo.events/events?partition=0&from=earliest&limit=1000")
    if status == 404:
        return []
    return [each for each in events if each["type"] == "continuo.subscription.events_lost"]


def let_retention_pass(client):
    # Later records, so that those before are in the way of nothing but their consumers.
    eventually(lambda: first_offset(client, "orders") >= 4, 30, "the end of the records' retention")
    status, answer, _ = client.ask("GET", "/v1/topics/orders/events?partition=0&from=0")
    assert status == 416 or answer == [] or status == 410, (status, answer)


def heal(client):
    good(client.ask("POST", "/v1/subscriptions/ship/resume"))
    good(client.ask("POST", "/v1/subscriptions/ship/parked/bad/retry"))
    healed = []
    while len(healed) < 2:
        for each in eventually(lambda: receive(client), 10, "the healed key"):
            assert each["topic"] == "orders" and each["event"]["data"] == {"of": each["event"]["id"]}, each
            healed.append((each["event"]["id"], each["event"]["offset"]))
            good(client.ask("POST", "/v1/subscriptions/ship/settle", {"ack": [each["lease"]]}))
    assert healed == [("b1", "0"), ("b2", "1")], healed


def kept_records(client):
    partition = good(client.ask("GET", "/v1/topics/continuo.kept"))["partitions"][0]
    return int(partition["next"]) - int(partition["first"])


def run(data):
    server = Server(data)
    try:
        client = Client(server.port)
        park_a_key(client)
        let_retention_pass(client)
        before = parked_head(client)
        assert before["id"] == "b1" and before["offset"] == "0", before
        server.kill()
        server = Server(data)
        client = Client(server.port)
        assert parked_head(client) == before, "a copy cannot be told from what it stands for"
        assert kept_records(client) == 2
        lost = [
            json.loads(each["data"]) if isinstance(each["data"], str) else each["data"] for each in losses(client)
        ]
        assert sum(int(each["events_at_most"]) for each in lost) == 1, lost
        heal(client)
        eventually(lambda: kept_records(client) == 0, 10, "the copies' release")
        status, refused, _ = client.ask("DELETE", "/v1/topics/continuo.kept")
        assert status >= 400, (status, refused)
        assert server.stop() == 0
    finally:
        server.kill()


def main():
    data = tempfile.mkdtemp(prefix="continuo-retention-")
    try:
        run(data)
    finally:
        shutil.rmtree(data, ignore_errors=True)
    print("what consumers held outlived retention")


if __name__ == "__main__":
    sys.exit(main())
