"""This module reads settings from files: `NAME_FILE` names one that holds the value of `NAME`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from settings.errors import SettingsError

SUFFIX = "_FILE"


class FilesSource(PydanticBaseSettingsSource):
    """A source of pydantic's; asked before the environment. The file's last line break is no part of the value."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self._read(field_name.upper()), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Raises SettingsError for a file that cannot be read, or a setting that is given twice."""
        found = {name: self._read(name.upper()) for name in self.settings_cls.model_fields}
        return {name: value for name, value in found.items() if value is not None}

    def _read(self, name: str) -> str | None:
        path = os.environ.get(name + SUFFIX)
        if not path:
            return None
        if os.environ.get(name):
            raise SettingsError(f"{name}: is given, and {name + SUFFIX} too: remove one")
        try:
            return Path(path).read_text("utf-8").rstrip("\r\n") or None
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise SettingsError(f"{name + SUFFIX}: {path} cannot be read: {reason}") from None
