"""Which clients there are, in which version, and how each is had by its own package manager."""

import os
import re
import shutil
import subprocess
import sys
from typing import NamedTuple

FOLDER = os.path.dirname(os.path.abspath(__file__))
CACHE = os.environ.get("CONTINUO_CONFORMANCE_CACHE") or os.path.expanduser("~/.cache/continuo-conformance")
DEBIANS_PYTHON = "/usr/bin/python3"

CONFLUENT = "2.16.1"
KAFKA_PYTHON = "3.0.12"
AIOKAFKA = "0.14.0"
JAVA_OLD = "3.9.2"
JAVA_NEW = "4.3.1"


class Missing(Exception):
    """Why a client cannot be had here."""


def ours(name):
    return os.path.join(FOLDER, name)


def cached(name, make):
    """The folder of this name in the cache; `make` fills a new one, and a failed one is not kept."""
    folder = os.path.join(CACHE, name)
    if not os.path.isdir(folder):
        os.makedirs(CACHE, exist_ok=True)
        unfinished = f"{folder}.{os.getpid()}"
        try:
            make(unfinished)
            os.replace(unfinished, folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Missing(f"there is no {program}")


def run(what, *command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    if done.returncode != 0:
        said = [line for line in done.stdout.splitlines() if line.strip()] or ["it said nothing"]
        raise Missing(f"{what} failed: {said[-1].strip()[:150]}")


def kcat():
    need("kcat")
    return [sys.executable, ours("kcat.py")]


def of_debian(module, script):
    def command():
        found = subprocess.run([DEBIANS_PYTHON, "-c", f"import {module}"], check=False, capture_output=True)
        if found.returncode != 0:
            raise Missing(f"Debian's python3-{module.replace('_', '-')} is not installed")
        return [DEBIANS_PYTHON, ours(script)]
    return command


def of_pypi(package, script):
    def command():
        name, version = re.fullmatch(r"([^\[=]+).*==(.*)", package).groups()
        tag = f"{name}-{version}-{sys.implementation.cache_tag}"
        folder = cached(tag, lambda target: run("pip", sys.executable, "-m", "pip", "install", "--quiet",
                                                "--disable-pip-version-check",
                                                "--only-binary", ":all:", "--target", target, package))
        return ["env", f"PYTHONPATH={folder}", sys.executable, ours(script)]
    return command


def kafkajs():
    need("node", "npm")

    def install(target):
        os.makedirs(target)
        shutil.copy(ours("kafkajs/package.json"), target)
        run("npm install", "npm", "install", "--silent", "--no-package-lock", "--prefix", target)
    folder = cached("kafkajs", install)
    return ["env", f"NODE_PATH={folder}/node_modules", "KAFKAJS_NO_PARTITIONER_WARNING=1", "node",
            ours("kafkajs/main.js")]


def of_go(name):
    def command():
        need("go")
        program = os.path.join(CACHE, f"{name}-adapter")
        os.makedirs(CACHE, exist_ok=True)
        run("go build", "go", "build", "-o", program, ".", cwd=ours(name))
        return [program]
    return command


def jars(artifact, version):
    need("java", "javac", "mvn")
    return cached(f"{artifact}-{version}", lambda target: run(
        "mvn", "mvn", "--batch-mode", "--quiet", "--file", ours("java/pom.xml"), "dependency:copy-dependencies",
        f"-DoutputDirectory={target}", f"-Dkafka.version={version}", f"-Dkafka.artifact={artifact}"))


def of_java(version):
    def command():
        libraries = jars("kafka-clients", version)
        classes = os.path.join(CACHE, f"java-adapter-{version}")
        run("javac", "javac", "-nowarn", "-d", classes, "-cp", f"{libraries}/*", ours("java/Adapter.java"))
        return ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{classes}:{libraries}/*",
                "Adapter"]
    return command


def tools():
    return ["env", f"KAFKA_JARS={jars('kafka-tools', JAVA_NEW)}:{jars('kafka_2.13', JAVA_NEW)}", sys.executable,
            ours("kafka_tools.py")]


class Client(NamedTuple):
    name: str
    title: str
    command: object  # () -> the command of its adapter; raises Missing


CLIENTS = [
    Client("kcat", "kcat", kcat),
    Client("confluent-debian", "confluent-kafka-python of Debian", of_debian("confluent_kafka", "confluent.py")),
    Client("confluent", "confluent-kafka-python", of_pypi(f"confluent-kafka=={CONFLUENT}", "confluent.py")),
    Client("kafka-python-debian", "kafka-python of Debian", of_debian("kafka", "kafka_python.py")),
    Client("kafka-python", "kafka-python",
           of_pypi(f"kafka-python[lz4,snappy,zstd]=={KAFKA_PYTHON}", "kafka_python.py")),
    Client("aiokafka", "aiokafka", of_pypi(f"aiokafka[lz4,snappy,zstd]=={AIOKAFKA}", "aiokafka_adapter.py")),
    Client("kafkajs", "kafkajs", kafkajs),
    Client("franz-go", "franz-go", of_go("franz_go")),
    Client("sarama", "sarama", of_go("sarama")),
    Client("java-3", "Java kafka-clients 3", of_java(JAVA_OLD)),
    Client("java-4", "Java kafka-clients 4", of_java(JAVA_NEW)),
    Client("kafka-tools", "Kafka's command-line tools", tools),
]
