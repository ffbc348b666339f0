"""Sources of spectra; all yield findings and rejections of the same form."""
