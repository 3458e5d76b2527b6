"""What commands write to a terminal, to a pipe, and to a console that is not UTF-8."""

import asyncio
import json
import logging
import os
import signal
import subprocess
from pathlib import Path
from time import monotonic

import pytest
import structlog

from clarion.telemetry import LogOptions, set_up_logs
from support.command import Clarion
from support.patience import PATIENCE
from support.ready_command import started
from support.sampling import is_soak, some
from support.terminal import COMMAND, Terminal, environment, run, run_all

OSC_52 = "\x1b]52;c;ZXZpbA==\x07"
EVIL = f"{OSC_52}\x9b31m\u202e[red]x[/nothing]\nerror: made up"
"""The clipboard, a colour in one character, text turned backwards, markup, a line of its own."""


@pytest.fixture
def evil(clarion: Clarion) -> Clarion:
    """An installation with names that are orders to a terminal."""
    clarion.json("sources", "create", EVIL)
    clarion.json("campaigns", "create", EVIL, "--title", "Hi", "--trait", f"{EVIL}={EVIL}")
    clarion.json("keys", "create", EVIL)
    file = clarion.home / "customers.ndjson"
    line = {"userId": EVIL, "traits": {EVIL: EVIL}}
    file.write_text(json.dumps(line) + "\n")
    return clarion


COMMANDS = (
    ("sources", "list"),
    ("sources", "show", EVIL),
    ("sources", "origins", EVIL, "https://a.example"),
    ("sources", "tail", EVIL, "--no-follow"),
    ("sources", "counts", EVIL),
    ("campaigns", "list"),
    ("keys", "list"),
    ("customers", "show", EVIL),
    ("customers", "find", EVIL),
    ("devices", "show", EVIL),
    ("firebase-apps", "pause", EVIL),
    ("firebase-apps", "add", "\x1b]0;title\x07.json"),
    ("import", "customers", "customers.ndjson", "--preview"),
    ("campaigns", "create", EVIL, "--title", f"{{{{ {EVIL} }}}}", "--everyone"),
    ("campaigns", "create", "x", "--file", "\x9b31m.json"),
    ("keys", "create", "x", "--scope", EVIL),
    (EVIL,),
    ("sources", "list", f"--{EVIL}"),
)


@pytest.mark.parametrize("form", ["text", "json"])
def test_text_of_others_gives_no_order_to_the_terminal(evil: Clarion, form: str) -> None:
    for tokens in COMMANDS:
        code, out, errors = evil(*tokens, *(["--json"] if form == "json" else []))
        told = out + errors
        assert code in range(6), tokens
        assert told or "tail" in tokens  # which has nothing to tell yet
        orders = [
            sign for sign in told if (sign < " " and sign != "\n") or "\x7f" <= sign <= "\x9f"
        ]
        assert not orders, tokens
        assert "\u202e" not in told, tokens
        lines = told.splitlines()
        assert not [line for line in lines if line.startswith("error: made up")], tokens


def test_a_name_is_shown_as_it_is_written_markup_and_all(clarion: Clarion) -> None:
    clarion.json("sources", "create", "[red]a[/x]")
    assert "[red]a[/x]" in clarion("sources", "list")[1]
    said = clarion("sources", "origins", "[red]a[/x]", "https://a.example")[1]
    assert said == "✓ Pages of https://a.example may send through [red]a[/x].\n"


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_log_line_holds_no_order_and_no_password(
    form: str, bare: Clarion, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs(LogOptions(form=form))
    log = structlog.get_logger("test")
    log.warning("named", name=EVIL, url="nats://me:hush@h:4222")
    try:
        raise RuntimeError(f"{OSC_52} postgresql://me:hush@h/d?password=hush2")
    except RuntimeError:
        log.exception("failed")
    told = capsys.readouterr().err
    assert "named" in told and "failed" in told
    assert not [sign for sign in told if (sign < " " and sign != "\n") or "\x7f" <= sign <= "\x9f"]
    assert "hush" not in told


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_library_stopped_in_its_work_logs_no_error(
    form: str, bare: Clarion, capsys: pytest.CaptureFixture[str]
) -> None:
    """As SQLAlchemy does where Ctrl-C meets a connection that is being closed."""
    set_up_logs(LogOptions(form=form))
    library = logging.getLogger("sqlalchemy.pool.impl.QueuePool")
    for failure in (asyncio.CancelledError(), KeyboardInterrupt(), OSError("the disk is gone")):
        try:
            raise failure
        except BaseException:
            library.error("Exception closing connection", exc_info=True)
    told = capsys.readouterr().err
    assert told.count("Exception closing connection") == 1
    assert "OSError: the disk is gone" in told and "Cancelled" not in told


SECRET_ADDRESSES = (
    {"CLARION_DATABASE_URL": "postgresql://me:hush@127.0.0.1:1/d"},
    {"CLARION_DATABASE_URL": "postgresql://127.0.0.1:1/d?user=me&password=hush"},
    {"CLARION_DATABASE_URL": "postgresql://me:a%40hush@127.0.0.1:1/d"},
    {"CLARION_DATABASE_URL": "mysql://me:hush@127.0.0.1/d"},
    {"CLARION_BROKER_URL": "nats://me:hush@127.0.0.1:1"},
    {"CLARION_BROKER_URL": "nats://hush@127.0.0.1:1,nats://hush@127.0.0.1:2"},
    {"CLARION_BROKER_URL": "nats://127.0.0.1:1?token=hush"},
    {"CLARION_BROKER_URL": "http://me:hush@127.0.0.1:1"},
    {"CLARION_FCM_URL": "https://me:hush@127.0.0.1:1"},
    {"CLARION_FCM_URL": "ftp://me:hush@127.0.0.1:1"},
    {"CLARION_FCM_URL": "http://fcm.example?key=hush"},
    {"CLARION_PUBLIC_URL": "https://me:hush@events.example"},
)


@pytest.mark.parametrize("setting", SECRET_ADDRESSES, ids=str)
@pytest.mark.parametrize("form", ["text", "json"])
def test_no_command_tells_the_password_of_an_address(
    clarion: Clarion, monkeypatch: pytest.MonkeyPatch, setting: dict[str, str], form: str
) -> None:
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    for tokens in (("check",), ("sources", "list")):
        code, out, errors = clarion(*tokens, *(["--json"] if form == "json" else []))
        assert "hush" not in out + errors, tokens
        assert "Traceback" not in errors or code == 0
        if tokens[0] == "check" and "CLARION_PUBLIC_URL" not in setting:
            assert code != 0


@pytest.mark.parametrize("setting", SECRET_ADDRESSES, ids=str)
def test_no_role_tells_the_password_of_an_address(home: Path, setting: dict[str, str]) -> None:
    role = started(
        "run",
        "collector",
        environment=environment(home, CLARION_LISTEN="127.0.0.1:0", **setting),
        directory=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        assert role.stdout is not None
        told: list[bytes] = []
        for line in iter(role.stdout.readline, b""):
            told.append(line)
            if b"broker_awaited" in line or b"listens on" in line:
                role.terminate()  # it would wait for a minute, or serve
        assert told and b"hush" not in b"".join(told)
        assert not any(line.startswith(b"Traceback") for line in told)
    finally:
        role.kill()
        role.communicate()


CONSOLES: tuple[dict[str, str], ...] = (
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    {"PYTHONIOENCODING": "ascii:strict"},
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "cp437"},
)


@pytest.mark.parametrize("console", CONSOLES if is_soak() else CONSOLES[::3], ids=str)
def test_a_console_that_is_not_utf_8_shows_what_it_can(home: Path, console: dict[str, str]) -> None:
    # The arguments are UTF-8 all the same: how a terminal shows is not how it is written to.
    ended = run_all(
        home,
        ("migrate",),
        ("sources", "create", "Zoë 🎉"),
        ("sources", "show", "Zoë 🎉"),
        ("sources", "counts", "Zoë 🎉"),
        ("sources", "show", "–"),
        ("campaigns", "list"),
        ("--help",),
        ("campaigns", "create", "--help"),
        more=console,
    )
    assert b"Traceback" not in ended.stderr, ended.stderr
    assert json.loads(ended.stdout.splitlines()[-1]) == [0, 0, 0, 0, 3, 0, 0, 0], ended.stderr
    shown = run(home, "sources", "list", "--json", more=console)
    assert [load["name"] for load in json.loads(shown.stdout.decode("ascii"))][-1:] != []


def test_a_name_in_another_encoding_is_the_same_name_in_json(home: Path) -> None:
    run(home, "migrate")
    run(home, "sources", "create", "Zoë 🎉")
    shown = run(home, "sources", "list", "--json", more={"PYTHONIOENCODING": "ascii:strict"})
    assert [load["name"] for load in json.loads(shown.stdout)] == ["first", "Zoë 🎉"]


def test_an_argument_that_is_no_text_is_named(home: Path) -> None:
    run(home, "migrate")
    ended = subprocess.run(
        [*COMMAND, "sources", "create", b"caf\xe9"],
        env=environment(home, PYTHONUTF8="1"),
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 2
    assert b"caf\\udce9 is not in UTF-8" in ended.stderr


@pytest.mark.parametrize("mine", ["-abc", "--abc", "-1", "-"])
def test_an_id_that_begins_with_a_hyphen_can_be_named(clarion: Clarion, mine: str) -> None:
    assert clarion("sources", "create", "--", mine)[0] == 0
    assert clarion("sources", "show", "--", mine)[0] == 0
    assert clarion("sources", "show", mine, "--json")[0] == 0
    assert clarion("sources", "tail", "--no-follow", mine)[0] == 0
    for group in (("customers", "show"), ("devices", "show"), ("firebase-apps", "pause")):
        code, _, errors = clarion(*group, mine)
        assert (code, f"{mine}." in errors) == (3, True)
    written = clarion.json(
        "campaigns", "create", "x", "--title=-Hi-", f"--body={mine}", "--everyone"
    )
    assert (written["content"]["title"], written["content"]["body"]) == ("-Hi-", mine)


@pytest.mark.parametrize(
    "tokens",
    [
        ("campaigns", "create", "x", "--title", "Hi", "--user-id", "-abc"),
        ("sources", "create", "-abc"),
        ("keys", "create", "-abc"),
    ],
)
def test_who_writes_a_hyphen_where_an_option_may_stand_is_told_how(
    clarion: Clarion, tokens: tuple[str, ...]
) -> None:
    code, _, errors = clarion(*tokens)
    assert (code, "goes behind --, a value behind =" in " ".join(errors.split())) == (2, True)
    assert "goes behind --" in json.loads(clarion(*tokens, "--json")[2])["message"]


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (("serve",), b"listens on"),
        (("sources", "tail", "first"), b"has sent nothing"),
        (("simulator", "--listen", "127.0.0.1:0"), b"simulator on"),
    ],
)
def test_ctrl_c_ends_a_command_without_a_traceback(
    home: Path, tokens: tuple[str, ...], words: bytes
) -> None:
    run(home, "migrate")
    terminal = Terminal(home, tokens, real=True)
    terminal.until(words)
    terminal.interrupt()
    code = terminal.end()
    assert b"Traceback" not in terminal.shown and b"KeyboardInterrupt" not in terminal.shown
    assert code in (0, 128 + signal.SIGINT)


def test_ctrl_c_just_after_its_start_ends_the_simulator_in_order(home: Path) -> None:
    """Again and again: what goes wrong then does so two times in five."""
    for _ in range(10 if is_soak() else 5):
        terminal = Terminal(home, ("simulator", "--listen", "127.0.0.1:0"), real=True)
        terminal.until(b"simulator on")
        terminal.interrupt()
        assert (terminal.end(), b"panicked" in terminal.shown) == (128 + signal.SIGINT, False)


def test_ctrl_c_at_any_moment_of_a_command_shows_no_traceback(home: Path) -> None:
    """At tenths of what a command takes from its first to its last moment: some, in a soak each."""
    run(home, "migrate")
    began = monotonic()
    assert Terminal(home, ("sources", "list"), real=True).end() == 0
    whole = monotonic() - began
    for tenth in some(range(1, 11), 5):
        terminal = Terminal(home, ("sources", "list"), real=True)
        try:
            terminal.process.wait(whole * tenth / 10)
        except subprocess.TimeoutExpired:
            terminal.interrupt()
        code = terminal.end()
        assert b"Traceback" not in terminal.shown, (tenth, terminal.shown)
        assert code in (0, 128 + signal.SIGINT, -signal.SIGINT)


def test_a_reader_that_has_seen_enough_is_no_error(home: Path) -> None:
    run(home, "migrate")
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [*COMMAND, "sources", "list", "--json"],
        env=environment(home),
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize("redirected", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_command_whose_streams_are_closed_does_its_work(home: Path, redirected: str) -> None:
    run(home, "migrate")
    ended = subprocess.run(
        ["sh", "-c", f'exec "$@" {redirected}', "sh", *COMMAND, "keys", "create", "mine"],
        cwd=home,
        env=environment(home),
        check=False,
    )
    assert ended.returncode == 0
    names = [key["name"] for key in json.loads(run(home, "keys", "list", "--json").stdout)]
    assert names == ["first", "mine"]


@pytest.mark.parametrize(
    "tokens",
    [("keys", "list"), ("sources", "list", "--json"), ("export", "events", "--format=csv")],
)
def test_output_that_can_not_be_written_is_told_in_a_line(
    home: Path, tokens: tuple[str, ...]
) -> None:
    run(home, "migrate")
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [*COMMAND, *tokens],
            env=environment(home),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert ended.returncode == 1
    assert b"The output can not be written" in ended.stderr
    assert b"Traceback" not in ended.stderr and b"Exception ignored" not in ended.stderr


def test_an_export_goes_into_a_pipe_and_does_not_replace_it(home: Path) -> None:
    run(home, "migrate")
    pipe = home / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE)
    ended = run(home, "export", "customers", "--format", "csv", "--out", str(pipe))
    assert (ended.returncode, pipe.is_fifo()) == (0, True)
    assert reader.communicate(timeout=PATIENCE)[0].startswith(b"id,user_id,")
