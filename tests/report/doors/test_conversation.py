"""What is said to bytes that are no request is tested in `tests/report/test_http.py`; here what our server never does."""

import asyncio
from functools import partial

from aiohttp import web

from smtp_probe.report.doors.conversation import Conversation


async def fail(_: web.BaseRequest) -> web.StreamResponse:
    raise ValueError("<inner>")


async def test_a_fault_of_our_own_is_told_in_two_words_and_ends_the_connection():
    loop = asyncio.get_running_loop()
    converse = partial(Conversation, web.Server(fail), headers={"X-Own": "1"}, loop=loop)
    listening = await loop.create_server(converse, "127.0.0.1", 0)
    async with listening, asyncio.timeout(5):
        reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n")
        answer = await reader.read()
        writer.close()

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 500 ")
    assert b"X-Own: 1" in head
    assert body == b"internal error\n"
