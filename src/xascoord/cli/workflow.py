"""Commands about Snakemake's records of what results were made from."""

from __future__ import annotations

from xascoord.cli.app import group

commands = group("What Snakemake knows of results, carried along by DVC.")


@commands.command()
def save() -> None:
    """Write Snakemake's records of all results to data/provenance, for DVC to carry along.

    A run that succeeds does this itself; the stages of dvc.yaml do it once more.
    """
    from xascoord.workflow.snakemake_records import save_records

    for stage, count in save_records().items():
        print(f"{stage}: {count} results")


@commands.command()
def restore() -> None:
    """Give Snakemake the records of results that 'dvc pull' or 'dvc checkout' brought.

    A run does this itself; after this command a dry run knows them too.
    """
    from xascoord.workflow.snakemake_records import restore_records

    print(f"{restore_records()} results known")
