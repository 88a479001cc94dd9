#!/usr/bin/env python3
"""Keys that park are healed from the command line: listed, shown, edited, skipped, cancelled, released with a dry run
and waited for. Each key's order stays; who did what, and why, is told on continuo.events. runs-beside-others"""

import json
import subprocess
import sys

import cli_server
from cli_server import Server, eventually

KEYS = ("ann", "bob", "cid", "dan", "eve", "fay")


def expect(done, code, *said):
    told = done.stdout + done.stderr
    assert done.returncode == code, (done.args, done.returncode, told)
    for each in said:
        assert each in told, (done.args, each, told)
    return done.stdout


def rows(text):
    return [json.loads(line) for line in text.splitlines()]


class Payments:
    """A subscription whose consumer takes good amounts only; what it took, key by key."""

    def __init__(self, server, name):
        self.server, self.name = server, name
        self.taken, self.refuses = {}, True

    def parked(self, verb, *words, code=0, said=(), **options):
        return expect(self.server.run("parked", verb, self.name, *words, **options), code, *said)

    def listed(self, *words):
        return {row["key"]: row for row in rows(self.parked("list", *words))}

    def head(self, key):
        return json.dumps(json.loads(self.parked("show", key))["head"]["event"])

    def settle(self, body):
        status, answer = self.server.ask("POST", f"/v1/subscriptions/{self.name}/settle", body)
        assert status == 200 and not answer["refused"], answer

    def consume(self):
        """One round: the first event of a key that is bad fails, and what follows it waits."""
        received = expect(self.server.run("sub", "receive", self.name, "-n", "100", "--wait", "200ms"), 0)
        acks, nacks, failed = [], [], set()
        for row in rows(received):
            amount = row["event"]["data"]["amount"]
            if row["key"] in failed:
                continue
            if not isinstance(amount, int) and self.refuses:
                failed.add(row["key"])
                code = "bad_amount" if amount == "bad" else "worse"
                nacks.append({"lease": row["lease"], "error": {"code": code, "message": f"what is {amount}"}})
            else:
                acks.append(row["lease"])
                self.taken.setdefault(row["key"], []).append((row["id"], amount))
        if acks or nacks:
            self.settle({"ack": acks, "nack": nacks})
        return len(acks) + len(nacks)

    def consume_all(self):
        while self.consume():
            pass

    def took(self, key):
        return [event for event, _ in self.taken.get(key, [])]


def publish(server, topic, key, numbers, amount=1, kind="Paid"):
    for number in numbers:
        data = json.dumps({"amount": amount})
        expect(server.run("publish", topic, "--type", kind, "--key", key, "--id", f"{key}{number}", "--data", data), 0)


def prepare(server):
    expect(server.run("topic", "create", "payments", "--partitions", "3"), 0)
    expect(server.run("sub", "create", "book", "--topic", "payments", "--from", "earliest", "--attempts", "1",
                      "--lease", "30s", "--order-by", "key"), 0, "created")
    for key in KEYS:
        publish(server, "payments", key, [0], "worse" if key == "fay" else "bad", "Refund" if key == "eve" else "Paid")
        publish(server, "payments", key, [1, 2])
    publish(server, "payments", "healthy", range(3))
    book = Payments(server, "book")
    book.consume_all()
    assert book.took("healthy") == ["healthy0", "healthy1", "healthy2"], "others flow"
    assert set(book.taken) == {"healthy"}, book.taken
    return book


def check_looking(book):
    listed = book.listed()
    assert set(listed) == set(KEYS), listed
    ann = listed["ann"]
    assert (ann["state"], ann["type"], ann["error"], ann["attempts"], ann["waiting"]) == \
        ("parked", "Paid", "bad_amount", 1, 2), ann
    assert ann["fingerprint"] and ann["since"], ann
    assert set(book.listed("--type", "Refund")) == {"eve"}
    assert set(book.listed("--fingerprint", listed["fay"]["fingerprint"])) == {"fay"}
    assert set(book.listed("--key", "bob")) == {"bob"}
    assert set(book.listed("--key", listed["bob"]["id"])) == {"bob"}, "a key's id is a name of it"
    book.parked("list", "--limit", "2", said=("there are more",))
    book.parked("list", "-o", "table", said=("KEY", "FINGERPRINT", "bad_amount"))
    book.parked("show", "ann", "-o", "table", said=("what is bad", '"amount":"bad"', "waiting", "since"))
    shown = json.loads(book.parked("show", "ann"))
    assert shown["head"]["event"]["id"] == "ann0" and shown["head"]["error"]["code"] == "bad_amount", shown
    book.parked("show", "nobody", code=1, said=("not_parked", "parked list book"))
    show = expect(book.server.run("sub", "show", "book", "-o", "table"), 0, "parked_keys    6")
    assert "parked 6" in next(line for line in show.splitlines() if line.startswith("healing")), show


def check_editing(book):
    """What `show` prints, mended, is what `edit` takes."""
    event = json.loads(book.head("ann"))
    event["data"]["amount"] = 7
    book.parked("edit", "ann", "--event", "-", "--keep-parked", "--by", "ann-marie", "--reason", "was in words",
                input=json.dumps(event), said=("stays parked",))
    shown = json.loads(book.parked("show", "ann"))
    assert shown["state"] == "parked" and shown["head"]["edited"] and shown["head"]["event"]["data"]["amount"] == 7
    book.consume_all()
    assert book.took("ann") == [], "edited and not released"
    book.parked("retry", "ann", "--by", "ann-marie", said=("tried again",))
    book.consume_all()
    assert book.taken["ann"] == [("ann0", 7), ("ann1", 1), ("ann2", 1)], book.taken["ann"]
    original = rows(book.server.run("tail", "payments", "--from", "earliest").stdout)
    assert [each["data"]["amount"] for each in original if each["id"] == "ann0"] == ["bad"], "others see what was sent"
    book.parked("edit", "bob", "--event", json.dumps(event), code=1, said=("bad_event", "id and source must stay"))
    other_key = json.dumps(json.loads(book.head("bob")) | {"partitionkey": "ann"})
    book.parked("edit", "bob", "--event", other_key, code=1, said=("bad_event", "must stay 'bob'"))
    book.parked("edit", "bob", "--event", "{}", code=1, said=("--event",))
    book.parked("edit", "ann", "--event", json.dumps(event), code=1, said=("not_parked",))


def check_passing_over(book):
    expect(book.server.run("USER=erin", str(cli_server.CONTINUO), "parked", "edit", "book", "dan",
                           "--keep-parked", "--event", book.head("dan"), program="env"), 0, "stays parked")
    book.parked("skip", "bob", "--by", "carol", "--reason", "paid by hand", said=("passed over",))
    book.consume_all()
    assert book.took("bob") == ["bob1", "bob2"], book.taken
    book.parked("cancel", "cid", "--by", "carol", "--reason", "account closed", said=("3 events",))
    publish(book.server, "payments", "cid", [3])
    book.consume_all()
    assert book.took("cid") == ["cid3"], book.taken
    book.parked("skip", "bob", code=1, said=("not_parked",))


def state_of(book):
    return json.loads(book.parked("release", "--status"))


def wait_for_release(book, *words):
    return subprocess.Popen(
        [cli_server.CONTINUO, "parked", "release", "book", "--wait", "--by", "dora", "--server", book.server.url,
         *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=cli_server.clean_environment(book.server.folder))


def check_relapse(book):
    """A release that is waited for while the cause is still there stops, and says so."""
    release = wait_for_release(book, "--rate", "1/s", "--reason", "try")
    eventually(lambda: state_of(book)["state"] == "running", what="the release")
    assert json.loads(book.parked("release", "--dry-run"))["matching"] > 0, "counts while another one runs"
    eventually(lambda: book.consume() > 0, what="the released key")
    out, err = release.communicate(timeout=30)
    assert release.returncode == 1 and "relapsed" in err and json.loads(out)["state"] == "relapsed", (out, err)
    assert json.loads(out)["released"] == 1, "the first key of three"
    assert set(book.listed()) == {"dan", "eve", "fay"}, "it is parked again"


def check_release(book):
    counted = json.loads(book.parked("release", "--dry-run"))
    assert counted["matching"] == 3 and counted["released"] == 0, counted
    assert set(book.listed()) == {"dan", "eve", "fay"}
    check_relapse(book)
    book.parked("release", "--go-on", said=('"stop_at_relapse":false',))
    eventually(lambda: state_of(book)["released"] == 3, what="the release")
    book.consume_all()
    assert state_of(book)["relapsed"] == 3, "each of them counts, also when they fail in one settle"
    book.parked("release", "--rate", "soon", code=1, said=("bad_setting", "100/s"))
    book.parked("release", "--stop", "--dry-run", code=2)
    alike = book.listed()["dan"]["fingerprint"]
    assert json.loads(book.parked("release", "--fingerprint", alike, "--dry-run"))["matching"] == 2, "dan and eve"
    book.refuses = False
    release = wait_for_release(book, "--fingerprint", alike, "--rate", "100/s", "--reason", "the parser is mended")
    eventually(lambda: state_of(book)["released"] == 2, what="the release")
    assert state_of(book)["state"] == "running", "until its keys are drained"
    publish(book.server, "payments", "dan", [3])
    book.consume_all()
    out, err = release.communicate(timeout=30)
    done = json.loads(out)
    assert release.returncode == 0 and (done["state"], done["released"], done["relapsed"]) == ("done", 2, 0), (out, err)
    assert state_of(book) == done, "it is remembered"
    assert book.took("dan") == ["dan0", "dan1", "dan2", "dan3"], "what arrives while the key drains overtakes nothing"
    assert book.took("eve") == ["eve0", "eve1", "eve2"], book.taken
    assert set(book.listed()) == {"fay"}


def check_what_is_told(server):
    told = rows(server.run("tail", "continuo.events", "--from", "earliest").stdout)
    seen = {(event["type"], event["data"].get("by"), event["data"].get("reason")) for event in told}
    for wanted in (("continuo.event.edited", "ann-marie", "was in words"),
                   ("continuo.event.edited", "erin", ""),
                   ("continuo.event.skipped", "carol", "paid by hand"),
                   ("continuo.key.cancelled", "carol", "account closed"),
                   ("continuo.key.released", "dora", "the parser is mended"),
                   ("continuo.release.ended", "dora", "try")):
        assert wanted in seen, (wanted, seen)
    assert {event["subject"] for event in told if event["type"] == "continuo.key.parked"} == {"book"}
    edited = next(event for event in told if event["type"] == "continuo.event.edited")
    assert [(step["path"], step["value"]) for step in edited["data"]["difference"]] == [("/data/amount", 7)], edited


def check_seek(book):
    """Everything once more; the parked key stays or goes, as it is said."""
    server = book.server
    book.taken.clear()
    refused = server.run("sub", "seek", "book", "--to", "earliest")
    expect(refused, 1, "keys_parked")
    expect(server.run("sub", "seek", "book", "--to", "soon", "--parked", "discard"), 1, "(at to)")
    expect(server.run("sub", "seek", "book", "--to", "earliest", "--parked", "discard", "--reason", "again"), 0,
           "goes on from earliest")
    book.consume_all()
    assert book.listed() == {}
    for key in KEYS:
        assert book.took(key) == [f"{key}{n}" for n in range(4 if key in ("cid", "dan") else 3)], (key, book.taken)
    expect(server.run("sub", "seek", "book", "--to", "latest"), 0)
    publish(server, "payments", "ann", [9])
    book.consume_all()
    assert book.took("ann")[-1] == "ann9" and len(book.took("ann")) == 4


def check_no_key(server):
    """Events without a key park too; their id names them."""
    expect(server.run("topic", "create", "loose"), 0)
    expect(server.run("sub", "create", "any", "--topic", "loose", "--from", "earliest", "--attempts", "1"), 0)
    event = {"specversion": "1.0", "id": "loose0", "source": "/test", "type": "Loose", "data": {"amount": "bad"}}
    expect(server.run("publish", "loose", input=json.dumps(event) + "\n"), 0)
    book = Payments(server, "any")
    book.consume_all()
    name, row = book.listed().popitem()
    assert name == row["id"] and name.startswith("~") and row["error"] == "bad_amount", row
    book.parked("show", name, "-o", "table", said=("loose0",))
    book.parked("skip", name, "--reason", "loose", said=("passed over",))
    assert book.listed() == {}


def check_settings(server):
    sub = lambda *words, code=0, said=(): expect(server.run("sub", *words), code, *said)  # noqa: E731
    shown = lambda: json.loads(sub("show", "set", "-o", "json"))  # noqa: E731
    expect(server.run("topic", "create", "set.dead"), 0)
    sub("create", "set", "--topic", "payments", "--from", "2026-01-31T08:00:00Z", "--on-failure", "dead_letter",
        "--dead-letter", "set.dead", "--ttl", "1h", "--expires", "7d", "--storm", "50/10s", "--retry-delays", "1s,5s",
        "--attempts", "3")
    made = shown()
    assert made["from"].startswith("2026-01-31T08:00:00") and made["dead_letter"] == "set.dead", made
    assert (made["ttl"], made["expires"], made["storm"]["keys"], made["storm"]["within"]) == ("1h", "7d", 50, "10s")
    assert made["retry"]["delays"] == ["1s", "5s"] and made["retry"]["attempts"] == 3, made
    assert "50" in next(line for line in sub("show", "set", "-o", "table").splitlines() if line.startswith("storm"))
    sub("change", "set", "--backoff", "exponential", "--retry-delay", "200ms", "--jitter", said=("changed",))
    assert shown()["retry"] == {"attempts": 3, "backoff": "exponential", "base": "200ms", "max": "30s", "jitter": True}
    sub("change", "set", "--no-jitter", "--lease", "10s", "--concurrency", "7", "--on-failure", "park", "--ttl", "none",
        "--expires", "none", "--storm", "none")
    now = shown()
    assert now["retry"]["jitter"] is False and now["retry"]["base"] == "200ms", "what is not named stays"
    assert (now["lease"], now["concurrency"], now["on_failure"]) == ("10s", 7, "park"), now
    assert not {"ttl", "expires", "storm", "dead_letter"} & set(now), now
    repairs = [{"name": "cents", "error": {"code": ["bad_amount"]},
                "patch": [{"op": "replace", "path": "/data/amount", "value": 1}]}]
    sub("change", "set", "--repairs", json.dumps(repairs), "--filter", '{"type":["Paid"]}', said=("another filter",))
    assert shown()["repairs"] == repairs
    sub("change", "set", "--no-repairs", "--no-filter", said=("no filter",))
    assert not {"repairs", "filter"} & set(shown())
    sub("change", "set", code=2, said=("nothing",))
    sub("change", "set", "--storm", "many", code=2, said=("--storm 50/10s",))
    sub("change", "set", "--repairs", "{}", code=2, said=("--repairs",))
    sub("change", "set", "--filter", "{}", "--no-filter", code=2, said=("twice",))
    sub("change", "set", "--on-failure", "dead_letter", code=1, said=("dead letters go to a topic",))


def main():
    cli_server.need("continuo")
    with Server() as server:
        book = prepare(server)
        check_looking(book)
        check_editing(book)
        check_passing_over(book)
        check_release(book)
        check_what_is_told(server)
        check_seek(book)
        check_no_key(server)
        check_settings(server)
        server.kill()
        server.start()
        assert state_of(book)["state"] in ("done", "none"), "also after a crash"
    print("keys parked, and were healed in order")
    return 0


if __name__ == "__main__":
    sys.exit(main())
