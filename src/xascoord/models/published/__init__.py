"""The published random forests of Zheng et al. (Patterns 2020), made bundles of this project."""
