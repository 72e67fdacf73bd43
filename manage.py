#!/usr/bin/env python
"""Runs the site's commands. `demo` brings its own settings; every other command takes the environment's."""

import os
import sys

if __name__ == "__main__":
    module = "flexadmin.demo.settings" if sys.argv[1:2] == ["demo"] else "flexadmin.settings"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", module)

    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"{error}")
