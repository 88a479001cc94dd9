#!/usr/bin/env python3
"""The demo's second scene: real webhook payloads, imported, tailed, read back unchanged. Needs npm and its registry."""

import subprocess
import sys
import tempfile
from pathlib import Path

import cli_server
from cli_server import CONTINUO, SKIPPED, clean_environment


def demo(home, *flags, **more):
    return subprocess.run([CONTINUO, "demo", "github", *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=120, env=clean_environment(home, **more), check=False)


def check_without_npm(home):
    done = demo(home, PATH="/nowhere")
    assert done.returncode == 1 and "--examples" in done.stderr, done.stderr
    file = home / "index.json"
    file.write_text('[{"name":"ping","examples":[{"zen":"be \\u00fcber 1.10",\n "n": 1.10,'
                    ' "repository":{"full_name":"a/b"}},{"action":"x"}]}]')
    done = demo(home, "--examples", str(file), PATH="/nowhere")
    assert done.returncode == 0 and "2 of 2 byte for byte" in done.stdout, done.stdout + done.stderr


def main():
    cli_server.need("continuo")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        check_without_npm(home)
        done = demo(home)
        if done.returncode == 1 and ("no npm" in done.stderr or "npm did not bring" in done.stderr):
            print(done.stderr.strip().splitlines()[0])
            return SKIPPED
        assert done.returncode == 0, done.stdout + done.stderr
        for how in ("tailed", "read back"):
            assert f"{how:<12} 329 of 329 byte for byte the same" in done.stdout, done.stdout
        assert "com.github.push" in done.stdout
    print("329 payloads came back byte for byte")
    return 0


if __name__ == "__main__":
    sys.exit(main())
