#!/usr/bin/env python3
"""The example of overtaking, with Continuo alone: what failed is mended, nothing overtook it, nothing is lost or
doubled. And its judge sees what it is for. runs-beside-others"""

import os
import subprocess
import sys
import tempfile

import cli_server
from cli_server import BUILD, ROOT

EXAMPLE = ROOT / "examples" / "overtaking"
sys.path.insert(0, str(EXAMPLE))
from payments import judge, payments  # noqa: E402


def check_judge():
    sent = [{"key": key, "number": number} for number in range(3) for key in "ab"]
    in_order = [("a", 0), ("b", 0), ("b", 1), ("a", 1), ("a", 2), ("b", 2)]
    assert judge(sent, in_order) == {"events": 6, "handled": 6, "overtakes": 0, "keys": 0, "lost": 0, "doubled": 0}
    late = [("a", 1), ("b", 0), ("a", 2), ("a", 0), ("b", 1), ("b", 2)]
    assert judge(sent, late) == {"events": 6, "handled": 6, "overtakes": 2, "keys": 1, "lost": 0, "doubled": 0}
    twice = [("a", 0), ("a", 0), ("b", 1)]
    assert judge(sent, twice) == {"events": 6, "handled": 2, "overtakes": 1, "keys": 1, "lost": 4, "doubled": 1}


def check_payments():
    sent = payments(10, 4, 1)
    assert len({(event["key"], event["number"]) for event in sent}) == 40
    assert sum(event["amount"] == "twelve" for event in sent) == 2 and sum(event["away"] > 0 for event in sent) == 2


def check_example(folder):
    environment = {**os.environ, "CONTINUO_BUILD": str(BUILD), "CONTINUO_BENCH_DIR": folder}
    command = [sys.executable, EXAMPLE / "overtaking", "--only", "continuo", "--keys", "10", "--events", "5"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120,
                          env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    row = done.stdout.strip().splitlines()[-1]
    assert row.startswith("| continuo") and row.endswith("| 50 | 50 | 0 | 0 | 0 | 0 |"), done.stdout


def main():
    cli_server.need("continuo")
    check_judge()
    check_payments()
    with tempfile.TemporaryDirectory() as folder:
        check_example(folder)
    print("nothing overtook what had failed")


if __name__ == "__main__":
    main()
