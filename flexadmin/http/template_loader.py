"""Templates without the indentation that lays them out: a page is some 10 % smaller without it."""

from __future__ import annotations

import re
from typing import Final

from django.template import Origin
from django.template.loaders.filesystem import Loader as FilesystemLoader

_INDENTATION: Final = re.compile(r"\n[ ]+")


class Loader(FilesystemLoader):
    """Load a template, each of its lines from its first character that shows."""

    def get_contents(self, origin: Origin) -> str:
        return _INDENTATION.sub("\n", super().get_contents(origin))
