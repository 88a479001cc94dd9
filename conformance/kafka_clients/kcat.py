#!/usr/bin/env python3
"""kcat, Debian's command-line client, which is librdkafka."""

import itertools
import json
import re
import subprocess
import threading
import time

import adapter
from stream import Stream

END_OF_MESSAGE, END_OF_KEY = "\x01", "\x02"
PLACES = {"earliest": -2, "latest": -1}
GOES_ON = ["-X", "session.timeout.ms=10000", "-X", "heartbeat.interval.ms=500", "-X", "reconnect.backoff.max.ms=1000"]


class Consumer:
    def __init__(self, command):
        self.command, self.held, self.at_end = command, set(), threading.Event()
        self.stream = Stream(command, self.parse)

    def parse(self, line):
        if line.startswith("{"):
            found = json.loads(line)
            headers = found.get("headers") or []
            return {"partition": found["partition"], "offset": found["offset"], "key": found["key"],
                    "value": found["payload"], "headers": [list(each) for each in zip(headers[::2], headers[1::2])],
                    "timestamp": found["ts"]}
        partitions = {int(number) for number in re.findall(r"\[(\d+)\]", line)}
        if "incremental assignment" in line:
            self.held |= partitions
        elif "incremental revoke" in line:
            self.held -= partitions
        elif " assigned:" in line:
            self.held = partitions
        elif " revoked:" in line:
            self.held = set()
        elif "Reached end" in line:
            self.at_end.set()
        return None

    def read(self, count, seconds):
        found = self.stream.read(count, seconds)
        if not found and self.stream.process.poll() is not None:  # it ends itself when its only broker is down
            time.sleep(0.5)
            self.stream = Stream(self.command, self.parse)
        return found


class Kcat:
    def __init__(self, server):
        self.server = server
        self.consumers = {}

    def command(self, *arguments):
        return ["kcat", "-b", self.server, *arguments]

    def run(self, *arguments, text=None):
        done = subprocess.run(self.command(*arguments), input=text, capture_output=True, text=True, timeout=40,
                              check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return done.stdout

    def version(self):
        said = subprocess.run(["kcat", "-V"], capture_output=True, text=True, check=True).stdout
        number, library = re.search(r"Version ([\d.]+).*librdkafka ([\d.]+)", said).groups()
        return f"{number} (librdkafka {library})"

    @staticmethod
    def settings(codec="none", acks=-1, idempotent=False, max_request=1000000):
        for name, value in (("compression.type", codec), ("acks", acks), ("message.max.bytes", max_request),
                            ("enable.idempotence", str(idempotent).lower()), ("partitioner", "murmur2_random"),
                            ("linger.ms", 20), ("message.timeout.ms", 20000)):
            yield from ("-X", f"{name}={value}")

    def produce(self, topic, records, options):
        # Headers, partition and null are said once for a whole run.
        for (headers, partition, no_key, null), each in itertools.groupby(records, self.kind):
            each = list(each)
            more = [part for header in headers for part in ("-H", "=".join(header))]
            more += [] if partition is None else ["-p", str(partition)]
            more += ["-Z"] if null else []
            more += [] if no_key else ["-K", END_OF_KEY]
            lines = [("" if no_key else each["key"] + END_OF_KEY) + (each["value"] or "") for each in each]
            self.run("-P", "-t", topic, "-D", END_OF_MESSAGE, *more, *self.settings(**options),
                     text=END_OF_MESSAGE.join(lines) + ("" if no_key and len(lines) == 1 else END_OF_MESSAGE))
        return [None for _ in records]

    @staticmethod
    def kind(each):
        if "timestamp" in each:
            raise adapter.NotOffered("a record's own timestamp")
        headers = tuple(tuple(header) for header in each.get("headers", []))
        return headers, each.get("partition"), each["key"] is None, each["value"] is None

    def open(self, name, topic, partition, start):
        offset = {"earliest": "beginning", "latest": "end"}.get(start, start) if isinstance(start, str) else start
        if isinstance(start, dict):
            offset = f"s@{start['time']}"
        consumer = self.consumers[name] = Consumer(
            self.command("-C", "-J", "-u", "-t", topic, "-p", str(partition), "-o", str(offset)))
        if start == "latest":
            assert consumer.at_end.wait(10), "the end was not reached"

    def join(self, name, group, topic, strategy=None, instance=None, auto_commit=False):
        more = ["-X", f"partition.assignment.strategy={strategy or 'range'}"]
        more += ["-X", f"group.instance.id={instance}"] if instance else []
        if not auto_commit:
            more += ["-X", "enable.auto.commit=false"]
        self.consumers[name] = Consumer(self.command("-G", group, "-J", "-u", "-X", "auto.offset.reset=earliest", *more,
                                                     *GOES_ON, topic))

    def read(self, name, count, seconds):
        return self.consumers[name].read(count, seconds)

    def assignment(self, name):
        return sorted(self.consumers[name].held)

    def close(self, name):
        self.consumers.pop(name).stream.close()

    def offset(self, topic, partition, at):
        said = self.run("-Q", "-t", f"{topic}:{partition}:{PLACES.get(at, at)}")
        return int(said.split()[-1])

    def listed(self):
        return json.loads(self.run("-L", "-J"))

    def topics(self):
        return {each["topic"]: len(each["partitions"]) for each in self.listed()["topics"]}

    def cluster(self):
        said = self.listed()
        return {"brokers": [each["name"] for each in said["brokers"]], "controller": said["controllerid"]}


adapter.run(Kcat)
