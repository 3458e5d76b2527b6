"""`clarion config`: the settings in force, and where each comes from."""

import os
from typing import Any

from clarion.cli.output import (
    AsJson,
    Ending,
    ExitCode,
    print_records,
)
from clarion.config import SETTINGS, read_settings, read_values
from clarion.config.setting import Setting
from clarion.text import without_passwords
from clarion.value_file import file_of

MASK = "***"


async def config(*, json: AsJson = False) -> int:
    """Show every setting in force, and whether it comes from a variable, a file or the default.

    Secrets are masked, and so are passwords in addresses. Fails where a setting is wrong, and says
    which.

    For example:

    ```
    clarion config
    clarion config --json
    ```
    """
    given, _ = read_values(os.environ)
    records = [_record(setting, given) for setting in SETTINGS]
    print_records(records, as_json=json, columns=("setting", "value", "from"), none="")
    settings = read_settings(os.environ)
    if isinstance(settings, list):
        faults = [(fault.field, fault.message) for fault in settings]
        raise Ending(ExitCode.USAGE, "The settings are wrong:", word="settings", faults=faults)
    return ExitCode.OK


def _record(setting: Setting, given: dict[str, str]) -> dict[str, Any]:
    file = file_of(os.environ, setting.name)
    if setting.name not in given:
        comes_from = "default" if file is None else f"{file}, which can not be used"
        return {"setting": setting.name, "value": setting.default, "from": comes_from}
    value = MASK if setting.is_secret else without_passwords(given[setting.name])
    return {
        "setting": setting.name,
        "value": value,
        "from": "environment" if file is None else str(file),
    }
