"""The loop of the adapters that are written in Python: a request a line in, an answer a line out."""

import json
import os
import sys
import traceback


class NotOffered(Exception):
    """The client has no way to do this."""


class Skipped(Exception):
    """The client could, were something else there."""


def encoded(value):
    return None if value is None else value.encode()


def plain(value):
    return None if value is None else bytes(value).decode()


def record(partition, offset, key, value, headers, timestamp):
    return {"partition": partition, "offset": offset, "key": plain(key), "value": plain(value),
            "headers": [[name, plain(content)] for name, content in headers or []], "timestamp": timestamp}


def answer(client, request):
    method = getattr(client, request.pop("do"), None)
    if method is None:
        return {"not_offered": "no such method"}
    try:
        return {"ok": method(**request)}
    except NotOffered as why:
        return {"not_offered": str(why)}
    except Skipped as why:
        return {"skipped": str(why)}
    except Exception as error:  # whatever a client throws is its answer
        if os.environ.get("TRACE"):
            traceback.print_exc()
        return {"error": f"{type(error).__name__}: {error}"}


def run(make):
    # What clients print themselves goes to stderr.
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    client = make(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(answer(client, json.loads(line))), file=out, flush=True)
    os._exit(0)
