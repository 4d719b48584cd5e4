"""Queue listings of mail servers: bytes as they come, in pieces of any size, to entries; entries to a bounded survey."""
