"""A real browser for the tests of the pages, and the accessibility checker that is run in it."""

import hashlib
import os
import shutil
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import async_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
_LOCK = Path(__file__).with_name("axe") / "package-lock.json"


def axe_source():
    """The source of axe-core, installed once by npm as its lock file pins it, into the user's cache."""
    key = hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:16]
    cache = (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "smtp-probe-tests" / f"axe-{key}"
    )
    script = cache / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        cache.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(_LOCK.with_name(name), cache)
        subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
            cwd=cache, check=True, capture_output=True, timeout=100,
        )  # fmt: skip
    return script.read_text()


@asynccontextmanager
async def open_browser():
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def open_page(browser, *, width=1280, scheme="light", scripts=True):
    """A page, and what it complained of: `page.complaints`, a list of texts."""
    context = await browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts,
        bypass_csp=False,
    )  # fmt: skip
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    try:
        yield page, complaints
    finally:
        await context.close()


_RUN = """
axe.run(document, {
  resultTypes: ['violations'],
  rules: Object.fromEntries(
    axe._audit.rules.filter(rule => ['minor', 'moderate'].includes(rule.impact)).map(rule => [rule.id, {enabled: false}])
  ),
})
"""
"""What a rule finds is as grave as the rule says: those that can find nothing serious need not look."""


async def serious_issues(page, source):
    """What axe finds that is serious or critical: rule, and the places."""
    await page.evaluate(source)
    found = await page.evaluate(_RUN)
    return [
        (
            each["id"],
            each["impact"],
            [node["target"] for node in each["nodes"]][:5],
            each["nodes"][0]["failureSummary"],
        )
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]
