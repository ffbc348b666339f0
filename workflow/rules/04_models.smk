# Five classifiers of each element, evaluated in two splits; models, predictions, metrics.


rule search_hyperparameters:
    input:
        datasets=expand(
            "data/02_datasets/{kind}/{{element}}.parquet", kind=["site", "averaged"]
        ),
        labels="data/03_labels/labels/{element}.parquet",
    output:
        report(
            "results/04_models/search/{element}.csv",
            caption="../report/04_models_search_csv.rst",
            category="Models",
        ),
    log:
        "logs/04_models/search_{element}.log",
    benchmark:
        "results/benchmarks/04_models/search_{element}.tsv"
    conda:
        "../../environment.yml"
    threads: WORKERS
    resources:
        mem_mb=memory(4000),
        runtime=minutes(1440),
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
        mem_mb=memory(4000),
        runtime=minutes(240),
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
        "results/04_models/metrics.json",
        report(
            "results/04_models/metrics.csv",
            caption="../report/04_models_metrics_csv.rst",
            category="Models",
        ),
        report(
            "results/04_models/groups.csv",
            caption="../report/04_models_groups_csv.rst",
            category="Models",
        ),
        report(
            "results/04_models/coverage.csv",
            caption="../report/04_models_coverage_csv.rst",
            category="Models",
        ),
        report(
            "results/04_models/confusion.csv",
            caption="../report/04_models_confusion_csv.rst",
            category="Models",
        ),
        report(
            "results/04_models/losses.csv",
            caption="../report/04_models_losses_csv.rst",
            category="Models",
        ),
        report(
            "results/04_models/summary.md",
            caption="../report/04_models_summary_md.rst",
            category="Models",
        ),
        report(
            "results/04_models/accuracy.png",
            caption="../report/04_models_accuracy_png.rst",
            category="Models",
        ),
        report(
            "results/04_models/jaccard.png",
            caption="../report/04_models_jaccard_png.rst",
            category="Models",
        ),
        report(
            "results/04_models/accuracy_size.png",
            caption="../report/04_models_accuracy_size_png.rst",
            category="Models",
        ),
        report(
            "results/04_models/accuracy_entropy.png",
            caption="../report/04_models_accuracy_entropy_png.rst",
            category="Models",
        ),
        report(
            "results/04_models/periodic_table.png",
            caption="../report/04_models_periodic_table_png.rst",
            category="Models",
        ),
        report(
            "results/04_models/confusion.png",
            caption="../report/04_models_confusion_png.rst",
            category="Models",
        ),
        report(
            "results/04_models/training_sets.png",
            caption="../report/04_models_training_sets_png.rst",
            category="Models",
        ),
    log:
        "logs/04_models/summarise.log",
    benchmark:
        "results/benchmarks/04_models/summarise.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(30),
    params:
        settings=settings("seed", "elements", "sources", "models"),
    message:
        "How good the classifiers are: metrics, losses, figures"
    shell:
        "xascoord summarise-models --settings {params.settings:q}"
        " --predictions data/04_models/predictions --out results/04_models > {log} 2>&1"
