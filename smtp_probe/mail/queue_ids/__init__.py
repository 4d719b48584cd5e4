"""Reading the times that mail software writes into its ids and headers: one file an origin, `decoding` chooses."""
