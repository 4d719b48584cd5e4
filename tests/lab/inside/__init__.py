"""The programs that run inside a lab: each is one file, stands alone, and needs only the stdlib.

They are started by path (`python -I -S file.py`), which keeps their start short. Nothing imports
them, and they import nothing of the lab: what they must know, they are told as arguments.
"""
