"""A subscription in order of keys, which parks a key whose event fails for good."""

import http.client
import json
import time

from payments import DELIVERIES, IDLE_S, RETRY_MS, Failure, mend


class Continuo:
    mechanism = "parked keys, the failed event mended in its place"

    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address, timeout=60)
        self.ask("PUT", "/v1/topics/payments", {"partitions": 1})
        self.ask("PUT", "/v1/subscriptions/bank", {
            "topics": ["payments"], "from": "earliest", "order_by": "key", "on_failure": "park",
            "retry": {"attempts": DELIVERIES, "delay": f"{RETRY_MS}ms"}})

    def ask(self, method, path, body=None, kind="application/json"):
        self.connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": kind})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text.decode()}")
        return json.loads(text) if text else None

    def publish(self, events):
        for begin in range(0, len(events), 100):
            self.ask("POST", "/v1/topics/payments/events", [
                {"specversion": "1.0", "id": f"{event['key']}-{event['number']}", "source": "/payments",
                 "type": "Payment", "subject": event["key"], "data": event} for event in events[begin:begin + 100]],
                "application/cloudevents-batch+json")

    def work(self, bank):
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < IDLE_S:
            received = self.ask("POST", "/v1/subscriptions/bank/receive", {"max": 20, "wait": "200ms"})
            failed = set()
            for delivery in received["deliveries"]:
                quiet_since = time.monotonic()
                # A failure gives the rest of its key's run back: it comes again, behind what failed.
                if delivery["event"]["subject"] not in failed and not self.settle(bank, delivery):
                    failed.add(delivery["event"]["subject"])

    def settle(self, bank, delivery):
        settle = {"ack": [delivery["lease"]]}
        try:
            bank.handle(delivery["event"]["data"])
        except Failure as failure:
            settle = {"nack": [{"lease": delivery["lease"], "error": {"code": failure.code, "message": str(failure)}}]}
        answer = self.ask("POST", "/v1/subscriptions/bank/settle", settle)
        if answer["refused"]:
            raise RuntimeError(f"refused: {answer['refused']}")
        return "ack" in settle

    def failed(self):
        return self.ask("GET", "/v1/subscriptions/bank/parked?limit=1000")["keys"]

    def repair(self):
        for parked in self.failed():
            event = parked["head"]["event"]
            event["data"] = mend(event["data"])
            self.ask("POST", f"/v1/subscriptions/bank/parked/{parked['id']}/edit",
                     {"event": event, "by": "overtaking", "reason": "the amount was written in letters"})

    def close(self):
        self.connection.close()
