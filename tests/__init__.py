"""Tests mirror the source, path for path; `lab` is the real mail path, `acceptance` drives the whole program."""
