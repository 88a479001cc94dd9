#!/usr/bin/env python3
"""The shop with malformed payments, on a real server that is killed: those customers' keys park and everyone else's
orders flow; declared repairs heal some, commands the rest; each customer's payments are in the order of the orders.
runs-beside-others"""

import json
import re
import subprocess
import sys

import cli_server
from cli_server import BUILD, Server, clean_environment

ROLES = ["order", "payment", "inventory", "shipping", "email"]
ORDERS = 250


class Shop:
    def __init__(self, server):
        self.server = server
        self.command = [BUILD / "shop", "--server", server.url]
        self.services = {}

    def start(self, role, *words):
        self.services[role] = subprocess.Popen([*self.command, role, *words],
                                               env=clean_environment(self.server.folder))

    def end(self):
        for service in self.services.values():
            service.terminate()
        for service in self.services.values():
            service.wait(timeout=20)

    def parked(self):
        return [json.loads(line) for line in good(self.server.run("parked", "list", "payment")).splitlines()]

    def has_parked(self):
        listed = self.server.run("parked", "list", "payment")  # refused until the service made its subscription
        return listed.returncode == 0 and listed.stdout.strip()

    def events(self, topic, *types):
        said = self.server.run("tail", topic, "--from", "earliest")
        found = [json.loads(line) for line in good(said).splitlines()]
        return [event for event in found if not types or event["type"] in types]


def good(done):
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def run_with_kills(shop):
    """The server and the payment service are killed while orders come."""
    for role in ROLES:
        shop.start(role)
    shop.start("customers", "--orders", str(ORDERS), "--rate", "120", "--malformed", "8")
    cli_server.eventually(shop.has_parked, 20, "the first parked key")
    shop.server.kill()
    shop.server.start()
    shop.services["payment"].kill()
    shop.services["payment"].wait()
    shop.start("payment")
    assert shop.services["customers"].wait(timeout=60) == 0


def others_are_through(shop):
    """Every order that is neither malformed nor behind such a one of its customer has its payment."""
    waiting = {key["key"] for key in shop.parked()}
    orders = shop.events("orders", "OrderPlaced")
    paid = {event["causationid"] for event in shop.events("payments", "PaymentTaken", "PaymentFailed")}
    return len(orders) == ORDERS and all(
        event["id"] in paid for event in orders if event["partitionkey"] not in waiting)


def mend(shop):
    """As a person would: what can be mended is edited and released together, the rest is passed over."""
    fingerprints = set()
    for key in shop.parked():
        event = key["head"]["event"]
        if key["head"]["error"]["code"] == "bad_amount":
            event["data"]["amount"] = round(float(event["data"]["amount"]) * 100)
            good(shop.server.run("parked", "edit", "payment", key["key"], "--event", json.dumps(event), "--keep-parked",
                                 "--by", "kim", "--reason", "written in euros"))
            fingerprints.add(key["head"]["fingerprint"])
        else:
            good(shop.server.run("parked", "skip", "payment", key["key"], "--by", "kim", "--reason", "which currency?"))
    for fingerprint in fingerprints:
        released = shop.server.run("parked", "release", "payment", "--fingerprint", fingerprint, "--wait")
        assert released.returncode in (0, 1), released.stderr  # 1: a later order of such a customer is malformed, too


def payments_are_in_order(shop):
    """Without the account's help: the numbers of each customer's orders, as they were paid."""
    numbers = {}
    for event in shop.events("payments", "PaymentTaken", "PaymentFailed"):
        numbers.setdefault(event["partitionkey"], []).append(event["data"]["number"])
        assert isinstance(event["data"]["amount"], int) and event["data"]["currency"] == "EUR", event
    assert all(each == sorted(set(each)) for each in numbers.values()), numbers


def main():
    cli_server.need("continuo", "shop", "shop-account")
    with Server() as server:
        shop = Shop(server)
        try:
            run_with_kills(shop)
            cli_server.eventually(lambda: others_are_through(shop), 30, "everyone else's payments")
            waiting = shop.parked()
            assert waiting and all(key["waiting"] for key in waiting[:1]), waiting
            assert {key["head"]["error"]["code"] for key in waiting} == {"bad_amount", "bad_currency"}, waiting
            judged = server.run(program=BUILD / "shop-account")
            assert judged.returncode == 5 and f"still parked {len(waiting)}\n" in judged.stdout, judged.stdout

            def through():
                mend(shop)
                skipped = shop.events("continuo.events", "continuo.event.skipped")
                return not shop.parked() and len(shop.events("mails")) == ORDERS - len(skipped)

            cli_server.eventually(through, 60, "the shop's end")
            judged = server.run(program=BUILD / "shop-account")
            assert judged.returncode == 0 and "NO: " not in judged.stdout, judged.stdout
            (counts,) = re.findall(r"declared repair (\d+), edited by hand (\d+), passed over (\d+), still parked 0\n"
                                   r".* answered meanwhile: (\d+)\n", judged.stdout)
            assert all(int(count) > 0 for count in counts), judged.stdout
            payments_are_in_order(shop)
        finally:
            shop.end()
    print("parked customers wait, others flow, and what is mended is paid in its place")
    return 0


if __name__ == "__main__":
    sys.exit(main())
