"""The rule sets of bench/routing. Lots are records of land lots (load/routing_corpus_main.cc), payloads are what GitHub
sends to webhooks."""

import random
from typing import NamedTuple

LOT = "properties"


class RuleSet(NamedTuple):
    name: str
    corpus: str  # "lots", "unseen": lots of which every STREET is another, "payloads"
    patterns: object  # (lots' own values) -> patterns
    quamina: bool = True  # whether quamina knows the operators
    aim: float = 0  # events/s
    heap_mb: float = 0  # at most
    beside_ruler: float = 0  # times its events/s
    slow: bool = False  # peers do some ten thousand events a second: fewer are counted


def of(field, *conditions):
    return {LOT: {field: list(conditions)}}


def exact(_):
    return [of("MAPBLKLOT", each) for each in ("0007001", "0012002", "2607017", "3745012", "VACSTWIL")]


def prefix(_):
    return [of("STREET", {"prefix": each}) for each in ("AC", "BL", "DR", "FU", "RH")]


def suffix(_):
    return [of("STREET", {"suffix": each}) for each in ("ON", "KE", "MM", "ING", "GO")]


def ignore_case(_):
    streets = [of("STREET", {"equals-ignore-case": each}) for each in ("jefferson", "bEaCh", "HyDe", "CHESTNUT")]
    return [*streets, of("ST_TYPE", {"equals-ignore-case": "st"})]


def affix_ignore_case(_):
    return [of("STREET", {"prefix": {"equals-ignore-case": "Ac"}}),
            of("STREET", {"prefix": {"equals-ignore-case": "bL"}}),
            of("STREET", {"suffix": {"equals-ignore-case": "oN"}}),
            of("STREET", {"suffix": {"equals-ignore-case": "Ke"}}),
            of("STREET", {"suffix": {"equals-ignore-case": "InG"}})]


def wildcard(_):
    return [of("MAPBLKLOT", {"wildcard": each}) for each in ("143*", "2*0*1*7", "*218", "3*5*2", "VA*IL")]


def anything_but(_):
    return [of("STREET", {"anything-but": ["FULTON"]}), of("STREET", {"anything-but": ["MASON"]}),
            of("ODD_EVEN", {"anything-but": ["O"]}), {"geometry": {"type": [{"anything-but": ["Polygon"]}]}},
            of("BLOCK_NUM", {"anything-but": ["0441", "0442"]})]


def anything_but_more(_):
    return [of("STREET", {"anything-but": {"prefix": "FULTO"}}), of("STREET", {"anything-but": {"suffix": "ASON"}}),
            of("ST_TYPE", {"anything-but": {"equals-ignore-case": ["st", "ave"]}}),
            of("MAPBLKLOT", {"anything-but": {"wildcard": "2*0*1*7"}}), of("ST_TYPE", {"anything-but": "ST"})]


def numeric(_):
    return [{"geometry": {"type": ["Polygon"], "firstCoordinates": {"x": [{"numeric": ["=", -122.4291636092235]}]}}},
            {"geometry": {"type": ["MultiPolygon"], "firstCoordinates": {"z": [{"numeric": ["=", 0]}]}}},
            {"geometry": {"firstCoordinates": {"x": [{"numeric": ["<", -122.41600944012]}]}}},
            {"geometry": {"firstCoordinates": {"x": [{"numeric": [">", -122.41600944012]}]}}},
            {"geometry": {"firstCoordinates": {"x": [{"numeric": [">", -122.46471267081, "<", -122.40630851284]}]}}}]


def complex_arrays(_):
    return [{"geometry": {"type": ["Polygon"], "coordinates": {"x": [{"numeric": ["=", -122.4291636092235]}]}}},
            {"geometry": {"type": ["MultiPolygon"], "coordinates": {"y": [{"numeric": ["=", 37.7290021621732]}]}}},
            {"geometry": {"coordinates": {"x": [{"numeric": ["<", -122.41600944012]}]}}},
            {"geometry": {"coordinates": {"x": [{"numeric": [">", -122.41600944012]}]}}},
            {"geometry": {"coordinates": {"x": [{"numeric": [">", -122.46471267081, "<", -122.40630851284]}]}}}]


def same_element(_):
    """Two fields, which have to be met in one element of the array."""
    boxes = [(43, 72), (41, 73), (39, 75), (45, 78), (47, 71)]
    return [{"geometry": {"coordinates": {"x": [{"numeric": [">", -122 - x / 100 - 0.005, "<=", -122 - x / 100]}],
                                          "y": [{"numeric": [">=", 37 + y / 100, "<", 37.005 + y / 100]}]}}}
            for x, y in boxes]


def together(lots):
    return [pattern for make in (exact, prefix, suffix, ignore_case, wildcard, anything_but, numeric, complex_arrays)
            for pattern in make(lots)]


def common(lots):
    """Of `together` what quamina knows too."""
    return [pattern for make in (exact, prefix, ignore_case, wildcard, anything_but) for pattern in make(lots)]


def many_exact(count):
    def make(lots):
        """Half of them are there, half are not."""
        chance = random.Random(1)
        there = sorted({lot["MAPBLKLOT"] for lot in lots})
        chance.shuffle(there)
        values = set(there[:count // 2])
        while len(values) < count:
            values.add(f"{chance.randrange(6000, 10000):04}{chance.randrange(1000):03}{chance.choice('ABCDE')}")
        return [of("MAPBLKLOT", value) for value in sorted(values)]
    return make


def many_wildcards(count):
    def make(lots):
        """From pieces of streets' names: at one end, at both, in the middle, one after the other."""
        chance = random.Random(2)
        streets = sorted({lot["STREET"] for lot in lots if len(lot["STREET"]) >= 6})
        made = set()
        while len(made) < count:
            one, other = chance.choice(streets), chance.choice(streets)
            at = chance.randrange(len(one) - 4)
            made.add(chance.choice([f"{one[:4]}*{other[-3:]}", f"*{one[at:at + 3]}*{other[-2:]}",
                                    f"{one[:2]}*{one[at + 2:at + 4]}*{other[-3:]}", f"*{one[at:at + 5]}*",
                                    f"{one[:3]}*{other[2:4]}*{other[-1]}", f"*{one[at:at + 2]}*{other[1:4]}*"]))
        return [of("STREET", {"wildcard": each}) for each in sorted(made)]
    return make


REPOSITORIES = ["Codertocat/Hello-World", "octo-org/octo-repo", "Octocoders/Hello-World", "octocat/hello-world",
                "acme/billing", "acme/checkout", "acme/infrastructure", "acme/website", "acme/mobile-app", "acme/docs"]


def repository(name, more):
    return {"repository": {"full_name": [name]}, **more}


def per_repository():
    """What each of ten teams wants to hear of its repository."""
    for name in REPOSITORIES:
        yield repository(name, {"action": ["opened", "reopened"], "pull_request": {"base": {"ref": ["master", "main"]},
                                                                                   "draft": [False]}})
        yield repository(name, {"action": ["labeled"], "issue": {"labels": {"name": ["bug", "incident"]}}})
        yield repository(name, {"ref": ["refs/heads/master", "refs/heads/main"], "pusher": {"name": [
            {"exists": True}]}})
        yield repository(name, {"action": ["completed"], "check_suite": {"conclusion": ["success", "failure"],
                                                                         "head_branch": ["master", "main"]}})
        yield repository(name, {"action": ["published"], "release": {"prerelease": [False]}})
        yield repository(name, {"sender": {"login": [{"anything-but": ["dependabot[bot]", "renovate[bot]"]}]},
                                "comment": {"body": [{"wildcard": "*emoji*"}]}})


def across_repositories():
    """Security, release engineering, statistics, community: 40 rules."""
    yield {"action": ["created"], "alert": {"state": ["open"], "rule": {"severity": ["error", "warning"]}}}
    yield {"action": ["published", "performed"], "security_advisory": {"severity": ["critical", "high"]}}
    yield {"alert": {"security_advisory": {"severity": ["medium", "high"]}}}
    yield {"action": ["added", "removed"], "member": {"login": [{"prefix": "hack"}]}}
    yield {"action": ["publicized"], "repository": {"private": [False]}}
    yield {"repository": {"private": [True]}, "sender": {"type": ["Bot"]}}
    yield {"sender": {"type": ["Organization"]}, "repository": {"visibility": [{"exists": True}]}}
    yield {"ref": [{"prefix": "refs/tags/"}], "created": [True]}
    yield {"ref": [{"wildcard": "refs/heads/release/*"}]}
    yield {"ref": [{"wildcard": "refs/heads/*feature*"}], "deleted": [False]}
    yield {"ref_type": ["tag"], "master_branch": ["master"]}
    yield {"forced": [True], "ref": ["refs/heads/master", "refs/heads/main"]}
    yield {"workflow_run": {"conclusion": ["failure", "timed_out", "action_required"]}}
    yield {"workflow_job": {"steps": {"conclusion": ["failure"]}}}
    yield {"workflow_job": {"labels": ["gpu"], "status": ["queued", "in_progress", "completed"]}}
    yield {"workflow_job": {"steps": {"name": [{"prefix": "Run actions/"}]}}}
    yield {"check_run": {"conclusion": ["failure", "neutral"], "name": [{"wildcard": "*linter"}]}}
    yield {"check_run": {"app": {"slug": ["octocoders-linter"]}}, "action": ["rerequested", "requested_action"]}
    yield {"deployment": {"environment": ["production"]}, "deployment_status": {"state": ["failure", "success"]}}
    yield {"deployment": {"environment": [{"prefix": "prod"}], "creator": {"login": [{"exists": True}]}}}
    yield {"pull_request": {"requested_reviewers": {"login": ["octocat"]}, "state": ["open"]}}
    yield {"pull_request": {"title": [{"wildcard": "*README*"}], "author_association": ["OWNER", "MEMBER"]}}
    yield {"pull_request": {"merged": [True], "base": {"ref": [{"prefix": "release/"}]}}}
    yield {"pull_request": {"head": {"repo": {"fork": [True]}}, "user": {"type": ["User"]}}}
    yield {"pull_request": {"user": {"login": [{"equals-ignore-case": "codertocat"}]}, "labels": {"name": ["bug"]}}}
    yield {"pull_request": {"head": {"ref": [{"wildcard": "*/hotfix-*"}]}}}
    yield {"review": {"state": ["changes_requested", "dismissed"]}, "pull_request": {"draft": [False]}}
    yield {"issue": {"title": [{"wildcard": "*[Cc]rash*"}, {"wildcard": "*error*"}], "state": ["open"]}}
    yield {"issue": {"labels": {"color": ["d73a4a"]}, "milestone": {"title": ["v1.0"]}}}
    yield {"issue": {"assignees": {"login": ["Codertocat"]}, "locked": [False]}, "action": ["assigned"]}
    yield {"comment": {"body": [{"prefix": "/deploy"}, {"prefix": "/retest"}]}}
    yield {"comment": {"user": {"login": [{"equals-ignore-case": "MONALISA"}]}}}
    yield {"discussion": {"category": {"name": ["General", "Q&A"], "is_answerable": [True, False]}}}
    yield {"organization": {"login": ["Octocoders"]}, "action": ["created"], "team": {"privacy": ["secret"]}}
    yield {"team": {"name": [{"anything-but": ["github"]}]}, "action": ["edited"]}
    yield {"installation": {"account": {"login": [{"equals-ignore-case": "octocoders"}]}}}
    yield {"hook": {"events": ["*", "push"], "config": {"url": [{"prefix": "https://"}]}}}
    yield {"commits": {"modified": [{"wildcard": "*.md"}, {"wildcard": "docs/*"}]}}
    yield {"commits": {"added": [{"wildcard": "README*"}], "author": {"name": [{"exists": True}]}}}
    yield {"package": {"package_type": ["npm", "container"]}, "action": ["published"]}


def payload_rules(_):
    return [*per_repository(), *across_repositories()]


def payload_rules_of_all_operators(_):
    """The same, with 15 of them asking what quamina cannot."""
    more = [
        {"repository": {"stargazers_count": [{"numeric": [">=", 1]}], "full_name": [{"suffix": "World"}]}},
        {"repository": {"open_issues_count": [{"numeric": [">", 2, "<=", 40]}]}},
        {"repository": {"size": [{"numeric": [">", 100000]}]}},
        {"pull_request": {"additions": [{"numeric": ["<", 10]}], "changed_files": [{"numeric": ["=", 1]}]}},
        {"pull_request": {"head": {"ref": [{"anything-but": {"prefix": "dependabot/"}}]}}},
        {"pull_request": {"title": [{"suffix": {"equals-ignore-case": "INFORMATION."}}]}},
        {"ref": [{"suffix": "/main"}, {"suffix": "/master"}]},
        {"release": {"tag_name": [{"anything-but": {"suffix": "-rc"}}], "assets": {"size": [{"numeric": [">", 0]}]}}},
        {"sender": {"login": [{"anything-but": {"suffix": "[bot]"}}]}, "action": ["deleted"]},
        {"comment": {"body": [{"prefix": {"equals-ignore-case": "you are"}}]}},
        {"$or": [{"action": ["deleted"]}, {"deleted": [True]}, {"alert": {"state": ["dismissed"]}}],
         "organization": {"login": [{"exists": True}]}},
        {"$or": [{"issue": {"comments": [{"numeric": [">", 0]}]}}, {"pull_request": {"comments": [
            {"numeric": [">", 0]}]}}], "sender": {"type": ["User"]}},
        {"workflow_job": {"steps": {"conclusion": ["failure"], "number": [{"numeric": [">", 1]}]}}},
        {"check_run": {"output": {"annotations_count": [{"numeric": [">", 0]}]}}},
        {"repository": {"owner": {"login": [{"anything-but": {"equals-ignore-case": ["codertocat", "octocoders"]}}]}}},
    ]
    return [*payload_rules(None)[:85], *more]


SETS = [
    RuleSet("exact", "lots", exact, aim=4e6, beside_ruler=5),
    RuleSet("prefix", "lots", prefix, aim=4e6, beside_ruler=5),
    RuleSet("suffix", "lots", suffix, quamina=False, aim=4e6),
    RuleSet("ignore case", "lots", ignore_case),
    RuleSet("prefix and suffix ignoring case", "lots", affix_ignore_case, quamina=False),
    RuleSet("wildcard", "lots", wildcard),
    RuleSet("anything but", "lots", anything_but),
    RuleSet("anything but, other forms", "lots", anything_but_more, quamina=False),
    RuleSet("numeric", "lots", numeric, quamina=False),
    RuleSet("complex arrays", "lots", complex_arrays, quamina=False, aim=0.8e6),
    RuleSet("two fields of one element", "lots", same_element, quamina=False),
    RuleSet("25 that quamina knows", "lots", common),
    RuleSet("40 of the above", "lots", together, quamina=False),
    RuleSet("100,000 exact", "lots", many_exact(100_000), aim=3e6, heap_mb=60),
    RuleSet("1,000 wildcards", "lots", many_wildcards(1_000), slow=True),
    RuleSet("5,000 wildcards", "lots", many_wildcards(5_000), aim=2e6, beside_ruler=50, slow=True),
    RuleSet("5,000 wildcards, values never seen", "unseen", many_wildcards(5_000), aim=0.2e6, slow=True),
    RuleSet("GitHub, 100 rules", "payloads", payload_rules),
    RuleSet("GitHub, 100 rules, all operators", "payloads", payload_rules_of_all_operators, quamina=False),
]
