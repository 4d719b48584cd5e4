"""For all tests: examples of hypothesis may take as long as a busy machine needs; speed is shown in `make bench`."""

from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")
