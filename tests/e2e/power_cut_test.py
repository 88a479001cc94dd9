#!/usr/bin/env python3
"""Power cuts on a real kernel: a file system in a file is shut down under load (FS_IOC_SHUTDOWN, nothing flushed),
mounted again, and everything that was acknowledged must be there. kill -9 cannot show a missing flush; this can."""

import os
import random
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(__file__))
from backbone import Client, LoopImage, Publishers, Server, check_acknowledged, program, skip  # noqa: E402

ROUNDS = 20 if os.environ.get("CONTINUO_LONG") else 3
PARTITIONS = 3


def run(kind, folder):
    image = LoopImage(folder, kind, 700)
    acknowledged = {}
    try:
        for number in range(ROUNDS):
            data = os.path.join(image.place, "data")
            server = Server(data, "--journal-size", "96MiB")
            client = Client(server.port)
            client.ask("PUT", "/v1/topics/t", {"partitions": PARTITIONS})
            check_acknowledged(client, "t", PARTITIONS, acknowledged)
            publishers = Publishers(server.port, "t")
            time.sleep(random.uniform(0.3, 1.5))
            image.power_cut()
            acknowledged.update(publishers.stop())
            server.kill()
            image.unmount()
            image.mount()
        server = Server(os.path.join(image.place, "data"), "--journal-size", "96MiB")
        total = check_acknowledged(Client(server.port), "t", PARTITIONS, acknowledged)
        server.stop()
        assert len(acknowledged) > 50 * ROUNDS, "hardly anything was acknowledged: the test tests nothing"
        print(f"{kind}: {ROUNDS} power cuts, {len(acknowledged)} events acknowledged, all there; {total} in the log")
    finally:
        image.unmount()


def main():
    program()
    folder = tempfile.mkdtemp(prefix="continuo-power-")
    try:
        kinds = [kind for kind in ("ext4", "xfs") if shutil.which(f"mkfs.{kind}")]
        if not kinds:
            skip("neither mkfs.ext4 nor mkfs.xfs is installed")
        for kind in kinds:
            run(kind, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
