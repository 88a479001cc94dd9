"""A command-line consumer that runs, and what it has printed so far."""

import queue
import subprocess
import threading
import time


class Stream:
    """`parse` makes of a line a record, or nothing; of the lines of stderr too."""

    def __init__(self, command, parse):
        self.records, self.parse = queue.Queue(), parse
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1)
        self.threads = [threading.Thread(target=self.run, args=(pipe,), daemon=True)
                        for pipe in (self.process.stdout, self.process.stderr)]
        for thread in self.threads:
            thread.start()

    def run(self, pipe):
        for line in pipe:
            found = self.parse(line.rstrip("\n"))
            if found:
                self.records.put(found)

    def read(self, count, seconds):
        found, until = [], time.monotonic() + seconds
        while len(found) < count and (left := until - time.monotonic()) > 0:
            try:
                found.append(self.records.get(timeout=left))
            except queue.Empty:
                break
        return found

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        for thread in self.threads:
            thread.join(5)
