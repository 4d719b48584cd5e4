"""The project's own mail path, made of real servers: see README.md.

from tests.lab import MailLab

with MailLab.start() as lab:
    ...
"""

from .errors import LabError
from .lab import MailLab
from .mail_log import Journey, MailLog
from .prometheus import Prometheus

__all__ = ["Journey", "LabError", "MailLab", "MailLog", "Prometheus"]
