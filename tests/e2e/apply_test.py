#!/usr/bin/env python3
"""`continuo apply`: a file of definitions is shown, made, found to be there, changed, and refused with file and line;
refused as a whole. runs-beside-others"""

import os
import shutil
import subprocess
import sys
import tempfile

from backbone import Client, Server, program

FILE = """topics:
  orders: {partitions: 3, retention: {time: 7d}}
  payments:
subscriptions:
  shipping:
    topics: [orders]
    filter: {type: [OrderPaid], data: {amount: [{numeric: [">", 100]}], zip: ["01234"]}}
    retry:
      attempts: 7
      backoff: exponential
      base: 200ms
      rules:
        - {codes: [card_declined, "http_4*"], attempts: 1}
"""
CHANGED = FILE.replace("partitions: 3", "partitions: 4").replace("100", "200")


class Work:
    def __init__(self, folder):
        self.server = Server(os.path.join(folder, "data"), "--journal-size", "64MiB")
        self.client = Client(self.server.port)
        self.path = os.path.join(folder, "app.yaml")

    def apply(self, text, *words, code=0):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)
        done = subprocess.run(
            [program(), "apply", "-f", self.path, "--server", f"http://127.0.0.1:{self.server.port}", *words],
            capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def refused(self, text, *said):
        """All of it: nothing that the file names is there afterwards that was not before."""
        before = self.client.ask("GET", "/v1/topics")[1]
        told = self.apply(text, code=1)
        for each in said:
            assert each in told, (each, told)
        assert self.client.ask("GET", "/v1/topics")[1] == before


def check_what_is_made(work):
    shown = work.apply(FILE, "--dry-run")
    assert "+ topic orders" in shown and "+ subscription shipping" in shown, shown
    assert work.client.ask("GET", "/v1/topics/orders")[0] == 404, "a dry run does nothing"
    assert "3 changes done" in work.apply(FILE)
    status, shipping = work.client.ask("GET", "/v1/subscriptions/shipping")[:2]
    assert status == 200
    assert shipping["filter"] == {"type": ["OrderPaid"], "data": {"amount": [{"numeric": [">", 100]}],
                                                                  "zip": ["01234"]}}, shipping
    assert shipping["retry"] == {
        "attempts": 7, "backoff": "exponential", "base": "200ms", "max": "30s", "jitter": False,
        "rules": [{"codes": ["card_declined", "http_4*"], "attempts": 1, "backoff": "exponential", "base": "200ms",
                   "max": "30s", "jitter": False}]}, shipping
    again = work.apply(FILE)
    assert "nothing to do" in again and "= topic orders" in again, again
    assert "nothing to do" in work.apply(FILE.replace("7d", "168h")), "the same by another name"


def check_what_is_changed(work):
    told = work.apply(CHANGED)
    assert "partitions: 3 -> 4" in told and "2 changes done" in told, told
    assert work.client.ask("GET", "/v1/subscriptions/shipping")[1]["filter"]["data"]["amount"] == [
        {"numeric": [">", 200]}]
    assert len(work.client.ask("GET", "/v1/topics/orders")[1]["partitions"]) == 4
    assert "nothing to do" in work.apply("topics: {orders: {}}"), "what is not named stays"


SETTINGS = """subscriptions:
  shipping:
    topics: [orders]
    filter: {data: {amount: [{numeric: [">", 1.50]}]}}
    lease: 10s
    concurrency: 7
    retry: {attempts: 2, backoff: listed, delays: [1s, 5s]}
    on_failure: dead_letter
    dead_letter: shipping.dead
    ttl: 1h
    expires: 7d
    storm: {keys: 50, within: 10s}
    repairs:
      - {name: cents, error: {code: [bad_amount]}, patch: [{op: replace, path: /data/amount, value: 1.50}]}
"""


def check_every_setting(work):
    """Each is changed to what the file says, and back to what it is when the file says nothing."""
    told = work.apply("topics: {shipping.dead: {}}\n" + SETTINGS)
    for each in ('lease: "30s" -> "10s"', "concurrency: 1024 -> 7", 'on_failure: "park" -> "dead_letter"',
                 'dead_letter: none -> "shipping.dead"', 'ttl: none -> "1h"', 'expires: none -> "7d"', "storm: none ->",
                 "repairs: none ->", "retry: ", "filter: ", "2 changes done"):
        assert each in told, (each, told)
    now = work.client.ask("GET", "/v1/subscriptions/shipping")[1]
    assert (now["lease"], now["concurrency"], now["on_failure"], now["dead_letter"], now["ttl"], now["expires"]) == \
        ("10s", 7, "dead_letter", "shipping.dead", "1h", "7d"), now
    assert now["storm"]["keys"] == 50 and now["retry"]["delays"] == ["1s", "5s"], now
    assert now["repairs"][0]["patch"][0]["value"] == 1.5, now
    again = work.apply(SETTINGS)
    assert "nothing to do" in again, again
    told = work.apply(SETTINGS.replace("lease: 10s", "lease: 11s"))
    assert "~ subscription shipping\n    lease: \"10s\" -> \"11s\"\n1 change done" in told, told
    told = work.apply("subscriptions: {shipping: {topics: [orders]}}")
    assert 'dead_letter: "shipping.dead" -> none' in told and "1 change done" in told, told
    now = work.client.ask("GET", "/v1/subscriptions/shipping")[1]
    assert not {"filter", "dead_letter", "ttl", "expires", "storm", "repairs"} & set(now), now
    assert "nothing to do" in work.apply("subscriptions: {shipping: {topics: [orders]}}")
    work.refused(SETTINGS.replace("shipping.dead", "orders"), "line 9: subscriptions.shipping.dead_letter")


def check_targets(work):
    """A target changes as other settings do; its secrets are sent, and never shown."""
    plain = "subscriptions:\n  hooked:\n    topics: [orders]\n"
    hook = plain + """    target:
      webhook: {url: https://shop.example/hooks, secret: of-sixteen-bytes-or-more, headers: {X-Team: which-one}}
"""
    assert "1 change done" in work.apply(plain)
    told = work.apply(hook)
    for secret in ("sixteen", "which-one"):
        assert secret not in told, told
    assert 'target: {"pull":{}} -> {"webhook":' in told and "1 change done" in told, told
    webhook = work.client.ask("GET", "/v1/subscriptions/hooked")[1]["target"]["webhook"]
    assert (webhook["secret"], webhook["headers"]) == ("***", {"X-Team": "***"}), webhook
    assert "nothing to do" in work.apply(hook)
    told = work.apply(hook.replace("/hooks", "/others"))
    assert "/hooks" in told and "/others" in told and "sixteen" not in told and "1 change done" in told, told
    assert "1 change done" in work.apply(plain)
    assert work.client.ask("GET", "/v1/subscriptions/hooked")[1]["target"] == {"pull": {}}
    work.refused(plain + "    target: {topic: {name: orders}}", "subscriptions.hooked.target.topic.name", "go round")
    assert work.client.ask("DELETE", "/v1/subscriptions/hooked")[0] in (200, 204)
    told = work.apply(hook, "--dry-run")
    assert "+ subscription hooked" in told and "***" in told and "sixteen" not in told, told


def check_what_stays(work):
    for text, line, name in ((SETTINGS.replace("[orders]", "[orders, payments]"), 3, "topics"),
                             (SETTINGS.replace("    lease", "    from: earliest\n    lease"), 5, "from"),
                             (SETTINGS.replace("    ttl", "    order_by: none\n    ttl"), 10, "order_by")):
        work.refused(text, f"line {line}: subscriptions.shipping.{name}", f"its '{name}' cannot change",
                     "delete it first")
    assert work.client.ask("GET", "/v1/subscriptions/shipping")[1]["lease"] == "30s", "nothing of it was done"


def check_what_is_refused(work):
    work.refused("topics: {new: {}, orders: {partitions: 2}}", "cannot become fewer", "app.yaml, line 1")
    work.refused(CHANGED.replace("attempts: 7", "attempts: 0"), "line 9: subscriptions.shipping.retry.attempts")
    work.refused(CHANGED.replace("backoff", "backof"), "line 10", "did you mean 'backoff'")
    work.refused(CHANGED.replace("numeric", "numerik"), "line 7", "did you mean `numeric`")
    work.refused(CHANGED.replace("http_4*", "*_4"), "line 13", "rules[0].codes[1]")
    work.refused("topic: {a: {}}", "line 1", "did you mean 'topics'")
    work.refused("topics:\n  a: {retention: 7d}", "line 2", "must be an object")
    work.refused("topics: &a\n  b: *a", "refers to itself")
    work.refused("topics: {a: [", "line 1")
    work.refused("- a", "names topics, queues and subscriptions")


def check_queues(work):
    file = "queues:\n  jobs: {lease: 20s, max_receives: 3, dead_letter: jobs.dead}\n  tasks:\n"
    told = work.apply(file)
    assert "+ queue jobs" in told and "2 changes done" in told, told
    assert work.client.ask("GET", "/v1/queues/jobs")[1]["max_receives"] == 3
    assert "nothing to do" in work.apply(file)
    other = file.replace("20s", "30s").replace("3,", "4, retention: 2d, retry: {delay: 2s}, partitions: 2,")
    told = work.apply(other)
    assert all(each in told for each in ("~ queue jobs", '"20s" -> "30s"', "max_receives: 3 -> 4", "1 change done",
                                         'retention: none -> "2d"', "partitions: 1 -> 2")), told
    state = work.client.ask("GET", "/v1/queues/jobs")[1]
    assert (state["lease"], state["max_receives"], state["retry"]["base"]) == ("30s", 4, "2s"), state
    assert "nothing to do" in work.apply(other)
    told = work.apply(file.replace("dead_letter: jobs.dead", "on_failure: park, partitions: 2"))
    assert 'on_failure: "dead_letter" -> "park"' in told and 'retention: "2d" -> none' in told, told
    assert "nothing to do" in work.apply(file.replace("dead_letter: jobs.dead", "on_failure: park, partitions: 2"))
    work.refused(file, "cannot become fewer", "line 2")
    work.refused(file.replace("lease", "fifo: true, partitions: 2, lease"), "'fifo' cannot change", "line 2")
    work.refused(file.replace("lease", "leese"), "line 2", "did you mean 'lease'")
    work.refused("queues: {jobs: {dead_letter: jobs}}", "its own queue of dead letters")


def main():
    folder = tempfile.mkdtemp(prefix="continuo-apply-")
    try:
        work = Work(folder)
        check_what_is_made(work)
        check_what_is_changed(work)
        check_every_setting(work)
        check_targets(work)
        check_what_stays(work)
        check_what_is_refused(work)
        check_queues(work)
        assert work.server.stop() == 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("a file was applied, changed, and refused where it was wrong")
    return 0


sys.exit(main())
