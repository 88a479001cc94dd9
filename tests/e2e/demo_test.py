#!/usr/bin/env python3
"""The demo without a terminal, with LANG=C and ports taken; on a terminal; with Ctrl-C, which leaves nothing behind."""

import os
import pty
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cli_server
from cli_server import CONTINUO, clean_environment


def processes_of(home):
    """Processes that belong to a demo in this home: their command lines name its folder, or their server."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue
        if f"HOME={home}".encode() in environment.split(b"\0") and int(entry.name) != os.getpid():
            found.append(entry.name)
    return found


def leftovers(home):
    return sorted(str(path.relative_to(home)) for path in (home / ".cache/continuo").glob("demo.*"))


def nothing_is_left(home):
    assert not processes_of(home), processes_of(home)
    assert not leftovers(home), leftovers(home)


def commands_work(text, home):
    """The three commands at the end do what they say."""
    first, *others = re.findall(r"^  (\S*continuo .*)$", text, re.MULTILINE)[-3:]
    assert len(others) == 2, text
    server = subprocess.Popen(first.rstrip(" &").split(), stdout=subprocess.PIPE, text=True,
                              env=clean_environment(home))
    try:
        assert " ready: " in server.stdout.readline()
        for line in others:
            done = subprocess.run(line.split(), stdout=subprocess.PIPE, text=True, timeout=30,
                                  env=clean_environment(home), check=True)
            assert done.stdout.strip(), line
            if "--correlation" in line:
                assert "CheckoutSubmitted" in done.stdout and "MailSent" in done.stdout, done.stdout
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=20)
        server.stdout.close()


def check_plain(home):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8080))
        except OSError:
            pass  # somebody has it already: as good
        done = subprocess.run([CONTINUO, "demo", "--fast"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=120, stdin=subprocess.DEVNULL, env=clean_environment(home), check=False)
    text = done.stdout.decode("ascii")  # LANG=C: nothing but ASCII
    assert done.returncode == 0, text
    for line in ("kill -9 email", "kill -9 the server", "the server is back", "analytics joins", "orders 150:",
                 "nothing lost", "kim looks", "continuo parked edit payment c-", "continuo parked skip payment c-",
                 "edited by declared repair", "still parked 0"):
        assert line in text, f"'{line}' is not in:\n{text}"
    assert "\x1b" not in text and "NO:" not in text, text
    nothing_is_left(home)
    commands_work(text, home)


def check_orders_from_file(home):
    file = home / "orders.ndjson"
    file.write_text("".join(f'{{"id":{n},"customer":"c{n % 7}","amount":{n}00,"gift":true}}\n' for n in range(1, 81)))
    done = subprocess.run([CONTINUO, "demo", "--orders", file, "--no-keep"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=120, env=clean_environment(home), check=False)
    assert done.returncode == 0 and "orders 80:" in done.stdout, done.stdout
    nothing_is_left(home)


def start_on_terminal(home, *flags):
    ours, theirs = pty.openpty()
    demo = subprocess.Popen([CONTINUO, "demo", *flags], stdin=theirs, stdout=theirs, stderr=theirs,
                            start_new_session=True, env=clean_environment(home, LANG="C.UTF-8", TERM="xterm"))
    os.close(theirs)
    return demo, ours


def read_until(terminal, text, seconds):
    seen, end = b"", time.monotonic() + seconds
    while text not in seen and time.monotonic() < end:
        try:
            seen += os.read(terminal, 4096)
        except OSError:
            break
    return seen


def check_ctrl_c(home, number):
    demo, terminal = start_on_terminal(home)
    try:
        seen = read_until(terminal, b"shipped 3", 30)
        assert b"\x1b[" in seen and "█".encode() in seen, seen[-2000:]
        assert len(processes_of(home)) > 6, processes_of(home)
        demo.send_signal(number)
        read_until(terminal, b"\0", 3)
        code = demo.wait(timeout=10)
        assert code == (130 if number == signal.SIGINT else -signal.SIGKILL), code
        if number == signal.SIGINT:
            nothing_is_left(home)
        else:  # killed itself it cannot tidy up: its children go all the same, and the next demo removes its folder
            cli_server.eventually(lambda: not processes_of(home), 5, "the children's end")
    finally:
        demo.kill()
        os.close(terminal)


def main():
    cli_server.need("continuo", "shop", "shop-account")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        check_plain(home)
        check_ctrl_c(home, signal.SIGINT)
        check_ctrl_c(home, signal.SIGKILL)
        check_orders_from_file(home)
    print("the demo runs, ends, and leaves nothing behind")
    return 0


if __name__ == "__main__":
    sys.exit(main())
