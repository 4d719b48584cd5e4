"""Rendering: escaping, assets, and the policy."""

import html
import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from smtp_probe.report.web.rendering import ASSETS, CONTENT_SECURITY_POLICY, render


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.elements = []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, tuple(sorted(name for name, _ in attrs))))


def elements_of(page):
    reader = Reader()
    reader.feed(page)
    return reader.elements


@given(st.text(max_size=200).map(lambda text: f"<script>alert(1)</script>\"'>{text}"))
def test_a_text_never_becomes_an_element(text):
    plain = render("message.html", base="/", heading="x", text="y")
    hostile = render("message.html", base="/", heading=text, text=text)

    assert elements_of(hostile) == elements_of(plain)
    assert html.escape(text[:20], quote=False)[:8] in hostile


def test_assets_are_named_by_their_content_and_come_from_ourselves():
    page = render("message.html", base="/prefix/", heading="x", text="y")
    named = set(re.findall(r"/prefix/assets/([^\"]+)", page))

    assert named == set(ASSETS)
    assert "//" not in page.replace("<!DOCTYPE html>", "")


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere():
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    page = render("message.html", base="/", heading="x", text="y")
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*src=)", page)


def test_the_style_sheet_fetches_nothing():
    for content, _ in ASSETS.values():
        assert b"url(" not in content
        assert b"@import" not in content
