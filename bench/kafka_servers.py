"""Continuo, Apache Kafka and NATS JetStream for the comparisons over Kafka's protocol: starting them, what they cost,
and the programs that load them. Kafka is fetched once from Maven Central, by mvn, into a cache folder."""

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

from side_by_side import BUILD, FOLDER, RUNNING, cached, clean, fill_page_cache, free_port, machine, nats, version

KAFKA_VERSION = "4.1.1"
STARTED = time.monotonic()
GIVEN = argparse.Namespace(quick=False, made=0)  # the arguments of the script
TICK = os.sysconf("SC_CLK_TCK")
# What Kafka's own start script gives the virtual machine, with the heap it defaults to.
JVM = ["java", "-Xms1g", "-Xmx1g", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
       "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true"]
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>continuo</groupId><artifactId>bench</artifactId><version>1</version><dependencies>{dependencies}</dependencies>
</project>
"""
JARS = [("org.apache.kafka", "kafka_2.13", KAFKA_VERSION), ("org.apache.kafka", "kafka-tools", KAFKA_VERSION),
        ("org.slf4j", "slf4j-simple", "1.7.36")]
# Beside the two listeners and the data folder: one node keeps one copy. Files of deleted topics go at once, so that a
# long run does not fill the disk. All else is as shipped.
PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={data}/log
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.segment.delete.delay.ms=100
{fsync}
"""


class Server:
    """A process that speaks Kafka's protocol, or NATS's, and where."""

    def __init__(self, name, command, port, data):
        self.name, self.command, self.port, self.data = name, command, port, data
        self.process = None

    def start(self):
        """Returns the seconds until it answered for itself."""
        begin = time.monotonic()
        # A session of its own: Ctrl-C is for the script, which ends its servers itself.
        with open(os.path.join(self.data, "output"), "a", encoding="utf-8") as output:
            self.process = subprocess.Popen(self.command, stdout=output, stderr=output, start_new_session=True)
        RUNNING.append(self.process)
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() - begin > 120:
                with open(os.path.join(self.data, "output"), encoding="utf-8", errors="replace") as output:
                    raise SystemExit(f"{self.name} does not start:\n{output.read()[-2000:]}")
            time.sleep(0.005)
        return time.monotonic() - begin

    def answers(self):
        return brokers(self.port) > 0

    def end(self, kill=False):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process in RUNNING:
            RUNNING.remove(self.process)
        self.process = None

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def resident_mb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as file:
            return int(next(line for line in file if line.startswith("VmRSS")).split()[1]) / 1024


def brokers(port):
    """How many brokers the metadata names: none before a Kafka serves. Asked in version 1, for no topic."""
    body = struct.pack(">hhih", 3, 1, 1, -1) + struct.pack(">i", 0)
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.settimeout(2)
            connection.sendall(struct.pack(">i", len(body)) + body)
            head = b""
            while len(head) < 12:
                piece = connection.recv(12 - len(head))
                if not piece:
                    return 0
                head += piece
            return struct.unpack(">iii", head)[2]
    except OSError:
        return 0


def kafka_jars():
    """The folder of Kafka's jars; fetched when they are not there."""
    def fetch(target):
        for program in ("java", "mvn"):
            if not shutil.which(program):
                raise SystemExit(f"{program} is missing; ./x install kafka")
        os.makedirs(target)
        pom = os.path.join(os.path.dirname(target), "pom.xml")
        with open(pom, "w", encoding="utf-8") as file:
            file.write(POM.format(dependencies="".join(
                f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
                f"<version>{number}</version></dependency>" for group, artifact, number in JARS)))
        subprocess.run(
            ["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", f"-DoutputDirectory={target}"],
            check=True, timeout=900, stdout=sys.stderr)
    return cached(f"kafka-{KAFKA_VERSION}", fetch)


def java(*words):
    return ["java", "-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", f"{kafka_jars()}/*", *words]


def kafka(fsync=False):
    """A Kafka that has not run yet, as shipped or syncing every batch."""
    data = tempfile.mkdtemp(prefix="kafka-", dir=os.path.abspath(FOLDER))
    port, properties = free_port(), os.path.join(data, "server.properties")
    with open(properties, "w", encoding="utf-8") as file:
        file.write(PROPERTIES.format(port=port, controller=free_port(), data=data,
                                     fsync="log.flush.interval.messages=1" if fsync else ""))
    tool = java("kafka.tools.StorageTool")
    cluster = subprocess.run([*tool, "random-uuid"], capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run([*tool, "format", "-t", cluster, "-c", properties], capture_output=True, check=True)
    command = [*JVM, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{kafka_jars()}/*", "kafka.Kafka",
               properties]
    return Server("Kafka, fsync" if fsync else "Kafka", command, port, data)


def continuo():
    data = tempfile.mkdtemp(prefix="continuo-", dir=os.path.abspath(FOLDER))
    port = free_port()
    command = [f"{BUILD}/continuo", "serve", "--data", data, "--http", f"127.0.0.1:{free_port()}", "--kafka",
               f"127.0.0.1:{port}"]
    return Server("Continuo", command, port, data)


def nats_servers():
    """In both modes, as far as the one that is installed knows them."""
    if not shutil.which("nats-server"):
        print("no nats-server: left out")
        return []
    told = version(["nats-server", "--version"])
    if tuple(map(int, told.rpartition("v")[2].split(".")[:2])) >= (2, 10):
        return [nats_server(False), nats_server(True)]
    print(f"{told} cannot sync before it answers, which 2.10 can: that column is left out")
    return [nats_server(False)]


def nats_server(sync):
    server = Server("NATS, synced" if sync else "NATS", [], 0, FOLDER)
    server.process, server.port = nats(sync)
    return server


def all_three():
    """Kafka in both modes and Continuo, started, warm and at rest."""
    servers = [kafka(), kafka(fsync=True), continuo()]
    for server in servers:
        print(f"{server.name}: ready after {server.start():.1f} s", file=sys.stderr)
    time.sleep(3)  # Continuo's ring is prepared, which is work of the first start only
    for server in servers:
        warm(server, 1 if GIVEN.quick else 6)
    return servers


def warm(server, seconds=3):
    """Just-in-time compilers and the topic of the groups' offsets are not what is measured."""
    fresh_topic(server, "warm", 4)
    for bytes_in_batch in (16 << 10, 256 << 10):
        raw(server, "produce", topic="warm", partitions=4, connections=4, seconds=seconds / 2,
            batch_bytes=bytes_in_batch)
    raw(server, "fetch", topic="warm", partitions=4, connections=2, seconds=seconds / 2)
    raw(server, "group", topic="warm", connections=4, seconds=0.5)
    drop(server, "warm")


def drop(server, topic):
    """Deletes a topic and waits until its files are gone: what of it is not on the disk yet is then never written, and
    not while the next server is measured. The memory it had is taken again at once (see fill_page_cache)."""
    raw(server, "delete", topic=topic)
    log = os.path.join(server.data, "log")
    end = time.monotonic() + 40  # Kafka looks for what it has to delete from half a minute after its start on
    while os.path.isdir(log) and any(name.endswith("-delete") for name in os.listdir(log)):
        if time.monotonic() > end:
            raise LoadFailed(f"{server.name} does not delete the files of {topic}")
        time.sleep(0.05)
    take_free_memory()


def take_free_memory():
    if not GIVEN.quick:
        fill_page_cache(1 << 30)


# --- the programs that load -------------------------------------------------------------------------------------------

class LoadFailed(Exception):
    pass


def options(settings):
    return [word for name, value in settings.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def run(command, timeout):
    """What the program printed. One that fails or hangs is a hole in a table and not the end of the run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise LoadFailed(f"{' '.join(command)}: nothing after {timeout} s") from None
    if done.returncode != 0:
        raise LoadFailed(f"{' '.join(command)}: {done.stderr[-500:] or done.stdout[-500:]}")
    return done.stdout


def raw(server, what, **settings):
    """kafka_load against a server; what it printed, or None of what prints nothing."""
    printed = run([f"{BUILD}/kafka_load", what, "--port", str(server.port), *options(settings)],
                  300 + settings.get("seconds", 0))
    return json.loads(printed) if printed else None


def rdkafka(server, what, **settings):
    printed = run([f"{BUILD}/rdkafka_load", what, "--brokers", f"127.0.0.1:{server.port}", *options(settings)],
                  300 + settings.get("seconds", 0))
    return json.loads(printed)


def with_cpu(server, load, all_bytes=lambda figures: figures["all_bytes"]):
    """The figures of `load()`, and what the server's processors did for each GB of record values."""
    before = server.cpu_seconds()
    figures = load()
    spent = server.cpu_seconds() - before
    figures["cpu_s_per_gb"] = spent / max(all_bytes(figures) / 1e9, 1e-9)
    return figures


def attempt(runs, key, load):
    """Adds the figures of `load()` to those of `key`; a failure is told and leaves a hole."""
    try:
        runs.setdefault(key, []).append(load())
    except LoadFailed as failure:
        print(f"failed: {failure}", file=sys.stderr)


def whatever_fails(one, *arguments):
    """A case on one server; should it fail outside of what is measured, the others still have their turn."""
    try:
        one(*arguments)
    except LoadFailed as failure:
        print(f"failed: {failure}", file=sys.stderr)


def middle(runs, key, name):
    """The median over the runs that there were, or None."""
    values = [figures[name] for figures in runs.get(key, []) if name in figures]
    return statistics.median(values) if values else None


# --- cells ------------------------------------------------------------------------------------------------------------

def fresh_topic(server, topic, partitions):
    """A topic of which every partition was written to once: the first write to each makes Kafka sync a file (its leader
    epochs), which is not what is measured."""
    raw(server, "topic", topic=topic, partitions=partitions)
    raw(server, "produce", topic=topic, partitions=partitions, connections=4, record_bytes=16, batch_bytes=80,
        megabytes=partitions * 16 / 1e6)


def in_memory_topic(server, topic, partitions, batch_bytes, record_bytes, megabytes=200):
    """A topic of so much, written by requests made before: what is read from it is what was written last."""
    fresh_topic(server, topic, partitions)
    raw(server, "produce", topic=topic, partitions=partitions, connections=4, in_flight=2, megabytes=megabytes,
        batch_bytes=batch_bytes, record_bytes=record_bytes)


def number(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def ratio(mine, other, digits=2):
    return "-" if mine is None or not other else f"{mine / other:.{digits}f}"


def rate(runs, key, name="records_per_s"):
    records = middle(runs, key, name)
    return "-" if records is None else f"{records:,.0f} ({middle(runs, key, 'mb_per_s'):,.0f} MB/s)"


# --- the script -------------------------------------------------------------------------------------------------------

def arguments(seconds, rounds, minutes, more=()):
    """--quick, --seconds, --rounds, --minutes, and what a script has besides."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="one short round, to see that it works")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--minutes", type=float, default=minutes, help="begin no round that would take longer")
    for name, settings in more:
        parser.add_argument(name, **settings)
    parser.parse_args(namespace=GIVEN)
    GIVEN.seconds = GIVEN.seconds or (min(0.5, seconds) if GIVEN.quick else seconds)
    GIVEN.rounds = GIVEN.rounds or (1 if GIVEN.quick else rounds)
    return GIVEN


def rounds(count):
    """The numbers of the rounds. None begins that would not end within the time the script has, by what the longest of
    them took; GIVEN.made says how many there were."""
    begin, longest = time.monotonic(), 0
    for round_number in range(count):
        before = time.monotonic()
        if round_number > 0 and before - STARTED + longest > GIVEN.minutes * 60:
            progress(f"{round_number} of {count} rounds: no time for more")
            return
        progress(f"round {round_number + 1} of {count}; {before - begin:.0f} s so far")
        yield round_number
        GIVEN.made = round_number + 1
        longest = max(longest, time.monotonic() - before)


def versions():
    first = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr.split("\n")[0]
    return (f"{version([f'{BUILD}/continuo', '--version'])}; Apache Kafka {KAFKA_VERSION}, heap 1 GiB, {first}; "
            f"{version([f'{BUILD}/rdkafka_load', 'version'])}; "
            f"{version(['nats-server', '--version']) if shutil.which('nats-server') else 'no nats-server'}")


DURABILITY = ("Kafka: as shipped, acknowledged before it is on the disk. Kafka, fsync: log.flush.interval.messages=1, "
              "synced after every batch. Continuo: acknowledged when it is on the disk.")


def script(main):
    """Runs `main` and ends what it started, however it ends. The arguments are read already."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    begin = time.monotonic()
    try:
        kafka_jars()
        take_free_memory()
        print(machine())
        print(versions())
        print(DURABILITY, flush=True)
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except LoadFailed as failure:
        sys.exit(f"failed: {failure}")
    finally:
        clean()
    print(f"took {time.monotonic() - begin:.0f} s", file=sys.stderr)


def progress(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
