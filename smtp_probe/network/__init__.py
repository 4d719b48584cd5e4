"""Outward I/O: one adapter a file, each foreign library imported in one file only, its errors translated there."""
