"""A name server on a loopback port that answers what a test says, counts, or keeps silent."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Zone = Mapping[str, Mapping[str, tuple[str, ...]] | dns.rcode.Rcode | None]
"""By name: records by kind, or an error code, or None for silence. Names that are missing do not exist."""


class HostileDns(asyncio.DatagramProtocol):
    """Serves one zone over UDP."""

    def __init__(self, zone: Zone, *, ttl: int = 60, delay_seconds: float = 0.0) -> None:
        self.zone = zone
        self.ttl = ttl
        self.delay_seconds = delay_seconds
        self.asked: Counter[tuple[str, str]] = Counter()
        self.payloads: set[int] = set()
        self.flags = 0
        """Further flags of each answer."""
        self.recurses = True
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[HostileDns]:
        """Serve while the block runs."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]
        try:
            yield self
        finally:
            transport.close()
            await asyncio.sleep(0)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        """Answer one question."""
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        self.asked[name.lower(), kind] += 1
        self.payloads.add(query.payload)
        found = self.zone.get(name.lower(), dns.rcode.NXDOMAIN)
        if found is None:
            return
        response = dns.message.make_response(query)
        response.flags |= self.flags | (dns.flags.RA if self.recurses else 0)
        if isinstance(found, dns.rcode.Rcode):
            response.set_rcode(found)
        elif kind in found:
            response.answer.append(dns.rrset.from_text(question.name, self.ttl, "IN", kind, *found[kind]))
        elif "CNAME" in found:
            response.answer.append(
                dns.rrset.from_text(question.name, self.ttl, "IN", "CNAME", *found["CNAME"])
            )
        asyncio.get_running_loop().call_later(self.delay_seconds, self._send, response.to_wire(), address)

    def _send(self, data: bytes, address: tuple[str, int]) -> None:
        assert self._transport is not None
        if not self._transport.is_closing():
            self._transport.sendto(data, address)
