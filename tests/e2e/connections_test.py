#!/usr/bin/env python3
"""10,000 idle keep-alive connections: all are served, cost little, and the next is told that it is one too many."""

import json
import os
import resource
import shutil
import socket
import sys
import tempfile
import time

from backbone import Client, Server, event, skip

CONNECTIONS = 10_000
SPARE = 500  # files that server and test need for themselves
MEMORY_EACH = 24 * 1024  # of the server, at most
IDLE_CPU = 0.25  # of a core; asleep it takes 0.03

ASK = b"GET /livez HTTP/1.1\r\nHost: test\r\n\r\n"


def open_files():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < CONNECTIONS + SPARE:
        skip(f"a process may open {hard} files here, {CONNECTIONS + SPARE} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))  # the server begins with what users have
    return hard


def memory(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def connect(port):
    made = socket.create_connection(("127.0.0.1", port), timeout=30)
    made.sendall(ASK)
    return made


def alive(connection):
    answer = b""
    while b'{"live":true}' not in answer:
        piece = connection.recv(4096)
        if not piece:
            return False
        answer += piece
    return True


def share_of_a_core(pid, seconds):
    begun, cpu = time.monotonic(), cpu_seconds(pid)
    time.sleep(seconds)
    return (cpu_seconds(pid) - cpu) / (time.monotonic() - begun)


def check(server):
    client = Client(server.port)
    client.ask("GET", "/livez")
    before = memory(server.process.pid)
    idle = []
    while len(idle) < CONNECTIONS - 1:
        some = [connect(server.port) for _ in range(min(200, CONNECTIONS - 1 - len(idle)))]
        assert all(alive(each) for each in some), f"refused after {len(idle)}"
        idle += some
    each = (memory(server.process.pid) - before) / len(idle)
    assert each < MEMORY_EACH, f"{each:.0f} bytes a connection"

    one_more = connect(server.port)
    answer = one_more.recv(4096)
    assert b" 503 " in answer and b"too_many_connections" in answer, answer
    one_more.close()

    # The quietest of a few seconds: the first start still fills the journal's files behind.
    share = min(share_of_a_core(server.process.pid, 2) for _ in range(4))
    assert share < IDLE_CPU, f"{share:.0%} of a core while nobody asks for anything"

    status, _ = client.publish("t", json.dumps([event("1", "k")]))
    assert status == 201, status
    for connection in idle[:: len(idle) // 50]:
        connection.sendall(ASK)
        assert alive(connection)
    for connection in idle[:100]:
        connection.close()
    end = time.monotonic() + 10
    while not alive(connect(server.port)):
        assert time.monotonic() < end, "closed connections make no room"
        time.sleep(0.1)
    print(f"{len(idle) + 1} connections, {each:.0f} bytes each, {share:.1%} of a core while idle")


def main():
    hard = open_files()
    folder = tempfile.mkdtemp(prefix="continuo-e2e.")
    try:
        server = Server(os.path.join(folder, "data"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        try:
            check(server)
        finally:
            server.kill()
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
