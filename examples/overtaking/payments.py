"""Payments of some accounts, who handles them, and who judges in what order that happened."""

import collections
import random

DELIVERIES = 4  # of one event before it is given up, everywhere
RETRY_MS = 100  # from a failure to the next delivery, where the system has such a delay
IDLE_S = 1.5    # nothing came for so long: all that is going to be delivered was


def payments(keys, events, seed):
    """`events` payments of each account, mixed. One account in five has one with an amount that is no number; one in
    five has one that the bank does not answer to at first."""
    chance = random.Random(seed)
    names = [f"account-{number:03}" for number in range(keys)]
    made = []
    for number in range(events):
        chance.shuffle(names)
        made += [{"key": name, "number": number, "amount": 10 + number, "away": 0} for name in names]
    by_place = {(event["key"], event["number"]): event for event in made}
    unlucky = chance.sample(sorted(names), 2 * max(1, keys // 5))
    for index, name in enumerate(unlucky):
        event = by_place[name, chance.randrange(events)]
        if index % 2 == 0:
            event["amount"] = "twelve"
        else:
            event["away"] = 2
    return made


def mend(event):
    """What a person, a workflow or a script makes of a payment that cannot be handled."""
    return {**event, "amount": 12}


class Failure(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Bank:
    """Handles payments, and writes down which were handled, in that order."""

    def __init__(self):
        self.handled = []
        self.tries = collections.Counter()

    def handle(self, event):
        place = event["key"], event["number"]
        self.tries[place] += 1
        if not isinstance(event["amount"], int):
            raise Failure("bad_amount", f"the amount is '{event['amount']}'")
        if self.tries[place] <= event["away"]:
            raise Failure("bank_away", "the bank does not answer")
        self.handled.append(place)


def judge(sent, handled):
    """An event overtakes when it is handled while an earlier one of its key was not yet."""
    waiting = collections.defaultdict(set)
    for event in sent:
        waiting[event["key"]].add(event["number"])
    overtakes, doubled, touched = 0, 0, set()
    for key, number in handled:
        if number not in waiting[key]:
            doubled += 1
            continue
        waiting[key].remove(number)
        if any(earlier < number for earlier in waiting[key]):
            overtakes += 1
            touched.add(key)
    return {"events": len(sent), "handled": len(handled) - doubled, "overtakes": overtakes, "keys": len(touched),
            "lost": sum(map(len, waiting.values())), "doubled": doubled}
