from .journal import Journal as Journal
from .progress import show_progress as show_progress
from .workers import in_processes as in_processes
