"""The way of a message as a whole: its passages from host to host, whose hosts they are, and its legs."""
