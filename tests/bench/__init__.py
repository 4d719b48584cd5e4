"""The benchmarks: what the daemon costs and how fast it is, against baselines measured in the same run.

Run them as `python -m tests.bench` (root: they use the mail lab). See docs/benchmarks.md.
"""
