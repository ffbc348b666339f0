from snakemake.utils import min_version, validate

min_version("9.0")


configfile: "params.yaml"


validate(config, "workflow/schemas/params.schema.json")


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/01_spectra.smk"
include: "workflow/rules/02_datasets.smk"
include: "workflow/rules/03_labels.smk"
include: "workflow/rules/04_models.smk"
include: "workflow/rules/05_importance.smk"
include: "workflow/rules/06_validation.smk"
include: "workflow/rules/07_report.smk"
include: "workflow/rules/08_geometries.smk"
include: "workflow/rules/09_oxygen.smk"


rule all:
    default_target: True
    input:
        rules.summarise_datasets.output,
        rules.calibrate_thresholds.output,
        rules.summarise_labels.output,
        rules.summarise_models.output,
        rules.summarise_importance.output,
        rules.summarise_validation.output,
        rules.write_report.output,


onsuccess:
    save_records()


onerror:
    save_records()
