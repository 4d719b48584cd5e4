"""Composition, on real adapters and the embedded mail path."""
