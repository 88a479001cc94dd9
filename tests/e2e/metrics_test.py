#!/usr/bin/env python3
"""What the metrics page tells of subscriptions and queues, against the real server: a key parks, relapses and is
repaired, and the page says so at every step.
runs-beside-others"""

import re
import time

from backbone import Client, Server, good, running
from healing_test import Subscription, poison


class Page:
    """The samples of one scrape, by name and subscription."""

    def __init__(self, client):
        status, text, _ = client.ask("GET", "/metrics")
        assert status == 200, status
        self.samples = {}
        for line in text.decode().splitlines():
            if found := re.fullmatch(r'(\w+)(?:\{subscription="([^"]+)"\})? (\S+)', line):
                self.samples[found[1], found[2]] = float(found[3])

    def of(self, subscription, name):
        return self.samples.get((f"continuo_subscription_{name}", subscription))

    def sum(self, name):
        return self.samples.get((f"continuo_{name}", None))


def check_healing(client):
    bank = Subscription(client, "bank", "payments")
    page = Page(client)
    assert page.of("bank", "backlog") == 0 and page.of("bank", "oldest_seconds") == 0, page.samples
    assert page.of("bank", "parked_keys") is None, "nothing failed yet"
    assert page.sum("parked_keys") == 0 and page.sum("oldest_parked_seconds") == 0, "sums are always there"

    bank.publish("ann", 1, 2, 3)
    bank.publish("bob", 1)
    time.sleep(0.3)
    page = Page(client)
    assert page.of("bank", "backlog") == 4 and 0.3 <= page.of("bank", "oldest_seconds") < 60, page.samples
    (held,) = good(bank.ask("receive", {"max": 1, "wait": "5s"}))["deliveries"]
    assert Page(client).of("bank", "in_flight") == 1
    good(bank.ask("settle", {"nack": [{"lease": held["lease"], "error": {"code": "malformed"}}]}))
    bank.handle()
    bank.publish("ann", 4)
    bank.handle()
    time.sleep(0.3)
    page = Page(client)
    wanted = {"backlog": 4, "in_flight": 0, "parked_keys": 1, "parked_events": 4, "given_up_total": 1,
              "relapses_total": 0, "overtakes_prevented_total": 1, "storm": 0, "repair_seconds_count": 0}
    told = {name: page.of("bank", name) for name in wanted}
    assert told == wanted, told
    assert 0.3 <= page.of("bank", "oldest_parked_seconds") < 60, page.samples
    assert page.of("bank", "oldest_seconds") >= page.of("bank", "oldest_parked_seconds"), page.samples
    assert page.sum("parked_keys") == 1 and page.sum("parked_events") == 4, page.samples
    assert page.sum("oldest_parked_seconds") >= 0.3, page.samples

    good(bank.ask("parked/ann/retry", {"by": "kim"}))
    bank.handle(poison("ann-1"))
    page = Page(client)
    assert page.of("bank", "relapses_total") == 1 and page.of("bank", "given_up_total") == 2, page.samples
    (key,) = bank.parked()
    event = {name: value for name, value in key["head"]["event"].items() if name not in ("partition", "offset")}
    good(bank.ask("parked/ann/edit", {"event": {**event, "data": {"n": 1, "mended": True}}, "by": "kim"}))
    time.sleep(0.3)
    bank.handle(poison("ann-1"))
    assert bank.done == {"bob": [1], "ann": [1, 2, 3, 4]}, bank.done
    page = Page(client)
    wanted = {"backlog": 0, "parked_keys": 0, "parked_events": 0, "oldest_parked_seconds": 0, "edited_total": 1,
              "relapses_total": 1, "repair_seconds_count": 1, "oldest_seconds": 0}
    told = {name: page.of("bank", name) for name in wanted}
    assert told == wanted, told
    assert 0.3 <= page.of("bank", "repair_seconds_sum") < 60, page.samples
    assert page.sum("parked_keys") == 0 and page.sum("oldest_parked_seconds") == 0, page.samples
    healing = bank.state()["healing"]
    assert healing["drained"] == 1 and re.fullmatch(r"\d+(ms|s)", healing["time_to_repair"]), healing


def check_queue(client):
    good(client.ask("PUT", "/v1/queues/mail", {"max_receives": 2, "retry": {"delay": "0s"}}))
    good(client.ask("POST", "/v1/queues/mail/messages", {"messages": [{"data": 1}, {"data": 2, "delay": "1h"}]}))
    for _ in range(2):
        (held,) = good(client.ask("POST", "/v1/queues/mail/receive", {"wait": "10s"}))["deliveries"]
        good(client.ask("POST", "/v1/queues/mail/settle", {"nack": [{"lease": held["lease"]}]}))
    end = time.monotonic() + 10
    while (page := Page(client)).of("mail", "dead_lettered_total") != 1 and time.monotonic() < end:
        time.sleep(0.05)
    wanted = {"dead_lettered_total": 1, "retries_total": 1, "delayed": 1, "backlog": 1, "parked_keys": 0}
    told = {name: page.of("mail", name) for name in wanted}
    assert told == wanted, told
    assert page.of("mail.dead", "backlog") == 1, page.samples


def check_many(client):
    """More subscriptions than have series: the one that waits for somebody has."""
    for number in range(1_200):
        good(client.ask("PUT", f"/v1/subscriptions/a{number:04}", {"topics": ["payments"]}))
    last = Subscription(client, "zoe", "payments")
    last.handle(lambda event: "down")
    page = Page(client)
    assert page.of("zoe", "parked_keys") == 2 and page.sum("parked_keys") == 2, page.samples
    rows = sum(name == "continuo_subscription_backlog" for name, _ in page.samples)
    everyone = len(good(client.ask("GET", "/v1/subscriptions"))["subscriptions"])
    assert rows == 1_000 and page.sum("subscriptions_left_out") == everyone - 1_000, (rows, everyone)


def check_restart(data, servers):
    """What is parked stays so, and counts begin at 0."""
    before = Page(Client(servers[-1].port)).of("zoe", "oldest_parked_seconds")
    servers[-1].kill()
    servers.append(Server(data))
    page = Page(Client(servers[-1].port))
    assert page.of("zoe", "parked_keys") == 2 and page.of("zoe", "given_up_total") == 0, page.samples
    assert before < page.of("zoe", "oldest_parked_seconds") < before + 60, page.samples
    assert page.of("mail", "dead_lettered_total") is None, "a counter that goes on from before would count twice"


def main():
    with running("metrics") as (data, servers):
        client = Client(servers[-1].port)
        check_healing(client)
        check_queue(client)
        check_many(client)
        check_restart(data, servers)
        client = Client(servers[-1].port)
        good(client.ask("GET", "/v1/topics/payments/events?limit=1"))
        assert Page(client).sum("reads_total") > 0
    print("the metrics page tells how subscriptions and queues stand")


if __name__ == "__main__":
    main()
