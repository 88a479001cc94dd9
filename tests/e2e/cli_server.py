"""A server for end-to-end tests: on a free port, in a folder of its own; killed, started again, gone at the end."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("CONTINUO_BUILD", ROOT / "build")).resolve()
CONTINUO = BUILD / "continuo"
SKIPPED = 77


def need(*programs):
    """Ends the test as skipped when one of these programs is not built."""
    for program in programs:
        if not (BUILD / program).exists():
            print(f"{BUILD / program} is not built")
            sys.exit(SKIPPED)


def clean_environment(home, **more):
    """Nothing of the user's settings; `home` takes what programs keep."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("CONTINUO_", "XDG_")) and name not in ("NO_COLOR", "LC_ALL", "LC_CTYPE")}
    return {**kept, "HOME": str(home), "LANG": "C", **more}


class Server:
    """`with Server() as server: server.run("topic", "list")`"""

    def __init__(self, *flags):
        self.folder = Path(tempfile.mkdtemp(prefix="continuo-e2e."))
        self.flags = flags
        self.address = "127.0.0.1:0"
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self):
        return f"http://{self.address}"

    def start(self):
        command = [CONTINUO, "serve", "--data", self.folder / "data", "--http", self.address,
                   "--journal-size", "64MiB", *self.flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        env=clean_environment(self.folder))
        said = self.process.stdout.readline()
        if " ready: http://" not in said:
            raise AssertionError(f"the server did not start: {said}{self.process.stdout.read()}")
        self.address = said.split(" ready: http://")[1].split()[0]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, signal_number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
            self.process.wait(timeout=30)
        self.process.stdout.close()
        return self.process.returncode

    def run(self, *words, program=CONTINUO, **options):
        """Runs `continuo WORDS --server URL`; the finished process."""
        return subprocess.run([program, *words, "--server", self.url], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=120, env=clean_environment(self.folder), check=False, **options)

    def ask(self, method, path, body=None):
        """JSON in, JSON out; (status, answer)."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refused:
            return refused.code, json.loads(refused.read() or b"null")


def eventually(true, seconds=20, what="it"):
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come true within {seconds} s")
        time.sleep(0.05)
