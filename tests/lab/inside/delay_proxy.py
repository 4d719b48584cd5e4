"""Holds each connection from the relay for a while before it passes it on to the MX.

The relay's queue holds the mail meanwhile: its next hop has not greeted yet. So the wait appears
where a slow next hop's would, between the relay's Received header and the MX's.

Arguments: listen address, listen port, target address, target port, source address of the onward
connection, and the file that holds the seconds to wait, which is read at each connection.
"""

import asyncio
import sys
from pathlib import Path

LISTEN_HOST, LISTEN_PORT, TARGET_HOST, TARGET_PORT, SOURCE, DELAY_FILE = sys.argv[1:7]
CHUNK_BYTES = 65536


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy one direction until it ends, and pass the end on."""
    try:
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except (ConnectionError, RuntimeError):
        writer.close()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hold one connection, then join it to the target."""
    await asyncio.sleep(float(Path(DELAY_FILE).read_text()))
    try:
        onward_reader, onward_writer = await asyncio.open_connection(
            TARGET_HOST, int(TARGET_PORT), local_addr=(SOURCE, 0)
        )
    except OSError:
        writer.close()  # the MX is down: the relay sees a lost connection and tries again
        return
    await asyncio.gather(pump(reader, onward_writer), pump(onward_reader, writer))
    onward_writer.close()
    writer.close()


async def main() -> None:
    """Serve until killed."""
    async with await asyncio.start_server(serve, LISTEN_HOST, int(LISTEN_PORT)) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
