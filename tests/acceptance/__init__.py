"""The whole program as users run it: a process, a configuration file, real servers, and what `/metrics` says."""
