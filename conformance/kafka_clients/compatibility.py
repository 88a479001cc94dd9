"""The matrix as a text for a terminal and as docs/compatibility.md."""

import datetime
from typing import NamedTuple

LEGEND = """- `ok`: the client did it, and what it did was checked: by what it read, by what is stored, or over HTTP.
- `FAILED`: it did not; why is said below.
- `-`: the client has no way to do it.
- `skipped`: the client, or something it needs for this, was not there where this was run; why is said below."""


class Matrix(NamedTuple):
    server: str
    clients: list
    checks: list
    runs: list  # of each client: version, {check: (result, why)}

    def counts(self):
        every = [result for _, results in self.runs for result, _ in results.values()]
        return {name: every.count(name) for name in ("ok", "FAILED", "-", "skipped")}

    def rows(self):
        for name, title, _ in self.checks:
            yield name, title, [results[name][0] for _, results in self.runs]

    def text(self):
        width = max(len(name) for name, _, _ in self.checks)
        columns = [max(len(client.name), 7) for client in self.clients]
        lines = ["", " " * width + "  " + "  ".join(c.name.ljust(w) for c, w in zip(self.clients, columns))]
        for name, _, results in self.rows():
            lines.append(name.ljust(width) + "  " + "  ".join(r.ljust(w) for r, w in zip(results, columns)))
        return "\n".join(line.rstrip() for line in lines)

    def skipped(self):
        """A client that could not be had in one line, not in one for each row."""
        for client, (version, results) in zip(self.clients, self.runs):
            if version is None:
                yield f"- {client.name}: {next(iter(results.values()))[1]}"
        for client, name, why in self.reasons("skipped"):
            if why not in self.clients_missing():
                yield f"- {client.name}, {name}: {why}"

    def clients_missing(self):
        return {next(iter(results.values()))[1] for version, results in self.runs if version is None}

    def reasons(self, wanted):
        for client, (_, results) in zip(self.clients, self.runs):
            for name, (result, why) in results.items():
                if result == wanted:
                    yield client, name, why

    def markdown(self):
        date = datetime.datetime.now(datetime.timezone.utc).date()
        lines = ["# Kafka clients: what each does with Continuo", "",
                 f"Made by `./x conformance clients --write` on {date} with Continuo {self.server}. Do not edit.", "",
                 LEGEND, "", "## Clients", "", "| Column | Client | Version |", "|---|---|---|"]
        for client, (version, _) in zip(self.clients, self.runs):
            lines.append(f"| {client.name} | {client.title} | {version or 'skipped'} |")
        lines += ["", "## Matrix", "", "| | " + " | ".join(client.name for client in self.clients) + " |",
                  "|---" * (len(self.clients) + 1) + "|"]
        for name, _, results in self.rows():
            shown = [f"**{result}**" if result == "FAILED" else result for result in results]
            lines.append(f"| {name} | " + " | ".join(shown) + " |")
        lines += ["", "## Rows", "", "| Row | What is done and checked |", "|---|---|"]
        lines += [f"| {name} | {title} |" for name, title, _ in self.checks]
        lines += self.section("Failures", [f"- {client.name}, {name}: {why}"
                                           for client, name, why in self.reasons("FAILED")])
        lines += self.section("Skipped", self.skipped())
        return "\n".join(lines) + "\n"

    @staticmethod
    def section(title, lines):
        lines = list(lines)
        return ["", f"## {title}", "", *lines] if lines else []
