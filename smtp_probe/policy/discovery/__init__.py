"""Which servers an address' account has: by SRV records, autoconfig, what is known of providers, and a guess at last."""
