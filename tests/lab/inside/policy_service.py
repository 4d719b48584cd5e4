"""The MX's policy service: what happens at RCPT, chosen by the recipient's local part.

greylisted    451 until `grey_seconds` have passed since this mail was first seen
greyattempts  451 for the first `grey_attempts` attempts
slowrcpt      the answer comes after `slowrcpt_seconds`
tempfail      451, always

An accepted mail is forgotten, so that every mail is greylisted anew. The numbers are files of
those names in the control directory and are read at each request.

Arguments: address, port, control directory. The protocol is that of Postfix's
SMTPD_POLICY_README: `name=value` lines and an empty line, answered by `action=...`.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

CONTROL = Path(sys.argv[3])
PASS = "DUNNO"
Mail = tuple[str, str, str]
first_seen: dict[Mail, float] = {}
attempts: dict[Mail, int] = {}


def number(name: str) -> float:
    """Read one control number."""
    return float((CONTROL / name).read_text())


async def greylist_by_time(mail: Mail) -> str:
    """Refuse until the mail is old enough."""
    now = time.monotonic()
    if now - first_seen.setdefault(mail, now) < number("grey_seconds"):
        return "451 4.7.1 Greylisted, try again later"
    del first_seen[mail]
    return PASS


async def greylist_by_attempts(mail: Mail) -> str:
    """Refuse the first few attempts."""
    attempts[mail] = attempts.get(mail, 0) + 1
    if attempts[mail] <= number("grey_attempts"):
        return f"451 4.7.1 Greylisted, attempt {attempts[mail]}"
    del attempts[mail]
    return PASS


async def answer_late(_: Mail) -> str:
    """Let the client wait."""
    await asyncio.sleep(number("slowrcpt_seconds"))
    return PASS


async def refuse_for_now(_: Mail) -> str:
    """Refuse, for ever, as if for now."""
    return "451 4.3.0 Temporary failure, for ever"


BEHAVIOURS: dict[str, Callable[[Mail], Awaitable[str]]] = {
    "greylisted": greylist_by_time,
    "greyattempts": greylist_by_attempts,
    "slowrcpt": answer_late,
    "tempfail": refuse_for_now,
}


async def read_request(reader: asyncio.StreamReader) -> dict[str, str] | None:
    """Read the attributes of one request, or None at the end of the connection."""
    attributes: dict[str, str] = {}
    while line := await reader.readline():
        name, _, value = line.decode("utf-8", "replace").rstrip("\n").partition("=")
        if not name:
            return attributes
        attributes[name] = value
    return None


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection."""
    try:
        while (request := await read_request(reader)) is not None:
            recipient = request.get("recipient", "").lower()
            local_part = recipient.partition("@")[0].partition("+")[0]
            mail = request.get("client_address", ""), request.get("sender", ""), recipient
            behave = BEHAVIOURS.get(local_part)
            action = await behave(mail) if behave else PASS
            writer.write(f"action={action}\n\n".encode())
            await writer.drain()
    except ConnectionError:
        return
    finally:
        writer.close()


async def main() -> None:
    """Serve until killed."""
    async with await asyncio.start_server(serve, sys.argv[1], int(sys.argv[2])) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
