# Five classifiers of each element, judged in two splits; models, predictions, metrics.


rule search_hyperparameters:
    input:
        datasets=expand(
            "data/02_datasets/{kind}/{{element}}.parquet", kind=["site", "averaged"]
        ),
        labels="data/03_labels/labels/{element}.parquet",
    output:
        "results/04_models/search/{element}.csv",
    log:
        "logs/04_models/search_{element}.log",
    benchmark:
        "results/benchmarks/04_models/search_{element}.tsv"
    conda:
        "../../environment.yml"
    threads: WORKERS
    resources:
        mem_mb=4000,
        runtime=1440,
    params:
        settings=settings("seed", "labels", "window", "augmentation", "models"),
        datasets=expand(
            "--dataset data/02_datasets/{kind}/{{element}}.parquet",
            kind=["site", "averaged"],
        ),
    message:
        "Search of the hyper-parameter grids for {wildcards.element} ({threads} processes)"
    shell:
        "xascoord search {wildcards.element} --settings {params.settings:q} {params.datasets}"
        " --labels {input.labels} --workers {threads} --out {output} > {log} 2>&1"


rule train_models:
    input:
        SEARCHED,
        datasets=expand(
            "data/02_datasets/{kind}/{{element}}.parquet", kind=["site", "averaged"]
        ),
        labels="data/03_labels/labels/{element}.parquet",
        thresholds="results/03_labels/thresholds.json",
    output:
        BUNDLES,
        reference="data/04_models/bundles/{element}/reference.parquet",
        predictions="data/04_models/predictions/{element}.parquet",
    log:
        "logs/04_models/train_{element}.log",
    benchmark:
        "results/benchmarks/04_models/train_{element}.tsv"
    conda:
        "../../environment.yml"
    threads: WORKERS
    resources:
        mem_mb=4000,
        runtime=480,
    params:
        settings=settings(
            "seed", "labels", "edge_energy", "window", "augmentation", "models"
        ),
        search=expand("--search {table}", table=SEARCHED),
        datasets=expand(
            "--dataset data/02_datasets/{kind}/{{element}}.parquet",
            kind=["site", "averaged"],
        ),
    message:
        "Classifiers of {wildcards.element} ({threads} processes)"
    shell:
        "xascoord train {wildcards.element} --settings {params.settings:q} {params.datasets}"
        " --labels {input.labels} --thresholds {input.thresholds} {params.search}"
        " --workers {threads} --predictions {output.predictions}"
        " --bundles data/04_models/bundles/{wildcards.element} > {log} 2>&1"


rule summarise_models:
    input:
        expand("data/04_models/predictions/{element}.parquet", element=ELEMENTS),
    output:
        expand("results/04_models/{name}", name=MODEL_RESULTS),
    log:
        "logs/04_models/summarise.log",
    benchmark:
        "results/benchmarks/04_models/summarise.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        settings=settings("seed", "elements", "sources", "models"),
    message:
        "How good the classifiers are: metrics, losses, figures"
    shell:
        "xascoord summarise-models --settings {params.settings:q}"
        " --predictions data/04_models/predictions --out results/04_models > {log} 2>&1"
