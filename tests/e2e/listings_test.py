#!/usr/bin/env python3
"""The listings in docs/cli.md, docs/groups.md, docs/healing.md, docs/queues.md, docs/shop.md, docs/webhooks.md
and docs/client-cpp.md are true: they are run, or are parts of what is run.

In a `console` block, lines with `$ ` are commands; what follows is what they print, where `...` stands for anything,
and a last `[N]` is the exit code.
"""

import os
import re
import socket
import subprocess
import sys

import cli_server
from cli_server import BUILD, ROOT, Server, clean_environment


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / "docs" / page).read_text(), re.MULTILINE | re.DOTALL)


def steps(block):
    """(command, what it prints, exit code) for each command of a block."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        code = re.search(r"^\[(\d+)\]\n\Z", printed, re.MULTILINE)
        yield command, printed[:code.start()] if code else printed, int(code[1]) if code else 0


def fits(printed, pattern):
    expression = ".*".join(re.escape(piece) for piece in pattern.rstrip("\n").split("..."))
    return re.fullmatch(expression, printed.rstrip("\n"), re.DOTALL) is not None


def run(command, server, home):
    """Background jobs keep nothing open, and end with the test."""
    environment = clean_environment(home, CONTINUO_SERVER=server.url, PATH=f"{BUILD}:{os.environ['PATH']}")
    with open(home / "said", "w+", encoding="utf-8") as said:
        code = subprocess.run(["sh", "-c", command], stdout=said, stderr=subprocess.STDOUT, timeout=60,
                              stdin=subprocess.DEVNULL, env=environment, cwd=home, check=False).returncode
        said.seek(0)
        return code, said.read()


def check_console(page):
    with Server() as server:
        try:
            for block in blocks(page, "console"):
                for command, pattern, code in steps(block):
                    got, printed = run(command, server, server.folder)
                    assert got == code and fits(printed, pattern), \
                        f"docs/{page}: `{command}` gave [{got}]\n{printed}where the page says [{code}]\n{pattern}"
        finally:
            end_services(server)


def check_webhooks():
    """With a free port for the receiver, and what the page calls receiver.py."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    (receiver,) = blocks("webhooks.md", "python")
    with Server("--allow-private-webhooks") as server:
        place = server.folder / "receiver.py"
        place.write_text(receiver.replace("9000", port))
        try:
            for block in blocks("webhooks.md", "console"):
                for command, pattern, code in steps(block):
                    command = command.replace("9000", port).replace("receiver.py", str(place))
                    got, printed = run(command, server, server.folder)
                    assert got == code and fits(printed, pattern), \
                        f"docs/webhooks.md: `{command}` gave [{got}]\n{printed}where the page says [{code}]\n{pattern}"
        finally:
            end_programs(lambda words: str(place).encode() in words)


def end_services(server):
    """Ends what the listings left running: programs with this server's address in their words."""
    end_programs(lambda words: words[0].endswith(b"shop") and server.url.encode() in words)


def end_programs(is_one):
    for entry in os.listdir("/proc"):
        try:
            words = open(f"/proc/{entry}/cmdline", "rb").read().split(b"\0") if entry.isdigit() else []
        except OSError:
            continue
        if words and is_one(words):
            os.kill(int(entry), 15)


def check_client():
    source = (ROOT / "sdk/cpp/listing/hello.cc").read_text()
    parts = blocks("client-cpp.md", "cpp")
    assert len(parts) == 5
    for part in parts:
        indented = "".join("  " + line if line.strip() else line for line in part.splitlines(keepends=True))
        assert indented in source, f"docs/client-cpp.md: not in sdk/cpp/listing/hello.cc:\n{part}"
    with Server() as server:
        done = subprocess.run([BUILD / "client_listing", server.url], stdout=subprocess.PIPE, text=True, timeout=30,
                              check=False)
        assert done.returncode == 0 and "OrderPlaced of customer-4" in done.stdout, done.stdout
        assert "o-17.OrderPaid" in server.run("tail", "payments").stdout
        assert "1 keys healed" in done.stdout and '"amount":4200' in server.run("sub", "receive", "billing").stdout


def main():
    cli_server.need("continuo", "shop", "shop-account", "client_listing")
    check_console("cli.md")
    check_console("groups.md")
    check_console("healing.md")
    check_console("queues.md")
    check_console("shop.md")
    check_webhooks()
    check_client()
    print("the listings are true")
    return 0


if __name__ == "__main__":
    sys.exit(main())
