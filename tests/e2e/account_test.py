#!/usr/bin/env python3
"""shop-account against real servers: a whole shop is fine; with an event lost, doubled or swapped it is a breach.

A shop is run once; its topics are exported, changed, and imported into fresh servers, which know nothing else.
"""

import json
import subprocess
import sys

import cli_server
from cli_server import BUILD, Server, clean_environment

TOPICS = ["checkouts", "orders", "payments", "stock", "shipments", "mails", "figures"]
ROLES = ["order", "payment", "inventory", "shipping", "email", "analytics"]
ORDERS = 60


def run_shop():
    """The events of each topic, in order, without their places."""
    with Server() as server:
        command = [BUILD / "shop", "--server", server.url]
        services = [subprocess.Popen([*command, role], env=clean_environment(server.folder)) for role in ROLES]
        try:
            subprocess.run([*command, "customers", "--orders", str(ORDERS), "--rate", "0"], check=True, timeout=60)
            for last in ("mails", "figures"):
                cli_server.eventually(lambda topic=last: len(exported(server, topic)) == ORDERS, 60, "the shop's end")
        finally:
            for service in services:
                service.terminate()
            codes = [service.wait(timeout=10) for service in services]
        assert codes == [0] * len(services), codes
        judged = server.run(program=BUILD / "shop-account")
        assert judged.returncode == 0, judged.stdout
        return {topic: exported(server, topic) for topic in TOPICS}


def exported(server, topic):
    events = [json.loads(line) for line in server.run("tail", topic, "--from", "earliest").stdout.splitlines()]
    for event in events:
        del event["partition"], event["offset"]
    return events


def judge(topics):
    """The account's exit code and text over these events on a fresh server."""
    with Server() as server:
        for topic, events in topics.items():
            assert server.run("topic", "create", topic, "--partitions", "4").returncode == 0
            file = server.folder / "events.ndjson"
            file.write_text("".join(json.dumps(event) + "\n" for event in events))
            imported = server.run("import", topic, str(file))
            assert imported.returncode == 0, imported.stderr
        judged = server.run(program=BUILD / "shop-account")
        return judged.returncode, judged.stdout


def copy_of(topics):
    return {topic: [dict(event) for event in events] for topic, events in topics.items()}


def lose(topics):
    del topics["shipments"][len(topics["shipments"]) // 2]


def double(topics):
    again = dict(topics["mails"][3])
    again["id"] += "-again"  # the server itself would recognise the same id
    topics["mails"].append(again)


def swap(topics):
    stock = topics["stock"]
    for first, event in enumerate(stock):
        for second in range(first + 1, len(stock)):
            if stock[second]["partitionkey"] == event["partitionkey"] and stock[second]["type"] == event["type"]:
                stock[first], stock[second] = stock[second], stock[first]
                return
    raise AssertionError("no customer ordered twice")


def main():
    cli_server.need("continuo", "shop", "shop-account")
    whole = run_shop()
    code, text = judge(whole)
    assert code == 0, text
    for plant, found in ((lose, "  lost: "), (double, "  twice: "), (swap, "  order: ")):
        topics = copy_of(whole)
        plant(topics)
        code, text = judge(topics)
        assert code == 5 and found in text, f"{plant.__name__}: exit code {code}\n{text}"
    print("a lost, a doubled and a swapped event are found; nothing is found where nothing is")
    return 0


if __name__ == "__main__":
    sys.exit(main())
