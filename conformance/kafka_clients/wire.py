"""The few Kafka requests that say what is really in a log or in a group, beside what a client believes."""

import socket
import struct
from typing import NamedTuple

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


class Batch(NamedTuple):
    offset: int
    codec: str
    producer: int
    sequence: int
    count: int


class Reader:
    def __init__(self, content):
        self.content, self.at = content, 0

    def number(self, kind):
        value = struct.unpack_from(">" + kind, self.content, self.at)[0]
        self.at += struct.calcsize(">" + kind)
        return value

    def bytes(self, kind="i"):
        length = self.number(kind)
        if length < 0:
            return None
        self.at += length
        return self.content[self.at - length:self.at]

    def text(self):
        found = self.bytes("h")
        return found if found is None else found.decode()


def text(value):
    return struct.pack(">h", len(value.encode())) + value.encode()


def ask(server, key, version, body):
    host, port = server.rsplit(":", 1)
    with socket.create_connection((host, int(port)), 20) as connection:
        message = struct.pack(">hhi", key, version, 1) + text("conformance") + body
        connection.sendall(struct.pack(">i", len(message)) + message)
        stream = connection.makefile("rb")
        length = struct.unpack(">i", stream.read(4))[0]
        answer = Reader(stream.read(length))
    assert answer.number("i") == 1, "the answer is to this request"
    return answer


def batches(server, topic, partition):
    """The headers of all batches of a partition, as they are stored."""
    found, offset = [], 0
    while True:
        body = struct.pack(">iiiib", -1, 100, 0, 1 << 25, 0) + struct.pack(">i", 1) + text(topic)
        body += struct.pack(">iiqi", 1, partition, offset, 1 << 24)
        answer = ask(server, 1, 4, body)
        answer.number("i"), answer.number("i"), answer.text(), answer.number("i"), answer.number("i")
        error, _, _, aborted = (answer.number(kind) for kind in "hqqi")
        assert error == 0 and aborted <= 0, f"fetch answered {error}"
        new = list(headers(answer.bytes() or b""))
        if not new:
            return found
        found += new
        offset = new[-1].offset + new[-1].count


def headers(content):
    at = 0
    while at + 61 <= len(content):
        base, length = struct.unpack_from(">qi", content, at)
        if at + 12 + length > len(content):
            return
        attributes, _, _, _, producer, _, sequence, count = struct.unpack_from(">hiqqqhii", content, at + 21)
        yield Batch(base, CODECS[attributes & 7], producer, sequence, count)
        at += 12 + length


class Member(NamedTuple):
    identity: str
    instance: str


def group(server, name):
    """state, protocol, members"""
    answer = ask(server, 15, 4, struct.pack(">i", 1) + text(name) + b"\0")
    answer.number("i"), answer.number("i")
    error = answer.number("h")
    assert error == 0, f"describing the group was answered {error}"
    answer.text()
    state, _, protocol = answer.text(), answer.text(), answer.text()
    members = []
    for _ in range(answer.number("i")):
        members.append(Member(answer.text(), answer.text()))
        answer.text(), answer.text(), answer.bytes(), answer.bytes()
    return state, protocol, members
