# Every source of spectra, brought into the same typed tables: one rule a source. An element more or
# less does nothing to the others: what lies in one place is imported whole, whatever 'elements' says;
# what is computed or downloaded has jobs of its own for each element.


rule import_spectra:
    input:
        expand("{folder}/counts.csv", folder=SOURCE_FOLDERS),


rule import_embedded:
    input:
        runs_of(SETTINGS["embedded"]["folder"]),
        spectra=expand("{folder}/spectra.parquet", folder=SETTINGS["demo"]["folder"]),
        structures=expand(
            "{folder}/structures.parquet", folder=SETTINGS["demo"]["folder"]
        ),
    output:
        # Every element that is embedded, so that 'elements' decides nothing here.
        tables_of("embedded", EMBEDDED),
    log:
        "logs/01_spectra/import_embedded.log",
    benchmark:
        "results/benchmarks/01_spectra/import_embedded.tsv"
    params:
        code=code_of("sources.collect:SpectraWriter", "sources.embedded:read_both"),
        settings=settings(
            "embedded", "quality", demo=["folder"], feff=["run.convergence"]
        ),
    message:
        "Importing the embedded spectra"
    shell:
        "xascoord --settings {params.settings:q} sources import embedded"
        " --out data/01_spectra/embedded > {log} 2>&1"


rule import_demo:
    input:
        spectra=expand("{folder}/spectra.parquet", folder=SETTINGS["demo"]["folder"]),
        structures=expand(
            "{folder}/structures.parquet", folder=SETTINGS["demo"]["folder"]
        ),
    output:
        # Every element that is embedded, so that 'elements' decides nothing here.
        tables_of("demo", EMBEDDED),
    log:
        "logs/01_spectra/import_demo.log",
    benchmark:
        "results/benchmarks/01_spectra/import_demo.tsv"
    params:
        code=code_of(
            "sources.collect:SpectraWriter", "sources.demo.spectra:read_embedded"
        ),
        settings=settings("demo", "quality"),
    message:
        "Importing the embedded demonstration spectra"
    shell:
        "xascoord --settings {params.settings:q} sources import demo"
        " --out data/01_spectra/demo > {log} 2>&1"


rule list_feff_runs:
    input:
        given(
            SETTINGS["feff"]["path"],
            SETTINGS["feff"]["run"]["structures"],
        ),
    output:
        plan_of("feff"),
    log:
        "logs/01_spectra/list_feff_runs.log",
    benchmark:
        "results/benchmarks/01_spectra/list_feff_runs.tsv"
    params:
        code=code_of("sources.feff.missing:write_missing"),
        settings=settings("elements", "feff", "limits", "quality"),
        listing=lambda wildcards: listing(
            SETTINGS["feff"]["path"], SETTINGS["feff"]["run"]["structures"]
        ),
    message:
        "Listing the sites that have no spectrum"
    shell:
        "xascoord --settings {params.settings:q} sources list-feff-runs"
        " --out data/01_spectra/feff/plan > {log} 2>&1"


rule run_feff:
    input:
        plan_of("feff"),
    output:
        "data/01_spectra/feff/chunks/{part}.txt",
    log:
        "logs/01_spectra/run_feff/{part}.log",
    benchmark:
        "results/benchmarks/01_spectra/run_feff/{part}.tsv"
    params:
        code=code_of("sources.feff.chunks:run_chunk"),
        settings=settings("elements", "feff"),
        parts=SETTINGS["feff"]["run"]["chunks"],
    message:
        "Running FEFF, chunk {wildcards.part} of {params.parts}"
    shell:
        "xascoord --settings {params.settings:q} sources run-feff data/01_spectra/feff/plan"
        " --part {wildcards.part} --parts {params.parts} --workers {threads}"
        " --journals data/raw/feff --record {output} > {log} 2>&1"


rule import_feff:
    input:
        given(SETTINGS["feff"]["path"], SETTINGS["feff"]["run"]["structures"]),
        branch(
            RUNS_WANTED,
            then=[
                *plan_of("feff"),
                *expand("data/01_spectra/feff/chunks/{part}.txt", part=CHUNKS),
            ],
            otherwise=[],
        ),
    output:
        # What was computed, was computed for the elements asked for.
        tables_of("feff", ELEMENTS if RUNS_WANTED else EMBEDDED),
    log:
        "logs/01_spectra/import_feff.log",
    benchmark:
        "results/benchmarks/01_spectra/import_feff.tsv"
    params:
        code=code_of(
            "sources.collect:SpectraWriter",
            "sources.feff.output:read_feff",
            "sources.feff.missing:read_runs",
        ),
        settings=settings(
            *(["elements"] if RUNS_WANTED else []), "feff", "limits", "quality"
        ),
        listing=lambda wildcards: listing(
            SETTINGS["feff"]["path"], SETTINGS["feff"]["run"]["structures"]
        ),
    message:
        "Importing FEFF output"
    shell:
        "xascoord --settings {params.settings:q} sources import feff"
        " --out data/01_spectra/feff > {log} 2>&1"


rule choose_crystals:
    input:
        SETTINGS["validation"]["compounds"],
        expand("{folder}/prototypes.csv", folder=SETTINGS["demo"]["folder"]),
        given(SETTINGS["crystals"]["materials_project"]),
    output:
        plan_of("crystals", "{element}"),
    log:
        "logs/01_spectra/choose_crystals/{element}.log",
    benchmark:
        "results/benchmarks/01_spectra/choose_crystals/{element}.tsv"
    params:
        code=code_of(
            "sources.crystals.choice:survey", "sources.crystals.choice:write_choice"
        ),
        settings=settings(
            "seed", "crystals", "demo", "limits", "quality", validation=["compounds"]
        ),
        listing=lambda wildcards: listing(SETTINGS["crystals"]["materials_project"]),
    message:
        "Choosing crystals for {wildcards.element}"
    shell:
        "xascoord --settings {params.settings:q} sources choose-crystals"
        " --element {wildcards.element}"
        " --out data/01_spectra/crystals/plan/{wildcards.element} > {log} 2>&1"


rule compute_crystals:
    input:
        plan_of("crystals", "{element}"),
        lambda wildcards: packed_of(wildcards.element),
    output:
        "data/01_spectra/crystals/chunks/{element}-{part}.txt",
    log:
        "logs/01_spectra/compute_crystals/{element}-{part}.log",
    benchmark:
        "results/benchmarks/01_spectra/compute_crystals/{element}-{part}.tsv"
    params:
        code=code_of("sources.feff.chunks:run_chunk"),
        settings=settings("crystals", "feff"),
        parts=SETTINGS["feff"]["run"]["chunks"],
        packed=expand("--packed={folder}", folder=PACKED),
    message:
        "Computing crystals of {wildcards.element}, chunk {wildcards.part} of {params.parts}"
    shell:
        "xascoord --settings {params.settings:q} sources run-feff"
        " data/01_spectra/crystals/plan/{wildcards.element} --element {wildcards.element}"
        " --part {wildcards.part} --parts {params.parts} --workers {threads}"
        " --journals data/raw/crystals {params.packed:q} --record {output} > {log} 2>&1"


rule import_crystals:
    input:
        plan_of("crystals", "{element}"),
        lambda wildcards: packed_of(wildcards.element),
        expand(
            "data/01_spectra/crystals/chunks/{{element}}-{part}.txt",
            part=CHUNKS,
        ),
    output:
        tables_of_one("crystals"),
    log:
        "logs/01_spectra/import_crystals/{element}.log",
    benchmark:
        "results/benchmarks/01_spectra/import_crystals/{element}.tsv"
    params:
        code=code_of(
            "sources.collect:SpectraWriter", "sources.crystals.choice:read_computed"
        ),
        settings=settings("crystals", "feff", "quality"),
    message:
        "Importing the spectra of the chosen crystals of {wildcards.element}"
    shell:
        "xascoord --settings {params.settings:q} sources import crystals"
        " --element {wildcards.element} --out data/01_spectra/crystals > {log} 2>&1"


rule import_omnixas:
    input:
        given(SETTINGS["omnixas"]["path"], SETTINGS["omnixas"]["structures"]),
    output:
        # Every element that it may hold, so that 'elements' decides nothing here.
        tables_of("omnixas", EMBEDDED),
    log:
        "logs/01_spectra/import_omnixas.log",
    benchmark:
        "results/benchmarks/01_spectra/import_omnixas.tsv"
    params:
        code=code_of("sources.collect:SpectraWriter", "sources.omnixas:read_omnixas"),
        settings=settings("limits", "omnixas", "quality"),
        listing=lambda wildcards: listing(
            SETTINGS["omnixas"]["path"], SETTINGS["omnixas"]["structures"]
        ),
    message:
        "Importing the spectra of OmniXAS"
    shell:
        "xascoord --settings {params.settings:q} sources import omnixas"
        " --out data/01_spectra/omnixas > {log} 2>&1"


rule import_xasdb_archive:
    input:
        given(SETTINGS["xasdb_archive"]["path"]),
    output:
        tables_of("xasdb_archive", EMBEDDED),
    log:
        "logs/01_spectra/import_xasdb_archive.log",
    benchmark:
        "results/benchmarks/01_spectra/import_xasdb_archive.tsv"
    params:
        code=code_of(
            "sources.collect:SpectraWriter", "sources.xasdb_archive:read_archive"
        ),
        settings=settings("limits", "xasdb_archive", "quality"),
        listing=lambda wildcards: listing(SETTINGS["xasdb_archive"]["path"]),
    message:
        "Importing a bulk dump of the XASDB"
    shell:
        "xascoord --settings {params.settings:q} sources import xasdb_archive"
        " --out data/01_spectra/xasdb_archive > {log} 2>&1"


rule download_materials_project:
    output:
        "data/01_spectra/materials_project/database_version/{element}.json",
    log:
        "logs/01_spectra/download_materials_project/{element}.log",
    benchmark:
        "results/benchmarks/01_spectra/download_materials_project/{element}.tsv"
    params:
        code=code_of("sources.materials_project:download_element"),
        settings=settings("materials_project", "quality"),
    message:
        "Downloading {wildcards.element} from the Materials Project (resumes where it ended)"
    shell:
        "xascoord --settings {params.settings:q} sources download"
        " --element {wildcards.element} --record {output} > {log} 2>&1"


rule import_materials_project:
    input:
        "data/01_spectra/materials_project/database_version/{element}.json",
    output:
        tables_of_one("materials_project"),
    log:
        "logs/01_spectra/import_materials_project/{element}.log",
    benchmark:
        "results/benchmarks/01_spectra/import_materials_project/{element}.tsv"
    params:
        code=code_of(
            "sources.collect:SpectraWriter", "sources.materials_project:read_downloads"
        ),
        settings=settings("limits", "materials_project", "quality"),
    message:
        "Importing the downloads of {wildcards.element} from the Materials Project"
    shell:
        "xascoord --settings {params.settings:q} sources import materials_project"
        " --element {wildcards.element} --out data/01_spectra/materials_project > {log} 2>&1"


rule join_elements:
    input:
        expand(
            "data/01_spectra/{{source}}/{table}/{element}.csv",
            table=["counts", "rejections"],
            element=ELEMENTS,
        ),
    output:
        "data/01_spectra/{source}/rejections.csv",
        "data/01_spectra/{source}/counts.csv",
    log:
        "logs/01_spectra/join_elements/{source}.log",
    benchmark:
        "results/benchmarks/01_spectra/join_elements/{source}.tsv"
    wildcard_constraints:
        source="crystals|materials_project",
    params:
        code=code_of("sources.stage:join_elements"),
        settings=settings("elements"),
    message:
        "Joining the counts and rejections of each element of {wildcards.source}"
    shell:
        "xascoord --settings {params.settings:q} sources join {wildcards.source}"
        " --out data/01_spectra/{wildcards.source} > {log} 2>&1"


rule compute_demo:
    input:
        expand("{folder}/prototypes.csv", folder=SETTINGS["demo"]["folder"]),
    output:
        "data/demo_recomputed/spectra.parquet",
        "data/demo_recomputed/structures.parquet",
        "data/demo_recomputed/rejections.csv",
    log:
        "logs/01_spectra/compute_demo.log",
    benchmark:
        "results/benchmarks/01_spectra/compute_demo.tsv"
    threads: CORES
    params:
        code=code_of("sources.stage:compute_demo"),
        settings=settings("seed", "elements", "demo", "quality"),
    message:
        "Computing the demonstration spectra anew with FEFF8L ({threads} at a time)"
    shell:
        "xascoord --settings {params.settings:q} sources compute-demo --workers {threads}"
        " --out data/demo_recomputed > {log} 2>&1"


# Asked for by its name only: the table comes with the package.
rule build_references:
    input:
        manifest="data/references/manifest.csv",
        files=fetched_references,
    output:
        table="results/01_spectra/references/references.parquet",
        rejections="results/01_spectra/references/rejections.csv",
    log:
        "logs/01_spectra/build_references.log",
    benchmark:
        "results/benchmarks/01_spectra/build_references.tsv"
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
