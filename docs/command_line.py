"""The command line, as its own help tells it."""

import re

from clarion.cli import commands
from clarion.cli.output import ExitCode

_MEANINGS = {
    ExitCode.OK: "Done.",
    ExitCode.FAILURE: "Failed; the message says why.",
    ExitCode.USAGE: "A wrong argument or a wrong setting.",
    ExitCode.NOT_FOUND: "What was named is not there.",
    ExitCode.UNAVAILABLE: "The database, the broker or an address can not be used now.",
    ExitCode.REFUSED: "What was asked for can not be: faulty content, a campaign in another state.",
}


def command_line() -> str:
    """Every command with its parameters and examples."""
    # Started with `python -m …`, cyclopts takes the rest of these words for a part of the usage.
    told = re.sub(r"^(clarion [a-z -]*) -m \S+", r"\1", _told(), flags=re.MULTILINE)
    title, _, rest = "\n".join(line.rstrip() for line in told.splitlines()).partition("\n")
    lines = [
        title.replace("# clarion", "# The command line"),
        "",
        "Commands work on the installation that the environment names ([settings](settings.md)),",
        "directly on its data; a running server is not needed. With `CLARION_URL` and",
        "`CLARION_API_KEY` they work on one that runs elsewhere, over its API, and tell the same",
        "([from another machine](../guides/operate.md#commands-from-another-machine)); `serve`,",
        "`run`, `migrate`, `check`, `secrets`, `demo` and `simulator` are of this machine alone.",
        "",
        "Those that print data take `--json` and then print one JSON document. What goes wrong is",
        'told on standard error; with `--json` as `{"success": false, "code", "message"}`, with',
        "`faults` where single fields are to blame.",
        "",
        "| exit code | meaning |",
        "|---|---|",
        *(f"| {code.value} | {_MEANINGS[code]} |" for code in ExitCode),
    ]
    return "\n".join(lines) + "\n" + rest


def _told() -> str:
    return commands.generate_docs(usage_name="clarion")
