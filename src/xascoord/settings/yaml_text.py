"""The text of ``params.yaml`` as plain values, whatever stands in it.

YAML can say in a few lines what takes all memory: anchors within anchors, lists within lists. So
its events are counted before anything is made of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from xascoord.core.errors import LimitError, NotAFileError, SettingsError
from xascoord.core.files import read_file

# Of a settings file; ours has 12 kB, 400 values and 5 levels.
_MOST_BYTES, _MOST_VALUES, _MOST_LEVELS = 1_000_000, 20_000, 30
_MOST_BITS = 63
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, where it is there


def read_yaml(path: Path) -> dict[str, Any]:
    """The values of a settings file.

    Raises
    ------
    SettingsError
        If it is missing, no YAML, no 'name: value' pairs, or more than settings can be.
    """
    try:
        text = read_file(path, _MOST_BYTES).decode("utf-8")
        _check_size(text)
        values = yaml.load(text, Loader=_LOADER) or {}
        _check_numbers(values)
    except FileNotFoundError:
        raise SettingsError(
            f"{path}: no such file; run from the project folder or give --params"
        ) from None
    except LimitError:
        raise SettingsError(f"{path}: larger than settings can be ({_MOST_BYTES:,})") from None
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from None
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None
    # ValueError: dates that are none, and numbers of more digits than Python reads.
    except (yaml.YAMLError, ValueError, NotAFileError) as error:
        raise SettingsError(f"{path}: not readable as YAML: {error}") from None
    if not isinstance(values, dict):
        raise SettingsError(f"{path}: must hold 'name: value' pairs, not a {type(values).__name__}")
    return values


def _check_size(text: str) -> None:
    """Count values, each alias as often as what it stands for, and levels."""
    sizes: dict[str, int] = {}
    open_since: list[tuple[str | None, int]] = []  # anchor, and values before it
    count = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in open_since):
                raise SettingsError(f"*{event.anchor} stands within itself")
            count += sizes.get(event.anchor, 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            count += 1
            open_since.append((event.anchor, count))
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_since.pop()
            if anchor:
                sizes[anchor] = count - before + 1
        elif isinstance(event, yaml.ScalarEvent):
            count += 1
        if count > _MOST_VALUES:
            raise SettingsError(f"more than {_MOST_VALUES:,} values, anchors counted as written")
        if len(open_since) > _MOST_LEVELS:
            raise SettingsError(f"nested deeper than {_MOST_LEVELS} levels")


def _check_numbers(value: Any) -> None:
    """Look for integers so long that they could not be written again."""
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise SettingsError(f"an integer of more than {_MOST_BITS} bits")
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple | set):
        for part in value:
            _check_numbers(part)
