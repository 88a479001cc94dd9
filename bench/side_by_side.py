"""Servers, load and tables for the comparisons in this folder. Every comparison runs its sides in turn in one run,
and prints medians."""

import contextlib
import http.client
import json
import mmap
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("CONTINUO_BUILD", "build")
CACHE = os.environ.get("CONTINUO_BENCH_CACHE", os.path.expanduser("~/.cache/continuo-bench"))
FOLDER = tempfile.mkdtemp(prefix="bench-", dir=os.environ.get("CONTINUO_BENCH_DIR", "."))
RUNNING = []


def cached(name, make):
    """What `make(folder)` fetched into the cache, once; half of it is never kept."""
    folder = os.path.join(CACHE, name)
    if not os.path.isdir(folder):
        os.makedirs(CACHE, exist_ok=True)
        making = tempfile.mkdtemp(prefix="fetching-", dir=CACHE)
        try:
            print(f"fetching {name} into {CACHE}", file=sys.stderr)
            make(os.path.join(making, name))
            os.rename(os.path.join(making, name), folder)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    return folder


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


def start(command, port):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    RUNNING.append(process)
    wait_for(port)
    return process


def stop(process):
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
    RUNNING.remove(process)


def clean():
    for process in list(RUNNING):
        process.kill()
        process.wait()
    shutil.rmtree(FOLDER, ignore_errors=True)


def fill_page_cache(leave=2 << 30):
    """A server that has run for a while has no free memory: its page cache is full, and grows by dropping what is old.
    A virtual machine with free memory gets each page from its host when it is first touched (and gives it back when it
    is freed), at a few hundred MB/s, which would be charged to whoever writes files first. So the cache is filled
    with nothing, the holes of a sparse file, before anybody is measured, and again when some of it is free again."""
    with open("/proc/meminfo", encoding="ascii") as lines:
        free = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemFree:"))
    if free <= leave:
        return
    handle, path = tempfile.mkstemp(prefix="holes-", dir=FOLDER)
    os.truncate(path, free - leave)
    piece = bytearray(1 << 20)
    while os.readv(handle, [piece]) > 0:
        pass
    os.close(handle)


def continuo(settle_s=3, *flags):
    """A fresh Continuo; always durable. Waits until its ring is prepared, which is work of the first start only."""
    port, data = free_port(), tempfile.mkdtemp(prefix="continuo-", dir=FOLDER)
    process = start([f"{BUILD}/continuo", "serve", "--data", data, "--http", f"127.0.0.1:{port}", *flags], port)
    time.sleep(settle_s)
    return process, port


def resident_mb(process):
    with open(f"/proc/{process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_us(process):
    """Processor time of all threads that the process has now."""
    total = 0
    for thread in os.listdir(f"/proc/{process.pid}/task"):
        with open(f"/proc/{process.pid}/task/{thread}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1000


def nats(sync):
    port, data = free_port(), tempfile.mkdtemp(prefix="nats-", dir=FOLDER)
    config = os.path.join(data, "nats.conf")
    with open(config, "w", encoding="utf-8") as file:
        interval = ', sync_interval: "always"' if sync else ""
        file.write(f'host: 127.0.0.1\nport: {port}\njetstream {{ store_dir: "{data}"{interval} }}\n')
    process = start([shutil.which("nats-server"), "-c", config], port)
    subject = {
        "name": "load",
        "subjects": ["load.*"],
        "storage": "file",
        "retention": "limits",
        "discard": "old",
        "num_replicas": 1,
    }
    body = json.dumps(subject).encode()
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(
            b'CONNECT {"verbose":false}\r\nSUB _INBOX.make 1\r\n'
            b"PUB $JS.API.STREAM.CREATE.load _INBOX.make %d\r\n%s\r\nPING\r\n" % (len(body), body)
        )
        answer = b""
        while b'"type"' not in answer:
            answer += connection.recv(65536)
        if b'"error"' in answer:
            raise SystemExit(f"nats-server refused the stream: {answer.decode()}")
    return process, port


def version(command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split("\n")[0].strip()


def load_command(port, settings):
    command = [f"{BUILD}/load", "--port", str(port)]
    for name, value in settings.items():
        command += [f"--{name}", str(value)]
    return command


def load(port, **settings):
    """One run of the load generator; returns what it printed."""
    command = load_command(port, settings)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    return json.loads(done.stdout)


def background_load(port, **settings):
    """A run of the load generator that goes on: `stop` it, or wait for it."""
    process = subprocess.Popen(load_command(port, settings), stdout=subprocess.DEVNULL)
    RUNNING.append(process)
    return process


def request(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read() or b"null")


@contextlib.contextmanager
def raw_writes(size, file_bytes):
    """The device itself: gives a function that does the n-th O_DIRECT|O_DSYNC write of so many bytes, in a file written
    before."""
    path = os.path.join(FOLDER, "raw")
    with open(path, "wb") as file:
        for _ in range(file_bytes // size):
            file.write(b"f" * size)
        os.fsync(file.fileno())
    block = mmap.mmap(-1, size)
    block.write(b"g" * size)
    handle = os.open(path, os.O_RDWR | os.O_DIRECT | os.O_DSYNC)
    try:
        yield lambda number: os.pwritev(handle, [block], number * size % file_bytes)
    finally:
        os.close(handle)
        os.unlink(path)


def flush_us(rounds=1000):
    """The raw flush, of 4 KiB: mean, median and 99th percentile."""
    times = []
    with raw_writes(4096, 1 << 22) as write:
        for number in range(rounds):
            begin = time.perf_counter_ns()
            write(number)
            times.append((time.perf_counter_ns() - begin) / 1000)
    times.sort()
    return sum(times) / len(times), times[len(times) // 2], times[len(times) * 99 // 100]


def device_mb_per_s(seconds=5):
    """What the device takes of 1 MiB writes, one after the other."""
    with raw_writes(1 << 20, 256 << 20) as write:
        begin, count = time.monotonic(), 0
        while time.monotonic() - begin < seconds:
            write(count)
            count += 1
        return (count << 20) / 1e6 / (time.monotonic() - begin)


def medians(runs):
    """The median of every figure over the runs."""
    return {
        name: statistics.median(run[name] for run in runs)
        for name in runs[0]
        if isinstance(runs[0][name], (int, float))
    }


def seconds_and_rounds(default_s=3, default_rounds=5):
    seconds, rounds = default_s, default_rounds
    arguments = sys.argv[1:]
    while arguments:
        name = arguments.pop(0)
        if name == "--seconds":
            seconds = float(arguments.pop(0))
        elif name == "--rounds":
            rounds = int(arguments.pop(0))
        else:
            raise SystemExit(f"unknown argument {name}; there are --seconds S and --rounds N")
    return seconds, rounds


def asked(port, method, path, body=None):
    """The answer to a request that has to succeed."""
    status, answer = request(port, method, path, body)
    if status >= 300:
        raise SystemExit(f"{method} {path}: {status} {answer}")
    return answer


def machine():
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in open("/proc/cpuinfo", encoding="utf-8")
            if line.startswith("model name")
        ),
        "?",
    )
    return f"{os.cpu_count()} x {model}, load {os.getloadavg()[0]:.1f} before; generator and server share them"


def our_version():
    return version([f"{BUILD}/continuo", "--version"])


def verdict(met):
    return "met" if met else "not met"


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print(flush=True)
