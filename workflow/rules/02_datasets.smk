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
        mem_mb=2000,
        runtime=60,
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
        "results/02_datasets/counts.csv",
        "results/02_datasets/rejections.csv",
        "results/02_datasets/rejections_by_reason.csv",
        "results/02_datasets/counts.png",
        "results/02_datasets/examples.png",
    log:
        "logs/02_datasets/summarise.log",
    benchmark:
        "results/benchmarks/02_datasets/summarise.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        settings=settings("elements", "sources", "feff", "xasdb_archive", "window"),
        spectra=expand("--spectra {folder}", folder=SOURCE_FOLDERS),
    message:
        "Counting spectra and rejections"
    shell:
        "xascoord summarise-datasets {params.spectra} --settings {params.settings:q}"
        " --datasets data/02_datasets --out results/02_datasets > {log} 2>&1"
