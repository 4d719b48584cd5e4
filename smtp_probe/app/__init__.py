"""Composition: settings become adapters, adapters become probes, probes become reports. The only place that knows all.

- `program`: everything that one configuration needs to send, watch and judge, built and taken down in order.
- `daemon`: a program that runs until a signal, with its pages, and takes over a changed configuration.
- `single`: a program that sends one probe, for the command line.
"""
