#!/usr/bin/env python3
"""Webhooks and copies, end to end: signed, in order per key over a receiver that fails and a server that is killed;
secrets stay hidden; private addresses and copies that go round are refused. runs-beside-others"""

import base64
import collections
import hashlib
import hmac
import http.server
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import cli_server
from cli_server import Server, eventually

SECRET = "whsec_" + base64.b64encode(b"a secret of 32 bytes, or nearly.").decode()
KEYS, EACH = 20, 60
CONCURRENCY = 8


def verify(secret, headers, body):
    """As docs/webhooks.md has it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    fresh = abs(time.time() - int(headers["webhook-timestamp"])) < 300
    return fresh and any(hmac.compare_digest(wanted, one) for one in headers["webhook-signature"].split(" "))


class Receiver:
    """Takes webhooks on a free port. `answer(count, headers)` gives the status of each; None: hang up."""

    def __init__(self, answer=lambda count, headers: 204, context=None):
        self.lock = threading.Lock()
        self.taken, self.refusals, self.under_way = [], [], set()
        self.count = 0
        self.answer = answer
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                receiver.take(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *_):
                pass

        class Threads(http.server.ThreadingHTTPServer):
            request_queue_size = 100

            def handle_error(self, *_):
                pass  # the server under test is killed in the middle

        self.server = Threads(("127.0.0.1", 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, handler, body):
        headers = handler.headers
        key = headers.get("ce-subject")
        with self.lock:
            self.count += 1
            if key in self.under_way:
                self.refusals.append(f"two events of {key} at once")
            self.under_way.add(key)
            status = self.answer(self.count, headers)
        time.sleep(0.001)
        with self.lock:
            self.under_way.discard(key)
            if status and 200 <= status < 300:
                self.taken.append((headers, body))
        if status is None:
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        handler.send_response(status)
        if status == 429:
            handler.send_header("Retry-After", "0")
        if status in (301, 302):
            handler.send_header("Location", "/elsewhere")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def url(self, path="/hooks", scheme="http", host="127.0.0.1"):
        return f"{scheme}://{host}:{self.port}{path}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def publish(server, topic, events):
    lines = "".join(json.dumps({"specversion": "1.0", "source": "/test", "type": "Made", **event}) + "\n"
                    for event in events)
    done = server.run("publish", topic, input=lines)
    assert done.returncode == 0, done.stderr


def settled(server, name):
    status, state = server.ask("GET", f"/v1/subscriptions/{name}")
    return status == 200 and state["lag"] == 0 and state["leased"] == 0 and state["delayed"] == 0


def put(server, name, target, **more):
    return server.ask("PUT", f"/v1/subscriptions/{name}",
                      {"topics": ["orders"], "from": "earliest", "target": target, **more})


def made(server, *words):
    done = server.run(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check_order_over_kills():
    """At each answer of 2xx everything before it in its key has had one; what comes twice was under way at a kill."""
    def answer(count, headers):
        return [204, 204, 200, 204, 500, 204, 429, 202, None, 204, 404, 204, 301][count % 13]

    receiver = Receiver(answer)
    kills = 3
    with Server("--allow-private-webhooks") as server:
        made(server, "topic", "create", "orders", "--partitions", "3")
        (server.folder / "secret").write_text(SECRET + "\n")
        made(server, "sub", "create", "mails", "--topic", "orders", "--from", "earliest", "--webhook", receiver.url(),
             "--webhook-secret-file", str(server.folder / "secret"), "--webhook-header", "X-Team: orders",
             "--attempts", "1000", "--retry-delay",
             "5ms", "--lease", "2s", "--webhook-timeout", "1s", "--webhook-concurrency", str(CONCURRENCY))
        for part in range(kills + 1):
            numbers = range(part * KEYS * EACH // (kills + 1), (part + 1) * KEYS * EACH // (kills + 1))
            publish(server, "orders", [{"id": f"e{n}", "subject": f"k{n % KEYS}", "data": {"n": n // KEYS}}
                                       for n in numbers])
            if part < kills:
                eventually(lambda most=numbers[-1] // 2: len(receiver.taken) > most, 60, "half of it")
                server.kill()
                server.start()
        eventually(lambda: settled(server, "mails"), 90, "the end of the backlog")
    receiver.close()
    assert not receiver.refusals, receiver.refusals[:3]
    done, twice = collections.Counter(), 0
    for headers, body in receiver.taken:
        assert verify(SECRET, headers, body), dict(headers)
        assert headers["x-team"] == "orders" and headers["content-type"] == "application/json"
        key, n = headers["ce-subject"], json.loads(body)["n"]
        assert n <= done[key], f"{key}: {n} came before {done[key]}"
        twice += n < done[key]
        done[key] = max(done[key], n + 1)
    assert all(done[f"k{i}"] == EACH for i in range(KEYS)), done
    assert twice <= kills * CONCURRENCY, f"{twice} events came twice"
    print(f"{KEYS * EACH} events in order over {kills} kills, {receiver.count} requests, {twice} came twice")


def check_copies_over_kills():
    with Server() as server:
        made(server, "topic", "create", "orders", "--partitions", "3")
        made(server, "sub", "create", "copying", "--topic", "orders", "--from", "earliest", "--filter",
             '{"data":{"even":[true]}}', "--to-topic", "copies")
        total = 6000
        for part in range(3):
            publish(server, "orders", [{"id": f"e{n}", "subject": f"k{n % 50}", "data": {"even": n % 2 == 0}}
                                       for n in range(part * total // 3, (part + 1) * total // 3)])
            server.kill()
            server.start()
        eventually(lambda: settled(server, "copying"), 60, "the end of the copies")
        lines = made(server, "tail", "copies", "--from", "earliest", "-o", "jsonl").splitlines()
        copies = [json.loads(line) for line in lines]
    by_key = collections.defaultdict(list)
    for copy in copies:
        by_key[copy["subject"]].append(int(copy["id"][1:]))
        assert copy["source"] == "/test" and copy["correlationid"] == copy["id"] == copy["causationid"], copy
    assert sum(map(len, by_key.values())) == total // 2, "each once"
    assert all(numbers == sorted(set(numbers)) for numbers in by_key.values()), "in order per key"
    print(f"{total // 2} copies, each once and in order, over 3 kills")


def check_definitions():
    receiver = Receiver()
    with Server("--allow-private-webhooks") as server:
        made(server, "topic", "create", "orders")
        target = {"webhook": {"url": receiver.url(), "secret": SECRET, "headers": {"Authorization": "Bearer abc"}}}
        status, answer = put(server, "s", target)
        assert status == 201, answer
        for place in ("/v1/subscriptions/s", "/v1/subscriptions"):
            text = json.dumps(server.ask("GET", place)[1])
            assert SECRET not in text and "abc" not in text and '"secret": "***"' in text, text
        shown = server.ask("GET", "/v1/subscriptions/s")[1]["target"]
        assert shown["webhook"]["concurrency"] == 8 and shown["webhook"]["timeout"] == "10s", shown
        assert put(server, "s", target)[0] == 200, "the same again"
        assert put(server, "s", shown)[0] == 200, "what is shown, again"
        other = {"webhook": {**target["webhook"], "secret": SECRET[:-8] + "AAAAAAA="}}
        assert put(server, "s", other)[1]["code"] == "subscription_exists"
        status, answer = put(server, "new", shown)
        assert (status, answer["at"]) == (400, "target.webhook.secret"), answer

        file = server.folder / "app.yaml"
        file.write_text(f"subscriptions:\n  r:\n    topics: [orders]\n    target: {json.dumps(target)}\n"
                        f"  s:\n    topics: [orders]\n    from: earliest\n"
                        f"    target: {json.dumps(target)}\n  t:\n    topics: [orders]\n"
                        f"    target: {{topic: {{name: copies}}}}\n")
        said = made(server, "apply", "-f", str(file))
        assert "+ subscription r" in said and "+ subscription t" in said and SECRET not in said, said
        assert server.ask("GET", "/v1/topics/copies")[0] == 200, "the topic of copies is made with them"
        again = made(server, "apply", "-f", str(file))
        assert "nothing to do" in again, again

        assert put(server, "round", {"topic": {"name": "orders"}}, topics=["copies"])[1]["detail"] == \
            "copies would go round: copies -> orders (by 'round') -> copies (by 't')"
        assert put(server, "self", {"topic": {"name": "orders"}})[1]["at"] == "target.topic.name"
        assert put(server, "none", {"topic": {"name": "never"}}, topics=["missing"])[1]["code"] == "unknown_topic"
        assert server.ask("GET", "/v1/topics/never")[0] == 404, "a refused request changes nothing"

        publish(server, "orders", [{"id": "1", "subject": "a"}])
        eventually(lambda: settled(server, "s") and settled(server, "t"), what="both")
        page = metrics(server)
        assert 'continuo_push_delivered_total{subscription="s",target="webhook"} 1' in page, page
        assert 'continuo_push_delivered_total{subscription="t",target="topic"} 1' in page, page
        assert 'continuo_push_seconds_bucket{subscription="s",target="webhook",le="+Inf"} 1' in page, page
    receiver.close()


def metrics(server):
    with urllib.request.urlopen(server.url + "/metrics") as answer:
        return answer.read().decode()


def check_private_addresses():
    receiver = Receiver()
    with Server() as server:
        made(server, "topic", "create", "orders")
        for host in ("127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]", "[fd00::1]",
                     "[::ffff:10.0.0.1]"):
            status, answer = put(server, "s", {"webhook": {"url": f"http://{host}:{receiver.port}/"}})
            assert (status, answer["code"], answer["at"]) == (400, "bad_setting", "target.webhook.url"), answer
            assert "--allow-private-webhooks" in answer["hint"], answer
        for url in ("http://0x7f.0.0.1/", "http://2130706433/", "http://127.1/"):
            assert put(server, "s", {"webhook": {"url": url}})[0] == 400, url
        name = socket.gethostname()
        try:
            own = {each[4][0] for each in socket.getaddrinfo(name, None)}
        except OSError:
            own = set()
        private = ("127.", "10.", "192.168.", "172.", "169.254.", "::1", "f")
        if own and all(address.startswith(private) for address in own):
            # A name is judged by where it leads, when it is connected to.
            assert put(server, "s", {"webhook": {"url": f"http://{name}:{receiver.port}/"}},
                       retry={"attempts": 1})[0] == 201
            publish(server, "orders", [{"id": "1", "subject": "a"}])
            eventually(lambda: server.ask("GET", "/v1/subscriptions/s")[1]["parked_keys"] == 1, what="the park")
            parked = server.ask("GET", "/v1/subscriptions/s/parked")[1]["keys"][0]
            assert parked["head"]["error"]["code"] == "private_address", parked
    assert receiver.count == 0
    receiver.close()


def check_tls():
    if not shutil.which("openssl"):
        print("no openssl program: TLS is left to the unit tests")
        return
    folder = Path(tempfile.mkdtemp(prefix="continuo-tls."))
    try:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=test",
                        "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key", "-out", folder / "cert"],
                       check=True, stderr=subprocess.DEVNULL)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "cert", folder / "key")
        receiver = Receiver(context=context)
        url = receiver.url(scheme="https", host="localhost")
        for trusted in (False, True):
            if trusted:
                os.environ["SSL_CERT_FILE"] = str(folder / "cert")
            with Server("--allow-private-webhooks") as server:
                made(server, "topic", "create", "orders")
                assert put(server, "s", {"webhook": {"url": url}}, retry={"attempts": 1})[0] == 201
                publish(server, "orders", [{"id": "1", "subject": "a"}])
                if trusted:
                    eventually(lambda: len(receiver.taken) == 1, what="the event")
                else:
                    eventually(lambda: server.ask("GET", "/v1/subscriptions/s")[1]["parked_keys"] == 1, what="the park")
                    parked = server.ask("GET", "/v1/subscriptions/s/parked")[1]["keys"][0]
                    assert parked["head"]["error"]["code"] == "tls_error", parked
                    assert not receiver.taken
        receiver.close()
    finally:
        os.environ.pop("SSL_CERT_FILE", None)
        shutil.rmtree(folder)


def main():
    cli_server.need("continuo")
    check_private_addresses()
    check_definitions()
    check_copies_over_kills()
    check_order_over_kills()
    check_tls()
    print("webhooks and copies work")
    return 0


if __name__ == "__main__":
    sys.exit(main())
