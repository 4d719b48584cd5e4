"""What is told: each file renders the same events one way."""
