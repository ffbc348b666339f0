# Classifiers of each element, one job each; models, held-out predictions, metrics. Beside them the
# forests that others published, where they are, and pools of elements, where they are named.


rule train_all_models:
    input:
        "results/04_models/metrics.json",
        lambda wildcards: converted_of(PUBLISHED),
        "results/04_models/pooled.csv" if POOLED else [],


rule train_pooled_models:
    input:
        "results/04_models/pooled.csv",


rule search_hyperparameters:
    input:
        DATASETS,
        LABELS,
    output:
        *reported("04_models", "Models", "search/{element}.csv"),
    log:
        "logs/04_models/search_{element}.log",
    benchmark:
        "results/benchmarks/04_models/search_{element}.tsv"
    threads: workers(len(ELEMENTS))
    params:
        code=code_of("models.stage:search_element"),
        settings=fit_settings(*CLASSIFIERS, more=["grids"]),
    message:
        "Search of the hyper-parameter grids for {wildcards.element} ({threads} processes)"
    shell:
        "xascoord --settings {params.settings:q} models search {wildcards.element}"
        " --workers {threads} --out {output} > {log} 2>&1"


rule train_baseline:
    input:
        DATASETS,
        LABELS,
    output:
        "data/04_models/predictions/{element}/baseline.parquet",
        "data/04_models/bundles/{element}/reference.parquet",
    log:
        "logs/04_models/{element}_baseline.log",
    benchmark:
        "results/benchmarks/04_models/baseline_{element}.tsv"
    params:
        code=code_of("models.stage:train_baseline", without="networks"),
        settings=fit_settings(),
    message:
        "Constant guess for {wildcards.element}"
    shell:
        "xascoord --settings {params.settings:q} models baseline {wildcards.element}"
        " > {log} 2>&1"


rule train_models:
    input:
        lambda wildcards: searched(wildcards.classifier),
        DATASETS,
        LABELS,
        THRESHOLDS,
        "data/04_models/predictions/{element}/baseline.parquet",
    output:
        "data/04_models/predictions/{element}/{classifier}.parquet",
        "data/04_models/bundles/{element}/{classifier}.skops",
        "data/04_models/bundles/{element}/{classifier}.md",
    log:
        "logs/04_models/{element}_{classifier}.log",
    benchmark:
        "results/benchmarks/04_models/train_{element}_{classifier}.tsv"
    threads: workers(len(ELEMENTS) * len(CLASSIFIERS))
    params:
        code=lambda wildcards: code_of(
            "models.stage:train_classifier",
            without=None if wildcards.classifier == "cnn" else "networks",
        ),
        settings=lambda wildcards: fit_settings(
            wildcards.classifier,
            more=["bootstrap", *OTHER_SETS.get(wildcards.classifier, [])],
            sections=["edge_energy"],
            labels=["min_samples"],
        ),
        search=lambda wildcards: [
            f"--search {table.format(element=wildcards.element)}"
            for table in searched(wildcards.classifier)
        ],
    message:
        "{wildcards.classifier} for {wildcards.element} ({threads} processes)"
    shell:
        "xascoord --settings {params.settings:q} models train {wildcards.element}"
        " {wildcards.classifier} {params.search} --workers {threads} > {log} 2>&1"


rule train_pool:
    input:
        lambda wildcards: expand(
            [*DATASETS, LABELS], element=elements_of(wildcards.pool)
        ),
        THRESHOLDS,
    output:
        "data/04_models/predictions/{pool}/forest.parquet",
        expand(
            "data/04_models/pooled/{{pool}}/{name}",
            name=["forest.skops", "forest.md", "reference.parquet"],
        ),
    log:
        "logs/04_models/pool_{pool}.log",
    benchmark:
        "results/benchmarks/04_models/pool_{pool}.tsv"
    threads: workers(len(POOLED))
    params:
        code=code_of("models.pools:train_pool", without="networks"),
        settings=lambda wildcards: fit_settings(
            "forest",
            more=["bootstrap"],
            sections=["edge_energy"],
            elements=elements_of(wildcards.pool),
            labels=["min_samples"],
        ),
    message:
        "One forest for {wildcards.pool} ({threads} processes)"
    shell:
        "xascoord --settings {params.settings:q} models train-pooled {wildcards.pool}"
        " --workers {threads} > {log} 2>&1"


rule summarise_pools:
    input:
        expand("data/04_models/predictions/{pool}/forest.parquet", pool=POOLED),
        expand(
            "data/04_models/predictions/{element}/{classifier}.parquet",
            element=elements_of(*POOLED),
            classifier=["baseline", "forest"],
        ),
    output:
        *reported("04_models", "Models", "pooled.csv", "pooled.png"),
    log:
        "logs/04_models/summarise_pools.log",
    benchmark:
        "results/benchmarks/04_models/summarise_pools.tsv"
    params:
        code=code_of("models.pool_tables:summarise_pools", without="networks"),
        settings=settings(models=["pooled", "splits"]),
    message:
        "What pools are worth: beside the elements' own forests, and without each element"
    shell:
        "xascoord --settings {params.settings:q} models summarise-pooled"
        " --predictions data/04_models/predictions --out results/04_models > {log} 2>&1"


rule convert_published_forests:
    input:
        fetched_forests,


rule convert_published_forest:
    output:
        "data/04_models/published/{element}/forest.skops",
        "data/04_models/published/{element}/forest.md",
    log:
        "logs/04_models/convert_published_{element}.log",
    benchmark:
        "results/benchmarks/04_models/convert_published_{element}.tsv"
    params:
        code=code_of("models.published.convert:convert_folder"),
        folder=PUBLISHED,
        listing=lambda wildcards: listing(PUBLISHED),
    message:
        "Bundle of the forest of {wildcards.element} that Zheng et al. published; nothing in it is run"
    shell:
        "xascoord models convert-published {params.folder} --element {wildcards.element}"
        " --out data/04_models/published > {log} 2>&1"


rule summarise_models:
    input:
        expand(
            "data/04_models/predictions/{element}/{classifier}.parquet",
            element=ELEMENTS,
            classifier=["baseline", *CLASSIFIERS],
        ),
        # Models and cards are results too.
        expand(
            "data/04_models/bundles/{element}/{classifier}.{kind}",
            element=ELEMENTS,
            classifier=CLASSIFIERS,
            kind=["skops", "md"],
        ),
        expand("data/04_models/bundles/{element}/reference.parquet", element=ELEMENTS),
    output:
        "results/04_models/metrics.json",
        *reported(
            "04_models",
            "Models",
            "metrics.csv",
            "groups.csv",
            "coverage.csv",
            "confusion.csv",
            "losses.csv",
            "reliability.csv",
            "summary.md",
            "accuracy.png",
            "jaccard.png",
            "accuracy_size.png",
            "accuracy_entropy.png",
            "periodic_table.png",
            "confusion.png",
            "training_sets.png",
            "reliability.png",
        ),
    log:
        "logs/04_models/summarise.log",
    benchmark:
        "results/benchmarks/04_models/summarise.tsv"
    params:
        code=code_of("models.stage:summarise_models", without="networks"),
        settings=settings("seed", "elements", "sources", "models"),
    message:
        "How good the classifiers are: metrics, losses, figures"
    shell:
        "xascoord --settings {params.settings:q} models summarise"
        " --predictions data/04_models/predictions --out results/04_models > {log} 2>&1"
