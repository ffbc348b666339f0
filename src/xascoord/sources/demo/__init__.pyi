from .spectra import read_embedded as read_embedded
