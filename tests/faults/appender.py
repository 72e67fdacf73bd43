"""A process that appends to the audit log of DATABASE_URL: says that it is ready, waits for a line on
standard input, and appends as many events as its argument says.
"""

import os
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "flexadmin.settings"
django.setup()

from flows.models import Result, Stage  # noqa: E402
from flows.services import audit  # noqa: E402

actor = audit.Actor(id=str(os.getpid()), label="process")
print("ready", flush=True)  # noqa: T201
sys.stdin.readline()
for _ in range(int(sys.argv[1])):
    audit.append(action="test.append", stage=Stage.ACCESS, result=Result.DENIED, actor=actor)
