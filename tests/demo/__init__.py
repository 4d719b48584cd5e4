"""Tests of the embedded mail path."""
