"""Who sends to queues and takes from them, each in a process of its own. What is sent is encoded beforehand as far as
it can be; of what comes only the tokens are looked for that have to go back. So the same clients serve Continuo, NATS
and Redis, at about the same cost."""

import itertools
import json
import os
import re
import time

from queue_servers import Nats, Resp, Wire

SIZE = 1024
STAMP = re.compile(rb"t=([0-9]{20})")  # when a message was due, in nanoseconds


def body(due_ns):
    return (b"t=%020d" % due_ns).ljust(SIZE, b"x")


class Continuo:
    LEASE = re.compile(rb'"lease":"([^"]+)"')

    @staticmethod
    def prepare(port):
        client = Continuo(port, 1)
        client.ask(b"PUT", b"/v1/topics/q", b'{"dedup_window":"2m"}')
        client.ask(b"PUT", b"/v1/subscriptions/q", b'{"topics":["q"],"from":"earliest","order_by":"none"}')

    def __init__(self, port, batch):
        self.wire, self.batch = Wire(port, 30), batch
        self.identity = b"%d-%d" % (os.getpid(), time.monotonic_ns())
        self.numbers = itertools.count()

    def ask(self, method, path, body, kind=b"application/json"):
        self.wire.send(b"%s %s HTTP/1.1\r\nHost: bench\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s"
                       % (method, path, kind, len(body), body))
        status, length = self.wire.line().split()[1], 0
        while head := self.wire.line():
            if head[:15].lower() == b"content-length:":
                length = int(head[15:])
        answer = self.wire.input.read(length)
        if status[:1] != b"2":
            raise RuntimeError(f"{path.decode()}: {status.decode()} {answer[:300].decode()}")
        return answer

    def send(self, due_ns):
        prefix = b'{"specversion":"1.0","source":"/bench","type":"Message","data":"%s","id":"%s-' % (
            body(due_ns), self.identity)
        events = [b'%s%d"}' % (prefix, next(self.numbers)) for _ in range(self.batch)]
        if self.batch == 1:
            self.ask(b"POST", b"/v1/topics/q/events", events[0], b"application/cloudevents+json")
        else:
            self.ask(b"POST", b"/v1/topics/q/events", b"[%s]" % b",".join(events),
                     b"application/cloudevents-batch+json")
        return self.batch

    def take(self):
        answer = self.ask(b"POST", b"/v1/subscriptions/q/receive", b'{"max":%d,"wait":"100ms"}' % self.batch)
        came, leases = time.monotonic_ns(), self.LEASE.findall(answer)
        if leases:
            self.ask(b"POST", b"/v1/subscriptions/q/settle", b'{"ack":["%s"]}' % b'","'.join(leases))
        return len(leases), came, STAMP.findall(answer)


class JetStream:
    @staticmethod
    def prepare(port):
        client = Nats(port)
        for what, body in (
                ("STREAM.CREATE.q", {"name": "q", "subjects": ["q.in"], "storage": "file", "retention": "workqueue"}),
                ("CONSUMER.DURABLE.CREATE.q.c", {"stream_name": "q", "config": {
                    "durable_name": "c", "ack_policy": "explicit", "max_ack_pending": 100_000}})):
            answer = client.ask(f"$JS.API.{what}", json.dumps(body).encode())
            if b'"error"' in answer:
                raise RuntimeError(answer.decode())

    def __init__(self, port, batch):
        self.nats, self.batch = Nats(port, 30), batch
        self.inbox = self.nats.new_inbox()
        self.wanted = b'{"batch":%d,"expires":100000000,"no_wait":true}' % batch

    def send(self, due_ns):
        self.nats.send(b"PUB q.in %s %d\r\n%s\r\n" % (self.inbox.encode(), SIZE, body(due_ns)) * self.batch)
        for _ in range(self.batch):
            if b'"error"' in self.nats.message()[3]:
                raise RuntimeError("a message was refused")
        return self.batch

    def take(self):
        inbox = self.nats.new_inbox()
        self.nats.publish("$JS.API.CONSUMER.MSG.NEXT.q.c", self.wanted, inbox)
        acks, stamps = bytearray(), []
        while len(stamps) < self.batch:
            to, reply, _, data = self.nats.message()
            if reply.startswith("$JS.ACK."):
                acks += b"PUB %s 4\r\n+ACK\r\n" % reply.encode()
                stamps.append(data[2:22])
            elif to == inbox:
                break
        came = time.monotonic_ns()
        if not stamps:
            time.sleep(0.001)
        self.nats.send(bytes(acks))
        return len(stamps), came, stamps


class RedisStreams:
    @staticmethod
    def prepare(port):
        Resp(port).ask("XGROUP", "CREATE", "q", "g", "0", "MKSTREAM")

    def __init__(self, port, batch):
        self.redis, self.batch = Resp(port, 30), batch
        self.name = f"c{os.getpid()}"

    def send(self, due_ns):
        self.redis.ask_all([("XADD", "q", "*", "b", body(due_ns))] * self.batch)
        return self.batch

    def take(self):
        got = self.redis.ask("XREADGROUP", "GROUP", "g", self.name, "COUNT", self.batch, "BLOCK", 100, "STREAMS", "q",
                             ">")
        came, messages = time.monotonic_ns(), got[0][1] if got else []
        entries = [entry for entry, _ in messages]
        if entries:
            self.redis.ask_all([("XACK", "q", "g", *entries), ("XDEL", "q", *entries)])
        return len(entries), came, [fields[1][2:22] for _, fields in messages]


def work(client, port, batch, role, rate, plan, results):
    """One process: sends or takes from plan.begin on. To `results` goes how many a second after the warm-up, and of a
    taker for which messages were due at a rate, after how many microseconds each came."""
    actor = client(port, batch)
    act = _sender(actor, rate, plan) if role == "send" else actor.take
    time.sleep(max(0, plan.begin - time.monotonic()))
    count, after_us = 0, []
    while (now := time.monotonic()) < plan.end:
        did, came, stamps = act()
        if now < plan.measured:
            continue
        count += did
        if rate:
            after_us += [(came - int(stamp)) // 1000 for stamp in stamps]
    results.put((role, count / (time.monotonic() - plan.measured), after_us))


def _sender(actor, rate, plan):
    """Sends as fast as it goes, or a batch whenever one is due; who is late is late from then on."""
    numbers = itertools.count()

    def send():
        due = plan.begin + next(numbers) * actor.batch / rate if rate else time.monotonic()
        time.sleep(max(0, due - time.monotonic()))
        return actor.send(int(due * 1e9)), 0, ()
    return send
