from .journal import Journal as Journal
from .progress import show_progress as show_progress
from .workers import run_in_workers as run_in_workers
