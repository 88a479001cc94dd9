"""Continuo's matcher, event-ruler and quamina as programs that match the same file of events against the same file of
patterns, one question at a time. The peers come from their own package managers: event-ruler by mvn, quamina by go."""

import json
import os
import shutil
import subprocess
import sys
import threading

from side_by_side import BUILD, CACHE, FOLDER, RUNNING, cached, version

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = os.path.join(HERE, "routing_peers")
# One heap for all rule sets, so large that collecting it is not what is measured, and the collector that has the least
# to do while a program runs.
JVM = ["java", "-Xms3g", "-Xmx3g", "-XX:+UseParallelGC"]
PATIENCE_S = 300


class Missing(Exception):
    """Why a peer cannot be had."""


class Failed(Exception):
    """What a side did wrong."""


def run(what, *command, **settings):
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900, **settings)
    if done.returncode != 0:
        raise Missing(f"{what}: {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Missing(f"{program} is missing{'' if program in ('go', 'npm') else '; ./x install routing'}")


def continuo():
    return [f"{BUILD}/routing_load"], version([f"{BUILD}/continuo", "--version"])


def event_ruler():
    need("java", "javac", "mvn")
    source = os.path.join(PEERS, "event_ruler")
    jars = cached("event-ruler-2.0.1", lambda target: run(
        "mvn", "mvn", "-q", "-B", "-f", f"{source}/pom.xml", "dependency:copy-dependencies",
        f"-DoutputDirectory={target}"))
    classes = os.path.join(FOLDER, "event-ruler")
    run("javac", "javac", "-d", classes, "-cp", f"{jars}/*", f"{source}/RulerSide.java")
    found = [name for name in os.listdir(jars) if name.startswith("event-ruler-")]
    machine = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr.split("\n")[0]
    return [*JVM, "-cp", f"{classes}:{jars}/*", "RulerSide"], f"{found[0].removesuffix('.jar')} ({machine})"


def quamina():
    need("go")
    folder = os.path.join(FOLDER, "quamina")
    shutil.copytree(os.path.join(PEERS, "quamina"), folder, dirs_exist_ok=True)
    run("go build", "go", "build", "-mod=mod", "-o", f"{folder}/side", ".", cwd=folder)
    module = run("go list", "go", "list", "-mod=mod", "-m", "quamina.net/go/quamina/v2", cwd=folder).split()
    return [f"{folder}/side"], f"quamina {module[1]} ({version(['go', 'version'])})"


SIDES = {"Continuo": continuo, "event-ruler": event_ruler, "quamina": quamina}


def commands(wanted):
    """{name: command} of the sides that can be had; says what they are, and why others are not there."""
    found = {}
    for name in wanted:
        try:
            found[name], what = SIDES[name]()
            print(what)
        except Missing as missing:
            print(f"no {name}: {missing}")
    return found


class Side:
    """A program that has compiled the patterns and waits to be asked."""

    def __init__(self, name, command, events, patterns):
        self.name = name
        self.process = subprocess.Popen([*command, events, patterns], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        RUNNING.append(self.process)
        self.built = self.answer()

    def ask(self, *words):
        try:
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # why it ended is what it says on stderr
        return self.answer()

    def answer(self):
        timer = threading.Timer(PATIENCE_S, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line:
            self.process.kill()
            raise Failed(f"{self.name}: {self.process.stderr.read().strip()[-600:] or f'nothing in {PATIENCE_S} s'}")
        return json.loads(line)

    def end(self):
        self.process.stdin.close()
        self.process.wait(30)
        if self.process in RUNNING:
            RUNNING.remove(self.process)


def write_lines(name, values):
    path = os.path.join(FOLDER, name)
    with open(path, "w", encoding="utf-8") as file:
        for value in values:
            file.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")
    return path


def lots(count, unseen=False):
    """A file of land lots."""
    path = os.path.join(FOLDER, "unseen" if unseen else "lots")
    with open(path, "w", encoding="utf-8") as file:
        subprocess.run([f"{BUILD}/routing_corpus", "--events", str(count), *(["--unseen"] if unseen else [])],
                       stdout=file, check=True)
    return path


def payloads():
    """A file of GitHub's example payloads, from the npm package that collects them."""
    need("npm")
    package = "@octokit/webhooks-examples"

    def install(target):
        os.makedirs(target)
        run("npm", "npm", "install", "--silent", "--no-package-lock", "--prefix", target, f"{package}@7.6.1")
    folder = cached("webhooks-examples-7.6.1", install)
    with open(f"{folder}/node_modules/{package}/api.github.com/index.json", encoding="utf-8") as file:
        examples = [each for kind in json.load(file) for each in kind["examples"]]
    print(f"GitHub: {len(examples)} payloads of {package} 7.6.1", file=sys.stderr)
    return write_lines("payloads", examples)
