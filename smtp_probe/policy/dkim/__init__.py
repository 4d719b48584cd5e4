"""DKIM (RFC 6376, 8301, 8463): key records and what is wrong with them, and the verification of signatures."""
