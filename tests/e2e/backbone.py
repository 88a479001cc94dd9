"""A server under test and a client for it, for the end-to-end scripts. Standard library only."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def build_folder():
    return os.environ.get("CONTINUO_BUILD", os.path.join(os.path.dirname(__file__), "..", "..", "build"))


def program():
    path = os.environ.get("CONTINUO", os.path.join(build_folder(), "continuo"))
    if not os.path.exists(path):
        skip(f"{path} is not built")
    return path


def good(answer):
    """The body of an answer that is no refusal."""
    status, body = answer[:2]
    assert 200 <= status < 300, (status, body)
    return body


def eventually(ask, seconds, what):
    """What `ask` gives as soon as it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := ask():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come in {seconds} s")


class Server:
    """`continuo serve` on a free port of the loopback."""

    def __init__(self, data, *arguments, port=0, wait=30):
        self.data = data
        self.process = subprocess.Popen(
            [program(), "serve", "--data", data, "--http", f"127.0.0.1:{port}", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.errors = []
        threading.Thread(target=self._drain, daemon=True).start()
        self.port = self._endpoint(wait)

    def _drain(self):
        for line in self.process.stderr:
            self.errors.append(line)

    def _endpoint(self, wait):
        line = self.process.stdout.readline()
        if "http://" not in line:
            self.process.wait(wait)
            time.sleep(0.1)
            raise RuntimeError(f"the server did not start: {line}{''.join(self.errors)}")
        self.kafka = line.split(" kafka=", 1)[1].split()[0] if " kafka=" in line else None
        return int(line.split("http://", 1)[1].split()[0].rsplit(":", 1)[1].strip("/,"))

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        return self.process.wait(60)


@contextlib.contextmanager
def running(name):
    """A folder, and a list with a server on it. What a test starts in its place goes into the list; the last one has to
    stop in peace, and nothing is left of either."""
    data = tempfile.mkdtemp(prefix=f"continuo-{name}-")
    servers = [Server(data)]
    try:
        yield data, servers
        assert servers[-1].stop() == 0, servers[-1].errors
    finally:
        for server in servers:
            server.process.kill()
            server.process.wait()
        shutil.rmtree(data, ignore_errors=True)


class Client:
    """One keep-alive connection."""

    def __init__(self, port, timeout=30):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def ask(self, method, path, body=None, kind="application/json"):
        text = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        self.connection.request(method, path, text, {"Content-Type": kind} if text is not None else {})
        answer = self.connection.getresponse()
        content = answer.read()
        parsed = json.loads(content) if content and "json" in (answer.getheader("Content-Type") or "") else content
        return answer.status, parsed, answer

    def publish(self, topic, events):
        return self.ask("POST", f"/v1/topics/{topic}/events", events, "application/cloudevents-batch+json")[:2]

    def read_all(self, topic, partition):
        """Every event of one partition: a list of (offset, event)."""
        events, at = [], "earliest"
        while True:
            status, got, answer = self.ask(
                "GET", f"/v1/topics/{topic}/events?partition={partition}&from={at}&limit=1000"
            )
            assert status == 200, (status, got)
            if not got:
                return events
            events += [(int(event["offset"]), event) for event in got]
            at = answer.getheader("Continuo-Next")


def event(identity, key, data="", kind="Tested"):
    return {"specversion": "1.0", "id": identity, "source": "/test", "type": kind, "subject": key, "data": data}


class Publishers:
    """Threads that publish small batches until told to stop, and remember what was acknowledged: id -> (partition,
    offset)."""

    def __init__(self, port, topic, threads=4, batch=5, size=200):
        self.acknowledged = {}
        self.stopping = False
        self.lock = threading.Lock()
        self.threads = [
            threading.Thread(target=self._run, args=(port, topic, number, batch, size), daemon=True)
            for number in range(threads)
        ]
        for thread in self.threads:
            thread.start()

    def _run(self, port, topic, number, batch, size):
        client, count = Client(port, timeout=10), 0
        while not self.stopping:
            events = [
                event(f"{port}-{number}-{time.monotonic_ns()}-{count + i}", f"k{(count + i) % 7}", "x" * size)
                for i in range(batch)
            ]
            count += batch
            try:
                status, answer = client.publish(topic, events)
            except (OSError, http.client.HTTPException):
                return
            if status == 201:
                with self.lock:
                    for sent, place in zip(events, answer["events"]):
                        self.acknowledged[sent["id"]] = (place["partition"], int(place["offset"]))
            elif status in (429, 503, 507):
                time.sleep(0.05)
            else:
                return

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join(20)
        return self.acknowledged


def check_acknowledged(client, topic, partitions, acknowledged):
    """Every acknowledged event is there once, at its offset; offsets grow. Returns the number of events found."""
    found, total = {}, 0
    for partition in range(partitions):
        last = -1
        for offset, got in client.read_all(topic, partition):
            assert offset > last, f"offset {offset} after {last} in partition {partition}"
            last = offset
            assert (
                got["id"] not in found
            ), f"event {got['id']} is there twice: {found[got['id']]} and {(partition, offset)}"
            found[got["id"]] = (partition, offset)
            total += 1
    for identity, place in acknowledged.items():
        assert (
            found.get(identity) == place
        ), f"event {identity} was acknowledged at {place}, found at {found.get(identity)}"
    return total


class LoopImage:
    """A file system of its own in a file. Needs root, loop devices and the mkfs of its kind; else the test is
    skipped."""

    def __init__(self, folder, kind, megabytes):
        self.folder, self.kind = folder, kind
        self.file = os.path.join(folder, f"{kind}.img")
        self.place = os.path.join(folder, kind)
        if os.geteuid() != 0:
            skip("needs root to mount an image")
        if not shutil.which(f"mkfs.{kind}"):
            skip(f"mkfs.{kind} is not installed")
        os.makedirs(self.place, exist_ok=True)
        with open(self.file, "wb") as image:
            image.truncate(megabytes << 20)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        flags = ["-q", "-F"] if kind == "ext4" else ["-q", "-f"]
        if subprocess.run([f"mkfs.{kind}", *flags, self.file], **quiet).returncode != 0:
            skip(f"mkfs.{kind} fails here")
        self.mount()

    def mount(self):
        if subprocess.run(["mount", "-o", "loop", self.file, self.place], stderr=subprocess.DEVNULL).returncode != 0:
            skip(f"{self.kind} images cannot be mounted here")

    def unmount(self):
        for _ in range(50):
            if subprocess.run(["umount", self.place], stderr=subprocess.DEVNULL).returncode == 0:
                return
            time.sleep(0.1)
        subprocess.run(["umount", "-l", self.place], check=False)

    def power_cut(self):
        """FS_IOC_SHUTDOWN without flushing the file system's journal: what is not on the disk is gone."""
        import fcntl
        import struct

        handle = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, 0x8004587D, struct.pack("I", 2))
        finally:
            os.close(handle)
