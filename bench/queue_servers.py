"""The servers of queues, each with data of its own and as shipped, but for what is said: RabbitMQ, NATS with JetStream,
Redis, PostgreSQL. What is not installed is named with how to install it, never left out in silence."""

import glob
import os
import shutil
import socket
import subprocess
import tempfile
import time

from side_by_side import FOLDER, RUNNING, cached, continuo, free_port, start, version, wait_for


NATS = "2.12.1"


class NotHere(Exception):
    """Why a server does not run here."""


def program(name, package, *folders):
    """Where a program is: in these folders, or in the path."""
    for folder in (*folders, *os.environ["PATH"].split(":")):
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    raise NotHere(f"no {name}: apt-get install {package}")


def module(name, package):
    try:
        return __import__(name)
    except ImportError:
        raise NotHere(f"no Python module {name}: apt-get install {package}") from None


def data_folder(name):
    return tempfile.mkdtemp(prefix=f"{name}-", dir=os.path.abspath(FOLDER))


def end(process):
    """By its own signal, and waited for."""
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process in RUNNING:
        RUNNING.remove(process)


class Family(subprocess.Popen):
    """A process and those it starts: signals are for all of them."""

    def send_signal(self, sig):
        if self.poll() is None:
            os.killpg(self.pid, sig)


def run_in(folder, command, environment=None):
    """What it says is kept in the folder."""
    with open(os.path.join(folder, "output"), "wb") as output:
        process = Family(command, env=environment, stdout=output, stderr=output, cwd=folder, start_new_session=True)
    RUNNING.append(process)
    return process


class Server:
    """A running server of a queue: `port`, `version`, and `stop()`."""

    def __init__(self, process, port, its_version, after=lambda: None):
        self.process, self.port, self.version, self.after = process, port, its_version, after

    def stop(self):
        end(self.process)
        self.after()


def our_own():
    process, port = continuo()
    return Server(process, port, version([process.args[0], "--version"]))


def rabbitmq():
    """A node of its own, with a port mapper of its own."""
    server = program("rabbitmq-server", "rabbitmq-server", "/usr/lib/rabbitmq/bin")
    epmd = program("epmd", "erlang-base", *sorted(glob.glob("/usr/lib/erlang/erts-*/bin")))
    data, port, mapper_port = data_folder("rabbitmq"), free_port(), free_port()
    mapper = start([epmd, "-port", str(mapper_port), "-address", "127.0.0.1"], mapper_port)
    config = os.path.join(data, "rabbitmq.conf")
    with open(config, "w", encoding="utf-8") as file:
        file.write(f"listeners.tcp.default = 127.0.0.1:{port}\n")
    environment = {**os.environ, "ERL_EPMD_PORT": str(mapper_port), "HOME": data, "RABBITMQ_CONFIG_FILE": config,
                   "RABBITMQ_NODENAME": f"bench{port}@localhost", "RABBITMQ_NODE_PORT": str(port),
                   "RABBITMQ_DIST_PORT": str(free_port()), "RABBITMQ_MNESIA_BASE": os.path.join(data, "mnesia"),
                   "RABBITMQ_LOG_BASE": os.path.join(data, "log"), "RABBITMQ_PID_FILE": os.path.join(data, "pid"),
                   "RABBITMQ_ENABLED_PLUGINS_FILE": os.path.join(data, "plugins")}
    process = run_in(data, [server], environment)
    wait_for(port, 90)
    packaged = subprocess.run(["dpkg-query", "-W", "-f=${Version}", "rabbitmq-server"], capture_output=True, text=True,
                              check=False).stdout.split("-")[0]
    return Server(process, port, f"RabbitMQ {packaged}", lambda: end(mapper))


def nats():
    """JetStream on files, synced as shipped: every two minutes."""
    return _nats(program("nats-server", "nats-server", "/usr/sbin"), "")


def nats_synced():
    """On the disk before it answers, which 2.10 and later can: Go's proxy has it where Debian's is older."""
    path = program("nats-server", "nats-server", "/usr/sbin")
    if tuple(map(int, version([path, "--version"]).rpartition("v")[2].split(".")[:2])) < (2, 10):
        path = os.path.join(cached(f"nats-server-{NATS}", fetch_nats), "nats-server")
    return _nats(path, ', sync_interval: "always"')


def _nats(path, interval):
    port, data = free_port(), data_folder("nats")
    config = os.path.join(data, "nats.conf")
    with open(config, "w", encoding="utf-8") as file:
        file.write(f'host: 127.0.0.1\nport: {port}\njetstream {{ store_dir: "{data}"{interval} }}\n')
    process = start([path, "-c", config], port)
    return Server(process, port, version([path, "--version"]).replace("nats-server: v", "NATS "))


def fetch_nats(folder):
    made = subprocess.run([program("go", "golang"), "install", f"github.com/nats-io/nats-server/v2@v{NATS}"],
                          env={**os.environ, "GOBIN": folder, "GOFLAGS": "-mod=mod"}, capture_output=True, text=True,
                          check=False)
    if made.returncode != 0:
        raise NotHere(f"nats-server {NATS}: {(made.stderr.strip() or 'go failed').splitlines()[-1]}")


def redis(fsync):
    """`fsync`: appendfsync, always or everysec."""
    path, port, data = program("redis-server", "redis-server"), free_port(), data_folder("redis")
    process = start([path, "--port", str(port), "--bind", "127.0.0.1", "--dir", data, "--save", "",
                     "--appendonly", "yes", "--appendfsync", fsync], port)
    return Server(process, port, "Redis " + version([path, "--version"]).split("v=")[1].split()[0])


def postgres():
    """A cluster of its own, as shipped: synchronous_commit is on. It refuses to run as root."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)
    initdb, path = program("initdb", "postgresql", *folders), program("postgres", "postgresql", *folders)
    port, data = free_port(), data_folder("postgres")
    as_user = []
    if os.getuid() == 0:
        as_user = [program("setpriv", "util-linux"), "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        for folder in (os.path.abspath(FOLDER), data):
            os.chmod(folder, 0o755)
        shutil.chown(data, "postgres", "postgres")
    cluster = os.path.join(data, "cluster")
    made = subprocess.run([*as_user, initdb, "-D", cluster, "-U", "bench", "-A", "trust", "-E", "UTF8"],
                          capture_output=True, text=True, check=False, cwd="/")
    if made.returncode != 0:
        raise NotHere(f"initdb: {made.stderr.strip().splitlines()[-1]}")
    process = run_in(data, [*as_user, path, "-D", cluster, "-p", str(port), "-h", "127.0.0.1", "-k", ""])
    wait_for(port, 30)
    time.sleep(0.5)
    return Server(process, port, "PostgreSQL " + version([path, "--version"]).split()[2])


# --- two protocols, as far as queues need them ------------------------------------------------------------------------

class Wire:
    """A socket read by lines and by counts."""

    def __init__(self, port, timeout=10):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.input = self.socket.makefile("rb", 1 << 16)

    def send(self, data):
        self.socket.sendall(data)

    def line(self):
        text = self.input.readline()
        if not text.endswith(b"\r\n"):
            raise ConnectionError("the connection ended")
        return text[:-2]

    def take(self, count):
        data = self.input.read(count + 2)
        if len(data) != count + 2:
            raise ConnectionError("the connection ended")
        return data[:-2]


class Resp(Wire):
    """Redis' protocol."""

    def ask(self, *words):
        return self.ask_all([words])[0]

    def ask_all(self, commands):
        """All of them in one go."""
        out = bytearray()
        for words in commands:
            out += b"*%d\r\n" % len(words)
            for word in words:
                data = word if isinstance(word, bytes) else str(word).encode()
                out += b"$%d\r\n%s\r\n" % (len(data), data)
        self.send(out)
        return [self.answer() for _ in commands]

    def answer(self):
        line = self.line()
        kind, rest = line[:1], line[1:]
        if kind == b"$":
            return None if rest == b"-1" else self.take(int(rest))
        if kind == b"*":
            return None if rest == b"-1" else [self.answer() for _ in range(int(rest))]
        if kind == b":":
            return int(rest)
        if kind == b"-":
            raise RuntimeError(rest.decode())
        return rest


class Nats(Wire):
    """NATS' protocol. A message is (subject, reply, headers, data)."""

    def __init__(self, port, timeout=10):
        super().__init__(port, timeout)
        self.line()
        self.inbox = f"_INBOX.{port}.{id(self)}"
        self.send(b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\nSUB %s.* 1\r\n'
                  % self.inbox.encode())
        self.asked = 0

    def publish(self, subject, data=b"", reply=""):
        words = f"PUB {subject} {reply} {len(data)}" if reply else f"PUB {subject} {len(data)}"
        self.send(words.encode() + b"\r\n" + data + b"\r\n")

    def message(self):
        while True:
            words = self.line().split()
            if words[0] == b"PING":
                self.send(b"PONG\r\n")
            elif words[0] == b"MSG":
                data = self.take(int(words[-1]))
                return words[1].decode(), words[3].decode() if len(words) == 5 else "", b"", data
            elif words[0] == b"HMSG":
                data = self.take(int(words[-1]))
                head = int(words[-2])
                return words[1].decode(), words[3].decode() if len(words) == 6 else "", data[:head], data[head:]
            elif words[0] == b"-ERR":
                raise RuntimeError(b" ".join(words).decode())

    def new_inbox(self):
        self.asked += 1
        return f"{self.inbox}.{self.asked}"

    def ask(self, subject, data=b""):
        """One answer to one request; answers to earlier ones that come late are passed over."""
        inbox = self.new_inbox()
        self.publish(subject, data, inbox)
        while True:
            to, _, head, answer = self.message()
            if to == inbox:
                if b"503" in head[:16]:
                    raise RuntimeError(f"nobody answers to {subject}")
                return answer
