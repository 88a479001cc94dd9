"""Load for kill_test, as a process of its own: `kill_load.py publish|relay URL NAME FILE`.

publish: events of its own keys, numbered; one batch after the other, each repeated until it is answered. Every answer
is written to FILE.
relay: takes events from the subscription `relay` and publishes one for each in the settle's own commit.
Both go on over restarts of the server, until they are told to end (SIGTERM).
"""

import http.client
import json
import random
import signal
import sys
import time

KEYS = 5
stopping = False


def stop(*_):
    global stopping
    stopping = True


class Connection:
    """One kept-alive connection; None for an answer that did not come."""

    def __init__(self, address):
        self.address = address
        self.http = None

    def ask(self, path, body, content_type="application/json"):
        try:
            if not self.http:
                self.http = http.client.HTTPConnection(self.address, timeout=10)
            self.http.request("POST", path, json.dumps(body), {"Content-Type": content_type})
            answer = self.http.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            if self.http:
                self.http.close()
            self.http = None
            time.sleep(0.01)
            return None, None


def publish(connection, name, acknowledged):
    rng = random.Random(name)
    numbers = [0] * KEYS
    while not stopping:
        batch = []
        for _ in range(rng.choice((1, 1, 3, 10, 50))):
            key = rng.randrange(KEYS)
            batch.append({"specversion": "1.0", "id": f"{name}-{key}-{numbers[key]}", "source": f"/load/{name}",
                          "type": "Load", "subject": f"{name}-{key}",
                          "data": {"n": numbers[key], "pad": "x" * rng.randrange(400)}})
            numbers[key] += 1
        status = None
        while status != 201 and not stopping:  # the same again until it is answered: a repeat is recognised
            status, answer = connection.ask("/v1/topics/load/events", batch, "application/cloudevents-batch+json")
            if status in (429, 503):
                time.sleep(0.05)
            elif status not in (None, 201):
                raise SystemExit(f"publish: {status} {answer}")
        if status == 201:
            for event, place in zip(batch, answer["events"]):
                acknowledged.write(f"{event['id']} {place['partition']} {place['offset']}\n")
            acknowledged.flush()


def relayed(event):
    return {"specversion": "1.0", "id": "r-" + event["id"], "source": "/relay", "type": "Relayed",
            "subject": event["subject"], "data": event["data"]["n"]}


def relay(connection, acknowledged):
    while not stopping:
        status, answer = connection.ask("/v1/subscriptions/relay/receive", {"max": 50, "wait": "1s", "lease": "1s"})
        deliveries = answer["deliveries"] if status == 200 else []
        if not deliveries:
            continue
        settle = {"ack": [one["lease"] for one in deliveries],
                  "publish": [{"topic": "relayed", "event": relayed(one["event"])} for one in deliveries]}
        status = None
        while status is None or status in (429, 503):
            status, answer = connection.ask("/v1/subscriptions/relay/settle", settle)
            if stopping and status is None:
                return
        if status == 200:
            acknowledged.write("".join(f"r-{one['event']['id']}\n" for one in deliveries))
            acknowledged.flush()
        elif status != 409:  # leases ran out: they come again
            raise SystemExit(f"settle: {status} {answer}")


def main():
    signal.signal(signal.SIGTERM, stop)
    what, url, name, file = sys.argv[1:]
    connection = Connection(url.removeprefix("http://"))
    with open(file, "a", encoding="utf-8") as acknowledged:
        if what == "publish":
            publish(connection, name, acknowledged)
        else:
            relay(connection, acknowledged)


if __name__ == "__main__":
    main()
