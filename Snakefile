# The door to the graph, which lives where the Snakemake catalog looks for it.
include: "workflow/Snakefile"


# Including leaves the default target as it was, which is none here.
workflow.default_target = "all"
