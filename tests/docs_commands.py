"""`python -m tests.docs_commands [WORD …]`: run every command that the documentation names, as it is written
there. Only sizes are made smaller, and names stand in place of NAME. A command without such a short form is
an error, and so is a short form whose command is no longer named. With words, run only the commands that
contain one of them.

It needs what the commands need: Chromium, Caddy, nginx, and PostgreSQL at CI_POSTGRES_URL.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests import docs

POSTGRES: Final = os.environ.get("CI_POSTGRES_URL", "postgres://root@127.0.0.1:5432/test")
MANAGE: Final = "uv run manage.py "
PATIENCE: Final = 600  # seconds, for one command

# Commands without a short form, and where they are run instead.
ELSEWHERE: Final = {
    "uv run": "is how commands begin",
    "uv run manage.py": "is how commands begin",
    **dict.fromkeys(
        (
            "uv run pytest --long",
            "DATABASE_URL=postgres://… uv run pytest",
            "uv run ruff format --check .",
            "uv run ruff check .",
            "uv run mypy",
            "uv run lint-imports",
        ),
        "in .ci/run",
    ),
    "ENV_FILE=.demo/env uv run manage.py …": "in .ci/newcomer, while the demo runs",
    **dict.fromkeys(
        (f"uv run python -m tests.benchmarks {name}" for name in ("lists", "sync", "log", "pages")),
        "by the same command without a name",
    ),
}


@dataclass(frozen=True, slots=True)
class Short:
    """How a command is run: what is written otherwise, what is added, and what it reads."""

    instead: Mapping[str, str] = field(default_factory=dict)
    more: str = ""
    typed: str = ""
    until: str = ""  # this is said; then it is told to stop (the command would go on for ever)
    tried: Callable[[World], None] = lambda _world: None  # before it is told to stop

    def text(self, written: str, world: World) -> str:
        text = written if _is_whole(written) else MANAGE + written
        for old, new in self.instead.items():
            assert old in text, f"{written}: there is no {old} in it"
            text = text.replace(old, new)
        return world.filled(f"{text} {self.more}".strip())


@dataclass(slots=True)
class World:
    """A folder, a sandbox, and a site of its own that talks to it."""

    folder: Path
    environment: dict[str, str]
    port: int

    def filled(self, text: str) -> str:
        names = {"{folder}": str(self.folder), "{account}": self.environment["TWILIO_ACCOUNT_SID"]}
        for name, value in names.items():
            text = text.replace(name, value)
        return text.replace("{flow}", self.flow()) if "{flow}" in text else text

    def flow(self) -> str:
        with sqlite3.connect(self.folder / "db.sqlite3") as database:
            (sid,) = database.execute("SELECT sid FROM flows_flow ORDER BY sid").fetchone()
        database.close()
        return str(sid)

    def is_alive(self) -> None:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"http://127.0.0.1:{self.port}/health/live/", timeout=30) as answer:
            assert answer.status == 200


PASSWORD: Final = "a long enough phrase\n"
DEPLOYED: Final = {".venv": "{folder}/deployed"}
CHECKPOINT: Final = {"CHECKPOINT": "{folder}/checkpoint"}

# In the order in which they are run: a site is made before it is used.
FORMS: Final[dict[str, Short]] = {
    "uv sync --no-dev --extra postgres": Short(),
    ".venv/bin/python manage.py": Short(DEPLOYED, more="check --deploy"),
    ".venv/bin/python manage.py check --deploy": Short(DEPLOYED),
    "uv run manage.py sandbox --flows 1000 --lag-seconds 5": Short(
        {"--flows 1000": "--flows 12"}, more="--port 0", until="TWILIO_API_SECRET="
    ),
    "uv run manage.py migrate": Short(),
    ".venv/bin/python manage.py migrate": Short(DEPLOYED),
    "check --database default": Short(),
    "uv run manage.py add_operator NAME --role admin": Short({"NAME": "ada"}, typed=PASSWORD),
    ".venv/bin/python manage.py add_operator NAME --role admin": Short(
        DEPLOYED | {"NAME": "olga"}, more="--account {account}", typed=PASSWORD
    ),
    'uv run manage.py changepassword NAME --reason "lost their phone"': Short(
        {"NAME": "olga"}, typed="another long phrase 9\n"
    ),
    "uv run manage.py collectstatic --noinput": Short(),
    ".venv/bin/python manage.py collectstatic --noinput": Short(DEPLOYED),
    "uv run manage.py sync_flows": Short(),
    "uv run manage.py reconcile_changes": Short(),
    "uv run gunicorn --config flexadmin/gunicorn.py": Short(
        until="Booting worker", tried=World.is_alive
    ),
    "uv run manage.py db_worker": Short(until="Starting worker"),
    "db_worker --help": Short(),
    "export_audit --head CHECKPOINT": Short(
        CHECKPOINT, more="--format csv --output {folder}/log.csv"
    ),
    "export_audit --format ndjson --output LOG --head CHECKPOINT": Short(
        CHECKPOINT | {"LOG": "{folder}/log"}
    ),
    "uv run manage.py export_audit --format ndjson --after 0 --output FILE --head CHECKPOINT": Short(
        CHECKPOINT | {"--after 0": "--after 1", "FILE": "{folder}/again"}
    ),
    "verify_audit --head CHECKPOINT": Short(CHECKPOINT),
    "uv run manage.py verify_audit --head CHECKPOINT": Short(CHECKPOINT),
    'uv run manage.py erase_personal_data --identity +14155551234 --reason "request 4711"': Short(
        more="--despite-open-change"
    ),
    "erase_personal_data --flow SID": Short({"--flow SID": "--flow {flow}"}),
    "uv run python -m tests.faults.matrix --runs 20": Short({"--runs 20": "--runs 1"}),
    "uv run python -m tests.faults.kills --kills 300": Short({"--kills 300": "--kills 6"}),
    "uv run python -m tests.faults.plan_runs --flows 200": Short({"--flows 200": "--flows 16"}),
    "DATABASE_URL=postgres://… uv run --extra postgres python -m tests.faults.two_sites": Short(
        {"postgres://…": POSTGRES}, more="--seconds 20 --clients 6"
    ),
    "uv run python -m tests.faults.rates --seconds 30": Short(
        {"--seconds 30": "--seconds 5"}, more="--workers 1 --viewers 4"
    ),
    "uv run python -m tests.faults.slow_clients --seconds 30": Short(
        {"--seconds 30": "--seconds 2"}, more="--pause 0.2 --clients 16"
    ),
    "uv run python -m tests.benchmarks.audit_at_scale --events 1000000": Short(
        {"--events 1000000": "--events 2000"}
    ),
    "uv run python -m tests.benchmarks": Short(more="--short --output {folder}/all.json"),
    "uv run python -m tests.browser.screenshots --output DIR": Short(
        {"DIR": "{folder}/pictures"}, more="--only list event"
    ),
    "ALL_LOOKS=1 uv run pytest tests/browser": Short(
        more='-k "test_auditor and accessible" --long'
    ),
}


def main() -> int:
    words = sys.argv[1:]
    named = docs.commands() | docs.manage_commands()
    if unknown := sorted(named - FORMS.keys() - ELSEWHERE.keys()):
        sys.exit(
            f"The documentation names commands without a short form in tests/docs_commands.py: {unknown}"
        )
    if gone := sorted((FORMS.keys() | ELSEWHERE.keys()) - named):
        sys.exit(f"tests/docs_commands.py has commands that the documentation doesn't name: {gone}")
    chosen = [written for written in FORMS if not words or any(word in written for word in words)]
    failed = []
    with tempfile.TemporaryDirectory() as folder, _world(Path(folder)) as world:
        for written in chosen:
            began = time.monotonic()
            text = FORMS[written].text(written, world)
            print(f"\n== {text}", flush=True)  # noqa: T201
            ended = _run(text, FORMS[written], world)
            if ended:
                failed.append(f"{text}: {ended}")
            print(f"-- {ended or 'well'}, {time.monotonic() - began:.0f} s", flush=True)  # noqa: T201
    print(*failed, sep="\n")  # noqa: T201
    print(f"\n{len(chosen) - len(failed)} passed, {len(failed)} failed")  # noqa: T201
    return 1 if failed else 0


def _is_whole(written: str) -> bool:
    return " manage.py" in written or written.startswith(
        ("uv ", ".venv/", "ALL_LOOKS=", "DATABASE_URL=")
    )


@contextmanager
def _world(folder: Path) -> Iterator[World]:
    """What a site needs to know, and the sandbox that it talks to."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(
            ("TWILIO_", "DATABASE_URL", "FLEX_API_URL", "UV_PROJECT_ENVIRONMENT")
        )
    }
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with _process("uv run manage.py sandbox --port 0 --flows 12", _plain(inherited)) as sandbox:
        said = _read_until(sandbox, "TWILIO_API_SECRET=")
        environment = {
            **inherited,
            **dict(re.findall(r"^(\w+)=(\S+)$", said, re.MULTILINE)),
            "ENV_FILE": os.devnull,
            "SECRET_KEY": secrets.token_urlsafe(48),
            "AUDIT_KEY": secrets.token_urlsafe(48),
            "ALLOWED_HOSTS": "127.0.0.1",
            "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
            "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{port}",
        }
        yield World(folder, environment, port)
        _stop(sandbox)


def _plain(inherited: Mapping[str, str]) -> dict[str, str]:
    """Enough for a command that needs no site."""
    made_up = {
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "none",
        "ALLOWED_HOSTS": "127.0.0.1",
    }
    keys = {"SECRET_KEY": secrets.token_urlsafe(48), "AUDIT_KEY": secrets.token_urlsafe(48)}
    return {**inherited, **made_up, **keys, "ENV_FILE": os.devnull}


def _run(text: str, form: Short, world: World) -> str:
    """Run the command. Return what is wrong with how it ended."""
    environment = dict(world.environment)
    if text.startswith("uv sync"):
        environment["UV_PROJECT_ENVIRONMENT"] = str(world.folder / "deployed")
    if " -m tests." in text or "pytest" in text:
        for name in ("DATABASE_URL", "GUNICORN_CMD_ARGS"):
            del environment[name]
    with _process(text, environment, typed=form.typed) as process:
        if form.until:
            said = _read_until(process, form.until)
            if form.until not in said:
                return f"it ended with status {process.wait()}:\n{said}"
            form.tried(world)
            _stop(process)
        else:
            print(process.communicate(timeout=PATIENCE)[0], flush=True)  # noqa: T201
        return f"status {process.returncode}" if process.returncode else ""


@contextmanager
def _process(
    text: str, environment: Mapping[str, str], *, typed: str = ""
) -> Iterator[subprocess.Popen[str]]:
    """The command, as a shell runs it, and in a group of its own as a terminal has it."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec env {shlex.join(shlex.split(text))}"],
        cwd=docs.ROOT, env={**environment, "PYTHONUNBUFFERED": "1"}, text=True, start_new_session=True,
        stdin=subprocess.PIPE if typed else subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        if typed and process.stdin:
            process.stdin.write(typed)
            process.stdin.close()
            process.stdin = None
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _read_until(process: subprocess.Popen[str], words: str) -> str:
    said = ""
    for line in process.stdout or ():
        said += line
        if words in line:
            break
    return said


def _stop(process: subprocess.Popen[str]) -> None:
    """As Ctrl-C does it: uv hands it on."""
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=90)


if __name__ == "__main__":
    sys.exit(main())
