"""The command line: one Typer application, commands by stage, shared options.

No logic: commands call the stages.
"""
