"""Made-up patterns and events, of few names and values, so that they meet: every match of every side compared, each
pattern by a matcher of its own, since the peers' rules get in each other's way. Left out is what would only show again
what is known:
- decided otherwise for Continuo: names that occur twice; {"exists": false} beside other fields (event-ruler looks for
  absence in the same element of an array);
- peers' mistakes: several conditions of one field (both forget or add some), what quamina takes for a value inside of
  arrays, its anything-but of strings with quotes in them."""

import json
import os
import random

from routing_sides import FOLDER, SIDES, Side, commands, write_lines

VALUES, OBJECTS = ["a", "b"], ["c", "d"]  # names, for what quamina knows
NAMES = VALUES + OBJECTS
STRINGS = ["", "a", "b", "ab", "ba", "abc", "abcab", "cab", "A", "aB", "ABC", "bab", "x*y", "x\\y", "\u00e9", "\u00c9a",
           "5", "10.0.0.1", "10.0.0.255", "2001:db8::1", "true", "null", "a\"b", "\n"]
NUMBERS = [0, 1, 5, 5.0, -1.5, 0.1, 100, 1e2, 300, -7, 12345678901]
OTHERS = [True, False, None]
WILDCARDS = ["*", "a*", "*b", "*a*", "a*b", "a*b*", "*ab*b", "x\\**", "x\\\\*", "abc", "*c*a*", "\u00e9*"]
PATTERNS, EVENTS = 300, 3_000


def scalar(chance):
    return chance.choice(chance.choices([STRINGS, NUMBERS, OTHERS], [6, 3, 1])[0])


def any_value(chance, depth):
    kind = chance.random()
    if depth > 0 and kind < 0.35:
        return event(chance, True, depth - 1)
    if depth > 0 and kind < 0.6:
        return [any_value(chance, depth - 1) for _ in range(chance.randrange(4))]
    return scalar(chance)


def value_by_name(chance, name, depth):
    """What a name stands for is the same everywhere: quamina takes objects that it finds where a value is wanted
    otherwise, and arrays of arrays."""
    make = scalar if name in VALUES else lambda chance: event(chance, False, depth - 1)
    return make(chance) if chance.random() < 0.6 else [make(chance) for _ in range(chance.randrange(4))]


def event(chance, all_operators, depth=3):
    names = NAMES if all_operators or depth > 0 else VALUES
    return {name: any_value(chance, depth) if all_operators else value_by_name(chance, name, depth)
            for name in chance.sample(names, chance.randrange(1, len(names) + 1))}


def condition(chance):
    """One that all three know."""
    kind = chance.randrange(8)
    if kind == 0:
        return {"prefix": chance.choice(STRINGS[1:])}
    if kind == 1:
        return {"wildcard": chance.choice(WILDCARDS)}
    if kind == 2:
        return {"equals-ignore-case": chance.choice(STRINGS[1:])}
    return scalar(chance)


def anything_but(chance):
    kind = chance.randrange(6)
    some = chance.sample(STRINGS[1:], chance.randrange(1, 4))
    if kind == 0:
        return {"anything-but": chance.sample(NUMBERS, 2)}
    if kind == 1:
        return {"anything-but": {"wildcard": chance.sample(WILDCARDS, 2)}}
    if kind < 5:
        return {"anything-but": {["prefix", "suffix", "equals-ignore-case"][kind - 2]: some}}
    return {"anything-but": some}


def numeric(chance):
    low, high = sorted(chance.sample(sorted(set(NUMBERS)), 2))
    return {"numeric": chance.choice([["=", low], ["<", high], [">=", low], [">", low, "<=", high],
                                      [">=", low, "<", high]])}


def further_condition(chance):
    """One that only Continuo and event-ruler know."""
    kind = chance.randrange(6)
    if kind == 0:
        return {"suffix": chance.choice(STRINGS[1:])}
    if kind == 1:
        return {chance.choice(["prefix", "suffix"]): {"equals-ignore-case": chance.choice(STRINGS[1:])}}
    if kind == 2:
        return numeric(chance)
    if kind == 3:
        return {"cidr": chance.choice(["10.0.0.0/8", "10.0.0.0/25", "2001:db8::/32"])}
    if kind == 4:
        return anything_but(chance)
    return condition(chance)


def field(chance, all_operators):
    kind = chance.random()
    if kind < 0.1:
        return [{"exists": True}]
    if kind < 0.2:
        some = [each for each in STRINGS[1:] if '"' not in each]
        return [{"anything-but": chance.sample(some, chance.randrange(1, 4))}]
    if kind < 0.4:
        return [scalar(chance) for _ in range(chance.choice([2, 3]))]
    return [further_condition(chance) if all_operators else condition(chance)]


def group(chance, names, all_operators, depth=2):
    made = {}
    if not all_operators and depth == 0:
        names = VALUES
    for name in chance.sample(names, min(len(names), chance.choice([1, 1, 2]))):
        nested = depth > 0 and chance.random() < 0.4 if all_operators else name in OBJECTS
        made[name] = group(chance, NAMES, all_operators, depth - 1) if nested else field(chance, all_operators)
    return made


def pattern(chance, all_operators):
    kind = chance.random()
    if kind < 0.05:
        return chance.choice([{name: [{"exists": False}]} for name in VALUES] +
                             [{name: {"b": [{"exists": False}]}} for name in OBJECTS])
    if not all_operators or kind < 0.8:
        return group(chance, NAMES, all_operators)
    # What stands beside the choice and what stands in it are different fields.
    beside = group(chance, VALUES, True) if kind < 0.9 else {}
    return {**beside, "$or": [group(chance, [name], True) for name in OBJECTS]}


def matches_of(name, command, *files):
    """Of each event the patterns that match, by a matcher of all patterns and by a matcher for each."""
    side, both = Side(name, command, *files), {}
    try:
        for ask in ("matches", "alone"):
            path = os.path.join(FOLDER, f"{ask}-of-{name}")
            side.ask(ask, path)
            with open(path, encoding="utf-8") as file:
                both[ask] = [set(map(int, line.split())) for line in file]
    finally:
        side.end()
    return both["matches"], both["alone"]


def differing(one, other):
    """(event, pattern, whether it is `one` that it matches for)"""
    for number, (first, second) in enumerate(zip(one, other, strict=True)):
        for pattern_number in sorted(first ^ second):
            yield number, pattern_number, pattern_number in first


def compare(found, seed, all_operators):
    """What is wrong."""
    chance = random.Random(f"{seed} {all_operators}")
    patterns = [pattern(chance, all_operators) for _ in range(PATTERNS)]
    events = [event(chance, all_operators) for _ in range(EVENTS)]
    files = write_lines("events", events), write_lines("rules", patterns)
    matches = {name: matches_of(name, command, *files) for name, command in found.items()
               if not all_operators or name != "quamina"}
    wrong, notes = [], []

    def tell(what, one, other):
        for number, index, for_one in differing(one, other):
            wrong.append(f"seed {seed}: {json.dumps(patterns[index], ensure_ascii=False)} and "
                         f"{json.dumps(events[number], ensure_ascii=False)}: {what[0 if for_one else 1]}")

    together, mine = matches.pop("Continuo")
    tell(("matches beside others, not alone", "matches alone, not beside others"), together, mine)
    for name, (beside, alone) in matches.items():
        tell((f"matches for Continuo, not for {name}", f"matches for {name}, not for Continuo"), mine, alone)
        notes.append(f"{name} differs in {len(list(differing(beside, alone))):,}")
    print(f"seed {seed}, {'all operators' if all_operators else 'what quamina knows'}: {PATTERNS} patterns x "
          f"{EVENTS:,} events, {sum(map(len, mine)):,} matches, {len(wrong)} differ. One matcher for all beside one "
          f"for each: {', '.join(notes)}", flush=True)
    return wrong


def check(given):
    found = commands([name for name in SIDES if name == "Continuo" or name.lower() in given.sides])
    if len(found) < 2:
        return ["nothing was compared: there is no peer"]
    return [each for seed in range(given.seed, given.seed + given.rounds) for all_operators in (False, True)
            for each in compare(found, seed, all_operators)]
