"""Answers, and the bounds of what is rendered at once."""

import asyncio
import threading

from aiohttp import web

from smtp_probe.report.web.answers import Workshop, json_answer, page_answer, text_answer


def test_each_answer_says_what_it_is():
    assert text_answer("x").content_type == "text/plain"
    assert text_answer("x").text == "x\n"
    assert page_answer("<p>").charset == "utf-8"
    assert json_answer(b"{}", 404).status == 404
    assert json_answer(b"{}").content_type == "application/json"


async def test_two_pages_at_a_time():
    workshop, running, most = Workshop(), 0, 0
    lock = threading.Lock()

    def work(number):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.02)
        with lock:
            running -= 1
        return number

    assert await asyncio.gather(*(workshop.render(work, number) for number in range(8))) == list(range(8))
    assert most == 2


async def test_too_many_are_told_to_come_back():
    workshop, go = Workshop(), threading.Event()
    waiting = [asyncio.create_task(workshop.render(go.wait, 5)) for _ in range(40)]
    await asyncio.sleep(0.05)
    go.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)

    assert sum(isinstance(result, web.HTTPServiceUnavailable) for result in results) == 8
