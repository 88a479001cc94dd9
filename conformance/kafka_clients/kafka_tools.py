#!/usr/bin/env python3
"""Kafka's own command-line tools: a JVM for each thing that is done."""

import glob
import itertools
import json
import os
import re
import subprocess
import tempfile

import adapter
from stream import Stream

JARS = ":".join(f"{folder}/*" for folder in os.environ["KAFKA_JARS"].split(":"))
JAVA = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", JARS]
NULL = "<null>"
COLUMNS = "\x02"


class Consumer:
    def __init__(self, command, parse):
        self.held = []
        self.stream = Stream(command, lambda line: parse(self, line))


def of_console(_, line):
    """What ConsoleConsumer prints with all it can print."""
    if COLUMNS not in line:
        return None
    time, partition, offset, headers, key, value = line.split(COLUMNS)
    split = [] if headers == "NO_HEADERS" else [each.split(":", 1) for each in headers.split(",")]
    return {"partition": int(partition.partition(":")[2]), "offset": int(offset.partition(":")[2]), "headers": split,
            "key": None if key == NULL else key, "value": None if value == NULL else value,
            "timestamp": int(time.partition(":")[2])}


def of_verifiable(consumer, line):
    """What VerifiableConsumer tells of a member of a group."""
    if not line.startswith("{"):
        return None
    said = json.loads(line)
    partitions = {each["partition"] for each in said["partitions"]} if "assigned" in said["name"] else set()
    if said["name"] == "partitions_assigned":
        consumer.held = sorted({*consumer.held, *partitions})
    elif said["name"] == "partitions_revoked":
        consumer.held = sorted({*consumer.held} - {each["partition"] for each in said["partitions"]})
    elif said["name"] == "record_data":
        return {"partition": said["partition"], "offset": said["offset"], "key": said["key"], "value": said["value"],
                "headers": [], "timestamp": None}
    return None


class KafkaTools:
    def __init__(self, server):
        self.server = server
        self.consumers = {}

    def command(self, tool, *arguments):
        name = tool if tool.startswith("kafka.") else f"org.apache.kafka.tools.{tool}"
        return [*JAVA, name, "--bootstrap-server", self.server, *arguments]

    def run(self, tool, *arguments, text=None):
        done = subprocess.run(self.command(tool, *arguments), input=text, capture_output=True, text=True, timeout=60,
                              check=False)
        wrong = [line for line in (done.stdout + done.stderr).splitlines()
                 if re.search(r"\bERROR\b|\bError\b|Exception\b|\bfailed\b", line)]
        said = [line for line in (done.stderr + done.stdout).splitlines() if line and not line.startswith("SLF4J")]
        if done.returncode != 0 or wrong:
            raise RuntimeError(" ".join(wrong or said[-2:])[:400])
        return done.stdout

    def version(self):
        return re.search(r"kafka-tools-([\d.]+)\.jar", " ".join(
            glob.glob(JARS.split(":", maxsplit=1)[0] + ".jar"))).group(1)

    # --- producing and consuming --------------------------------------------------------------------------------------

    @staticmethod
    def settings(codec="none", acks=-1, idempotent=False, max_request=1048576):
        yield from ("--compression-codec", codec, "--sync")
        for name, value in (("acks", acks), ("enable.idempotence", str(idempotent).lower()), ("linger.ms", 20),
                            ("max.request.size", max_request), ("delivery.timeout.ms", 20000),
                            ("request.timeout.ms", 10000)):
            yield from ("--command-property", f"{name}={value}")

    def produce(self, topic, records, options):
        for each in records:
            if "timestamp" in each or "partition" in each:
                raise adapter.NotOffered("a record's own timestamp or partition")
        for headers, each in itertools.groupby(records, lambda record: bool(record.get("headers"))):
            more = {"parse.key": "true", "key.separator": COLUMNS, "null.marker": NULL}
            if headers:
                more |= {"parse.headers": "true", "headers.delimiter": "\x03"}
            lines = []
            for record in each:
                start = ",".join(":".join(header) for header in record["headers"]) + "\x03" if headers else ""
                lines.append(start + COLUMNS.join(NULL if record[part] is None else record[part]
                                                  for part in ("key", "value")))
            properties = [part for name, value in more.items() for part in ("--reader-property", f"{name}={value}")]
            arguments = list(self.settings(**options))
            if len(records) > 1:
                arguments.remove("--sync")  # it would make a batch of each record
            self.run("ConsoleProducer", "--topic", topic, *arguments, *properties, text="\n".join(lines) + "\n")
        return [None for _ in records]

    def open(self, name, topic, partition, start):
        if isinstance(start, dict) or start == "latest":
            raise adapter.NotOffered("consuming from a time; ConsoleConsumer does not say when it stands at the end")
        shown = {**{f"print.{part}": "true" for part in ("timestamp", "partition", "offset", "headers", "key")},
                 "key.separator": COLUMNS, "null.literal": NULL, "headers.separator": ","}
        properties = [part for each, value in shown.items() for part in ("--formatter-property", f"{each}={value}")]
        self.consumers[name] = Consumer(self.command(
            "consumer.ConsoleConsumer", "--topic", topic, "--partition", str(partition), "--offset", str(start),
            *properties), of_console)

    def join(self, name, group, topic, strategy=None, instance=None, auto_commit=False):
        more = ["--group-instance-id", instance] if instance else []
        more += ["--enable-autocommit"] if auto_commit else []
        strategies = "org.apache.kafka.clients.consumer."
        strategies += "CooperativeStickyAssignor" if strategy else "RangeAssignor"
        self.consumers[name] = Consumer(self.command(
            "VerifiableConsumer", "--topic", topic, "--group-id", group, "--verbose", "--session-timeout", "10000",
            "--assignment-strategy", strategies, *more), of_verifiable)

    def read(self, name, count, seconds):
        return self.consumers[name].stream.read(count, seconds)

    def assignment(self, name):
        return self.consumers[name].held

    def close(self, name):
        self.consumers.pop(name).stream.close()

    def admin_offset(self, topic, partition, at):
        said = self.run("GetOffsetShell", "--topic-partitions", f"{topic}:{partition}", "--time", str(at))
        return int(said.strip().rsplit(":", 1)[1])

    # --- groups -------------------------------------------------------------------------------------------------------

    def of_groups(self, *arguments):
        return self.run("consumer.group.ConsumerGroupCommand", *arguments)

    def rows(self, said, first):
        """A table as the tools print it: a row is a dict."""
        lines = [line.split() for line in said.splitlines() if line.strip()]
        start = next((n for n, line in enumerate(lines) if line[0] == first), None)
        return [] if start is None else [dict(zip(lines[start], line)) for line in lines[start + 1:]]

    def groups(self):
        return self.of_groups("--list").split()

    def group(self, group):
        state = self.rows(self.of_groups("--describe", "--group", group, "--state").replace(
            "COORDINATOR (ID)", "COORDINATOR ID"), "GROUP")[0]
        said = re.search(r"\b(Stable|Empty|Dead|PreparingRebalance|CompletingRebalance)\b", " ".join(state.values()))
        members = self.of_groups("--describe", "--group", group, "--members")
        return {"state": said.group(1), "members": [{} for _ in self.rows(members, "GROUP")]}

    def delete_group(self, group):
        self.of_groups("--delete", "--group", group)

    def group_offsets(self, group, topic):
        said = self.rows(self.of_groups("--describe", "--group", group, "--offsets"), "GROUP")
        return {each["PARTITION"]: int(each["CURRENT-OFFSET"]) for each in said if each["TOPIC"] == topic}

    def alter_group_offsets(self, group, topic, offsets):
        for partition, offset in offsets.items():
            self.of_groups("--reset-offsets", "--group", group, "--topic", f"{topic}:{partition}", "--to-offset",
                           str(offset), "--execute")

    def delete_group_offsets(self, group, topic, partitions):
        for partition in partitions:
            self.of_groups("--delete-offsets", "--group", group, "--topic", f"{topic}:{partition}")

    # --- administration -----------------------------------------------------------------------------------------------

    def topics(self):
        said = self.run("TopicCommand", "--describe")
        return {name: int(count) for name, count in re.findall(r"Topic: (\S+).*PartitionCount: (\d+)", said)}

    def cluster(self):
        said = self.run("BrokerApiVersionsCommand")
        return {"brokers": re.findall(r"^(\S+) \(id: 1 ", said, re.MULTILINE)}

    def create_topic(self, topic, partitions, configs):
        more = [part for name, value in configs.items() for part in ("--config", f"{name}={value}")]
        self.run("TopicCommand", "--create", "--topic", topic, "--partitions", str(partitions), *more)

    def delete_topic(self, topic):
        self.run("TopicCommand", "--delete", "--topic", topic)

    def configs(self, topic):
        said = self.run("kafka.admin.ConfigCommand", "--describe", "--all", "--entity-type", "topics", "--entity-name",
                        topic)
        return dict(re.findall(r"^\s+(\S+?)=(\S*) sensitive", said, re.MULTILINE))

    def alter_configs_incrementally(self, topic, configs):
        self.run("kafka.admin.ConfigCommand", "--alter", "--entity-type", "topics", "--entity-name", topic,
                 "--add-config", ",".join(f"{name}={value}" for name, value in configs.items()))

    def create_partitions(self, topic, total):
        self.run("TopicCommand", "--alter", "--topic", topic, "--partitions", str(total))

    def delete_records(self, topic, partition, before):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"version": 1, "partitions": [{"topic": topic, "partition": partition, "offset": before}]}, file)
            file.flush()
            said = self.run("DeleteRecordsCommand", "--offset-json-file", file.name)
        return int(re.search(r"low_watermark: (\d+)", said).group(1))

    def log_dirs(self, topic):
        said = self.run("LogDirsCommand", "--describe", "--topic-list", topic)
        return sum(int(size) for size in re.findall(r'"size":(\d+)', said))

    def producers(self, topic, partition):
        said = self.rows(self.run("TransactionsCommand", "describe-producers", "--topic", topic, "--partition",
                                  str(partition)), "ProducerId")
        return [[int(each["ProducerId"]), int(each["LastSequence"])] for each in said]


adapter.run(KafkaTools)
