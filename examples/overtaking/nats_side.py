"""A work queue of JetStream with a limit of deliveries; who gets the last one writes the dead letter and terminates the
message. Dead letters are mended and published again."""

import json
import socket
import time

from payments import DELIVERIES, IDLE_S, RETRY_MS, Failure, mend
from queue_servers import Nats


class JetStream:
    mechanism = "work queue, max_deliver, a stream of dead letters"

    def __init__(self, port):
        self.nats = Nats(port)
        for stream, retention in (("payments", "workqueue"), ("dead", "workqueue")):
            self.api(f"STREAM.CREATE.{stream}", {"name": stream, "subjects": [f"{stream}.>"], "storage": "file",
                                                 "retention": retention})
            self.api(f"CONSUMER.DURABLE.CREATE.{stream}.bank", {"stream_name": stream, "config": {
                "durable_name": "bank", "ack_policy": "explicit", "max_deliver": DELIVERIES, "ack_wait": 30 * 10**9}})

    def api(self, what, body):
        answer = json.loads(self.nats.ask(f"$JS.API.{what}", json.dumps(body).encode()))
        if "error" in answer:
            raise RuntimeError(f"{what}: {answer['error']}")
        return answer

    def publish(self, events, stream="payments"):
        for event in events:
            answer = json.loads(self.nats.ask(f"{stream}.{event['key']}", json.dumps(event).encode()))
            if "error" in answer:
                raise RuntimeError(answer["error"])

    def each(self, stream):
        """Messages until the stream is quiet: where to answer, how often it was delivered, the event."""
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < IDLE_S:
            for reply, event in self.fetch(stream):
                quiet_since = time.monotonic()
                yield reply, int(reply.split(".")[-5]), event
            time.sleep(0.02)

    def fetch(self, stream):
        inbox, got = self.nats.new_inbox(), []
        self.nats.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.bank",
                          b'{"batch": 20, "no_wait": true}', inbox)
        while len(got) < 20:
            to, reply, head, data = self.nats.message()
            if reply.startswith("$JS.ACK."):  # it has the subject it was published to
                got.append((reply, json.loads(data)))
            elif to == inbox and head.startswith((b"NATS/1.0 404", b"NATS/1.0 408")):
                break
        return got

    def work(self, bank):
        for reply, delivered, event in self.each("payments"):
            try:
                bank.handle(event)
                self.nats.ask(reply, b"+ACK")
            except Failure:
                if delivered < DELIVERIES:
                    self.nats.ask(reply, b'-NAK {"delay": %d}' % (RETRY_MS * 10**6))
                else:
                    self.publish([event], "dead")
                    self.nats.ask(reply, b"+TERM")

    def failed(self):
        return self.api("STREAM.INFO.dead", {})["state"]["messages"]

    def repair(self):
        for reply, _, event in self.each("dead"):
            self.publish([mend(event)])
            self.nats.ask(reply, b"+ACK")

    def close(self):
        self.nats.socket.shutdown(socket.SHUT_RDWR)
