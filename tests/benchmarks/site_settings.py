"""The site's settings as it is deployed, for processes that this folder starts. Only the collected static files lie
elsewhere: in the folder that STATIC_FOLDER names, so that nothing of the tree is touched."""

import os
from pathlib import Path

from flexadmin.settings import *  # noqa: F403

STATIC_ROOT = Path(os.environ["STATIC_FOLDER"])
