"""Estimating how far foreign clocks are from ours, from causality alone: `estimation` is the way in."""
