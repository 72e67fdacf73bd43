"""Reverse proxies in front of gunicorn: Caddy, nginx or none.

They use the very configuration of deployment.md, with a certificate of their own. Everything
listens on 127.0.0.1.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests import docs
from tests.faults.acting import wait_for
from tests.patience import HANG_TIMEOUT

HOST: Final = "flows.example.com"  # deployment.md's
BACKEND: Final = "127.0.0.1:8000"  # deployment.md's
CADDY_CONFIG: Final = """{{
    admin off
    local_certs
    skip_install_trust
    auto_https disable_redirects
    https_port {port}
    http_port {other_port}
    default_bind 127.0.0.1
}}
{block}
"""
NGINX_CONFIG: Final = """daemon off; {user}
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        server_name {host};
        ssl_certificate {folder}/certificate.pem;
        ssl_certificate_key {folder}/key.pem;
{block}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Front:
    """Address of a site behind a proxy. `connect` opens a connection, with TLS where needed."""

    port: int
    is_https: bool

    @property
    def host(self) -> str:
        return HOST if self.is_https else f"127.0.0.1:{self.port}"

    def connect(self, *, seconds: float, receive_buffer: int = 0) -> socket.socket:
        connection = socket.socket()
        if receive_buffer:  # before the connection, or the window is a large one already
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(seconds)
        try:
            connection.connect(("127.0.0.1", self.port))
            return (
                _unverified_context().wrap_socket(connection, server_hostname=HOST)
                if self.is_https
                else connection
            )
        except OSError:
            connection.close()
            raise


def read_readme_block(language: str) -> str:
    """Return the documentation's only code block in that language."""
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", docs.text(), re.MULTILINE | re.DOTALL)
    assert BACKEND in block
    return str(block)


@contextmanager
def without_proxy(backend: int, _folder: Path) -> Iterator[Front]:
    yield Front(backend, is_https=False)


@contextmanager
def caddy(backend: int, folder: Path) -> Iterator[Front]:
    port, other_port = _free_port(), _free_port()
    block = read_readme_block("caddy").replace(BACKEND, f"127.0.0.1:{backend}")
    file = folder / "Caddyfile"
    file.write_text(CADDY_CONFIG.format(port=port, other_port=other_port, block=block))
    command = ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]
    homes = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(folder))
    with _run_proxy(command, Front(port, is_https=True), folder / "caddy.log", homes) as front:
        yield front


@contextmanager
def nginx(backend: int, folder: Path) -> Iterator[Front]:
    port = _free_port()
    _write_certificate(folder)
    file = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    block = read_readme_block("nginx").replace(BACKEND, f"127.0.0.1:{backend}")
    file.write_text(
        NGINX_CONFIG.format(folder=folder, port=port, host=HOST, user=user, block=block)
    )
    command = ["nginx", "-c", str(file), "-p", str(folder)]
    with _run_proxy(command, Front(port, is_https=True), folder / "nginx.out", {}) as front:
        yield front


FRONTS: Final[dict[str, Callable[..., object]]] = {
    "straight": without_proxy,
    "Caddy": caddy,
    "nginx": nginx,
}


@contextmanager
def _run_proxy(
    command: list[str], front: Front, log: Path, environment: dict[str, str]
) -> Iterator[Front]:
    """Run the proxy; enter the context once it accepts connections."""
    if not shutil.which(command[0]):
        raise SystemExit(f"This needs {command[0]}: apt-get install {command[0]}")
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdout=sink,
            stderr=sink,
            stdin=subprocess.DEVNULL,
        )
    try:
        wait_for(lambda: process.poll() is not None or _is_open(front))
        if process.poll() is not None:
            raise RuntimeError(f"{command[0]} did not start:\n{log.read_text()}")
        yield front
    finally:
        process.terminate()
        try:
            process.wait(HANG_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_open(front: Front) -> bool:
    try:
        front.connect(seconds=2).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _unverified_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = (
        False,
        ssl.CERT_NONE,
    )  # it was made a moment ago, for itself
    return context


def _write_certificate(folder: Path) -> None:
    """Create a self-signed certificate for `HOST`."""
    key, issued_at = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(issued_at - timedelta(days=1))
        .not_valid_after(issued_at + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
