"""How often something may be asked, by all or by one client: buckets of tokens that fill with time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from ipaddress import IPv6Address, ip_address


class TokenBucket:
    """Gives `burst` tokens at once and `per_second` later on. `now` is a clock that never goes back."""

    def __init__(self, per_second: float, burst: int, now: Callable[[], float]) -> None:
        self._per_second = per_second
        self._burst = max(1, burst)
        self._now = now
        self._tokens = float(self._burst)
        self._at = now()

    def take(self) -> float:
        """Take a token. Gives 0, or in how many seconds there will be one; then none was taken."""
        now = self._now()
        self._tokens = min(float(self._burst), self._tokens + (now - self._at) * self._per_second)
        self._at = now
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return 0.0
        return (1.0 - self._tokens) / self._per_second


class ClientBuckets:
    """A bucket for each client, so that one who asks too often keeps nobody else out. Remembers so many clients."""

    def __init__(self, per_second: float, burst: int, now: Callable[[], float], most: int = 4096) -> None:
        self._make = partial(TokenBucket, per_second, burst, now)
        self._most = most
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def take(self, client: str) -> float:
        """Take a token of this client. Gives 0, or in how many seconds there will be one."""
        bucket = self._buckets.get(client)
        if bucket is None:
            bucket = self._buckets[client] = self._make()
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)  # who was silent for the longest time
        self._buckets.move_to_end(client)
        return bucket.take()


def client_of(address: str) -> str:
    """Whom an address stands for: of IPv6 the network of 64 bits, in which one client has as many as he likes."""
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(known, IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return str(IPv6Address(int(known) >> 64 << 64))
    return str(known)
