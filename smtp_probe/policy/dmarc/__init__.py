"""DMARC (RFC 9989): records, their discovery by a walk up the DNS tree, alignment, and what is wrong with a policy."""
