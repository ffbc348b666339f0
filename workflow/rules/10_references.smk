# The table of measured references that comes with the package, built anew from its sources.


rule build_references:
    input:
        manifest="data/references/manifest.csv",
        files=fetched_references,
    output:
        table="results/10_references/references.parquet",
        rejections="results/10_references/rejections.csv",
    log:
        "logs/10_references/build.log",
    benchmark:
        "results/benchmarks/10_references/build.tsv"
    params:
        code=code_of("references.build:build_table"),
        settings=settings("limits"),
        listing=lambda wildcards: listing(*map(str, REFERENCES)),
    message:
        "Building the table of measured references"
    shell:
        "xascoord --settings {params.settings:q} references build data/external"
        " --manifest {input.manifest} --out {output.table}"
        " --rejections {output.rejections} > {log} 2>&1"
