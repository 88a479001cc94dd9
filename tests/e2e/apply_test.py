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
    without = "subscriptions: {shipping: {topics: [orders], retry: {attempts: 7}}}"
    work.refused(without, "exists", "retry:", "delete it first")
    assert "nothing to do" in work.apply("topics: {orders: {}}"), "what is not named stays"


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
    work.refused(file.replace("20s", "30s"), "lease:", "a queue does not change", "line 2")
    work.refused(file.replace("lease", "leese"), "line 2", "did you mean 'lease'")
    work.refused("queues: {jobs: {dead_letter: jobs}}", "its own queue of dead letters")


def main():
    folder = tempfile.mkdtemp(prefix="continuo-apply-")
    try:
        work = Work(folder)
        check_what_is_made(work)
        check_what_is_changed(work)
        check_what_is_refused(work)
        check_queues(work)
        assert work.server.stop() == 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("a file was applied, changed, and refused where it was wrong")
    return 0


sys.exit(main())
