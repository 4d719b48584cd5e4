"""What a message says of itself. Pure: bytes and text in, frozen values out; nothing here waits or raises on mail."""
