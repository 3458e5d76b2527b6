"""The same pushes to the same server: by Google's own SDKs, and by h2load as the limit."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from random import Random
from tempfile import NamedTemporaryFile
from time import perf_counter, process_time
from typing import Any

import msgspec

from bench.campaign import CONTENT, PROJECT
from bench.process import SERVER_CORE, pin, used
from bench.static import STREAMS, Static
from bench.stories import token
from fcm_simulator.credentials import make_key
from fcm_simulator.process import simulated_fcm
from support import npm

CALL_MESSAGES = 500
"""The SDK takes no more at once."""
CONNECTIONS = 20
NODE_CLIENTS = Path(__file__).parents[1] / "tests" / "clients" / "node"
"""Where `make` has installed the npm package, with a script that lets it send."""


def measure(static: Static, sdk_pushes: int, limit_pushes: int) -> dict[str, Any]:
    """firebase-admin in processes of its own, then h2load; all on the server's core."""
    found: dict[str, Any] = {}
    for name in ("send_each", "send_each_async"):
        ended = subprocess.run(
            [sys.executable, "-m", "bench.peers", name, str(sdk_pushes), static.url,
             str(static.ca_file), str(static.directory)],
            capture_output=True, text=True, check=True, preexec_fn=lambda: pin(SERVER_CORE),
        )  # fmt: skip
        found[f"firebase_admin {name}"] = msgspec.json.decode(ended.stdout.splitlines()[-1])
    found["firebase-admin (npm) sendEach"] = _node(static.directory / "simulator", sdk_pushes)
    found["h2load"] = _h2load(static, limit_pushes)
    return found


def _node(directory: Path, pushes: int) -> dict[str, Any]:
    """Sends over the one HTTP/2 connection that it keeps, once that is open.

    To the simulator: nginx refuses the `:scheme: https:` that Node.js sends. So its CPU compares,
    and its speed does not.
    """
    chance = Random(pushes)
    notification = {name: CONTENT[name] for name in ("title", "body")}
    messages = [
        {"token": token(chance), "notification": notification, "data": CONTENT["data"]}
        for _ in range(pushes)
    ]
    with simulated_fcm(directory) as fcm:
        key_file = directory / "node-key.json"
        key_file.write_bytes(msgspec.json.encode(fcm.key(PROJECT)))
        process = subprocess.Popen(
            [str(npm.NODE), "firebase.mjs", str(key_file), fcm.base_url.rsplit(":", 1)[1]],
            cwd=NODE_CLIENTS,
            env={**npm.environment(), "NODE_EXTRA_CA_CERTS": str(fcm.ca_file)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: pin(SERVER_CORE),
        )
        assert process.stdin is not None and process.stdout is not None
        requests, answers = process.stdin, process.stdout

        def send(part: list[dict[str, Any]]) -> int:
            requests.write(msgspec.json.encode(["sendEach", part]) + b"\n")
            requests.flush()
            return int(msgspec.json.decode(answers.readline())["successCount"])

        try:
            send(messages[:1])
            before = used(process.pid).total
            succeeded = sum(
                send(messages[at : at + CALL_MESSAGES]) for at in range(0, pushes, CALL_MESSAGES)
            )
            cpu = used(process.pid).total - before
        finally:
            requests.close()
            process.wait()
    assert succeeded == pushes, f"{succeeded} of {pushes} were accepted"
    return {"pushes": pushes, "CPU µs a push": round(cpu / pushes * 1e6, 1)}


def _h2load(static: Static, pushes: int) -> dict[str, Any]:
    notification = {name: CONTENT[name] for name in ("title", "body")}
    message = {"token": "x" * 160, "notification": notification, "data": CONTENT["data"]}
    with NamedTemporaryFile(suffix=".json") as body:
        body.write(msgspec.json.encode({"message": message}))
        body.flush()
        began = perf_counter()
        before = _children()
        ended = subprocess.run(
            ["h2load", f"-n{pushes}", f"-c{CONNECTIONS}", f"-m{STREAMS}", "-t1", "-d", body.name,
             "-H", "authorization: Bearer " + "x" * 960, "-H", "content-type: application/json",
             f"{static.url}/v1/projects/{PROJECT}/messages:send"],
            capture_output=True, text=True, check=True, preexec_fn=lambda: pin(SERVER_CORE),
        )  # fmt: skip
        seconds, cpu = perf_counter() - began, _children() - before
    done = re.search(r"(\d+) succeeded", ended.stdout)
    assert done is not None and int(done.group(1)) == pushes, ended.stdout
    return _told(pushes, seconds, cpu)


def _children() -> float:
    import resource

    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _told(pushes: int, seconds: float, cpu: float) -> dict[str, Any]:
    return {
        "pushes": pushes,
        "pushes/s": round(pushes / seconds),
        "CPU µs a push": round(cpu / pushes * 1e6, 1),
    }


def _sdk(name: str, pushes: int, url: str, ca_file: Path, directory: Path) -> dict[str, Any]:
    """Send with firebase-admin, in a process that does nothing else."""
    import os

    os.environ["REQUESTS_CA_BUNDLE"] = os.environ["SSL_CERT_FILE"] = str(ca_file)
    import firebase_admin
    from firebase_admin import credentials, messaging

    messaging._MessagingService.FCM_URL = f"{url}/v1/projects/{{0}}/messages:send"
    key = make_key(PROJECT, url, directory)
    firebase_admin.initialize_app(credentials.Certificate(key))
    messages = [
        messaging.Message(
            token=f"{number:0160d}",
            notification=messaging.Notification(title=CONTENT["title"], body=CONTENT["body"]),
            data=CONTENT["data"],
        )
        for number in range(pushes)
    ]
    parts = [messages[at : at + CALL_MESSAGES] for at in range(0, pushes, CALL_MESSAGES)]

    async def in_turn() -> int:
        answers = [await messaging.send_each_async(part) for part in parts]
        return sum(answer.success_count for answer in answers)

    before, began = process_time(), perf_counter()
    if name == "send_each":
        succeeded = sum(messaging.send_each(part).success_count for part in parts)
    else:
        succeeded = asyncio.run(in_turn())
    seconds, cpu = perf_counter() - began, process_time() - before
    assert succeeded == pushes, f"{succeeded} of {pushes} were accepted"
    return _told(pushes, seconds, cpu)


if __name__ == "__main__":
    _name, _pushes, _url, _ca, _directory = sys.argv[1:]
    print(
        msgspec.json.encode(_sdk(_name, int(_pushes), _url, Path(_ca), Path(_directory))).decode()
    )
