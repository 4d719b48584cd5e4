"""For all tests: examples of hypothesis may take as long as a busy machine needs; speed is shown in `make bench`.

`make check` has fewer of them (`--hypothesis-profile=few`): it is to take less than a minute.
"""

import gc
import re
from pathlib import Path

from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.register_profile("few", deadline=None, max_examples=10)
settings.load_profile("house")

gc.disable()  # until all is collected: nothing of that is garbage

LONGEST_FIRST = (
    "engine/test_faults.py",
    "report/web/test_browser.py",
    "acceptance/test_many_faults.py",
    "acceptance/test_domains.py",
    "deploy/prometheus/test_alerts.py",
    "acceptance/test_alerts.py",
    "deploy/test_debian.py",
)
"""Files on real servers that take more than a minute: begun last, they would run on alone when all others are done."""


def pytest_ignore_collect(collection_path, config):
    """Leave out a file of which no test is wanted, before it is imported: that is most of the time to collect them all."""
    wanted = config.option.markexpr
    if not wanted or not collection_path.match("test_*.py"):
        return None
    text = collection_path.read_text()
    of_the_file = re.search(r"^pytestmark = (.*)", text, re.MULTILINE)
    always = set(re.findall(r"mark\.(lab|slow)", of_the_file[1])) if of_the_file else set()
    is_unwanted = any(f"not {mark}" in wanted for mark in always)
    [asked] = re.findall(r"^(lab|slow)\b", wanted) or [""]
    has_no_wanted = bool(asked) and f"mark.{asked}" not in text
    return True if is_unwanted or has_no_wanted else None


def pytest_collection_modifyitems(items):
    """Put the tests of the longest files first, and leave all else in its order."""
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_collection_finish():
    """Let the collector of garbage leave alone what stays to the end: it would look through all of it again and again."""
    gc.freeze()
    gc.enable()
