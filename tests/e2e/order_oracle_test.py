#!/usr/bin/env python3
"""Order per key at random, over HTTP and kill -9: producers, consumers that fail, lose leases, settle twice and out of
order, somebody who repairs, a person with all verbs, a seek now and then - and an oracle (order_oracle.py) that judges
what was published and answered. CONTINUO_SEED plays one again, CONTINUO_SECONDS for so long; ten minutes under
`./x test long`.
runs-beside-others"""

import collections
import http.client
import os
import random
import shutil
import sys
import tempfile
import threading
import time

from backbone import Client, Server, eventually, event, good
from order_oracle import Epoch, History, judge

SECONDS = 600 if os.environ.get("CONTINUO_LONG") else float(os.environ.get("CONTINUO_SECONDS", 12))
KEYS = [f"k{number}" for number in range(7)]
PARTITIONS = 2
CODES = ["bad_amount", "unknown_customer"]


class Gate:
    """Lets one work while the others hold still."""

    def __init__(self):
        self.changed = threading.Condition()
        self.inside, self.closed, self.over = 0, False, False

    def __enter__(self):
        with self.changed:
            self.changed.wait_for(lambda: not self.closed)
            self.inside += 1

    def __exit__(self, *_):
        with self.changed:
            self.inside -= 1
            self.changed.notify_all()

    def close(self):
        with self.changed:
            self.closed = True
            self.changed.wait_for(lambda: self.inside == 0)

    def open(self):
        with self.changed:
            self.closed = False
            self.changed.notify_all()


class Worker(threading.Thread):
    """Does its work again and again, each with a connection and luck of its own."""

    def __init__(self, world, number):
        super().__init__(daemon=True)
        self.world, self.rng, self.client, self.broken = world, random.Random(f"{world.seed} {number}"), None, None
        self.world.workers.append(self)

    def run(self):
        try:
            while not self.world.gate.over:
                with self.world.gate:
                    self.work()
        except Exception as problem:  # pylint: disable=broad-except
            self.broken = problem

    def ask(self, method, path, body=None, kind="application/json"):
        """None for an answer that did not come, or that says nothing."""
        try:
            if self.client is None:
                self.client = Client(self.world.server.port, timeout=10)
            status, answer = self.client.ask(method, path, body, kind)[:2]
        except (OSError, http.client.HTTPException, ValueError):
            self.client = None
            time.sleep(0.02)
            return None, None
        assert status != 500, (path, answer)
        if status in (429, 503, 507):
            time.sleep(0.02)
            return None, None
        return status, answer

    def of(self, history, path, body=None, method="POST"):
        return self.ask(method, f"/v1/subscriptions/{history.name}/{path}", body)


class Producer(Worker):
    def __init__(self, world, number):
        super().__init__(world, f"producer {number}")
        self.number, self.count = number, 0

    def work(self):
        time.sleep(self.rng.uniform(0, 0.12))
        key = self.rng.choice(KEYS)
        batch = []
        for _ in range(self.rng.choice((1, 1, 2, 5))):
            self.count += 1
            key = key if self.rng.random() < 0.6 else self.rng.choice(KEYS)
            batch.append(event(f"{self.number}-{self.count}", key, {"n": self.count}))
        status = None
        while status is None and not self.world.gate.over:  # the same again: a repeat is recognised
            status, answer = self.ask("POST", "/v1/topics/t/events", batch, "application/cloudevents-batch+json")
        if status is None:
            return
        assert status == 201, (status, answer)
        for sent, place in zip(batch, answer["events"]):
            self.world.published[sent["id"]] = (place["partition"], int(place["offset"]))


def place_of(delivered):
    return int(delivered["partition"]), int(delivered["offset"])


class Consumer(Worker):
    def __init__(self, world, history, number, calm=False):
        super().__init__(world, f"consumer {history.name} {number}")
        self.history, self.calm = history, calm

    def work(self):
        if not self.calm:
            time.sleep(self.rng.choice((0, 0, 0.01, 0.1)))
        asked = time.monotonic()
        most = 1000 if self.calm else self.rng.choice((1, 3, 10, 50))
        status, answer = self.of(self.history, "receive", {"max": most, "wait": "100ms"})
        if status is None:
            return 0
        deliveries = good((status, answer))["deliveries"]
        if not deliveries:
            return 0
        self.history.delivered(asked, [(place_of(each["event"]), each["event"]["subject"],
                                        each["event"]["data"].get("edit")) for each in deliveries])
        self.settle(self.handle(deliveries))
        return len(deliveries)

    def handle(self, deliveries):
        """In order, until one fails of a key; or it forgets one, or says too much."""
        body, stopped = {"ack": [], "nack": []}, set()
        for each in deliveries:
            key, luck = each["event"]["subject"], 1 if self.calm else self.rng.random()
            if key in stopped:
                if luck < 0.1:
                    body["ack"].append(each)  # out of order
            elif luck < 0.12:
                stopped.add(key)
                body["nack"].append(each)
            elif luck < 0.18:
                stopped.add(key)
            else:
                body["ack"].append(each)
        return body

    def settle(self, handled):
        leases = {each["lease"]: place_of(each["event"]) for each in handled["ack"]}
        body = {"ack": list(leases)}
        if handled["nack"]:
            body["nack"] = [self.nack(each) for each in handled["nack"]]
        if not self.calm and self.rng.random() < 0.1:
            time.sleep(self.rng.uniform(0, 0.6))  # the lease runs out meanwhile, or nearly
        if not self.calm and leases and self.rng.random() < 0.1:
            self.of(self.history, "settle", {"extend": [{"lease": next(iter(leases)), "by": "500ms"}]})
        request = self.history.settles(leases.values())
        first = None
        for _ in range(50 if self.calm else self.rng.choice((1, 2, 20))):
            status, answer = self.of(self.history, "settle", body)
            if status is None:
                continue
            outcome = good((status, answer))
            assert first in (None, outcome), f"a settle was answered {first}, and again {outcome}"
            if first is None:
                request.answered = time.monotonic()
                refused = {each["lease"] for each in outcome["refused"]}
                request.ends = {place: lease not in refused for lease, place in leases.items()}
            first = outcome
            if self.calm or self.rng.random() < 0.85:
                return

    def nack(self, each):
        nack = {"lease": each["lease"], "error": {"code": self.rng.choice(CODES), "message": f"at {time.time()}"}}
        if self.rng.random() < 0.5:
            nack["delay"] = self.rng.choice(("0s", "100ms"))
        return nack


class Healer(Worker):
    """What a workflow that repairs and a person have in common."""

    def __init__(self, world, history, number):
        super().__init__(world, f"{type(self).__name__} {number}")
        self.history, self.count, self.number = history, 0, number

    def name(self, verb):
        self.count += 1
        return f"{verb} {type(self).__name__} {self.number} {self.count}"

    def mended(self, head, tag):
        copy = {name: value for name, value in head.items() if name not in ("partition", "offset")}
        copy["data"] = {**copy["data"], "edit": tag}
        return copy

    def note(self, request, status, happened):
        if status is not None:
            request.answered, request.happened = time.monotonic(), happened


class Repairer(Healer):
    def work(self):
        time.sleep(self.rng.uniform(0, 0.2))
        status, answer = self.of(self.history, "receive?role=repair", {"max": 5, "wait": "100ms"})
        for each in good((status, answer))["repairs"] if status else []:
            verb, parked = self.rng.choice(("repaired", "skip", "needs_person", None)), each["parked"]
            if verb is None:
                continue
            reason, place = self.name(verb), (parked["partition"], int(parked["offset"]))
            entry, request = {"lease": each["lease"], "reason": reason}, None
            if verb == "repaired":
                entry["event"] = self.mended(parked["head"]["event"], reason)
                request = self.history.edits(place, reason)
            elif verb == "skip":
                request = self.history.verb(reason)
            status, answer = self.of(self.history, "settle?role=repair", {verb: [entry], "by": "repairer"})
            if status is not None:
                assert status == 200, (status, answer)
            if request:
                self.note(request, status, status is not None and answer["settled"] == 1)


class Person(Healer):
    def work(self):
        time.sleep(self.rng.uniform(0, 0.3))
        status, answer = self.of(self.history, "parked", method="GET")
        keys = good((status, answer))["keys"] if status else []
        if not keys:
            return
        head = self.rng.choice(keys)
        verb = self.rng.choice(("retry", "retry", "edit", "edit", "skip", "cancel", "release", "release", "stop"))
        if verb in ("release", "stop"):
            return self.release(verb, head)
        reason = self.name(verb)
        body, request = {"by": "person", "reason": reason}, None
        if verb == "edit":
            body["event"] = self.mended(head["head"]["event"], reason)
            body["release"] = self.rng.random() < 0.7
            request = self.history.edits((head["partition"], int(head["offset"])), reason)
        elif verb in ("skip", "cancel"):
            request = self.history.verb(reason)
        status, answer = self.of(self.history, f"parked/{head['key']}/{verb}", body)
        assert status in (None, 200) or answer["code"] in ("not_parked", "bad_event"), (verb, status, answer)
        if request:
            self.note(request, status, status == 200)
        return None

    def release(self, verb, head):
        if verb == "stop":
            self.of(self.history, "parked/release", method="DELETE")
            return
        body = {"by": "person", "reason": "release", "stop_at_relapse": self.rng.random() < 0.5}
        if self.rng.random() < 0.7:
            body["fingerprint"] = head["head"]["fingerprint"]
        if self.rng.random() < 0.5:
            body["rate"] = self.rng.choice(("2/s", "20/s"))
        status, answer = self.of(self.history, "parked/release", body)
        assert status in (None, 202) or answer["code"] == "release_running", (status, answer)


class World:
    def __init__(self, seed, folder):
        self.seed, self.folder, self.rng = seed, folder, random.Random(seed)
        self.server = Server(folder)
        self.gate, self.workers, self.published, self.kills = Gate(), [], {}, 0
        self.histories = {name: History(name) for name in ("heals", "buries", "drops")}
        self.define()

    def define(self):
        client = Client(self.server.port)
        good(client.ask("PUT", "/v1/topics/t", {"partitions": PARTITIONS}))
        common = {"topics": ["t"], "from": "earliest", "lease": "400ms",
                  "retry": {"attempts": 2, "delay": "50ms", "rules": [{"codes": CODES[:1], "attempts": 1}]}}
        heals = {**common, "concurrency": self.rng.choice((2, 5, 100))}
        if self.rng.random() < 0.5:
            heals["storm"] = {"keys": 4, "within": "1s", "probe": "100ms"}
        good(client.ask("PUT", "/v1/subscriptions/heals", heals))
        good(client.ask("PUT", "/v1/subscriptions/buries",
                        {**common, "on_failure": "dead_letter", "dead_letter": "t.dead"}))
        good(client.ask("PUT", "/v1/subscriptions/drops", {**common, "on_failure": "drop"}))

    def start(self):
        heals = self.histories["heals"]
        everybody = [Producer(self, number) for number in range(3)]
        everybody += [Consumer(self, heals, number) for number in range(3)]
        everybody += [Consumer(self, self.histories[name], 0) for name in ("buries", "drops")]
        everybody += [Repairer(self, heals, 0), Person(self, heals, 0), Person(self, heals, 1)]
        for each in everybody:
            each.start()

    def check_workers(self):
        for each in self.workers:
            if each.broken:
                raise each.broken

    def restart(self):
        """Killed while everybody works on, or just after it began to answer; on the same port."""
        port = self.server.port
        self.server.kill()
        self.server.process.stdout.close()
        self.server = Server(self.folder, port=port)
        self.kills += 1

    def play(self):
        end = time.monotonic() + SECONDS
        seek = time.monotonic() + self.rng.uniform(0.3, 0.8) * min(SECONDS, 60)
        while time.monotonic() < end:
            time.sleep(self.rng.choice((0.05, 0.5, 1, 2)))
            self.restart()
            self.check_workers()
            if time.monotonic() > seek:
                self.seek(self.histories["heals"])
                seek += self.rng.uniform(0.5, 1.5) * 60

    # Everybody holds still, so that it is known what belongs to which epoch.
    def seek(self, history):
        self.gate.close()
        client = Client(self.server.port)
        path = f"/v1/subscriptions/{history.name}"
        to = self.rng.choice(("earliest", "latest"))
        parked = self.rng.choice(("keep", "discard"))
        ends = [len(client.read_all("t", number)) for number in range(PARTITIONS)]
        held, edits = set(), {}
        if to == "latest" and parked == "keep":
            queues = collections.defaultdict(list)
            for place, key in self.log(client):
                queues[key].append(place)
            for each in good(client.ask("GET", f"{path}/parked?limit=1000"))["keys"]:
                place = (each["partition"], int(each["offset"]))
                at = queues[each["key"]].index(place)
                held.update(queues[each["key"]][at:at + each["waiting"] + 1])
                edits[place] = history.now.edits.get(place, [])
        good(client.ask("POST", f"{path}/seek", {"to": to, "parked": parked, "by": "person"}))
        owed = (lambda place: True) if to == "earliest" else \
            (lambda place: place[1] >= ends[place[0]] or place in held)
        history.epochs.append(Epoch(owed, edits))
        print(f"moved to {to}, parked keys: {parked}, {len(held)} events held", flush=True)
        self.gate.open()

    def log(self, client):
        return [((number, offset), each["subject"]) for number in range(PARTITIONS)
                for offset, each in client.read_all("t", number)]

    def finish(self):
        """Everybody is successful from now on: what is owed comes, all of it."""
        self.gate.over = True
        for each in self.workers:
            each.join(30)
            assert not each.is_alive(), f"{each} does not end"
        self.check_workers()
        self.restart()
        client = Client(self.server.port)
        for history in self.histories.values():
            consumer = Consumer(self, history, "last", calm=True)
            path = f"/v1/subscriptions/{history.name}"

            def is_done():
                while consumer.work():
                    pass
                state = good(client.ask("GET", path))
                if state["parked_keys"]:
                    client.ask("POST", f"{path}/parked/release", {})
                return state["lag"] == 0 and state["parked_keys"] == 0

            eventually(is_done, 60, f"the end of what {history.name} is owed")
        return client

    def judge(self, client):
        log = self.log(client)
        found = {each["id"]: (number, offset) for number in range(PARTITIONS)
                 for offset, each in client.read_all("t", number)}
        assert len(found) == len(log), "an event is in the log twice"
        for identity, place in self.published.items():
            is_at = found.get(identity)
            assert is_at == place, f"{identity} was acknowledged at {place}, and is at {is_at}"
        told = [each for _, each in client.read_all("continuo.events", 0)]
        looked_at = sum(judge(history, log, told) for history in self.histories.values())
        counts = collections.Counter(each["type"].removeprefix("continuo.") for each in told)
        assert len(log) > 20 and looked_at > len(log) and counts["key.parked"], "too little happened to tell anything"
        print(f"{self.kills} kills, {len(log)} events, {looked_at} deliveries judged; {dict(counts)}")


def main():
    seed = int(os.environ.get("CONTINUO_SEED", time.time_ns() % 1_000_000))
    print(f"seed {seed}", flush=True)
    folder = tempfile.mkdtemp(prefix="continuo-order.")
    world = World(seed, folder)
    try:
        world.start()
        world.play()
        client = world.finish()
        world.judge(client)
    finally:
        world.server.kill()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
