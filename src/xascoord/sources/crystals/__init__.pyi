from .choice import choose_for as choose_for
from .choice import survey as survey
