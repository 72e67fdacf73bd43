#!/usr/bin/env python
"""Runs the site's commands. Two bring settings of their own; the others take the environment's."""

import os
import sys

OWN_SETTINGS = {"demo": "flexadmin.demo.settings", "sandbox": "flexadmin.demo.sandbox_settings"}

if __name__ == "__main__":
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    module = OWN_SETTINGS.get(command, "flexadmin.settings")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", module)

    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"{error}")
