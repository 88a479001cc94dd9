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
BODY = b"x" * SIZE


class Continuo:
    LEASE = re.compile(rb'"lease":"([^"]+)"')

    @staticmethod
    def prepare(port):
        client = Continuo(port, 1)
        client.ask(b"PUT", b"/v1/topics/q", b'{"dedup_window":"2m"}')
        client.ask(b"PUT", b"/v1/subscriptions/q", b'{"topics":["q"],"from":"earliest","order_by":"none"}')

    def __init__(self, port, batch):
        self.wire, self.batch = Wire(port, 30), batch
        self.prefix = b'{"specversion":"1.0","source":"/bench","type":"Message","data":"%s","id":"%d-%d-' % (
            BODY, os.getpid(), time.monotonic_ns())
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

    def send(self):
        events = [b'%s%d"}' % (self.prefix, next(self.numbers)) for _ in range(self.batch)]
        if self.batch == 1:
            self.ask(b"POST", b"/v1/topics/q/events", events[0], b"application/cloudevents+json")
        else:
            self.ask(b"POST", b"/v1/topics/q/events", b"[%s]" % b",".join(events),
                     b"application/cloudevents-batch+json")
        return self.batch

    def take(self):
        leases = self.LEASE.findall(
            self.ask(b"POST", b"/v1/subscriptions/q/receive", b'{"max":%d,"wait":"100ms"}' % self.batch))
        if leases:
            self.ask(b"POST", b"/v1/subscriptions/q/settle", b'{"ack":["%s"]}' % b'","'.join(leases))
        return len(leases)


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
        self.sent = b"PUB q.in %s %d\r\n%s\r\n" % (self.inbox.encode(), SIZE, BODY) * batch
        self.wanted = b'{"batch":%d,"expires":100000000,"no_wait":true}' % batch

    def send(self):
        self.nats.send(self.sent)
        for _ in range(self.batch):
            if b'"error"' in self.nats.message()[3]:
                raise RuntimeError("a message was refused")
        return self.batch

    def take(self):
        inbox = self.nats.new_inbox()
        self.nats.publish("$JS.API.CONSUMER.MSG.NEXT.q.c", self.wanted, inbox)
        acks, got = bytearray(), 0
        while got < self.batch:
            to, reply, _, _ = self.nats.message()
            if reply.startswith("$JS.ACK."):
                acks += b"PUB %s 4\r\n+ACK\r\n" % reply.encode()
                got += 1
            elif to == inbox:
                break
        if got == 0:
            time.sleep(0.001)
        self.nats.send(bytes(acks))
        return got


class RedisStreams:
    @staticmethod
    def prepare(port):
        Resp(port).ask("XGROUP", "CREATE", "q", "g", "0", "MKSTREAM")

    def __init__(self, port, batch):
        self.redis, self.batch = Resp(port, 30), batch
        self.name = f"c{os.getpid()}"
        self.adds = [("XADD", "q", "*", "b", BODY)] * batch

    def send(self):
        self.redis.ask_all(self.adds)
        return self.batch

    def take(self):
        got = self.redis.ask("XREADGROUP", "GROUP", "g", self.name, "COUNT", self.batch, "BLOCK", 100, "STREAMS", "q",
                             ">")
        if not got:
            return 0
        entries = [entry for entry, _ in got[0][1]]
        self.redis.ask_all([("XACK", "q", "g", *entries), ("XDEL", "q", *entries)])
        return len(entries)


def work(client, port, batch, role, begin, warm_up, seconds, results):
    """One process: sends or takes from `begin` on; how many after the warm-up goes to `results`."""
    act = getattr(client(port, batch), role)
    time.sleep(max(0, begin - time.monotonic()))
    count, measured, end = 0, begin + warm_up, begin + warm_up + seconds
    while (now := time.monotonic()) < end:
        did = act()
        if now >= measured:
            count += did
    results.put((role, count / (time.monotonic() - measured)))
