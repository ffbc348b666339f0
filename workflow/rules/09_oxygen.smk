# Metal atoms about oxygen from O K-edge spectra (Li3FeO3.5).


rule count_metals:
    input:
        "results/09_oxygen/metrics.json",


rule import_oxygen:
    input:
        given(SETTINGS["oxygen"]["folder"], SETTINGS["oxygen"]["feff"]),
    output:
        spectra="data/09_oxygen/spectra.parquet",
        rejections="data/09_oxygen/rejections.parquet",
    log:
        "logs/09_oxygen/import.log",
    benchmark:
        "results/benchmarks/09_oxygen/import.tsv"
    params:
        code=code_of("oxygen.stage:import_oxygen"),
        settings=settings("edge_energy", "feff", "limits", "oxygen", "quality"),
        listing=lambda wildcards: listing(
            SETTINGS["oxygen"]["folder"], SETTINGS["oxygen"]["feff"]
        ),
    message:
        "Importing O K-edge spectra"
    shell:
        "xascoord --settings {params.settings:q} oxygen import"
        " --out {output.spectra} --rejections {output.rejections} > {log} 2>&1"


rule train_oxygen:
    input:
        "data/09_oxygen/spectra.parquet",
    output:
        "data/09_oxygen/networks.jsonl",
    log:
        "logs/09_oxygen/train.log",
    benchmark:
        "results/benchmarks/09_oxygen/train.tsv"
    threads: CORES
    params:
        code=code_of("oxygen.stage:train_oxygen"),
        settings=settings("seed", "oxygen"),
    message:
        "Networks for metal atoms about oxygen ({threads} processes)"
    shell:
        "xascoord --settings {params.settings:q} oxygen train --spectra {input}"
        " --workers {threads} --out {output} > {log} 2>&1"


rule summarise_oxygen:
    input:
        spectra="data/09_oxygen/spectra.parquet",
        networks="data/09_oxygen/networks.jsonl",
    output:
        "results/09_oxygen/metrics.json",
        *reported(
            "09_oxygen",
            "Oxygen",
            "classes.csv",
            "networks.csv",
            "summary.csv",
            "confusion.csv",
            "spectra.png",
            "learning_curves.png",
            "parity.png",
        ),
    log:
        "logs/09_oxygen/summarise.log",
    benchmark:
        "results/benchmarks/09_oxygen/summarise.tsv"
    params:
        code=code_of("oxygen.stage:summarise_oxygen"),
        settings=settings("oxygen"),
    message:
        "Metal atoms about oxygen: tables and figures"
    shell:
        "xascoord --settings {params.settings:q} oxygen summarise --spectra {input.spectra}"
        " --networks {input.networks} --out results/09_oxygen > {log} 2>&1"
