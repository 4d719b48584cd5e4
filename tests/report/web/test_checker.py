"""The accessibility checker itself: that it finds what is wrong."""

import pytest

from tests.report.web.browser import axe_source, open_browser, open_page, serious_issues

pytestmark = pytest.mark.lab


async def test_it_sees_what_is_wrong():
    async with open_browser() as browser, open_page(browser) as (page, _):
        await page.set_content(
            '<title>x</title><img src="data:,"><p style="color:#999;background:#aaa">faint</p>'
        )
        issues = await serious_issues(page, axe_source())

    assert {"image-alt", "color-contrast", "html-has-lang"} <= {issue[0] for issue in issues}
