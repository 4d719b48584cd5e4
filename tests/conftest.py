"""For all tests: examples of hypothesis may take as long as a busy machine needs; speed is shown in `make bench`.

`make check` has fewer of them (`--hypothesis-profile=few`): it is to take less than a minute. Tests on real servers form
two groups, one of daemons under test and one of all else: the two may run side by side, each in its order.
"""

import pytest
from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.register_profile("few", deadline=None, max_examples=20)
settings.load_profile("house")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("lab") is not None:
            group = "daemons" if "acceptance" in item.path.parts else "servers"
            item.add_marker(pytest.mark.xdist_group(group))
