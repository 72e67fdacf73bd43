"""Run of every command that the documentation names: `python -m tests.docs_commands [WORD …]`.

Commands run as written, with smaller sizes, and with names in place of NAME. A command without such
a short form is an error, and so is a short form whose command the documentation no longer names.
A command whose short form is a test is only asked whether it has the options.
With words, only the commands that contain one of them run. The commands of the site run one after
another, then those of the tests, two at a time.

It needs what the commands need: Chromium, Caddy, nginx, and PostgreSQL at CI_POSTGRES_URL.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests import docs
from tests.patience import HANG_TIMEOUT

POSTGRES: Final = os.environ.get("CI_POSTGRES_URL", "postgres://root@127.0.0.1:5432/test")
MANAGE: Final = "uv run manage.py "
TIMEOUT: Final = 1800  # seconds, for one command: of two that share a busy machine too
AT_ONCE: Final = 2  # commands of the tests, each of which keeps about one core busy

# Commands without a short form, and the place where they are run instead.
RUN_ELSEWHERE: Final = {
    "uv run": "is how commands begin",
    "uv run manage.py": "is how commands begin",
    **dict.fromkeys(
        (
            "uv run pytest --long",  # in two parts
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
        (
            f"uv run python -m tests.benchmarks {name}"
            for name in ("lists", "sync", "log", "pages", "resources", "history", "checks", "api")
        ),
        "by the same command without a name",
    ),
}


# Commands whose short form is elsewhere. Here they only have to know the options that they are
# given.
ASKED_FOR_OPTIONS: Final = {
    "uv run python -m tests.faults.matrix --runs 20": "tests/faults/test_matrix.py",
    "uv run python -m tests.faults.kills --kills 300": "tests/faults/test_kills.py",
    "uv run python -m tests.faults.plan_runs --flows 200": "tests/faults/test_plan_runs.py",
    "uv run python -m tests.faults.schedule_runs --schedules 1000": (
        "tests/faults/test_schedule_runs.py"
    ),
    "uv run python -m tests.faults.rates --seconds 30": "tests/faults/test_rates.py",
    "uv run python -m tests.faults.slow_clients --seconds 30": "tests/faults/test_slow_clients.py",
}


@dataclass(frozen=True, slots=True)
class ShortForm:
    """Short form of a command: replaced text, added text, and standard input."""

    replacements: Mapping[str, str] = field(default_factory=dict)
    arguments: str = ""
    standard_input: str = ""
    ready_text: str = ""  # output after which a command that runs for ever is stopped
    check: Callable[[Site], None] = lambda _site: None  # runs before the stop
    statuses: tuple[int, ...] = (0,)  # exit statuses that are no failure

    def text(self, written: str, site: Site) -> str:
        text = written if _is_whole(written) else MANAGE + written
        for old, new in self.replacements.items():
            assert old in text, f"{written}: there is no {old} in it"
            text = text.replace(old, new)
        return site.filled(f"{text} {self.arguments}".strip())


@dataclass(slots=True)
class Site:
    """A folder, a sandbox, and a site that uses it."""

    folder: Path
    environment: dict[str, str]
    port: int

    def filled(self, text: str) -> str:
        names = {"{folder}": str(self.folder), "{account}": self.environment["TWILIO_ACCOUNT_SID"]}
        for name, value in names.items():
            text = text.replace(name, value)
        return text

    def check_pages(self) -> None:
        """Check that the site answers, and sends every file of the sign-in page."""
        self._get("/health/live/")
        page = self._get("/login/").decode()
        files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
        assert len(files) >= 3, page
        for file in files:
            self._get(file)

    def _get(self, path: str) -> bytes:
        """Return the body. Raises `IncompleteRead` if the end of it is missing."""
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        direct.addheaders = [("X-Forwarded-Proto", "https")]  # as a proxy in front of it says
        with direct.open(f"http://127.0.0.1:{self.port}{path}", timeout=HANG_TIMEOUT) as answer:
            assert answer.status == 200
            body: bytes = answer.read()
        assert body, path
        return body


PASSWORD: Final = "a long enough phrase\n"
DEPLOYED: Final = {".venv": "{folder}/deployed"}
CHECKPOINT: Final = {"CHECKPOINT": "{folder}/checkpoint"}

# In the order in which they are run: a site is made before it is used.
SHORT_FORMS: Final[dict[str, ShortForm]] = {
    "uv sync --no-dev --extra postgres": ShortForm(),
    ".venv/bin/python manage.py": ShortForm(DEPLOYED, arguments="check --deploy"),
    ".venv/bin/python manage.py check --deploy": ShortForm(DEPLOYED),
    "uv run manage.py sandbox --flows 1000 --lag-seconds 5": ShortForm(
        {"--flows 1000": "--flows 12"}, arguments="--port 0", ready_text="TWILIO_API_SECRET="
    ),
    "uv run manage.py migrate": ShortForm(),
    ".venv/bin/python manage.py migrate": ShortForm(DEPLOYED),
    "check --database default": ShortForm(),
    "uv run manage.py add_operator NAME --role admin": ShortForm(
        {"NAME": "ada"}, standard_input=PASSWORD
    ),
    ".venv/bin/python manage.py add_operator NAME --role admin": ShortForm(
        DEPLOYED | {"NAME": "olga"}, arguments="--account {account}", standard_input=PASSWORD
    ),
    "uv run manage.py add_token USERNAME --scope read --days 30": ShortForm({"USERNAME": "ada"}),
    'uv run manage.py changepassword NAME --reason "lost their phone"': ShortForm(
        {"NAME": "olga"}, standard_input="another long phrase 9\n"
    ),
    "uv run manage.py collectstatic --noinput": ShortForm(),
    ".venv/bin/python manage.py collectstatic --noinput": ShortForm(DEPLOYED),
    "uv run manage.py sync_flows": ShortForm(),
    # 1 if a flow of the sandbox has an error.
    "uv run manage.py check_flows --format json": ShortForm(statuses=(0, 1)),
    "uv run manage.py apply flows.yaml --plan": ShortForm(
        {"flows.yaml": "-"}, standard_input="flows: []\n"
    ),
    "uv run manage.py reconcile_changes": ShortForm(),
    "uv run gunicorn --config flexadmin/gunicorn.py": ShortForm(
        ready_text="Booting worker", check=Site.check_pages
    ),
    "uv run manage.py db_worker": ShortForm(ready_text="Starting worker"),
    "db_worker --help": ShortForm(),
    "export_audit --head CHECKPOINT": ShortForm(
        CHECKPOINT, arguments="--format csv --output {folder}/log.csv"
    ),
    "export_audit --format ndjson --output LOG --head CHECKPOINT": ShortForm(
        CHECKPOINT | {"LOG": "{folder}/log"}
    ),
    "uv run manage.py export_audit --format ndjson --after 0 --output FILE --head CHECKPOINT": ShortForm(
        CHECKPOINT | {"--after 0": "--after 1", "FILE": "{folder}/again"}
    ),
    "verify_audit --head CHECKPOINT": ShortForm(CHECKPOINT),
    "uv run manage.py verify_audit --head CHECKPOINT": ShortForm(CHECKPOINT),
    'uv run manage.py erase_personal_data --identity +14155551234 --reason "request 4711"': ShortForm(
        arguments="--despite-open-change"
    ),
    # A flow that Twilio still has would be exit status 1.
    "erase_personal_data --flow SID": ShortForm({"--flow SID": f"--flow FO{'0' * 32}"}),
    "DATABASE_URL=postgres://… uv run --extra postgres python -m tests.faults.two_sites": ShortForm(
        {"postgres://…": POSTGRES}, arguments="--seconds 4 --clients 4 --workers 2"
    ),
    "uv run python -m tests.benchmarks.audit_at_scale --events 1000000": ShortForm(
        {"--events 1000000": "--events 1000"}
    ),
    "uv run python -m tests.benchmarks": ShortForm(arguments="--short --output {folder}/all.json"),
    "uv run python -m tests.browser.screenshots --output DIR": ShortForm(
        {"DIR": "{folder}/pictures"}, arguments="--only list event"
    ),
    "ALL_LOOKS=1 uv run pytest tests/browser": ShortForm(
        arguments='-k "test_auditor and accessible" --long'
    ),
}
KNOWN_COMMANDS: Final = SHORT_FORMS.keys() | ASKED_FOR_OPTIONS.keys() | RUN_ELSEWHERE.keys()


def main() -> int:
    # A shell's background job ignores Ctrl-C, and so would every command that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    words = sys.argv[1:]
    documented = docs.commands() | docs.manage_commands()
    if unknown := sorted(documented - KNOWN_COMMANDS):
        sys.exit(
            f"The documentation names commands without a short form in tests/docs_commands.py: {unknown}"
        )
    if unused := sorted(KNOWN_COMMANDS - documented):
        sys.exit(
            f"tests/docs_commands.py has commands that the documentation doesn't name: {unused}"
        )
    chosen = [
        written
        for written in (*SHORT_FORMS, *ASKED_FOR_OPTIONS)
        if not words or any(word in written for word in words)
    ]
    of_site = [written for written in chosen if not _is_of_tests(written)]
    of_tests = [written for written in chosen if _is_of_tests(written)]
    with tempfile.TemporaryDirectory() as folder, running_site(Path(folder)) as site:

        def failure_of(written: str) -> str:
            if written in ASKED_FOR_OPTIONS:
                return _check_options(written)
            return _run_and_report(written, site)

        failures = [failure_of(written) for written in of_site]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            failures += pool.map(failure_of, of_tests)
    failed = [failure for failure in failures if failure]
    print(*failed, sep="\n")  # noqa: T201
    print(f"\n{len(chosen) - len(failed)} passed, {len(failed)} failed")  # noqa: T201
    return 1 if failed else 0


def _is_of_tests(text: str) -> bool:
    """Tell whether a command brings its own site."""
    return " -m tests." in text or "pytest" in text


def _run_and_report(written: str, site: Site) -> str:
    """Run a command and print its output when it has ended; return a failure, or ""."""
    form = SHORT_FORMS[written]
    text, started_at = form.text(written, site), time.monotonic()
    output, error = _run(text, form, site)
    seconds = time.monotonic() - started_at
    print(f"\n== {text}\n{output}\n-- {error or 'passed'}, {seconds:.0f} s", flush=True)  # noqa: T201
    return f"{text}: {error}" if error else ""


def _check_options(written: str) -> str:
    """Check that a command has the options of its written form; return a failure, or ""."""
    assert (docs.ROOT / ASKED_FOR_OPTIONS[written]).is_file(), written
    command, _, options = written.partition(" --")
    known = subprocess.run(
        [*shlex.split(command), "--help"], cwd=docs.ROOT, check=True, capture_output=True, text=True
    ).stdout
    names = [word for word in shlex.split(f"--{options}") if word.startswith("--")]
    missing = [name for name in names if f"{name} " not in known]
    print(f"\n== {command} --help\n-- knows {', '.join(names)}")  # noqa: T201
    return f"{written}: there is no {missing}" if missing else ""


def _is_whole(written: str) -> bool:
    return " manage.py" in written or written.startswith(
        ("uv ", ".venv/", "ALL_LOOKS=", "DATABASE_URL=")
    )


@contextmanager
def running_site(folder: Path) -> Iterator[Site]:
    """Create the environment of a site, and run the sandbox that it uses."""
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
    plain = {**inherited, "ENV_FILE": os.devnull}
    with _process("uv run manage.py sandbox --port 0 --flows 12", plain) as sandbox:
        output = _read_until(sandbox, "TWILIO_API_SECRET=")
        environment = {
            **inherited,
            **dict(re.findall(r"^(\w+)=(\S+)$", output, re.MULTILINE)),
            "ENV_FILE": os.devnull,
            "SECRET_KEY": secrets.token_urlsafe(48),
            "AUDIT_KEY": secrets.token_urlsafe(48),
            "ALLOWED_HOSTS": "127.0.0.1",
            "TRUSTED_PROXIES": "127.0.0.1",
            "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
            "GUNICORN_CMD_ARGS": f"--bind 127.0.0.1:{port}",
        }
        yield Site(folder, environment, port)
        _stop(sandbox)


def _run(text: str, form: ShortForm, site: Site) -> tuple[str, str]:
    """Run a command; return its output, and an error or ""."""
    environment = dict(site.environment)
    if text.startswith("uv sync"):
        environment["UV_PROJECT_ENVIRONMENT"] = str(site.folder / "deployed")
    if _is_of_tests(text):
        for name in ("DATABASE_URL", "GUNICORN_CMD_ARGS"):
            del environment[name]
    with _process(text, environment, standard_input=form.standard_input) as process:
        if form.ready_text:
            output = _read_until(process, form.ready_text)
            if form.ready_text not in output:
                return output, f"it ended with status {process.wait()}"
            form.check(site)
            _stop(process)
        else:
            try:
                output = process.communicate(timeout=TIMEOUT)[0]
            except subprocess.TimeoutExpired as error:
                return _text(error.output), f"it had not ended after {TIMEOUT} s"
        is_failure = process.returncode not in form.statuses
        return output, f"status {process.returncode}" if is_failure else ""


def _text(output: bytes | str | None) -> str:
    """Return what a process printed until its time was over: bytes, even if it prints text."""
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""


@contextmanager
def _process(
    text: str, environment: Mapping[str, str], *, standard_input: str = ""
) -> Iterator[subprocess.Popen[str]]:
    """Run a command as a shell does, in a process group of its own as in a terminal."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec env {shlex.join(shlex.split(text))}"],
        cwd=docs.ROOT, env={**environment, "PYTHONUNBUFFERED": "1"}, text=True,
        start_new_session=True, stdin=subprocess.PIPE if standard_input else subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        if standard_input and process.stdin:
            process.stdin.write(standard_input)
            process.stdin.close()
            process.stdin = None
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _read_until(process: subprocess.Popen[str], words: str) -> str:
    output = ""
    for line in process.stdout or ():
        output += line
        if words in line:
            break
    return output


def _stop(process: subprocess.Popen[str]) -> None:
    """Interrupt the process as Ctrl-C does; uv passes the signal on."""
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=HANG_TIMEOUT)


if __name__ == "__main__":
    sys.exit(main())
