"""Reading Received headers (RFC 5321 section 4.4), of any software: `header` reads one, the others are its parts."""
