"""smtp-probe: a Prometheus exporter and synthetic mail delivery prober.

The folders, by kind of work:

- `model`, `errors`: the facts and the errors that all share.
- `config`: the settings and the only reader of files and environment.
- `mail`: pure; what a message says of itself (tag, message, received, trace, bounce, ...).
- `policy`: pure; what a domain publishes.
- `schedule`, `judgement`: pure; when a route is due, and what evidence means.
- `ports`: what the probes need from outside, as small Protocols.
- `network`: outward I/O, one adapter a file, each protocol library imported in one file only.
- `probes`: what is asked and in which order, through ports.
- `report`: what is told: metrics, journal, log, pages, HTTP.
- `demo`: an embedded mail path, so that everything runs with no account and no root.
- `app`, `cli`: composition and commands.

Arrows point down only: `__main__` -> `cli` -> `app | demo` -> `network | probes | report` ->
`policy` -> `judgement | schedule | mail` -> `ports` -> `config` -> `errors` -> `model`. A test checks it.
"""

__version__ = "0.1.0"
