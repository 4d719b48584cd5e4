"""What a message says of its own authentication: results of receivers, signatures, and lists of tags. Pure."""
