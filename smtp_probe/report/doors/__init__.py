"""The doors of the HTTP server: who may come in, how often, and over what.

- `rate`: how often. `connections`, `conversation`: how many at once, for how long, and what is said to noise. `users`: who, by name and password. `certificates`: over TLS, with certificates renewed under way.
- `web_config` puts these together as the file of `--web.config.file` says; `activation`: sockets that systemd opened.
"""
