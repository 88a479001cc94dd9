#!/usr/bin/env python3
"""Every command of `continuo` once for real, its exit codes, its formats, and what it says to bad usage."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cli_server
from cli_server import CONTINUO, Server, clean_environment


def run(*words, home, **more):
    return subprocess.run([CONTINUO, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, env=clean_environment(home, **more), check=False)


def expect(done, code, *texts):
    said = done.stdout + done.stderr
    assert done.returncode == code, f"{done.args}: exit code {done.returncode}, not {code}:\n{said}"
    for text in texts:
        assert text in said, f"{done.args}: '{text}' is not in:\n{said}"
    return done.stdout


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def check_topics(server):
    expect(server.run("topic", "create", "orders", "--partitions", "3", "--retention-time", "7d"), 0, "created")
    expect(server.run("topic", "create", "orders", "--partitions", "3", "--retention-time", "7d"), 0, "was there")
    expect(server.run("topic", "create", "orders", "--partitions", "4"), 1, "topic_exists")
    assert lines(expect(server.run("topic", "list"), 0))[0]["partitions"] == 3
    expect(server.run("topic", "list", "-o", "table"), 0, "TOPIC", "orders")
    assert json.loads(expect(server.run("topic", "show", "orders", "-o", "json"), 0))["name"] == "orders"
    expect(server.run("topic", "show", "nowhere"), 1, "unknown_topic", "continuo topic create")


def check_events(server, folder):
    one = ("publish", "orders", "--type", "Placed", "--key", "k", "--id", "one", "--data")
    assert lines(expect(server.run(*one, '{"a":1.50}'), 0))[0]["duplicate"] is False
    assert lines(expect(server.run(*one, '{"a":1.50}'), 0))[0]["duplicate"] is True
    expect(server.run(*one, "other"), 1, "id_reused")
    expect(server.run("publish", "orders", "--type", "Note", "--key", "k", input="from stdin"), 0)
    expect(server.run("publish", "orders", "--data", "x"), 2, "--type")
    file = folder / "events.ndjson"
    event = {"specversion": "1.0", "source": "/t", "type": "T"}
    file.write_text("".join(json.dumps({**event, "id": f"i{n}", "subject": f"s{n % 5}", "data": {"n": n}}) + "\n"
                            for n in range(1200)))
    expect(server.run("import", "orders", str(file)), 0, "1200 events imported, 0")
    expect(server.run("import", "orders", str(file), "--chunk", "100"), 0, "1200 of them were there already")
    file.write_text(json.dumps({**event, "id": "x"}) + "\n\n" + json.dumps({**event, "id": ""}) + "\n")
    expect(server.run("import", "orders", str(file)), 1, "bad_event", "line 3.id")
    expect(server.run("import", "orders", str(folder / "absent")), 1, "cannot be read")


def check_tail(server):
    assert len(lines(expect(server.run("tail", "orders"), 0))) == 10
    everything = lines(expect(server.run("tail", "orders", "--from", "earliest"), 0))
    assert len(everything) == 1202, len(everything)
    assert len(lines(expect(server.run("tail", "orders", "--from", "earliest", "-n", "7"), 0))) == 7
    in_one = lines(expect(server.run("tail", "orders", "--partition", "0", "--from", "0"), 0))
    assert {event["partition"] for event in in_one} <= {"0"}
    journey = lines(expect(server.run("tail", "--correlation", "one"), 0))
    assert [event["topic"] for event in journey] == ["orders"]
    expect(server.run("tail"), 2, "needs a topic")
    expect(server.run("tail", "nowhere"), 1, "unknown_topic")


def check_follow(server, folder):
    expect(server.run("topic", "create", "live"), 0)
    expect(server.run("topic", "create", "other"), 0)
    follow = subprocess.Popen([CONTINUO, "tail", "live", "-f", "-n", "3", "--from", "latest", "--server", server.url],
                              stdout=subprocess.PIPE, text=True, env=clean_environment(folder))
    try:
        time.sleep(1)  # until it listens: only what comes after is shown
        for word in ("a", "b", "c"):
            expect(server.run("publish", "live", "--type", word, "--key", "k"), 0)
        assert [event["type"] for event in lines(follow.communicate(timeout=20)[0])] == ["a", "b", "c"]
    finally:
        follow.kill()


def check_subscriptions(server):
    expect(server.run("sub", "create", "ship", "--topic", "live", "--from", "earliest", "--lease", "20s",
                      "--attempts", "1"), 0, "created")
    expect(server.run("sub", "create", "ship", "--topic", "other"), 1, "subscription_exists")
    assert lines(expect(server.run("sub", "list"), 0))[0]["name"] == "ship"
    leases = [row["lease"] for row in lines(expect(server.run("sub", "receive", "ship", "-n", "2", "--wait", "5s"), 0))]
    assert len(leases) == 2
    expect(server.run("sub", "ack", "ship", *leases), 0, "2 of 2 settled")
    expect(server.run("sub", "ack", "ship", "bm8"), 1)
    last = lines(expect(server.run("sub", "receive", "ship", "--wait", "5s"), 0))[0]
    status, _ = server.ask("POST", "/v1/subscriptions/ship/settle",
                           {"nack": [{"lease": last["lease"], "error": {"code": "broken", "message": "no"}}]})
    assert status == 200
    cli_server.eventually(lambda: "broken" in server.run("parked", "list", "ship").stdout, what="the key is parked")
    key = lines(server.run("parked", "list", "ship").stdout)[0]["key"]
    expect(server.run("parked", "retry", "ship", key), 0, "tried again")
    expect(server.run("sub", "receive", "ship", "--wait", "5s", "--ack"), 0)
    expect(server.run("parked", "skip", "ship", key, "--reason", "test"), 1)
    expect(server.run("sub", "pause", "ship"), 0)
    assert json.loads(expect(server.run("sub", "show", "ship", "-o", "json"), 0))["paused"] is True
    expect(server.run("sub", "resume", "ship"), 0)
    expect(server.run("sub", "change", "ship", "--to-topic", "copies", "--lease", "21s"), 0, "changed")
    shown = json.loads(expect(server.run("sub", "show", "ship", "-o", "json"), 0))
    assert (shown["target"], shown["lease"]) == ({"topic": {"name": "copies"}}, "21s"), shown
    expect(server.run("sub", "change", "ship", "--target", '{"pull":{}}', "--to-topic", "copies"), 2)
    expect(server.run("sub", "change", "ship", "--target", '{"pull":{}}'), 0, "changed")
    assert json.loads(expect(server.run("sub", "show", "ship", "-o", "json"), 0))["target"] == {"pull": {}}
    expect(server.run("sub", "delete", "ship"), 0)
    expect(server.run("sub", "show", "ship"), 1, "unknown_subscription")


def check_queues(server):
    expect(server.run("queue", "create", "jobs", "--fifo", "--lease", "20s", "--retention", "4d"), 0, "is there")
    expect(server.run("queue", "create", "jobs", "--lease", "1s"), 1, "subscription_exists")
    change = ("queue", "change", "jobs")
    expect(server.run(*change, "--lease", "25s", "--retention", "none", "--max-receives", "7"), 0, "jobs changed")
    expect(server.run(*change, "--retry-delay", "2s"), 0, "jobs changed")
    now = lines(expect(server.run("queue", "show", "jobs"), 0))[0]
    assert (now["lease"], now["max_receives"], now["retry"]["base"]) == ("25s", 7, "2s"), now
    assert "retention" not in now, now
    expect(server.run(*change), 2, "nothing is to become different")
    expect(server.run(*change, "--partitions", "3"), 1, "overtake")
    send = ("queue", "send", "jobs", "--group", "g", "--data")
    assert lines(expect(server.run(*send, '{"n":1}', "--dedup-id", "one"), 0))[0]["duplicate"] is False
    assert lines(expect(server.run(*send, '{"n":2}', "--dedup-id", "one"), 0))[0]["duplicate"] is True
    expect(server.run(*send, "text", "--ttl", "1h"), 0)
    expect(server.run("queue", "send", "jobs", "--event", '{"specversion":"1.0","id":"e","source":"/s","type":"T"}',
                      "--delay", "1h"), 0)
    expect(server.run(*send, "1", "--delay", "soon"), 1, "bad_setting")
    got = lines(expect(server.run("queue", "receive", "jobs", "--wait", "5s", "--max", "1"), 0))
    assert got[0]["data"] == {"n": 1} and got[0]["group"] == "g", got
    expect(server.run("queue", "ack", "jobs", got[0]["lease"]), 0, "1 settled")
    expect(server.run("queue", "ack", "jobs", got[0]["lease"]), 0)
    assert lines(expect(server.run("queue", "receive", "jobs", "--wait", "5s", "--ack"), 0))[0]["data"] == "text"
    assert lines(expect(server.run("queue", "peek", "jobs"), 0))[0]["state"] == "delayed"
    expect(server.run("queue", "list", "-o", "table"), 0, "WAITING", "jobs")
    assert lines(expect(server.run("queue", "show", "jobs"), 0))[0]["delayed"] == 1
    expect(server.run("queue", "purge", "jobs"), 0, "1 messages purged")
    expect(server.run("queue", "create", "morgue"), 0)
    expect(server.run("queue", "send", "morgue", "--data", "1"), 0)
    redrive = ("queue", "redrive", "jobs", "--from")
    expect(server.run(*redrive, "morgue", "--rate", "100/s"), 0, "1 messages moved", "0 left")
    expect(server.run(*redrive, "nobody"), 1, "unknown_queue")
    expect(server.run("queue", "delete", "jobs", "morgue", "morgue.dead"), 0, "deleted")
    expect(server.run("queue", "show", "jobs"), 1, "unknown_queue")


def check_groups(server):
    reset = ("group", "reset", "read/ers", "--topic", "orders")
    tried = lines(expect(server.run(*reset, "--to", "earliest", "--dry-run"), 0))
    assert [row["partition"] for row in tried] == [0, 1, 2] and all(row["before"] is None for row in tried)
    assert expect(server.run("group", "list"), 0) == ""
    assert len(lines(expect(server.run(*reset, "--partition", "1", "--to", "latest"), 0))) == 1
    expect(server.run("group", "list", "-o", "table"), 0, "LAG", "read/ers")
    assert json.loads(expect(server.run("group", "show", "read/ers", "-o", "json"), 0))["lag"] == 0
    expect(server.run("group", "show", "read/ers", "-o", "table"), 0, "COMMITTED", "orders")
    expect(server.run(*reset), 2, "--to")
    expect(server.run(*reset, "--to", "soon"), 1, "bad_setting")
    expect(server.run("group", "delete", "read/ers"), 0, "deleted")
    expect(server.run("group", "delete", "read/ers"), 1, "unknown_group", "continuo group list")


def check_trim_and_delete(server):
    expect(server.run("topic", "trim", "live", "--partition", "0", "--before", "2"), 0)
    assert json.loads(server.run("topic", "show", "live", "-o", "json").stdout)["partitions"][0]["first"] == "2"
    expect(server.run("topic", "delete", "other", "live"), 0)
    expect(server.run("topic", "delete", "other"), 1, "unknown_topic")


def check_measuring(server, folder):
    rows = lines(expect(server.run("bench", "--seconds", "1", "-c", "4"), 0))
    assert len(rows) == 5 and all(row["events/s"] > 0 for row in rows)
    looked = server.run("doctor", "--data", str(folder / "elsewhere"), "-o", "table")
    expect(looked, 0, "flush of 4 KiB", "free space", "server")


def check_words(home):
    expect(run("explain", "unknown_topic", home=home), 0, "no topic of that name")
    assert len(lines(expect(run("explain", home=home), 0))) > 30
    expect(run("explain", "unknown_topik", home=home), 2, "did you mean 'unknown_topic'?")
    expect(run("tpoic", "list", home=home), 2, "did you mean 'topic'?")
    expect(run("topic", "lits", home=home), 2, "did you mean 'list'?")
    expect(run("topic", home=home), 2)
    expect(run("topic", "list", "--nonsense", home=home), 2)
    expect(run("topic", "list", "-o", "xml", home=home), 2, "json")
    expect(run(home=home), 2)
    expect(run("topic", "list", "--server", "http://127.0.0.1:1", home=home), 3, "connection_failed")
    expect(run("topic", "list", "--server", "nonsense:port", home=home), 2)
    expect(run("version", home=home), 0, "continuo ")
    expect(run("parked", "lits", home=home), 2, "did you mean 'list'?")
    expect(run("sub", "parked", "ship", home=home), 2, "there is no command 'parked'")
    for words in (["help"], ["--help"], ["publish", "--help"]):
        expect(run(*words, home=home), 0, "publish")


def check_precedence(server, home):
    config = home / ".config/continuo/config.yaml"
    config.parent.mkdir(parents=True)
    config.write_text(f"server: {server.url}\noutput: json\n")
    assert run("topic", "list", home=home).stdout.startswith("[")
    assert not run("topic", "list", home=home, CONTINUO_OUTPUT="jsonl").stdout.startswith("[")
    expect(run("topic", "list", "-o", "table", home=home, CONTINUO_OUTPUT="jsonl"), 0, "TOPIC")
    expect(run("topic", "list", home=home, CONTINUO_SERVER="http://127.0.0.1:1"), 3)
    config.write_text("sever: x\n")
    expect(run("topic", "list", home=home), 2, "line 1", "did you mean 'server'?")
    config.unlink()
    expect(run("topic", "list", "--config", str(home / "absent.yaml"), home=home), 2, "cannot be read")


def check_serving(server, home):
    expect(run("serve", home=home), 2, "--data")
    expect(run("serve", "--data", str(server.folder / "data"), "--http", "127.0.0.1:0", home=home), 4, "data_locked")
    small = ("serve", "--data", str(home / "d"), "--journal-size", "64MiB", "--http")
    expect(run(*small, "0.0.0.0:0", home=home), 2, "insecure")
    for option in ("--journal-size", "--page-cache"):
        expect(run("serve", "--data", str(home / "d"), option, "much", home=home), 2, option)
    expect(run(*small, server.address, home=home), 1, "io_error")
    for number in (signal.SIGINT, signal.SIGTERM):
        with Server("--no-auto-create") as other:
            expect(other.run("publish", "nowhere", "--type", "T"), 1, "unknown_topic")
            assert other.stop(number) == 0


def check_dev(home):
    """Somebody has port 8080 or not: dev finds one, and its three lines work."""
    dev = subprocess.Popen([CONTINUO, "dev"], stdout=subprocess.PIPE, text=True, env=clean_environment(home))
    try:
        said = [dev.stdout.readline() for _ in range(6)]
        url = said[0].split(" ready: ")[1].split()[0]
        line = next(text for text in said if "publish" in text).strip().replace("continuo", str(CONTINUO), 1)
        subprocess.run(line, shell=True, check=True, timeout=20, stdout=subprocess.DEVNULL, env=clean_environment(home))
        expect(run("tail", "greetings", "--server", url, home=home), 0, "hello")
        assert (home / ".local/share/continuo/dev").is_dir()
    finally:
        dev.send_signal(signal.SIGINT)
        assert dev.wait(timeout=20) == 0
        dev.stdout.close()


def main():
    cli_server.need("continuo")
    with tempfile.TemporaryDirectory() as folder, Server() as server:
        home = Path(folder)
        check_words(home)
        check_topics(server)
        check_events(server, home)
        check_tail(server)
        check_follow(server, home)
        check_subscriptions(server)
        check_queues(server)
        check_groups(server)
        check_trim_and_delete(server)
        check_measuring(server, home)
        check_precedence(server, home)
        check_serving(server, home)
        check_dev(home)
    print("every command did what it says")
    return 0


if __name__ == "__main__":
    sys.exit(main())
