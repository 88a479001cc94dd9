#!/usr/bin/env python3
"""Bad input to subscriptions, queues, webhooks and healing: each is refused with what is wrong, where, and how to mend
it; nothing is made, nothing is lost, and the server stays up. runs-beside-others"""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request

import cli_server
from cli_server import CONTINUO, Server

BANK = "/v1/subscriptions/bank"
MAIL = "/v1/queues/mail"


def event(name, key, **data):
    return {"specversion": "1.0", "id": name, "source": "/till", "type": "Paid", "subject": key, "data": data}


def prepare(server):
    """The keys a to e are parked; a lease of another subscription, and one of a repairer, are there to be misused."""
    for name in ("bank", "other"):
        good(server.ask("PUT", f"/v1/topics/{name}", {}))
        good(server.ask("PUT", f"/v1/subscriptions/{name}",
                        {"topics": [name], "from": "earliest", "retry": {"attempts": 1}, "lease": "1m"}))
    for key in "abcde":
        for number in (1, 2):
            assert publish(server, "bank", event(f"{key}-{number}", key, n=number)) == 201
    assert publish(server, "other", event("o-1", "o", n=1)) == 201
    heads = {}
    for each in good(server.ask("POST", BANK + "/receive", {"max": 100}))["deliveries"]:
        heads.setdefault(each["event"]["subject"], each["lease"])
    nacks = [{"lease": lease, "error": {"code": "bad", "message": "no"}} for lease in heads.values()]
    good(server.ask("POST", BANK + "/settle", {"nack": nacks}))
    good(server.ask("POST", BANK + "/parked/a/edit", {"event": event("a-1", "a", n=7), "by": "kim", "reason": "r"}))
    good(server.ask("PUT", MAIL, {}))
    good(server.ask("PUT", "/v1/topics/empty", {}))
    others = good(server.ask("POST", "/v1/subscriptions/other/receive", {}))["deliveries"][0]["lease"]
    repairs = good(server.ask("POST", BANK + "/receive?role=repair", {"max": 1}))["repairs"][0]["lease"]
    return others, repairs


def good(answer):
    status, body = answer
    assert 200 <= status < 300, answer
    return body


def publish(server, topic, one, query=""):
    """The status."""
    request = urllib.request.Request(f"{server.url}/v1/topics/{topic}/events{query}", data=json.dumps(one).encode(),
                                     headers={"Content-Type": "application/cloudevents+json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


# what is asked for: method, path, body; then the code, where, and words of what is said and of how to mend it
def refusals(others, repairs):
    far = {"after": "2030-01-01T00:00:00Z", "before": "2020-01-01T00:00:00Z"}
    webhook = lambda url: {"topics": ["bank"], "target": {"webhook": {"url": url}}}
    return [
        # leases
        ("POST", BANK + "/settle", {"ack": ["nonsense"]}, "bad_request", "ack[0]", "not a lease", "as receive gave it"),
        ("POST", BANK + "/settle", {"nack": [{"lease": others}]}, "bad_request", "nack[0]", "another subscription", ""),
        ("POST", BANK + "/settle", {"ack": [others], "publish": [{"topic": "made", "event": event("1", "a")}]},
         "bad_request", "ack[0]", "another subscription", ""),
        ("POST", BANK + "/settle", {"publish": [{"topic": "made", "event": {"id": "1"}}]},
         "bad_event", "publish[0].event.specversion", "missing", ""),
        ("POST", BANK + "/settle?role=repair", {"skip": [{"lease": repairs}, {"lease": "nonsense"}]},
         "bad_request", "skip[1].lease", "not a lease", "role=repair"),
        ("POST", BANK + "/settle?role=repair", {"repaired": [{"lease": repairs, "event": {"id": "1"}}]},
         "bad_event", "repaired[0].event.specversion", "missing", ""),
        ("POST", BANK + "/settle", {"ack": [others] * 10_001}, "limit_reached", "ack", "10,000", "several requests"),
        ("POST", BANK + "/settle", {"ack": [1]}, "bad_setting", "ack[0]", "a string", "/openapi.json"),
        # receiving
        ("POST", BANK + "/receive", {"max": "ten"}, "bad_setting", "max", "must be a number, not a string", ""),
        ("POST", BANK + "/receive", {"max": 0}, "bad_setting", "max", "0", "from 1 to 1000"),
        ("POST", BANK + "/receive", {"wait": 5}, "bad_setting", "wait", "not a number", ""),
        ("POST", BANK + "/receive", {"mx": 5}, "unknown_field", "mx", "'mx'", "did you mean 'max'"),
        ("POST", BANK + "/receive?role=repai", {}, "bad_setting", "role", "repai", "consumer, repair"),
        # dead letters
        ("PUT", "/v1/subscriptions/round", {"topics": ["bank"], "on_failure": "dead_letter", "dead_letter": "bank"},
         "bad_setting", "dead_letter", "go round", "does not read"),
        ("PUT", "/v1/queues/round", {"dead_letter": "round"}, "bad_setting", "dead_letter", "its own queue", ""),
        # edits and other verbs
        ("POST", BANK + "/parked/b/edit", {"event": {"id": "b-1"}}, "bad_event", "event.specversion", "missing", ""),
        ("POST", BANK + "/parked/b/edit", {"event": "b-1"}, "bad_setting", "event", "must be an object", ""),
        ("POST", BANK + "/parked/b/edit", {}, "bad_setting", "event", "missing", "/openapi.json"),
        ("POST", BANK + "/parked/b/edit", {"event": event("zzz", "b")}, "bad_event", "event.id", "must stay", "skip"),
        ("POST", BANK + "/parked/b/edit", {"event": event("b-1", "c")}, "bad_event", "event.partitionkey", "'b'", ""),
        ("POST", BANK + "/parked/a/edit", {"event": event("a-1", "a")}, "not_parked", "", "drains", ""),
        ("POST", BANK + "/parked/nobody/skip", {}, "not_parked", "", "not parked", "parked list"),
        ("POST", BANK + "/parked/b/skip", {"by": "k" * 201}, "bad_setting", "by", "200 bytes", ""),
        ("POST", BANK + "/parked/%zz/skip", {}, "bad_request", "key", "hex", ""),
        ("GET", BANK + "/parked?after=junk", None, "bad_position", "after", "'next'", "the list before"),
        # releases and seeks
        ("POST", BANK + "/parked/release", {"rate": "fast"}, "bad_setting", "rate", "not a rate", "100/s"),
        ("POST", BANK + "/parked/release", {"after": "noon"}, "bad_setting", "after", "not a time", "2026-"),
        ("POST", BANK + "/parked/release", far, "bad_setting", "before", "no time between", "later than"),
        ("POST", BANK + "/parked/release", {"key": "b"}, "unknown_field", "key", "'key'", "fingerprint"),
        ("DELETE", BANK + "/parked/release", None, "no_release", "", "under way", ""),
        ("POST", BANK + "/seek", {"to": "latest"}, "keys_parked", "parked", "parked", "keep"),
        ("POST", BANK + "/seek", {"to": "soon"}, "bad_position", "to", "not a position", "earliest"),
        ("PATCH", BANK, {"filter": {"type": ["X"]}}, "keys_parked", "parked", "parked", "keep"),
        # definitions
        ("PUT", "/v1/subscriptions/quick", {"topics": ["bank"], "priority": "high"}, "bad_setting", "priority",
         "in order", "order_by"),
        ("PUT", "/v1/subscriptions/hook", webhook("http://127.0.0.1:9/"), "bad_setting", "target.webhook.url",
         "not on the internet", "--allow-private-webhooks"),
        ("PUT", "/v1/subscriptions/hook", webhook("http://[::ffff:10.0.0.1]/"), "bad_setting", "target.webhook.url",
         "not on the internet", "--allow-private-webhooks"),
        ("PUT", "/v1/subscriptions/hook", webhook("ftp://a.example/"), "bad_setting", "target.webhook.url", "ftp", ""),
        ("PUT", "/v1/queues/bank", {}, "topic_exists", "queue", "not a queue", "another name"),
        ("PUT", "/v1/queues/other", {"dedup_window": "2m"}, "subscription_exists", "queue", "not a queue",
         "another name"),
        ("PUT", MAIL, {"lease": "31s"}, "subscription_exists", "queue", "the queue 'mail'", "PATCH /v1/queues/mail"),
        ("PATCH", MAIL, {}, "bad_setting", "lease", "nothing", "max_receives"),
        ("PATCH", MAIL, {"fifo": "yes"}, "bad_setting", "fifo", "true or false", ""),
        ("PATCH", MAIL, {"leese": "1m"}, "unknown_field", "leese", "'leese'", "did you mean 'lease'"),
        ("PATCH", MAIL, {"on_failure": "park", "dead_letter": "x"}, "bad_setting", "dead_letter", "only", ""),
        ("PATCH", MAIL, {"dead_letter": "mail"}, "bad_setting", "dead_letter", "its own queue", ""),
        ("PATCH", "/v1/queues/other", {"lease": "1m"}, "unknown_queue", "queue", "'other'", ""),
        ("PUT", MAIL, {"partitions": 3}, "topic_exists", "queue", "the queue 'mail'", "GET /v1/queues/mail"),
        # messages
        ("POST", MAIL + "/messages", {}, "bad_request", "data", "an event or the data", ""),
        ("POST", MAIL + "/messages", {"messages": [{"data": 1}, {"dta": 1}]}, "unknown_field", "messages[1].dta",
         "dta", "'data'"),
        ("POST", MAIL + "/messages", {"data": 1, "delay": "1h", "ttl": "1m"}, "bad_setting", "ttl",
         "expire before", "longer"),
        ("POST", MAIL + "/messages", {"messages": [{"data": 1, "delay": "1h", "expire_at": "2026-01-31T08:00:00Z"},
                                                   {"data": 2}]},
         "bad_setting", "messages[0].expire_at", "expire before", "longer"),
        ("POST", MAIL + "/redrive", {"from": "mail"}, "bad_setting", "from", "own messages", "dead letters"),
    ]


def check(server, refusal):
    method, path, body, code, at, what, mend = refusal
    status, said = server.ask(method, path, body)
    told = f"{method} {path} {json.dumps(body)[:200]} gave {status} {said}"
    assert 400 <= status < 500 and said["code"] == code and said.get("at", "") == at, told
    assert what in said["detail"] and mend in said["hint"] and said["hint"], told


def check_command_line(server):
    """What is wrong with a file, and where."""
    file = server.folder / "app.yaml"
    for text, words in (("subscriptions:\n  b: {topics: [bank], retrry: {}}\n", ("line 2", "'retrry'", "'retry'")),
                        ("topics: {a: {}\n", ("line 2", "openapi")),
                        ("topcis: {}\n", ("line 1", "'topics'"))):
        file.write_text(text)
        done = server.run("apply", "-f", str(file))
        assert done.returncode == 1 and all(word in done.stderr for word in words), done.stderr
    done = server.run("apply", "-f", str(server.folder))
    assert done.returncode == 1 and "is a folder" in done.stderr, done.stderr
    without_user = ["env", "-u", "USER", CONTINUO]
    done = subprocess.run([*without_user, "parked", "skip", "bank", "c", "--reason", "by a job", "--server",
                           server.url], stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    told = map(json.loads, server.run("tail", "continuo.events", "--from", "earliest").stdout.splitlines())
    skipped = [each["data"] for each in told if each["type"] == "continuo.event.skipped"]
    assert [bool(each["by"]) for each in skipped] == [True], skipped


def check_targets(server):
    """What the server brings to a webhook or a topic is not taken from under its hands; who repairs may."""
    targets = {"copied": {"topic": {"name": "copies"}}, "hooked": {"webhook": {"url": "https://shop.example/"}}}
    for name, target in targets.items():
        path = f"/v1/subscriptions/{name}"
        good(server.ask("PUT", path, {"topics": ["empty"], "target": target}))
        mend = f"PATCH {path} " + '{"target":{"pull":{}}}'
        kind = next(iter(target))
        for role in ("", "?role=consumer"):
            check(server, ("POST", path + "/receive" + role, {"wait": "1s"}, "bad_setting", "role",
                           f"'{name}' to its target, a {kind}", mend))
        done = server.run("sub", "receive", name)
        assert done.returncode == 1 and mend in done.stderr and "role=repair" in done.stderr, done.stderr
        assert good(server.ask("POST", path + "/receive?role=repair", {})) == {"repairs": []}
        good(server.ask("PATCH", path, {"target": {"pull": {}}}))
        assert good(server.ask("POST", path + "/receive", {})) == {"deliveries": []}
        good(server.ask("DELETE", path))


def check_terminal(server):
    """What others wrote does not steer the reader's terminal: an error's message, and data that is a text."""
    steering = "\x1b[2J"
    good(server.ask("PUT", "/v1/topics/texts", {}))
    good(server.ask("PUT", "/v1/subscriptions/texts", {"topics": ["texts"], "from": "earliest",
                                                       "retry": {"attempts": 1}}))
    text = {**event("t-1", "t"), "datacontenttype": "text/plain", "data": steering + "gone"}
    assert publish(server, "texts", text) == 201
    lease = good(server.ask("POST", "/v1/subscriptions/texts/receive", {}))["deliveries"][0]["lease"]
    failed = {"lease": lease, "error": {"code": "bad" + steering, "message": steering + "line\nline"}}
    good(server.ask("POST", "/v1/subscriptions/texts/settle", {"nack": [failed]}))
    for words in ("parked list texts", "parked show texts t", "tail texts --from earliest"):
        shown = server.run(*words.split(), "-o", "table")
        assert shown.returncode == 0 and "\\u001b[2J" in shown.stdout and "\x1b" not in shown.stdout, shown.stdout


def main():
    cli_server.need("continuo")
    with Server() as server:
        others, repairs = prepare(server)
        for refusal in refusals(others, repairs):
            check(server, refusal)
        assert publish(server, "made", {"specversion": "1.0"}) == 400
        for asked in ({"specversion": "1.0"}, {**event("1", "a"), "replyto": "a b"}):
            assert publish(server, "made", asked, "?wait_for=reply&timeout=1s") == 400
        topics = {topic["name"] for topic in good(server.ask("GET", "/v1/topics"))["topics"]}
        assert "made" not in topics, "a refused request makes no topic"
        check_command_line(server)
        check_targets(server)
        check_terminal(server)
        assert good(server.ask("GET", BANK))["parked_keys"] == 3, "b, d and e wait as before"
        time.sleep(0.1)
        assert good(server.ask("GET", "/readyz"))["ready"]
    print("bad input is refused with what is wrong, where, and how to mend it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
