"""Every page in every state, in a real browser: what is heard, seen and reached in it, and that no guest's text runs."""

import asyncio
import re

import pytest
import pytest_asyncio

from smtp_probe.model import OutcomeKind
from tests.report.web.browser import axe_source, open_browser, open_page, serious_issues
from tests.report.web.stage import STATES, Stage, ending, lives

pytestmark = [pytest.mark.lab, pytest.mark.asyncio(loop_scope="module")]
PATHS = {
    "healthy": ("/", "/routes/to-gmail", "/probes/to-gmail-00060", "/domains", "/exchangers", "/queue", "/drills", "/config"),
    "failing": ("/", "/routes/to-gmail", "/routes/internal", "/routes/newsletter", "/probes/to-gmail-00054",
                "/probes/newsletter-00050", "/probes/internal-00052", "/domains", "/domains/example.org", "/exchangers", "/queue", "/drills"),
    "empty": ("/", "/routes/example", "/probes/unknown", "/routes/unknown", "/domains", "/drills"),
    "hostile": ("/", "/routes/example", "/routes/junk", "/probes/junk-00001", "/probes/example-00002",
                "/probes/example-00003", "/probes/example-00004", "/domains", "/exchangers", "/queue", "/drills"),
    "many": ("/", "/?state=failed"),
}  # fmt: skip


@pytest.fixture(scope="module")
def axe():
    return axe_source()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    """One for all: each page has a context of its own in it, with its own cookies, store and cache."""
    async with open_browser() as opened:
        yield opened


async def until(page, claim):
    """Wait for a claim; the page's own policy forbids Playwright's way, which compiles text."""
    async with asyncio.timeout(20):
        while not await page.evaluate(claim):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("state", STATES)
async def test_every_page_is_sound_for_everybody(state, tmp_path, browser, axe):
    stage = await Stage.build(state, tmp_path, **{"probes": 3} if state == "many" else {})
    async with stage.serve() as address:
        for scheme, width in (("light", 1280), ("dark", 390)):
            async with open_page(browser, scheme=scheme, width=width) as (page, complaints):
                # Colours differ by scheme, the rest of a page does not: the second round looks at one page of a kind.
                for path in PATHS[state] if scheme == "light" else PATHS[state][:3]:
                    await page.goto(f"http://{address}{path}")
                    issues = await serious_issues(page, axe) if path != "/" or state != "many" else []
                    overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth")

                    assert issues == [], path
                    assert overflow <= 0, f"{path} is {overflow} pixels wider than the window"
                    assert await page.title() != "owned"
                    assert await page.locator("h1").count() == 1
                assert [each for each in complaints if "404" not in each] == []


async def test_a_guest_s_text_becomes_no_element(tmp_path, browser):
    stage = await Stage.build("hostile", tmp_path)
    async with stage.serve() as address, open_page(browser) as (page, _):
        for path in PATHS["hostile"]:
            await page.goto(f"http://{address}{path}")

            assert (
                await page.locator("main script, main img, main iframe, main [onerror], main style").count()
                == 0
            )
            assert not re.search(
                "[\u202a-\u202e\u2066-\u2069\u200b\x1b\x00]", await page.locator("main").inner_text()
            )


async def test_on_a_phone_nothing_of_a_finding_or_a_hop_is_out_of_sight(tmp_path, browser):
    """Tables of texts are stacked there, so that nobody has to push them aside to read what to change."""
    wider = "[...document.querySelectorAll('.stack')].map(each => each.scrollWidth - each.parentElement.clientWidth)"
    shown = {"failing": ("/domains", "/queue"), "healthy": ("/probes/to-gmail-00060",)}
    async with open_page(browser, width=320) as (page, _):
        for state, paths in shown.items():
            (tmp_path / state).mkdir()
            stage = await Stage.build(state, tmp_path / state)
            async with stage.serve() as address:
                for path in paths:
                    await page.goto(f"http://{address}{path}")
                    over = await page.evaluate(wider)
                    assert over, path
                    assert max(over) <= 0, path


async def test_without_scripts_everything_is_there_and_filters_work(tmp_path, browser):
    stage = await Stage.build("failing", tmp_path)
    async with stage.serve() as address, open_page(browser, scripts=False) as (page, _):
        rows = page.locator(".routes tbody tr")
        await page.goto(f"http://{address}/")
        assert await rows.count() == 6
        await page.get_by_label("State").select_option("failed")
        await page.get_by_role("button", name="Show").click()
        assert await rows.count() == 3
        await page.get_by_label("Name or words").fill("gmail")
        await page.get_by_role("button", name="Show").click()
        assert await rows.count() == 1
        await page.get_by_role("link", name="to-gmail").first.click()
        assert await page.locator("h1").inner_text() == "to-gmail"


async def test_a_page_changes_without_being_loaded_anew(tmp_path, browser):
    stage = await Stage.build("healthy", tmp_path)
    async with stage.serve() as address, open_page(browser) as (page, complaints):
        await page.goto(f"http://{address}/")
        await until(page, "document.getElementById('live').textContent === 'Live'")
        await page.evaluate("window.stays = true")
        await page.get_by_label("Name or words").fill("typed")
        await stage.tell(*lives([ending(OutcomeKind.REFUSED, 61, "internal")]))
        await until(page, "document.querySelector('#o').innerText.includes('1 of 4 routes fails')")

        assert await page.evaluate("window.stays")
        assert await page.get_by_label("Name or words").input_value() == "typed"
        assert complaints == []


async def test_many_open_pages_are_all_live_and_see_what_a_new_start_of_the_daemon_has(tmp_path, browser):
    """A browser makes six connections to one server: a stream for each page would let the seventh wait for ever."""
    (tmp_path / "after").mkdir()
    before, after = await Stage.build("healthy", tmp_path), await Stage.build("failing", tmp_path / "after")
    async with open_page(browser) as (first, _):
        async with before.serve() as address:
            pages = [first, *[await first.context.new_page() for _ in range(7)]]
            for page in pages:
                await page.goto(f"http://{address}/")
                await page.evaluate("window.stays = true")
            await before.tell(*lives([ending(OutcomeKind.REFUSED, 61, "internal")]))
            for page in pages:
                await until(page, "document.querySelector('#o').innerText.includes('1 of 4 routes fails')")
        async with after.serve(address):
            for page in pages:
                await until(page, "document.querySelector('#o').innerText.includes('of 6 routes fail')")
                assert await page.evaluate("window.stays")


async def test_a_browser_without_shared_workers_is_live_as_well(tmp_path, browser):
    stage = await Stage.build("healthy", tmp_path)
    async with stage.serve() as address, open_page(browser) as (page, _):
        await page.add_init_script("delete window.SharedWorker")
        await page.goto(f"http://{address}/")
        await until(page, "document.getElementById('live').textContent === 'Live'")
        await stage.tell(*lives([ending(OutcomeKind.REFUSED, 61, "internal")]))
        await until(page, "document.querySelector('#o').innerText.includes('1 of 4 routes fails')")


async def test_it_is_used_with_the_keyboard_alone(tmp_path, browser):
    stage = await Stage.build("healthy", tmp_path)
    async with stage.serve() as address, open_page(browser) as (page, _):
        await page.goto(f"http://{address}/")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to the content"
        await page.keyboard.press("Enter")
        assert page.url.endswith("#main")
        reached = set()
        for _ in range(40):
            await page.keyboard.press("Tab")
            reached.add(await page.evaluate("document.activeElement.textContent.trim()"))
            outlined = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outlined != "none"
        assert {"internal", "newsletter", "to-gmail", "Show"} <= reached


async def test_on_paper_there_is_no_navigation_and_no_dark(tmp_path, browser):
    stage = await Stage.build("failing", tmp_path)
    async with stage.serve() as address, open_page(browser, scheme="dark") as (page, _):
        await page.goto(f"http://{address}/")
        await page.emulate_media(media="print", color_scheme="dark")

        assert not await page.locator("nav").is_visible()
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert await page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        banner = await page.evaluate("getComputedStyle(document.querySelector('.banner')).backgroundColor")
        assert min(map(int, re.findall(r"\d+", banner)[:3])) > 200  # what is black on it is read
