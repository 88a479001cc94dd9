"""What happened to a subscription, as those outside saw it, and whether its keys kept their order.

The oracle knows what was published, with its places, and what was asked and answered when; the server's own account of
what it passed over (`continuo.events`) counts as an answer. It never asks how a key stands. A request whose answer did
not come - the server was killed - may have happened or not, from the moment it was sent on.

    delivered   whatever lies before it in its key has ended, or may have, before the answer came
    ended once  nothing comes again after its end was told, and no event ends twice for certain
    no way back once an event was delivered first of its key, what lies before it is not delivered any more
    edits       what is delivered in an event's place is the last edit that was accepted before, or one under way
    told        who passed something over is told of, once; what is told was asked for, or is the policy's
    complete    in the end every event has ended, or may have
"""

import collections
import dataclasses
import threading
import time

NEVER = float("inf")


@dataclasses.dataclass
class Delivery:
    asked: float
    answered: float
    events: list  # (place, key, edit), a place being (partition, offset)


@dataclasses.dataclass
class Request:
    """Of consumers: `ends` are the places it acknowledges; of others: what it wants, by its reason."""
    asked: float
    answered: float = NEVER
    happened: bool | None = None
    ends: dict = dataclasses.field(default_factory=dict)  # place -> whether it counted; None: unknown
    place: tuple | None = None
    edit: str | None = None


class Epoch:
    """From one seek to the next: what is owed is a fact of the log."""

    def __init__(self, owed, edits=()):
        self.owed = owed  # place -> whether it is, given the place
        self.deliveries, self.settles = [], []
        self.edits = collections.defaultdict(list)
        for place, known in dict(edits).items():
            self.edits[place] = list(known)


class History:
    def __init__(self, name):
        self.name = name
        self.lock = threading.Lock()
        self.epochs = [Epoch(lambda place: True)]
        self.verbs = {}  # reason -> Request

    @property
    def now(self):
        return self.epochs[-1]

    def delivered(self, asked, events):
        with self.lock:
            self.now.deliveries.append(Delivery(asked, time.monotonic(), events))

    def settles(self, places):
        request = Request(time.monotonic(), ends=dict.fromkeys(places))
        with self.lock:
            self.now.settles.append(request)
        return request

    def edits(self, place, edit):
        request = Request(time.monotonic(), place=place, edit=edit)
        with self.lock:
            self.now.edits[place].append(request)
        return request

    def verb(self, reason):
        with self.lock:
            self.verbs[reason] = Request(time.monotonic())
        return self.verbs[reason]


class Ends:
    """How events of one epoch ended: since when each may have, and since when each is known to have."""

    def __init__(self):
        self.may = collections.defaultdict(lambda: NEVER)
        self.told = collections.defaultdict(lambda: NEVER)
        self.certain = collections.Counter()
        self.how = collections.defaultdict(list)

    def add(self, place, how, asked, answered, certain):
        self.may[place] = min(self.may[place], asked)
        if certain:
            self.told[place] = min(self.told[place], answered)
            self.certain[place] += 1
        self.how[place].append(f"{how} {asked:.3f}..{answered:.3f}{'' if certain else ' (unknown)'}")


def told_ends(history, told, keys):
    """For each epoch the places that were passed over by the server's own account, with the request that wanted it."""
    ends, seen = [[]], collections.Counter()
    for event in told:
        kind, data = event["type"], event["data"]
        if event.get("subject") != history.name:
            continue
        if kind == "continuo.subscription.moved":
            ends.append([])
        count = {"continuo.event.skipped": 1, "continuo.event.dead_lettered": 1,
                 "continuo.key.cancelled": data.get("events")}.get(kind)
        if not count:
            continue
        place = (int(data["partition"]), int(data["offset"]))
        request = None
        if kind != "continuo.event.dead_lettered" and data.get("by"):
            request = history.verbs.get(data["reason"])
            assert request, f"nobody asked for {data}"
            assert request.happened is not False, f"{data} was refused, and happened"
            seen[data["reason"]] += 1
        queue = keys[place]
        at = queue.index(place)
        for each in queue[at:at + count]:
            ends[-1].append((each, kind, request))
    for reason, request in history.verbs.items():
        wanted = 1 if request.happened else 0
        assert wanted <= seen[reason] <= 1, f"{reason} happened {seen[reason]} times, {request}"
    return ends


def judge(history, log, told):
    """`log`: all events as (place, key), in order. Says how much was looked at."""
    queues = collections.defaultdict(list)
    for place, key in log:
        queues[place[0], key].append(place)
    keys = {place: queue for queue in queues.values() for place in queue}
    passed = told_ends(history, told, keys)
    assert len(passed) == len(history.epochs), (len(passed), len(history.epochs))
    for number, epoch in enumerate(history.epochs):
        ends = Ends()
        for place, how, request in passed[number]:
            if request is None:
                ends.add(place, f"{how} by its policy", 0, NEVER, True)
            else:
                ends.add(place, how, request.asked, request.answered, request.happened is True)
        for settle in epoch.settles:
            for place, counted in settle.ends.items():
                if counted is not False:
                    ends.add(place, "settled", settle.asked, settle.answered, counted is True)
        judge_epoch(f"{history.name}, epoch {number + 1}", epoch, queues, ends, number + 1 == len(history.epochs))
    return sum(len(each.events) for epoch in history.epochs for each in epoch.deliveries)


def judge_epoch(name, epoch, queues, ends, is_last):
    by_key = collections.defaultdict(list)
    for delivery in epoch.deliveries:
        runs = collections.defaultdict(list)
        for place, key, edit in delivery.events:
            runs[place[0], key].append((place, edit))
        for key, run in runs.items():
            by_key[key].append((delivery, run))
    for key, runs in by_key.items():
        judge_key(f"{name}, key {key[1]}", epoch, [each for each in queues[key] if epoch.owed(each)], runs, ends)
    for place, count in ends.certain.items():
        assert count == 1, f"{name}: {place} ended {count} times: {ends.how[place]}"
    for queue in queues.values() if is_last else ():
        for place in queue:
            assert not epoch.owed(place) or ends.may[place] < NEVER, f"{name}: {place} never ended"


def judge_key(name, epoch, queue, runs, ends):
    index = {place: number for number, place in enumerate(queue)}
    open_until, latest = [], 0  # since when all before an event may have ended
    for place in queue:
        open_until.append(latest)
        latest = max(latest, ends.may[place])
    for delivery, run in runs:
        places = [place for place, _ in run]
        assert all(each in index for each in places), f"{name}: {places} is delivered, and not owed"
        first = index[places[0]]
        if open_until[first] > delivery.answered:
            missed = next(each for each in queue[:first] if ends.may[each] > delivery.answered)
            raise AssertionError(f"{name}: {places[0]} came before {missed}, which ended {ends.how[missed] or 'never'}")
        for earlier, later in zip(places, places[1:]):
            assert index[earlier] < index[later], f"{name}: {places} is delivered"
            for between in queue[index[earlier] + 1:index[later]]:
                assert ends.may[between] <= delivery.answered, f"{name}: {later} came before {between}"
        for place, edit in run:
            assert ends.told[place] >= delivery.asked, f"{name}: {place} came again after its end: {ends.how[place]}"
            judge_edit(f"{name}: {place}", epoch.edits.get(place, []), delivery, edit)
    judge_way(name, index, runs)


def judge_way(name, index, runs):
    """The first of an answer says that what lies before it has ended: for whoever asks after that answer."""
    moments = sorted([(each.answered, 0, index[run[0][0]]) for each, run in runs] +
                     [(each.asked, 1, index[run[0][0]]) for each, run in runs])
    highest = 0
    for _, asks, first in moments:
        if asks:
            assert first >= highest, f"{name}: event {first} of the key is delivered after event {highest} was"
        else:
            highest = max(highest, first)


def judge_edit(name, edits, delivery, found):
    may = [each for each in edits if each.asked < delivery.answered and each.happened is not False]
    known = [each for each in may if each.happened and each.answered < delivery.asked]
    newest = max((each.asked for each in known), default=0)
    wanted = {each.edit for each in may if each.answered > newest} | (set() if known else {None})
    assert found in wanted, f"{name}: {found} is delivered in its place, not one of {wanted}"
