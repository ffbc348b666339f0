"""Errors that a person can act on."""

from __future__ import annotations


class XascoordError(Exception):
    """Something the user can put right; shown as one message, never as a traceback."""


class SettingsError(XascoordError):
    """The settings do not fit the schema; the message names file, field and remedy."""


class SourceError(XascoordError):
    """A source of spectra cannot be read at all (missing folder, no key, no network)."""


class LimitError(XascoordError):
    """Something from outside is larger than the settings' ``limits`` allow."""


class NotAFileError(XascoordError):
    """A folder, pipe or device where a file is wanted."""


class AccountingError(XascoordError):
    """What came in is not what went out plus what was rejected."""


class BundleError(XascoordError):
    """A bundle of models cannot be used."""


class MeasurementError(XascoordError):
    """A measured spectrum cannot be read or used."""


class StructureError(XascoordError):
    """A structure that cannot stand behind a spectrum."""


class StorageError(XascoordError):
    """A file cannot be written: a full disk, a read-only folder, no permission."""


# Errors that say nothing of the data at hand: another machine, or a later run, may not meet them.
OF_THE_MACHINE = (MemoryError, ImportError, OSError)
