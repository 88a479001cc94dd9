#!/usr/bin/env python3
"""Request and reply against the real server: replies by consumers that settle, by hand, to many that wait at once, too
late, to a repeated request, and over kill -9. runs-beside-others"""

import threading
import time

from backbone import Client, Server, event, good, running


def ask(client, identity, timeout="10s", topic="asked", **more):
    sent = {**event(identity, identity, {"n": identity}), **more}
    path = f"/v1/topics/{topic}/events?wait_for=reply&timeout={timeout}"
    return client.ask("POST", path, sent, "application/cloudevents+json")[:2]


class Answerer(threading.Thread):
    """A consumer that answers what it settles, in the topic the request names."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.client, self.going = Client(port), True
        settings = {"topics": ["asked"], "from": "earliest", "order_by": "none"}
        good(self.client.ask("PUT", "/v1/subscriptions/answering", settings))
        self.start()

    def run(self):
        while self.going:
            body = {"max": 100, "wait": "1s"}
            for each in good(self.client.ask("POST", "/v1/subscriptions/answering/receive", body))["deliveries"]:
                asked = each["event"]
                reply = event("r-" + asked["id"], "k", {"answer": asked["data"]["n"]}, "Answered")
                settle = {"ack": [each["lease"]], "publish": [{"topic": asked["replyto"], "event": reply}]}
                good(self.client.ask("POST", "/v1/subscriptions/answering/settle", settle))


def check_one(client):
    status, reply = ask(client, "q1")
    assert status == 200 and reply["data"] == {"answer": "q1"}, (status, reply)
    assert reply["causationid"] == "q1" and reply["correlationid"] == "q1", reply
    status, reply = ask(client, "q1")
    assert status == 200 and reply["id"] == "r-q1", "a repeated request finds the reply that is there"
    status, reply = ask(client, "q2", replyto="elsewhere")
    assert status == 200 and reply["id"] == "r-q2", reply
    assert len(good(client.ask("GET", "/v1/topics/elsewhere/events"))) == 1


def check_late(client):
    start = time.monotonic()
    status, problem = ask(client, "silent", timeout="500ms", topic="unheard")
    assert status == 504 and problem["code"] == "reply_timeout", (status, problem)
    assert problem["request"] == {"topic": "unheard", "partition": 0, "offset": "0"}, problem
    assert problem["replies"] == "unheard.replies" and 0.4 < time.monotonic() - start < 5
    assert len(good(client.ask("GET", "/v1/topics/unheard/events"))) == 1, "it was published all the same"


def check_refusals(client):
    assert ask(client, "x", timeout="2h")[1]["at"] == "timeout"
    assert ask(client, "x", replyto="a/b")[1]["at"] == "replyto"
    assert ask(client, "x", replyto="continuo.events")[1]["code"] == "system_name"
    batch = [event("x", "x")]
    path = "/v1/topics/asked/events?wait_for=reply"
    assert client.ask("POST", path, batch, "application/cloudevents-batch+json")[0] == 400
    path = "/v1/topics/asked/events?timeout=1s"
    assert client.ask("POST", path, event("x", "x"), "application/cloudevents+json")[0] == 400


def check_many(port, count=200):
    """All wait at once; each gets its own."""
    wrong, threads = [], []

    def one(number):
        status, reply = ask(Client(port, timeout=60), f"m{number}", timeout="40s")
        if status != 200 or reply["causationid"] != f"m{number}":
            wrong.append((number, status, reply))

    for number in range(count):
        threads.append(threading.Thread(target=one, args=[number]))
        threads[-1].start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[:3]


def check_restart(data, servers):
    """The one that asks loses its connection, asks again, and finds the reply that came meanwhile."""
    client = Client(servers[-1].port)
    got = []

    def waiting():
        try:
            got.append(ask(Client(servers[-1].port), "over", topic="slow"))
        except OSError as lost:
            got.append(lost)
        except Exception as lost:  # http.client has its own
            got.append(lost)

    thread = threading.Thread(target=waiting)
    thread.start()
    while client.ask("GET", "/v1/topics/slow")[0] != 200 or not good(client.ask("GET", "/v1/topics/slow/events")):
        time.sleep(0.05)
    servers[-1].kill()
    thread.join()
    assert not isinstance(got[0], tuple), got
    servers.append(Server(data))
    client = Client(servers[-1].port)
    reply = {**event("reply", "k", "late"), "causationid": "over"}
    good(client.publish("slow.replies", [reply]))
    status, found = ask(client, "over", topic="slow")
    assert status == 200 and found["id"] == "reply", (status, found)
    assert len(good(client.ask("GET", "/v1/topics/slow/events"))) == 1, "the request is there once"


def main():
    with running("request") as (data, servers):
        client = Client(servers[-1].port)
        good(client.ask("PUT", "/v1/topics/asked", {"partitions": 3}))
        answerer = Answerer(servers[-1].port)
        check_one(client)
        check_late(client)
        check_refusals(client)
        check_many(servers[-1].port)
        answerer.going = False
        answerer.join()
        check_restart(data, servers)
    print("request and reply: one, repeated, too late, refused, many at once, over a kill")


if __name__ == "__main__":
    main()
