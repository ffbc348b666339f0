"""What the spectra are that models are validated on, as the tables say it."""

MEASURED = "measured"
DEGRADED = "computed, held out and degraded"
