# Metal atoms about oxygen from O K-edge spectra (Li3FeO3.5).


rule count_metals:
    input:
        "results/09_oxygen/metrics.json",


rule import_oxygen:
    input:
        given(config["oxygen"]["folder"], config["oxygen"]["feff"]),
    output:
        spectra="data/09_oxygen/spectra.parquet",
        rejections="data/09_oxygen/rejections.parquet",
    log:
        "logs/09_oxygen/import.log",
    benchmark:
        "results/benchmarks/09_oxygen/import.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(30),
    params:
        settings=settings("edge_energy", "feff", "oxygen", "quality"),
        listing=listing(config["oxygen"]["folder"], config["oxygen"]["feff"]),
    message:
        "Importing O K-edge spectra"
    shell:
        "xascoord import-oxygen --settings {params.settings:q}"
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
    conda:
        "../../environment.yml"
    threads: CORES
    resources:
        mem_mb=memory(1500),
        runtime=minutes(120),
    params:
        settings=settings("seed", "oxygen"),
    message:
        "Networks for metal atoms about oxygen ({threads} processes)"
    shell:
        "xascoord train-oxygen --settings {params.settings:q} --spectra {input}"
        " --workers {threads} --out {output} > {log} 2>&1"


rule summarise_oxygen:
    input:
        spectra="data/09_oxygen/spectra.parquet",
        networks="data/09_oxygen/networks.jsonl",
    output:
        "results/09_oxygen/metrics.json",
        report(
            "results/09_oxygen/classes.csv",
            caption="../report/09_oxygen_classes_csv.rst",
            category="Oxygen",
        ),
        report(
            "results/09_oxygen/networks.csv",
            caption="../report/09_oxygen_networks_csv.rst",
            category="Oxygen",
        ),
        report(
            "results/09_oxygen/summary.csv",
            caption="../report/09_oxygen_summary_csv.rst",
            category="Oxygen",
        ),
        report(
            "results/09_oxygen/confusion.csv",
            caption="../report/09_oxygen_confusion_csv.rst",
            category="Oxygen",
        ),
        report(
            "results/09_oxygen/spectra.png",
            caption="../report/09_oxygen_spectra_png.rst",
            category="Oxygen",
        ),
        report(
            "results/09_oxygen/learning_curves.png",
            caption="../report/09_oxygen_learning_curves_png.rst",
            category="Oxygen",
        ),
        report(
            "results/09_oxygen/parity.png",
            caption="../report/09_oxygen_parity_png.rst",
            category="Oxygen",
        ),
    log:
        "logs/09_oxygen/summarise.log",
    benchmark:
        "results/benchmarks/09_oxygen/summarise.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(10),
    params:
        settings=settings("oxygen"),
    message:
        "Metal atoms about oxygen: tables and figures"
    shell:
        "xascoord summarise-oxygen --settings {params.settings:q} --spectra {input.spectra}"
        " --networks {input.networks} --out results/09_oxygen > {log} 2>&1"
