#!/usr/bin/env python3
"""Failed events heal without losing their order, against the real server: parked keys and every verb of repair, the
workflow that repairs, declared repairs, releases, storms, dead letters, seeking - and all of it over kill -9.
runs-beside-others"""

import shutil
import tempfile
import time

from backbone import Client, Server, eventually, good

DECLARED = [{"name": "cents", "error": {"code": ["bad_amount"]}, "event": {"type": ["Paid"]},
             "patch": [{"op": "replace", "path": "/data/amount", "value": 12}]}]


class Subscription:
    """Handles events; what it was successful with is kept by key, in its order."""

    def __init__(self, client, name, topic, **settings):
        self.client, self.name, self.topic = client, name, topic
        good(client.ask("PUT", f"/v1/topics/{topic}"))
        made = {"topics": [topic], "from": "earliest", "retry": {"attempts": 1}, "lease": "5s", **settings}
        self.made = good(client.ask("PUT", f"/v1/subscriptions/{name}", made))
        self.done = {}

    def ask(self, action, body=None, method="POST"):
        path = f"/v1/subscriptions/{self.name}/{action}"
        return self.client.ask(method, path, body if method == "POST" else None)[:2]

    def state(self):
        return good(self.client.ask("GET", f"/v1/subscriptions/{self.name}"))

    def parked(self, query=""):
        return good(self.ask("parked" + query, method="GET"))["keys"]

    def publish(self, key, *numbers, **data):
        events = [{"specversion": "1.0", "id": f"{key}-{each}", "source": "/shop", "type": "Paid", "subject": key,
                   "data": {"n": each, **data}} for each in numbers]
        self.client.publish(self.topic, events)

    def handle(self, fails=lambda event: None, rounds=50, wait="200ms"):
        """Until nothing comes. `fails` names the error of an event, or says None."""
        for _ in range(rounds):
            deliveries = good(self.ask("receive", {"max": 100, "wait": wait}))["deliveries"]
            if not deliveries:
                return
            broken, ack, nack = set(), [], []
            for each in deliveries:
                event, key = each["event"], each["event"]["subject"]
                error = None if key in broken else fails(event)
                if error:
                    broken.add(key)
                    nack.append({"lease": each["lease"], "error": {"code": error, "message": f"of {event['id']}"}})
                elif key not in broken:
                    ack.append(each["lease"])
                    self.done.setdefault(key, []).append(event["data"]["n"])
            good(self.ask("settle", {"ack": ack, "nack": nack}))


def read(client, topic):
    return [event for _, event in client.read_all(topic, 0)]


def told(client, kind):
    return [each["data"] for each in read(client, "continuo.events") if each["type"] == kind]


def poison(*ids):
    return lambda event: "malformed" if event["id"] in ids and not event["data"].get("mended") else None


def check_verbs(client):
    payments = Subscription(client, "payments", "p")
    for key in ("ann", "bob", "cid", "dan"):
        payments.publish(key, 1, 2, 3)
    bad = poison("ann-1", "bob-2", "cid-1", "dan-1")
    payments.handle(bad)
    assert payments.done == {"bob": [1]}, payments.done
    keys = {each["key"]: each for each in payments.parked()}
    assert sorted(keys) == ["ann", "bob", "cid", "dan"], keys
    ann = keys["ann"]
    assert ann["state"] == "parked" and ann["waiting"] == 2 and ann["head"]["error"]["code"] == "malformed", ann
    assert len({each["head"]["fingerprint"] for each in keys.values()}) == 1, "numbers in messages make no difference"
    payments.publish("ann", 4)
    payments.publish("eve", 1)
    payments.handle(bad)
    assert payments.done == {"bob": [1], "eve": [1]}, "others flow, and nothing overtakes"

    event = {**ann["head"]["event"], "data": {"n": 1, "mended": True}}
    for extra in ("partition", "offset"):
        event.pop(extra, None)
    wrong = payments.ask("parked/ann/edit", {"event": {**event, "subject": "zoe"}})
    assert wrong[0] == 400 and wrong[1]["code"] == "bad_event" and wrong[1]["at"] == "event.partitionkey", wrong
    assert payments.ask("parked/ann/edit", {"event": {"id": "1"}})[1]["code"] == "bad_event"
    good(payments.ask("parked/ann/edit", {"event": event, "by": "ann@shop", "reason": "typo"}))
    again = payments.ask("parked/ann/edit", {"event": event})
    assert again[0] == 409 and again[1]["code"] == "not_parked" and "drains" in again[1]["detail"], again
    assert payments.parked("?key=ann")[0]["state"] == "draining"
    good(payments.ask("parked/bob/skip", {"by": "ann@shop", "reason": "paid by phone"}))
    assert good(payments.ask("parked/cid/cancel", {"reason": "closed the account"})) == {"events": 3}
    payments.handle(bad)
    assert payments.done["ann"] == [1, 2, 3, 4] and payments.done["bob"] == [1, 3], payments.done
    assert "cid" not in payments.done
    good(payments.ask("parked/dan/retry", {"by": "ann@shop"}))
    payments.handle()
    assert payments.done["dan"] == [1, 2, 3]
    assert payments.parked() == []

    (edited,) = told(client, "continuo.event.edited")
    assert edited["by"] == "ann@shop" and edited["reason"] == "typo" and edited["offset"] == ann["offset"], edited
    assert [each["path"] for each in edited["difference"]] == ["/data/mended"], edited
    (skipped,) = told(client, "continuo.event.skipped")
    assert skipped["reason"] == "paid by phone", skipped
    (cancelled,) = told(client, "continuo.key.cancelled")
    assert cancelled["events"] == 3 and cancelled["reason"] == "closed the account", cancelled
    gone = told(client, "continuo.key.parked")
    assert sorted((each["key"], each["id"]) for each in gone) == [
        (key, keys[key]["id"]) for key in ("ann", "bob", "cid", "dan")], gone
    assert sorted(each["key"] for each in told(client, "continuo.key.drained")) == ["ann", "bob", "dan"]
    assert cancelled["key"] == "cid" and edited["key"] == "ann", (cancelled, edited)
    original = read(client, "p")[0]
    assert original["id"] == "ann-1" and original["data"] == {"n": 1}, "readers of the topic see what was published"
    assert payments.state()["healing"]["overtakes_prevented"] >= 1


def check_workflow(client):
    wires = Subscription(client, "wires", "w")
    for key in ("a", "b", "c"):
        wires.publish(key, 1, 2)
    wires.handle(poison("a-1", "b-1", "c-1"))
    heads = good(wires.ask("receive?role=repair", {"max": 10, "wait": "2s"}))["repairs"]
    assert [each["parked"]["key"] for each in heads] == ["a", "b", "c"], heads
    assert good(wires.ask("receive?role=repair", {"max": 10}))["repairs"] == [], "each has one repairer"
    assert wires.parked("?key=a")[0]["state"] == "repairing"
    event = heads[0]["parked"]["head"]["event"]
    mended = {name: value for name, value in event.items() if name not in ("partition", "offset")}
    mended["data"] = {"n": 1, "mended": True}
    answered = {"repaired": [{"lease": heads[0]["lease"], "event": mended}],
                "needs_person": [{"lease": heads[1]["lease"], "reason": "no idea"}],
                "skip": [{"lease": heads[2]["lease"], "reason": "test data"}], "by": "robot"}
    assert good(wires.ask("settle?role=repair", answered)) == {"settled": 3, "refused": []}
    late = good(wires.ask("settle?role=repair", {"skip": [{"lease": heads[0]["lease"]}]}))
    assert late["settled"] == 0 and late["refused"][0]["code"] == "lease_lost", late
    wires.handle(poison("b-1"))
    assert wires.done == {"a": [1, 2], "c": [2]}, wires.done
    (left,) = wires.parked()
    assert left["key"] == "b" and left["repair_by"] == "person", left
    assert told(client, "continuo.key.needs_person")[0]["reason"] == "no idea"


def check_declared(client):
    bills = Subscription(client, "bills", "b", repairs=DECLARED)
    assert bills.made["repairs"] == DECLARED, bills.made
    bills.publish("x", 1, amount="12 EUR")
    bills.publish("x", 2, amount=3)
    bills.publish("y", 1, amount="?")

    def fails(event):
        if event["subject"] == "y":
            return "unknown_customer"
        return None if isinstance(event["data"]["amount"], int) else "bad_amount"

    def healed():
        bills.handle(fails)
        return bills.done == {"x": [1, 2]}

    eventually(healed, 20, "the declared repair heals x")
    eventually(lambda: bills.parked()[0]["repair_by"] == "workflow", 20, "what none fits is left to the workflow")
    edits = [each for each in told(client, "continuo.event.edited") if each["by"] == "declared repair"]
    assert [each["reason"] for each in edits] == ["cents"], edits
    refused = client.ask("PUT", "/v1/subscriptions/bad", {"topics": ["b"], "repairs": [{"patch": []}]})
    assert refused[0] == 400 and refused[1]["at"].startswith("repairs[0]"), refused[:2]


def check_release(client):
    many = Subscription(client, "many", "m")
    for key in range(20):
        many.publish(f"k{key}", 1, 2)
    down = {"down": True}
    many.handle(lambda event: "down" if down["down"] and event["data"]["n"] == 1 else None)
    assert many.state()["parked_keys"] == 20 and many.state()["parked_events"] == 40
    fingerprint = many.parked("?limit=1")[0]["head"]["fingerprint"]
    dry = good(many.ask("parked/release", {"fingerprint": fingerprint, "dry_run": True}))
    assert dry["matching"] == 20 and "release" not in dry, dry
    assert good(many.ask("parked/release", {"fingerprint": "other", "dry_run": True}))["matching"] == 0
    assert good(many.ask("parked/release", {"type": "Paid", "dry_run": True}))["matching"] == 20

    begun = good(many.ask("parked/release", {"rate": "5/s"}))
    assert begun["state"] == "running", begun
    assert many.ask("parked/release", {})[1]["code"] == "release_running"

    def relapsed():
        many.handle(lambda event: "down" if event["data"]["n"] == 1 else None, rounds=1)
        return good(many.ask("parked/release", method="GET"))["state"] == "relapsed"

    eventually(relapsed, 20, "the release stops when a key it released fails again")
    assert many.state()["parked_keys"] > 10, "the others stay where they are"
    assert many.ask("parked/release", method="DELETE")[1]["code"] == "no_release"
    down["down"] = False
    eventually(lambda: many.handle() or many.ask("parked/release", {})[0] == 202, 20, "another release")

    def drained():
        many.handle()
        return many.state()["parked_keys"] == 0 and good(many.ask("parked/release", method="GET"))["state"] == "done"

    eventually(drained, 20, "all keys are released")
    assert many.done == {f"k{key}": [1, 2] for key in range(20)}, many.done


def check_storm(client):
    mails = Subscription(client, "mails", "s", storm={"keys": 5, "within": "10s", "probe": "300ms"})
    for key in range(30):
        mails.publish(f"s{key}", 1, 2)
    down = {"down": True}
    fails = lambda event: "smtp_down" if down["down"] else None
    mails.handle(fails, rounds=1)
    state = mails.state()
    assert state["in_storm"]["fingerprint"].startswith("smtp_down-"), state
    assert state["parked_keys"] <= 5, "it holds still instead of parking thousands"
    eventually(lambda: mails.handle(fails, rounds=1) or mails.state()["in_storm"]["probes"] >= 2, 20, "keys are tried")
    down["down"] = False
    eventually(lambda: mails.handle(fails, rounds=1) or "in_storm" not in mails.state(), 20, "one success ends it")
    for key in mails.parked():
        good(mails.ask(f"parked/{key['id']}/retry"))
    eventually(lambda: mails.handle(fails) or sum(len(each) for each in mails.done.values()) == 60, 20, "all come")
    assert all(each == [1, 2] for each in mails.done.values()), mails.done
    paused = [each for each in told(client, "continuo.subscription.paused") if each["reason"] == "storm"]
    assert len(paused) == 1, paused


def check_dead_letters(client):
    jobs = Subscription(client, "jobs", "j", on_failure="dead_letter", dead_letter="j.dead")
    jobs.publish("a", 1, 2)
    jobs.publish("b", 1)
    jobs.handle(poison("a-1"))
    eventually(lambda: jobs.handle() or jobs.done == {"a": [2], "b": [1]}, 20, "the key goes on")
    (letter,) = read(client, "j.dead")
    assert letter["id"] == "a-1" and letter["deadcode"] == "malformed" and letter["deadtopic"] == "j", letter
    assert letter["deadattempts"] == "1" and letter["deadoffset"] == "0", letter
    assert letter["deadsubscription"] == "jobs", letter
    (buried,) = told(client, "continuo.event.dead_lettered")
    assert buried["dead_letter"]["topic"] == "j.dead", buried
    cyclic = client.ask("PUT", "/v1/subscriptions/round",
                        {"topics": ["j.dead"], "on_failure": "dead_letter", "dead_letter": "j"})
    assert cyclic[0] == 400 and "go round" in cyclic[1]["detail"], cyclic[:2]
    ordered = client.ask("PUT", "/v1/subscriptions/quick", {"topics": ["j"], "priority": "high"})
    assert ordered[0] == 400 and ordered[1]["at"] == "priority", ordered[:2]


def check_seek(client):
    back = Subscription(client, "back", "k")
    back.publish("a", 1, 2, 3)
    back.publish("b", 1, 2)
    back.handle(poison("b-1"))
    assert back.done == {"a": [1, 2, 3]}
    refused = back.ask("seek", {"to": "earliest"})
    assert refused[0] == 409 and refused[1]["code"] == "keys_parked", refused
    good(back.ask("seek", {"to": "earliest", "parked": "discard", "by": "ann"}))
    back.done = {}
    back.handle()
    assert back.done == {"a": [1, 2, 3], "b": [1, 2]}, back.done
    (moved,) = told(client, "continuo.subscription.moved")
    assert moved["by"] == "ann" and moved["epoch"] == 2, moved
    good(back.ask("seek", {"to": "latest"}))
    back.publish("a", 4)
    back.done = {}
    back.handle()
    assert back.done == {"a": [4]}, back.done
    replay = Subscription(client, "replay", "k", **{"from": "2020-01-01T00:00:00Z"})
    replay.handle()
    assert replay.done == {"a": [1, 2, 3, 4], "b": [1, 2]}, "a replay of its own, and nobody else is touched"


def check_changes(client):
    tuned = Subscription(client, "tuned", "t")
    changed = good(client.ask("PATCH", "/v1/subscriptions/tuned", {"lease": "7s", "retry": {"attempts": 9}}))
    assert changed["lease"] == "7s" and changed["retry"]["attempts"] == 9, changed
    assert tuned.state()["lease"] == "7s"
    assert client.ask("PATCH", "/v1/subscriptions/tuned", {"order_by": "none"})[1]["code"] == "unsupported"


def check_kill(server, client, folder):
    """What was parked, edited and released before a kill is so after it."""
    kept = Subscription(client, "kept", "x")
    for key in ("a", "b", "c"):
        kept.publish(key, 1, 2)
    kept.handle(poison("a-1", "b-1", "c-1"))
    event = kept.parked("?key=a")[0]["head"]["event"]
    mended = {name: value for name, value in event.items() if name not in ("partition", "offset")}
    mended["data"] = {"n": 1, "mended": True}
    good(kept.ask("parked/a/edit", {"event": mended, "release": False}))
    good(kept.ask("parked/b/retry"))
    server.kill()
    server = Server(folder)
    try:
        kept.client = Client(server.port)
        keys = {each["key"]: each for each in kept.parked()}
        assert sorted(keys) == ["a", "c"] and keys["a"]["head"]["edited"], keys
        good(kept.ask("parked/a/retry"))
        kept.handle(poison("c-1"))
        assert kept.done == {"a": [1, 2], "b": [1, 2]}, kept.done
    finally:
        server.kill()


def main():
    folder = tempfile.mkdtemp(prefix="continuo-healing.")
    server = Server(folder)
    try:
        client = Client(server.port)
        for check in (check_verbs, check_workflow, check_declared, check_release, check_storm, check_dead_letters,
                      check_seek, check_changes):
            begun = time.monotonic()
            check(client)
            print(f"{check.__name__}: {time.monotonic() - begun:.1f} s", flush=True)
        check_kill(server, client, folder)
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)
    print("failed events healed, in their order")


if __name__ == "__main__":
    main()
