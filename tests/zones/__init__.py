"""Zones with one fault each, served by a real name server, and what the checks have to say of them."""
