#!/usr/bin/env python3
"""Queues against the real server: leases, delays, expiry, groups, deduplication, browsing, purging, redriving - and all
of it over kill -9. runs-beside-others"""

import time

from backbone import Client, Server, eventually, good, running


class Queue:
    def __init__(self, client, name, **settings):
        self.client, self.name = client, name
        self.made = client.ask("PUT", f"/v1/queues/{name}", settings)

    def ask(self, action, **body):
        return self.client.ask("POST", f"/v1/queues/{self.name}/{action}", body)[:2]

    def send(self, **message):
        return good(self.ask("messages", **message))["messages"]

    def receive(self, max=10, wait="5s", **more):
        return good(self.ask("receive", max=max, wait=wait, **more))["deliveries"]

    def ack(self, deliveries):
        settled = good(self.ask("settle", ack=[each["lease"] for each in deliveries]))
        assert settled["settled"] == len(deliveries), settled

    def state(self):
        return good(self.client.ask("GET", f"/v1/queues/{self.name}"))

    def peek(self, **more):
        return good(self.ask("peek", **more))


def data_of(deliveries):
    return [each["event"]["data"] for each in deliveries]


def refused(answer, status, code):
    assert answer[0] == status and answer[1]["code"] == code, answer[:2]


def check_definitions(client):
    mail = Queue(client, "mail", lease="2s", max_receives=3)
    assert mail.made[0] == 201, mail.made
    assert mail.made[1]["dead_letter"] == "mail.dead" and mail.made[1]["fifo"] is False, mail.made
    assert Queue(client, "mail", lease="2s", max_receives=3).made[0] == 200
    refused(Queue(client, "mail", lease="3s").made, 409, "subscription_exists")
    assert good(client.ask("GET", "/v1/topics/mail"))["partitions"][0]["next"] == "0"
    names = [each["name"] for each in good(client.ask("GET", "/v1/queues"))["queues"]]
    assert names == ["mail", "mail.dead"], names
    refused(client.ask("GET", "/v1/queues/nobody"), 404, "unknown_queue")
    good(client.ask("PUT", "/v1/topics/taken"))
    client.publish("taken", [{"specversion": "1.0", "id": "1", "source": "/t", "type": "T"}])
    refused(Queue(client, "taken").made, 409, "topic_exists")
    refused(Queue(client, "own", dead_letter="own").made, 400, "bad_setting")
    refused(Queue(client, "own", on_failure="park", dead_letter="x").made, 400, "bad_setting")
    refused(Queue(client, "own", max_receives=3, retry={"attempts": 4}).made, 400, "bad_setting")
    refused(Queue(client, "own", visibility="30s").made, 400, "unknown_field")
    Queue(client, "gone")
    assert client.ask("DELETE", "/v1/queues/gone")[0] == 204
    refused(client.ask("GET", "/v1/topics/gone"), 404, "unknown_topic")
    refused(client.ask("DELETE", "/v1/queues/gone"), 404, "unknown_queue")
    return mail


def check_changes(client):
    path = "/v1/queues/other"
    Queue(client, "other", retention="1d")
    patch = lambda **wanted: client.ask("PATCH", path, wanted)
    now = good(patch(lease="1m", max_receives=9, retention=None, dedup_window="1m", concurrency=7))
    assert (now["lease"], now["max_receives"], now["dedup_window"], now["concurrency"]) == ("1m", 9, "1m", 7), now
    assert "retention" not in now and good(client.ask("GET", path))["lease"] == "1m", now
    now = good(patch(retry={"delay": "2s"}))
    assert now["max_receives"] == 9 and now["retry"]["base"] == "2s", now
    assert good(patch(on_failure="drop"))["on_failure"] == "drop"
    now = good(patch(dead_letter="other.lost", partitions=2, fifo=False))
    assert now["on_failure"] == "dead_letter" and now["partitions"] == 2, now
    assert good(client.ask("GET", "/v1/queues/other.lost"))["waiting"] == 0
    assert Queue(client, "other", lease="1m", max_receives=9, dedup_window="1m", concurrency=7, retry={"delay": "2s"},
                 dead_letter="other.lost", partitions=2).made[0] == 200, "as if it had been made so"
    refused(patch(fifo=True), 501, "unsupported")
    refused(patch(partitions=1), 400, "bad_setting")
    refused(patch(), 400, "bad_setting")
    refused(patch(lease="1ms", concurrency=3), 400, "bad_setting")
    assert good(client.ask("GET", path))["concurrency"] == 7, "all of it or nothing"
    refused(client.ask("PATCH", "/v1/queues/nobody", {"lease": "1m"}), 404, "unknown_queue")
    for name in ("other", "other.lost"):
        assert client.ask("DELETE", f"/v1/queues/{name}")[0] == 204


def check_messages(client, mail):
    sent = mail.send(data={"to": "ann"})
    assert len(sent) == 1 and len(sent[0]["id"]) == 32 and not sent[0]["duplicate"], sent
    got = mail.receive()
    assert data_of(got) == [{"to": "ann"}], got
    assert got[0]["attempt"] == 1 and got[0]["event"]["source"] == "/queues/mail", got
    assert mail.state()["leased"] == 1
    mail.ack(got)
    mail.send(messages=[{"data": 1}, {"data": "two"}, {"data": [3]}, {"data": None}])
    event = {"specversion": "1.0", "id": "e5", "source": "/s", "type": "T", "data": 5}
    mail.send(messages=[{"event": event}])
    assert mail.send(**event)[0]["duplicate"], "the same event is the same message"
    batch = [{**event, "id": "e6", "data": 6}]
    path = "/v1/queues/mail/messages"
    answer = good(client.ask("POST", path, batch, "application/cloudevents-batch+json"))
    assert answer["messages"][0]["id"] == "e6", answer
    got = eventually(lambda: (all := mail.peek(max=100)["messages"]) and len(all) == 6 and mail.receive(), 5, "all")
    assert data_of(got) == [1, "two", [3], None, 5, 6], got
    mail.ack(got)
    for body in ({}, {"event": event, "data": 1}, {"data": 1, "delay": "soon"},
                 {"data": 1, "delay": "1s", "not_before": "x"},
                 {"messages": [{"data": 1, "not_before": "tomorrow"}]}, {"messages": [{"data": 1, "prio": 1}]},
                 {"messages": [{"event": {"specversion": "1.0"}}]}):
        status, problem = mail.ask("messages", **body)
        assert status == 400 and problem["at"], (body, status, problem)


def check_leases(mail):
    mail.send(data="leased")
    first = mail.receive(lease="500ms")
    assert mail.receive(wait="100ms") == []
    again = mail.receive(wait="5s")
    assert again[0]["attempt"] == 2, "a lease that ended counts"
    late = good(mail.ask("settle", ack=[first[0]["lease"]]))
    assert late["refused"][0]["code"] == "lease_lost", late
    good(mail.ask("settle", extend=[{"lease": again[0]["lease"], "by": "0s"}]))
    third = mail.receive(wait="1s")
    assert third[0]["attempt"] == 3, "given back at once, and it counts"
    good(mail.ask("settle", extend=[{"lease": third[0]["lease"], "by": "30s"}]))
    mail.ack(third)


def check_delays(client, mail):
    start = time.time()
    mail.send(messages=[{"data": "late", "delay": "1500ms"}, {"data": "now"}])
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start + 3))
    mail.send(data="at", not_before=at)
    assert data_of(got := mail.receive()) == ["now"]
    mail.ack(got)
    eventually(lambda: mail.state()["delayed"] == 2, 5, "two that are delayed")
    states = [each["state"] for each in mail.peek()["messages"]]
    assert states == ["delayed", "delayed"], states
    assert data_of(got := mail.receive()) == ["late"] and time.time() >= start + 1.5, got
    mail.ack(got)
    assert data_of(got := mail.receive()) == ["at"] and time.time() >= start + 2, got
    mail.ack(got)


def check_expiry(client):
    short = Queue(client, "short", retention="700ms", fifo=True)
    short.send(messages=[{"data": 1}, {"data": 2, "group": "g"}, {"data": 3, "group": "g"}])
    held = short.receive(max=1)
    assert data_of(held) == [1]
    eventually(lambda: short.state()["waiting"] == 0, 10, "nothing that waits")
    assert short.state()["leased"] == 1, "nothing expires while somebody has it"
    short.ack(held)
    short.send(data="brief", expire_at="2020-01-01T00:00:00Z")
    assert short.receive(wait="500ms") == []
    told = good(client.ask("GET", "/v1/topics/continuo.events/events?limit=1000"))
    expired = [each for each in told if each["type"] == "continuo.subscription.events_expired"]
    assert sum(each["data"]["count"] for each in expired if each["subject"] == "short") == 3, told


def check_groups(client):
    fifo = Queue(client, "fifo", fifo=True)
    assert fifo.made[1]["on_failure"] == "park", fifo.made
    fifo.send(messages=[{"data": f"{group}{n}", "group": group} for n in range(3) for group in "ab"])
    eventually(lambda: fifo.peek()["messages"][5:], 5, "all six")
    first = fifo.receive(max=1)
    assert data_of(first) == ["a0"]
    others = fifo.receive()
    assert data_of(others) == ["b0", "b1", "b2"], others
    assert fifo.receive(wait="200ms") == [], "a group waits for its first"
    fifo.ack(first + others)
    fifo.ack(got := fifo.receive())
    assert data_of(got) == ["a1", "a2"], got
    fifo.send(messages=[{"data": "c0", "group": "c", "delay": "1s"}, {"data": "c1", "group": "c"}])
    fifo.ack(got := fifo.receive())
    assert data_of(got) in (["c0"], ["c0", "c1"]), f"a delayed message holds its group: {got}"
    if len(got) == 1:
        fifo.ack(fifo.receive())


def check_dedup(mail):
    one = mail.send(data=1, dedup_id="d")[0]
    other = mail.send(data=2, dedup_id="d", delay="1h")[0]
    assert other["duplicate"] and other["offset"] == one["offset"], other
    mail.ack(got := mail.receive())
    assert data_of(got) == [1] and mail.receive(wait="200ms") == []


def check_peek_and_purge(client, mail):
    mail.send(messages=[{"data": n} for n in range(30)])
    mail.send(data="later", delay="1h")
    held = mail.receive(max=2)
    page = mail.peek(max=20)
    states = [each["state"] for each in page["messages"]]
    assert states == ["leased"] * 2 + ["waiting"] * 18 and page["messages"][0]["attempts"] == 1, states
    rest = mail.peek(max=20, **{"from": page["next"]})
    assert [each["event"]["data"] for each in rest["messages"]] == [*range(20, 30), "later"], rest
    assert "next" not in rest and rest["messages"][-1]["state"] == "delayed", rest
    assert good(mail.ask("purge", by="kim", reason="sent twice"))["purged"] == 29
    assert mail.state()["waiting"] == mail.state()["delayed"] == 0
    mail.ack(held)
    told = good(client.ask("GET", "/v1/topics/continuo.events/events?limit=1000"))
    purged = [each["data"] for each in told if each["type"] == "continuo.queue.purged"]
    assert purged == [{"events": 29, "by": "kim", "reason": "sent twice"}], purged
    first = lambda: good(client.ask("GET", "/v1/topics/mail"))["partitions"][0]
    eventually(lambda: first()["first"] == first()["next"], 15, "a topic trimmed behind what is settled")


def check_redrive(client, mail):
    dead = [{"specversion": "1.0", "id": f"x{n}", "source": "/s", "type": "T", "data": n, "subject": "k",
             "deadcode": "no", "deadattempts": 3, "deadtopic": "mail"} for n in range(500)]
    good(client.ask("POST", "/v1/queues/mail.dead/messages", dead, "application/cloudevents-batch+json"))
    assert mail.state()["dead"] == 500, mail.state()
    asked = {"by": "kim", "reason": "release 4.2"}
    moved = good(mail.ask("redrive", **{"from": "mail.dead", "max": 20, "rate": "40/s"}, **asked))
    assert moved == {"moved": 20, "left": 480}, moved
    moved = 20
    while moved < 500:
        answer = good(mail.ask("redrive", **{"from": "mail.dead"}))
        moved += answer["moved"]
    assert answer["left"] == 0, answer
    got = []
    while len(got) < 500:
        some = mail.receive(max=200)
        assert some, len(got)
        mail.ack(some)
        got += [each["event"] for each in some]
    assert sorted(each["data"] for each in got) == list(range(500)), "each once"
    assert not any(name.startswith("dead") for each in got for name in each), got[0]
    signed = [each for each in got if "redrivenby" in each]
    assert len(signed) == 20 and {(each["redrivenby"], each["redrivenreason"]) for each in signed} == {
        ("kim", "release 4.2")}, signed[:1]
    refused(mail.ask("redrive", **{"from": "nowhere"}), 404, "unknown_queue")
    refused(mail.ask("redrive", **{"from": "mail"}), 400, "bad_setting")


def check_dead_letters(data, servers):
    """A message that is given up goes to the queue of dead letters, says why there, and comes back as it was."""
    client = Client(servers[-1].port)
    dying = Queue(client, "dying", max_receives=2, retry={"delay": "0s"})
    dying.send(data="bad", group="g")
    for attempt in (1, 2):
        got = dying.receive()
        assert got[0]["attempt"] == attempt, got
        good(dying.ask("settle", nack=[{"lease": got[0]["lease"], "error": {"code": "boom", "message": "no"}}]))
    eventually(lambda: dying.state()["dead"] == 1, 10, "a dead letter")
    servers[-1].kill()
    servers.append(Server(data))
    dying.client = client = Client(servers[-1].port)
    letters = good(client.ask("POST", "/v1/queues/dying.dead/peek", {}))["messages"]
    letter = letters[0]["event"]
    assert len(letters) == 1 and letter["data"] == "bad" and letter["partitionkey"] == "g", letters
    assert (letter["deadcode"], letter["deadtopic"], letter["deadsubscription"]) == ("boom", "dying", "dying"), letter
    assert dying.state()["dead"] == 1 and dying.state()["waiting"] == 0, dying.state()
    moved = eventually(lambda: good(dying.ask("redrive", **{"from": "dying.dead"}))["moved"], 10, "a letter to move")
    assert moved == 1
    dying.ack(got := dying.receive())
    assert got[0]["attempt"] == 1 and got[0]["event"]["id"] == letter["id"], got
    assert not any(name.startswith("dead") for name in got[0]["event"]), got


def check_restarts(data, servers):
    client = Client(servers[-1].port)
    queue = Queue(client, "kept", lease="60s")
    start = time.time()
    queue.send(messages=[{"data": "late", "delay": "4s"}, {"data": "leased"}, {"data": "open"}])
    queue.send(data="once", dedup_id="o")
    leased = queue.receive(max=1)
    assert data_of(leased) == ["leased"], leased
    for _ in range(2):
        servers[-1].kill()
        servers.append(Server(data))
        queue.client = client = Client(servers[-1].port)
        assert queue.send(data="again", dedup_id="o")[0]["duplicate"]
        states = {each["event"]["data"]: each["state"] for each in queue.peek()["messages"]}
        assert states["leased"] == "leased", states
    queue.ack(leased)
    got = []
    while len(got) < 3:
        some = queue.receive(wait="10s")
        assert some, got
        queue.ack(some)
        got += data_of(some)
    assert got == ["open", "once", "late"] and time.time() >= start + 4, got
    assert good(client.ask("PUT", "/v1/queues/kept", {"lease": "60s"}))["name"] == "kept"


def main():
    with running("queue") as (data, servers):
        client = Client(servers[-1].port)
        mail = check_definitions(client)
        check_changes(client)
        check_messages(client, mail)
        check_leases(mail)
        check_delays(client, mail)
        check_expiry(client)
        check_groups(client)
        check_dedup(mail)
        check_peek_and_purge(client, mail)
        check_redrive(client, mail)
        check_dead_letters(data, servers)
        check_restarts(data, servers)
    print("queues: definitions, messages, leases, delays, expiry, groups, peek, purge, redrive, restarts")


if __name__ == "__main__":
    main()
