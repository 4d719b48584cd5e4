"""The configuration: what may be set (`settings`), and how it is read (`load`).

Nothing else in the program reads files or the environment to learn what to do.
"""
