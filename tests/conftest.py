"""For all tests: examples of hypothesis may take as long as a busy machine needs; speed is shown in `make bench`.

`make check` has fewer of them (`--hypothesis-profile=few`): it is to take less than a minute.
"""

from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.register_profile("few", deadline=None, max_examples=10)
settings.load_profile("house")
