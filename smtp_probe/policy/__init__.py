"""What a domain publishes about its mail, judged by pure rules: SPF, DKIM, DMARC, MX, MTA-STS, DANE, identity, ...

In: answers of the resolver (`model.DnsAnswer`), or the callable `ports.Ask` that gives them. Out: values and findings.
Nothing here opens a socket, reads a clock or catches a time-out: who calls sets the deadline.
"""
