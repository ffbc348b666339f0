# Site-specific and site-averaged data sets of each element, and what was left out.


rule build_all_datasets:
    input:
        "results/02_datasets/counts.csv",


rule build_datasets:
    input:
        expand("{folder}/spectra/{{element}}.parquet", folder=SOURCE_FOLDERS),
        expand("{folder}/structures/{{element}}.parquet", folder=SOURCE_FOLDERS),
    output:
        site="data/02_datasets/site/{element}.parquet",
        averaged="data/02_datasets/averaged/{element}.parquet",
        rejections="data/02_datasets/rejections/{element}.parquet",
    log:
        "logs/02_datasets/{element}.log",
    benchmark:
        "results/benchmarks/02_datasets/{element}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(15),
    params:
        settings=settings(
            "sources", "feff", "xasdb_archive", "edge_energy", "window", "averaging"
        ),
        spectra=expand("--spectra {folder}", folder=SOURCE_FOLDERS),
    message:
        "Building the data sets of {wildcards.element}"
    shell:
        "xascoord datasets {wildcards.element} {params.spectra} --settings {params.settings:q}"
        " --site {output.site} --averaged {output.averaged}"
        " --rejections {output.rejections} > {log} 2>&1"


rule summarise_datasets:
    input:
        expand(
            "{folder}/{table}.csv",
            folder=SOURCE_FOLDERS,
            table=["counts", "rejections"],
        ),
        expand(
            "data/02_datasets/{kind}/{element}.parquet",
            kind=["site", "averaged", "rejections"],
            element=ELEMENTS,
        ),
    output:
        "results/02_datasets/metrics.json",
        report(
            "results/02_datasets/counts.csv",
            caption="../report/02_datasets_counts_csv.rst",
            category="Data sets",
        ),
        report(
            "results/02_datasets/rejections.csv",
            caption="../report/02_datasets_rejections_csv.rst",
            category="Data sets",
        ),
        report(
            "results/02_datasets/rejections_by_reason.csv",
            caption="../report/02_datasets_rejections_by_reason_csv.rst",
            category="Data sets",
        ),
        report(
            "results/02_datasets/counts.png",
            caption="../report/02_datasets_counts_png.rst",
            category="Data sets",
        ),
        report(
            "results/02_datasets/examples.png",
            caption="../report/02_datasets_examples_png.rst",
            category="Data sets",
        ),
    log:
        "logs/02_datasets/summarise.log",
    benchmark:
        "results/benchmarks/02_datasets/summarise.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(15),
    params:
        settings=settings("elements", "sources", "feff", "xasdb_archive", "window"),
        spectra=expand("--spectra {folder}", folder=SOURCE_FOLDERS),
    message:
        "Counting spectra and rejections"
    shell:
        "xascoord summarise-datasets {params.spectra} --settings {params.settings:q}"
        " --datasets data/02_datasets --out results/02_datasets > {log} 2>&1"
