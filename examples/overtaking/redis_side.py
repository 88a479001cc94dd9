"""A stream with a consumer group: what is not acknowledged is claimed again after a while; what was delivered too often
goes to a stream of dead letters. Dead letters are mended and added again."""

import json
import time

from payments import DELIVERIES, IDLE_S, RETRY_MS, Failure, mend
from queue_servers import Resp


class RedisStreams:
    mechanism = "consumer group, XAUTOCLAIM, a stream of dead letters"

    def __init__(self, port):
        self.redis = Resp(port)
        self.redis.ask("XGROUP", "CREATE", "payments", "bank", "0", "MKSTREAM")

    def publish(self, events, stream="payments"):
        self.redis.ask_all([("XADD", stream, "*", "event", json.dumps(event)) for event in events])

    def work(self, bank):
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < IDLE_S:
            again = self.redis.ask("XAUTOCLAIM", "payments", "bank", "worker", RETRY_MS, "0", "COUNT", 20)[1]
            new = self.redis.ask("XREADGROUP", "GROUP", "bank", "worker", "COUNT", 20, "BLOCK", 50, "STREAMS",
                                 "payments", ">")
            for entry, fields in again + (new[0][1] if new else []):
                quiet_since = time.monotonic()
                self.take(bank, entry, json.loads(fields[1]))

    def take(self, bank, entry, event):
        try:
            bank.handle(event)
        except Failure:
            if self.deliveries(entry) < DELIVERIES:
                return
            self.publish([event], "dead")
        self.redis.ask("XACK", "payments", "bank", entry)

    def deliveries(self, entry):
        return self.redis.ask("XPENDING", "payments", "bank", entry, entry, 1)[0][3]

    def failed(self):
        return self.redis.ask("XLEN", "dead")

    def repair(self):
        for entry, fields in self.redis.ask("XRANGE", "dead", "-", "+"):
            self.publish([mend(json.loads(fields[1]))])
            self.redis.ask("XDEL", "dead", entry)

    def close(self):
        self.redis.socket.close()
