"""What a Kafka client is asked to do, and what must then be true: one function a row of the matrix. `t` (see trial.py)
starts programs of the client and knows the server's other doors."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import wire

CHECKS = []  # (name, what it is, the function)


def check(name, title):
    def add(function):
        CHECKS.append((name, title, function))
        return function
    return add


def lines(count, start=0):
    return [{"key": f"k{n % 7}", "value": f"value {n} " + "of many " * 5} for n in range(start, start + count)]


def contents(records):
    return [(each["key"], each["value"]) for each in records]


def same(found, wanted, what):
    assert found == wanted, f"{what}: {str(found)[:200]} instead of {str(wanted)[:200]}"


def until(seconds, condition, what, step=lambda: time.sleep(0.2)):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        step()


# --- producing and consuming ------------------------------------------------------------------------------------------

@check("metadata", "cluster and topics; a topic made by its first record")
def metadata(t):
    cluster = t.a.cluster()
    same(cluster["brokers"], [t.server.kafka], "brokers")
    assert cluster.get("controller") in (1, None) and cluster.get("id") != "", cluster
    t.a.produce(t.topic, lines(3))
    until(5, lambda: t.a.topics().get(t.topic) == 1, "the topic is listed with its one partition")


@check("records", "keys, values, headers; null and empty ones")
def records(t):
    sent = [{"key": "k", "value": "v", "headers": [["one", "1"], ["two", "zwei"]]}, {"key": "k", "value": None},
            {"key": "", "value": ""}, {"key": None, "value": "no key: \u00fc"}]
    t.a.produce(t.topic, sent)
    found = t.all()
    same([(each["key"], each["value"]) for each in found], [(each["key"], each["value"]) for each in sent], "records")
    same(sorted(found[0]["headers"]), [["one", "1"], ["two", "zwei"]], "headers")
    same(found[1]["headers"], [], "no headers")


@check("timestamps", "a record's own timestamp")
def timestamps(t):
    t.a.produce(t.topic, [{"key": None, "value": "old", "timestamp": 1600000000123}])
    same(t.all()[0]["timestamp"], 1600000000123, "timestamp")


def codec_check(codec):
    def codec_is_used(t):
        sent = lines(300)
        t.a.produce(t.topic, sent, codec=codec)
        same({batch.codec for batch in wire.batches(t.server.kafka, t.topic, 0)}, {codec}, "codecs in the log")
        same(contents(t.all()), contents(sent), "records")
    check(codec, f"{codec}: batches are compressed with it, and read again")(codec_is_used)


for each_codec in wire.CODECS[1:]:
    codec_check(each_codec)


@check("idempotent", "idempotent producer: its number and sequence are in every batch")
def idempotent(t):
    for start in range(0, 90, 30):
        t.a.produce(t.topic, lines(30, start), idempotent=True)
    following = {}  # of each producer: a command-line client is another one each time
    for batch in wire.batches(t.server.kafka, t.topic, 0):
        assert batch.producer >= 0, "a batch names no producer"
        same(batch.sequence, following.get(batch.producer, 0), "sequence")
        following[batch.producer] = batch.sequence + batch.count
    same(sum(following.values()), 90, "records with a sequence")
    same(contents(t.all()), contents(lines(90)), "records")


@check("acks-all", "acks=all: the answer says where each record is")
def acks_all(t):
    places = t.a.produce(t.topic, lines(10), acks=-1)
    same([place["offset"] for place in places if place], list(range(10)) if places[0] else [], "offsets")
    same(contents(t.all()), contents(lines(10)), "records")


@check("acks-1", "acks=1")
def acks_one(t):
    t.a.produce(t.topic, lines(10), acks=1)
    same(contents(t.all()), contents(lines(10)), "records")


@check("acks-0", "acks=0: sent without an answer")
def acks_none(t):
    t.a.produce(t.topic, [{"key": None, "value": "first"}])
    t.a.produce(t.topic, lines(10), acks=0)
    until(10, lambda: len(t.all()) == 11, "all records arrive")
    same(contents(t.all())[1:], contents(lines(10)), "records")


@check("large", "a record of 1,000,000 bytes")
def large(t):
    value = ("%07d" % 7 + "x" * 993) * 1000
    t.a.produce(t.topic, [{"key": "k", "value": value}], max_request=2000000)
    assert t.all()[0]["value"] == value, "another value is read"


@check("too-large", "a record of 3,000,000 bytes is refused as too large")
def too_large(t):
    t.a.produce(t.topic, [{"key": "k", "value": "small"}])
    error = t.a.error("produce", t.topic, [{"key": "k", "value": "x" * 3000000}], max_request=8000000)
    assert any(word in error.lower().replace("_", "").replace(" ", "")
               for word in ("toolarge", "sizetoolarge", "largerthan")), f"the error says nothing of size: {error}"
    same(len(t.all()), 1, "records in the topic")


@check("from-earliest", "consume from the first offset")
def from_earliest(t):
    t.a.produce(t.topic, lines(50))
    same(contents(t.read_from("earliest", 50)), contents(lines(50)), "records")


@check("from-latest", "consume from the end: only what comes later")
def from_latest(t):
    t.a.produce(t.topic, lines(5))
    t.a.open("latest", t.topic, 0, "latest")
    t.a.read("latest", 1, 0.5)
    t.b.produce(t.topic, lines(5, 5))
    same(contents(t.a.read("latest", 5, 10)), contents(lines(5, 5)), "records")


@check("from-offset", "consume from an offset in the middle of a batch")
def from_offset(t):
    t.a.produce(t.topic, lines(100))
    assert not any(batch.offset == 37 for batch in wire.batches(t.server.kafka, t.topic, 0)), "37 begins a batch"
    found = t.read_from(37, 63)
    same(found[0]["offset"], 37, "first offset")
    same(contents(found), contents(lines(63, 37)), "records")


@check("from-time", "consume from a time")
def from_time(t):
    t.a.produce(t.topic, lines(5))
    time.sleep(0.02)
    between = int(time.time() * 1000)
    time.sleep(0.02)
    t.a.produce(t.topic, lines(5, 5))
    same(contents(t.read_from({"time": between}, 5)), contents(lines(5, 5)), "records")


def offsets_by(method, t):
    t.a.produce(t.topic, lines(5))
    time.sleep(0.02)
    between = int(time.time() * 1000)
    time.sleep(0.02)
    t.a.produce(t.topic, lines(5, 5))
    asked = {at: getattr(t.a, method)(t.topic, 0, at) for at in ("earliest", "latest", between)}
    same(asked, {"earliest": 0, "latest": 10, between: 5}, "offsets")


@check("offsets", "a consumer asks for first, end and offset by time")
def offsets(t):
    offsets_by("offset", t)


# --- groups -----------------------------------------------------------------------------------------------------------

def poll(members, count, seconds=0.5):
    """What all members read at the same time, until each has come back once: some clients do so only when all others
    have joined, and these must go on polling."""
    back = set()

    def poll_one(number):
        program, name = members[number]
        found = []
        while len(back) < len(members):
            found += program.read(name, count, seconds)
            back.add(number)
        return found
    with ThreadPoolExecutor(len(members)) as pool:
        return sum(pool.map(poll_one, range(len(members))), [])


def read_as_group(members, count, seconds=40):
    """Each record that any of them reads, until there are as many."""
    found, end = [], time.monotonic() + seconds
    while len(found) < count:
        assert time.monotonic() < end, f"{len(found)} of {count} records came in {seconds} s"
        found += poll(members, count)
    return found


def settle(members, sizes, seconds=40):
    """Polls until the members hold as many partitions as said; no record may come."""
    def hold():
        return sorted(len(program.assignment(name)) for program, name in members) == sorted(sizes)

    until(seconds, hold, f"members hold {sizes} partitions",
          lambda: same(poll(members, 1), [], "records while nothing was sent"))
    held = [partition for program, name in members for partition in program.assignment(name)]
    same(sorted(held), sorted(set(held)), "each partition has one member")


def by_place(found):
    return sorted((each["partition"], each["offset"]) for each in found)


def share(t, **options):
    """One member, then two, then one again; everything is read, and once."""
    t.make_topic(4)
    first = (t.a, "first")
    t.a.join("first", t.group, t.topic, auto_commit=True, **options)
    settle([first], [4])
    t.b.join("second", t.group, t.topic, auto_commit=True, **options)
    both = [first, (t.b, "second")]
    settle(both, [2, 2])
    t.c.produce(t.topic, lines(200))
    found = read_as_group(both, 200)
    same(sorted(contents(found)), sorted(contents(lines(200))), "records")
    same(len(set(by_place(found))), 200, "places")
    t.shared = wire.group(t.server.kafka, t.group)
    t.b.close("second")
    settle([first], [4])
    t.c.produce(t.topic, lines(50, 200))
    same(sorted(contents(read_as_group([first], 50))), sorted(contents(lines(50, 200))), "records afterwards")
    t.a.close("first")


@check("group", "two members share four partitions, one leaves, the other has all")
def group(t):
    share(t)
    same((t.shared[0], len(t.shared[2])), ("Stable", 2), "the group while it was shared")


@check("cooperative", "the same with cooperative-sticky rebalancing")
def cooperative(t):
    share(t, strategy="cooperative-sticky")
    same(t.shared[1], "cooperative-sticky", "what the members agreed on")


@check("commit", "commits by hand; a member that comes later goes on there")
def commit(t):
    t.a.produce(t.topic, lines(20))
    t.a.join("first", t.group, t.topic)
    same(contents(read_as_group([(t.a, "first")], 20)), contents(lines(20)), "records")
    t.a.commit("first", t.topic, {0: [12, ""]})
    t.a.close("first")
    t.b.join("second", t.group, t.topic)
    found = read_as_group([(t.b, "second")], 8)
    same([each["offset"] for each in found], list(range(12, 20)), "offsets read after the commit")
    same(t.b.committed("second", t.topic, 0)[0], 12, "committed")


@check("metadata-of-commit", "a commit's metadata is kept")
def metadata_of_commit(t):
    t.a.produce(t.topic, lines(20))
    t.a.join("member", t.group, t.topic)
    read_as_group([(t.a, "member")], 20)
    t.a.commit("member", t.topic, {0: [15, "as far as lunch"]})
    t.a.close("member")
    t.b.join("later", t.group, t.topic)
    read_as_group([(t.b, "later")], 5)
    same(t.b.committed("later", t.topic, 0), [15, "as far as lunch"], "committed")


@check("auto-commit", "commits by itself, when it leaves; a member that comes later goes on there")
def auto_commit(t):
    t.a.produce(t.topic, lines(20))
    t.a.join("first", t.group, t.topic, auto_commit=True)
    same(contents(read_as_group([(t.a, "first")], 20)), contents(lines(20)), "records")
    t.a.close("first")
    t.b.produce(t.topic, lines(5, 20))
    t.b.join("second", t.group, t.topic, auto_commit=True)
    same(contents(read_as_group([(t.b, "second")], 5)), contents(lines(5, 20)), "records after it came again")


@check("static", "static membership: killed and come again, it has its partitions and no rebalance is made")
def static(t):
    t.make_topic(4)
    members = [(t.a, "first"), (t.b, "second")]
    t.a.join("first", t.group, t.topic, instance="one")
    t.b.join("second", t.group, t.topic, instance="two")
    settle(members, [2, 2])
    before = wire.group(t.server.kafka, t.group)
    same({each.instance for each in before[2]}, {"one", "two"}, "instances")
    held = t.a.assignment("first")
    t.a.kill()
    again = t.start()
    again.join("again", t.group, t.topic, instance="one")
    settle([(again, "again"), (t.b, "second")], [2, 2])
    same(sorted(again.assignment("again")), sorted(held), "partitions of the one that came again")
    after = wire.group(t.server.kafka, t.group)
    others = [{each.identity for each in said[2] if each.instance == "two"} for said in (before, after)]
    same(others[1], others[0], "the other member's id")
    same((after[0], {each.instance for each in after[2]}), ("Stable", {"one", "two"}), "the group")


def make_group(t):
    """A group that has read 20 records, committed them and gone."""
    t.a.produce(t.topic, lines(20))
    t.a.join("member", t.group, t.topic, auto_commit=True)
    read_as_group([(t.a, "member")], 20)
    t.a.close("member")


@check("groups", "groups are listed and described, with members and state")
def groups(t):
    t.a.produce(t.topic, lines(20))
    t.a.join("member", t.group, t.topic)
    read_as_group([(t.a, "member")], 20)
    assert t.group in t.b.groups(), "the group is not listed"
    said = t.b.group(t.group)
    same((said["state"], len(said["members"])), ("Stable", 1), "state and members")
    same(said["members"][0].get("partitions", [0]), [0], "its partitions")
    t.a.close("member")
    until(15, lambda: t.b.group(t.group)["state"] == "Empty", "the group is empty")


@check("delete-group", "a group is deleted")
def delete_group(t):
    make_group(t)
    t.b.delete_group(t.group)
    assert t.group not in t.b.groups(), "it is still listed"


@check("group-offsets", "a group's offsets are listed")
def group_offsets(t):
    make_group(t)
    same(t.b.group_offsets(t.group, t.topic), {"0": 20}, "offsets")


@check("alter-offsets", "a group's offsets are set while it is empty; its next member reads from there")
def alter_offsets(t):
    make_group(t)
    t.b.alter_group_offsets(t.group, t.topic, {0: 7})
    t.b.join("later", t.group, t.topic)
    same([each["offset"] for each in read_as_group([(t.b, "later")], 13)], list(range(7, 20)), "offsets read")


@check("delete-offsets", "a group's offsets of a topic are deleted; its next member reads from the beginning")
def delete_offsets(t):
    make_group(t)
    t.b.delete_group_offsets(t.group, t.topic, [0])
    t.b.join("later", t.group, t.topic)
    same([each["offset"] for each in read_as_group([(t.b, "later")], 20)], list(range(20)), "offsets read")


# --- administration ---------------------------------------------------------------------------------------------------

@check("topics", "topics are made, with partitions and settings, and deleted")
def topics(t):
    t.a.create_topic(t.topic, 3, {"retention.ms": "86400000"})
    same(t.a.topics().get(t.topic), 3, "partitions")
    status, said, _ = t.http.ask("GET", f"/v1/topics/{t.topic}")
    same((status, said["retention"]["time"]), (200, "1d"), "the topic over HTTP")
    error = t.a.error("create_topic", t.topic, 3, {})
    assert "exist" in error.lower(), f"making it again says: {error}"
    t.a.delete_topic(t.topic)
    until(5, lambda: t.topic not in t.a.topics(), "the topic is gone")


@check("describe-configs", "a topic's settings are described")
def describe_configs(t):
    t.make_topic(1, retention={"time": "2h"})
    said = t.a.configs(t.topic)
    same(str(said.get("retention.ms")), "7200000", "retention.ms")
    same(said.get("cleanup.policy"), "delete", "cleanup.policy")
    assert int(said["max.message.bytes"]) > 1000000, said


def alter_by(method, t):
    t.make_topic(1)
    getattr(t.a, method)(t.topic, {"retention.ms": "10800000"})
    until(5, lambda: str(t.b.configs(t.topic)["retention.ms"]) == "10800000", "retention.ms is changed")
    same(t.http.ask("GET", f"/v1/topics/{t.topic}")[1]["retention"]["time"], "3h", "retention over HTTP")


@check("alter-configs", "settings are changed one by one (IncrementalAlterConfigs)")
def alter_configs(t):
    alter_by("alter_configs_incrementally", t)


@check("replace-configs", "settings are replaced (AlterConfigs)")
def replace_configs(t):
    alter_by("alter_configs", t)


@check("create-partitions", "a topic is given more partitions, and they are used")
def create_partitions(t):
    t.make_topic(2)
    t.a.create_partitions(t.topic, 5)
    until(5, lambda: t.b.topics().get(t.topic) == 5, "the topic has five partitions")
    t.b.produce(t.topic, [{"key": "k", "value": "v", "partition": 4}])
    same(len(t.read_from("earliest", 1, partition=4)), 1, "records in the last partition")


@check("delete-records", "records before an offset are deleted")
def delete_records(t):
    t.a.produce(t.topic, lines(20))
    same(t.a.delete_records(t.topic, 0, 8), 8, "the lowest offset that is left")
    same([each["offset"] for each in t.read_from("earliest", 12)], list(range(8, 20)), "what is left")


@check("admin-offsets", "offsets are listed by an admin client: first, end, by time")
def admin_offsets(t):
    offsets_by("admin_offset", t)


@check("log-dirs", "log folders are described, with sizes")
def log_dirs(t):
    t.a.produce(t.topic, lines(100))
    assert t.a.log_dirs(t.topic) > 1000, "the topic has no size"


@check("producers", "the producers of a partition are described")
def producers(t):
    t.a.produce(t.topic, lines(10), idempotent=True)
    stored = wire.batches(t.server.kafka, t.topic, 0)[-1]
    same(t.a.producers(t.topic, 0), [[stored.producer, stored.sequence + stored.count - 1]], "producers and sequences")


# --- across doors, and across a kill ----------------------------------------------------------------------------------

@check("http-to-kafka", "an event published over HTTP is a record in the binary mode of CloudEvents")
def http_to_kafka(t):
    made = {"specversion": "1.0", "id": "e1", "source": "/conformance", "type": "Tested", "subject": "s1",
            "partitionkey": "key 1", "datacontenttype": "application/json", "data": {"n": 1}}
    same(t.http.publish(t.topic, [made])[0], 201, "HTTP's answer")
    found = t.all()[0]
    same((found["key"], json.loads(found["value"])), ("key 1", {"n": 1}), "key and value")
    headers = dict(found["headers"])
    for name, wanted in (("ce_specversion", "1.0"), ("ce_id", "e1"), ("ce_source", "/conformance"),
                         ("ce_type", "Tested"), ("ce_subject", "s1"), ("content-type", "application/json")):
        same(headers.get(name), wanted, name)


@check("kafka-to-http", "the client's record is an event over HTTP, its ce_ headers the event's attributes")
def kafka_to_http(t):
    headers = [["ce_specversion", "1.0"], ["ce_id", "e7"], ["ce_source", "/client"], ["ce_type", "Sent"],
               ["content-type", "application/json"]]
    t.a.produce(t.topic, [{"key": "k", "value": '{"n":7}', "headers": headers}])
    t.a.produce(t.topic, [{"key": "plain", "value": "text"}])
    (_, found), (_, plain) = t.http.read_all(t.topic, 0)
    same({name: found[name] for name in ("id", "source", "type", "data", "offset")},
         {"id": "e7", "source": "/client", "type": "Sent", "data": {"n": 7}, "offset": "0"}, "the event")
    same(plain["offset"], "1", "the record without CloudEvents headers")


@check("same-partition", "a key goes to the partition that HTTP chooses, with the documented partitioner")
def same_partition(t):
    t.make_topic(7)
    keys = [f"customer-{n}" for n in range(40)] + ["\u00fc", "a", "order/17"]
    events = [{"specversion": "1.0", "id": key, "source": "/c", "type": "T", "partitionkey": key} for key in keys]
    status, said = t.http.publish(t.topic, events)
    same(status, 201, "HTTP's answer")
    chosen = {key: place["partition"] for key, place in zip(keys, said["events"])}
    assert len(set(chosen.values())) == 7, "not every partition has a key"
    t.a.produce(t.topic, [{"key": key, "value": "by the client"} for key in keys])
    found = {each["key"]: each["partition"] for partition in range(7) for each in t.all(partition)
             if each["value"] == "by the client"}
    same(found, chosen, "partitions")


@check("kill", "the server is killed and started again: nothing acknowledged is lost, all go on by themselves")
def kill(t):
    t.make_topic(2)
    t.b.join("reader", t.group, t.topic, auto_commit=True)
    settle([(t.b, "reader")], [2])
    acknowledged, after = [], 0
    killer = t.kill_and_start(after=1.5)
    end = time.monotonic() + 60
    number = 0
    while after < 5:
        assert time.monotonic() < end, "nothing was acknowledged any more within 60 s"
        started_again = not killer.is_alive()
        sent = lines(20, number)
        number += 20
        try:
            t.a.produce(t.topic, sent)
        except t.Refused:
            continue
        acknowledged += [each["value"] for each in sent]
        after += started_again
        time.sleep(0.01)  # all of it is read twice, by slow clients too
    killer.join()
    seen, missing = set(), set(acknowledged)
    end = time.monotonic() + 60
    while missing:
        assert time.monotonic() < end, f"{len(missing)} of {len(acknowledged)} acknowledged records did not come"
        seen |= {each["value"] for each in t.b.read("reader", 1000, 1)}
        missing -= seen
    stored = [each["value"] for partition in range(2) for each in t.all(partition)]
    assert set(acknowledged) <= set(stored), "an acknowledged record is not in the log"
