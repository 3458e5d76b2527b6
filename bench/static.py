"""nginx in FCM's place: TLS, HTTP/2, a fixed answer. What is left is the sender's own cost."""

import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from bench.process import LOAD_CORE, START_SECONDS, pin
from fcm_simulator.credentials import CA_FILE, CERT_FILE, CERT_KEY_FILE, ensure_certificates

HOST = "127.0.0.1"
STREAMS = 100
"""Requests at once on a connection, as Google's front end allows."""

_CONFIG = """
worker_processes 1;
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log crit;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  http2_max_concurrent_streams {streams};
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{
    listen {host}:{port} ssl http2 backlog=4096;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    default_type application/json;
    location = /token {{ return 200 '{token}'; }}
    location / {{ return 200 '{answer}'; }}
  }}
}}
"""
_ACCESS_TOKEN = "ya29." + "abcDEF0123456789" * 60
_TOKEN = f'{{"access_token":"{_ACCESS_TOKEN}","expires_in":3599,"token_type":"Bearer"}}'
_ANSWER = '{"name":"projects/bench/messages/0:1500415314455276%31bd1c9631bd1c96"}'


@dataclass(frozen=True, slots=True)
class Static:
    url: str
    ca_file: Path
    directory: Path
    pid: int


@contextmanager
def serving(directory: Path) -> Iterator[Static]:
    """The server on the load's core; gone when the block ends."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o755)
    ensure_certificates(directory, HOST)
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    config = directory / "nginx.conf"
    config.write_text(
        _CONFIG.format(
            directory=directory,
            streams=STREAMS,
            host=HOST,
            port=port,
            certificate=directory / CERT_FILE,
            key=directory / CERT_KEY_FILE,
            token=_TOKEN,
            answer=_ANSWER,
        )
    )
    process = subprocess.Popen(
        [program, "-p", str(directory), "-c", str(config)],
        preexec_fn=lambda: pin(LOAD_CORE),
        env=dict(os.environ),
    )
    try:
        _until_it_answers(port, directory / CA_FILE)
        yield Static(f"https://{HOST}:{port}", directory / CA_FILE, directory, process.pid)
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _until_it_answers(port: int, ca_file: Path) -> None:
    context = ssl.create_default_context(cafile=ca_file)
    until = monotonic() + START_SECONDS
    while True:
        try:
            with socket.create_connection((HOST, port), timeout=1) as plain:
                context.wrap_socket(plain, server_hostname=HOST).close()
            return
        except OSError:
            if monotonic() > until:
                raise
            sleep(0.05)
