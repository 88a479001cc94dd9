"""One check of one client: programs of the client (adapters, spoken to by lines of JSON), and a server they talk to."""

import json
import os
import select
import subprocess
import threading
import time

import backbone
import wire


class Refused(Exception):
    """The client answered with an error."""


class NotOffered(Exception):
    """The client cannot do this by its nature."""


class Skipped(Exception):
    """The client could, were something else there."""


class Program:
    """A running adapter. Its methods are the adapter's: a call is a line to it, and a line from it."""

    def __init__(self, command, server, folder, patience=75):
        self.patience = patience
        self.said = open(os.path.join(folder, "adapter.log"), "ab")
        self.process = subprocess.Popen([*command, server], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.said, start_new_session=True)

    def ask(self, method, **arguments):
        line = json.dumps({"do": method, **arguments}) + "\n"
        try:
            self.process.stdin.write(line.encode())
            self.process.stdin.flush()
        except OSError as gone:
            raise RuntimeError(f"the client's program has ended, asked for {method}") from gone
        ready, _, _ = select.select([self.process.stdout], [], [], self.patience)
        if not ready:
            raise RuntimeError(f"no answer to {method} within {self.patience} s")
        text = self.process.stdout.readline()
        if not text:
            raise RuntimeError(f"the client's program ended at {method}")
        answer = json.loads(text)
        if "not_offered" in answer:
            raise NotOffered(answer["not_offered"])
        if "skipped" in answer:
            raise Skipped(answer["skipped"])
        if "error" in answer:
            raise Refused(f"{method}: {answer['error']}")
        return answer.get("ok")

    def produce(self, topic, records, **options):
        return self.ask("produce", topic=topic, records=records, options=options)

    def open(self, name, topic, partition, start):
        return self.ask("open", name=name, topic=topic, partition=partition, start=start)

    def join(self, name, group, topic, **options):
        return self.ask("join", name=name, group=group, topic=topic, **options)

    def error(self, method, *arguments, **options):
        """What the client says against it; it must say something."""
        try:
            said = getattr(self, method)(*arguments, **options)
        except Refused as refused:
            return str(refused)
        raise AssertionError(f"{method} was not refused: {str(said)[:100]}")

    ARGUMENTS = {
        "read": ("name", "count", "seconds"), "assignment": ("name",), "commit": ("name", "topic", "offsets"),
        "committed": ("name", "topic", "partition"), "close": ("name",), "offset": ("topic", "partition", "at"),
        "admin_offset": ("topic", "partition", "at"), "topics": (), "cluster": (), "version": (),
        "create_topic": ("topic", "partitions", "configs"), "delete_topic": ("topic",), "configs": ("topic",),
        "alter_configs": ("topic", "configs"), "alter_configs_incrementally": ("topic", "configs"),
        "create_partitions": ("topic", "total"), "delete_records": ("topic", "partition", "before"),
        "log_dirs": ("topic",), "producers": ("topic", "partition"), "groups": (), "group": ("group",),
        "delete_group": ("group",), "group_offsets": ("group", "topic"),
        "alter_group_offsets": ("group", "topic", "offsets"), "delete_group_offsets": ("group", "topic", "partitions"),
    }

    def __getattr__(self, method):
        names = self.ARGUMENTS[method]
        return lambda *arguments: self.ask(method, **dict(zip(names, arguments, strict=True)))

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.said.close()


class Cluster:
    """A server that can be killed and started again where it was."""

    def __init__(self, folder):
        self.folder = folder
        self.server = None
        self.start()

    def start(self, kafka="127.0.0.1:0", port=0):
        self.server = backbone.Server(os.path.join(self.folder, "data"), "--kafka", kafka, "--journal-size", "64MiB",
                                      port=port)

    def again(self):
        self.server.kill()
        time.sleep(0.5)
        self.start(self.server.kafka, self.server.port)


class Trial:
    Refused = Refused

    def __init__(self, command, cluster, name):
        self.command, self.cluster = command, cluster
        self.topic, self.group = f"{name}-topic", f"{name}-group"
        self.programs = []
        self.named = {}
        self.shared = None

    @property
    def server(self):
        return self.cluster.server

    @property
    def http(self):
        return backbone.Client(self.server.port)

    def start(self):
        self.programs.append(Program(self.command, self.server.kafka, self.cluster.folder))
        return self.programs[-1]

    def program(self, name):
        if name not in self.named:
            self.named[name] = self.start()
        return self.named[name]

    a = property(lambda self: self.program("a"))
    b = property(lambda self: self.program("b"))
    c = property(lambda self: self.program("c"))

    def make_topic(self, partitions, **settings):
        status, said, _ = self.http.ask("PUT", f"/v1/topics/{self.topic}", {"partitions": partitions, **settings})
        assert status in (200, 201), said

    def read_from(self, start, count, partition=0, seconds=15):
        """So many records, and no more for a moment."""
        name = f"from {start} {partition} {time.monotonic()}"
        self.a.open(name, self.topic, partition, start)
        found = self.a.read(name, count, seconds)
        found += self.a.read(name, 1, 0.3)
        self.a.close(name)
        return found

    def all(self, partition=0):
        """All records of a partition, as the client reads them: fails when it does not read each of them once."""
        stored = wire.batches(self.server.kafka, self.topic, partition)
        wanted = [batch.offset + n for batch in stored for n in range(batch.count)]
        found = self.read_from("earliest", len(wanted), partition, 60)
        offsets = [each["offset"] for each in found]
        assert offsets == wanted, (
            f"partition {partition} holds {len(wanted)} records, the client read {len(offsets)}: "
            f"{len(offsets) - len(set(offsets))} twice, without {sorted(set(wanted) - set(offsets))[:5]} and others")
        return found

    def kill_and_start(self, after):
        def run():
            time.sleep(after)
            self.cluster.again()
        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def end(self):
        for program in self.programs:
            if program.process.poll() is None or not program.said.closed:
                program.kill()
