from snakemake.utils import min_version, validate

min_version("9.0")


configfile: "params.yaml"


validate(config, "workflow/schemas/params.schema.json")


include: "workflow/rules/common.smk"
include: "workflow/rules/01_spectra.smk"
include: "workflow/rules/02_datasets.smk"
include: "workflow/rules/03_labels.smk"
include: "workflow/rules/04_models.smk"
include: "workflow/rules/05_importance.smk"
include: "workflow/rules/06_validation.smk"


rule all:
    default_target: True
    input:
        "results/02_datasets/counts.csv",
        "results/02_datasets/rejections.csv",
        "results/02_datasets/rejections_by_reason.csv",
        "results/02_datasets/counts.png",
        "results/02_datasets/examples.png",
        "results/03_labels/tasks.csv",
        "results/03_labels/calibration.png",
        JOINT_FIGURES,
        expand("results/04_models/{name}", name=MODEL_RESULTS),
        "results/05_importance/heat_map.png",
        "results/06_validation/summary.csv",
