"""Takes the pictures of the README: plays the demonstration in a browser, and photographs it.

Needs playwright and a Chromium; ``CHROMIUM`` names another one than ``/usr/bin/chromium``.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.async_api import async_playwright, expect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Page

HERE: Final = Path(__file__).parent
NOTIFIER: Final = Path(sys.executable).with_name("notifier")
CHROMIUM: Final = os.environ.get("CHROMIUM", "/usr/bin/chromium")
QUIET: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
)
DESK: Final = {"width": 1366, "height": 768}
HOA, BINH, HA = 0, 1, 2
"""The phones, in the order of the page."""


@asynccontextmanager
async def demonstration() -> AsyncIterator[str]:
    """A demonstration of its own on a free port; its address."""
    process = await asyncio.create_subprocess_exec(
        NOTIFIER,
        "demo",
        "--port",
        "0",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        ready = (await process.stdout.readline()).decode().split()
        if ready[:1] != ["ready"]:
            raise SystemExit("the demonstration did not start; run `notifier demo` to see why")
        yield ready[1]
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def page_of(browser: Browser, url: str) -> AsyncIterator[Page]:
    """The simulator page at the size of a desk, its opening notices delivered, without motion."""
    page = await browser.new_page(viewport=DESK, reduced_motion="reduce")
    await page.goto(f"{url}/simulator")
    await expect(page.locator(".place.delivered .count")).to_have_text("4")
    yield page
    await page.close()


async def write(page: Page, phone: int, text: str) -> None:
    """A person writes ``text``, and reads the answer."""
    answers = page.locator(f"#log-{phone} .bubble.in")
    before = await answers.count()
    await page.fill(f"#text-{phone}", text)
    await page.press(f"#text-{phone}", "Enter")
    await expect(answers).to_have_count(before + 1)
    await expect(page.locator(f"#log-{phone} .bubble").last).to_have_class("bubble in delivered")


async def photograph(page: Page, name: str) -> None:
    """The page as it is, as ``<name>.png`` beside this file."""
    await page.evaluate("document.activeElement.blur()")
    await page.mouse.move(2, 2)
    await page.wait_for_timeout(500)  # colours fade in
    await page.screenshot(path=HERE / f"{name}.png")


async def play(page: Page) -> None:
    """The tour of the README, picture by picture."""
    await photograph(page, "1-start")

    await write(page, HOA, "H19,45/261118/7 xong chua")
    await write(page, BINH, "ho so H19.45–261120-OO12 toi dau roi")
    await write(page, HA, "HS H19.45-261118-0007")
    await expect(page.locator(".place.delivered .count")).to_have_text("7")
    await photograph(page, "2-answers")

    await page.click("#move-hour")
    await expect(page.locator(f"#log-{HOA}")).to_contain_text("Nhac Ong/Ba")
    await expect(page.locator(".place.delivered .count")).to_have_text("8")
    await page.click("#move-late")
    await expect(page.locator(f"#log-{HOA}")).to_contain_text("xin loi Ong/Ba")
    await expect(page.locator(f"#log-{HA} .bubble")).to_have_count(4)
    await expect(page.locator(".place.delivered .count")).to_have_text("11")
    await photograph(page, "3-reminder-and-apology")

    await page.check("#mode-down", force=True)
    await page.click("#next-2")
    await expect(page.locator(".place.queued .count")).to_have_text("1")
    await expect(page.locator(".line .why").first).to_be_visible()
    await photograph(page, "4-carrier-down")

    await page.check("#mode-ok", force=True)
    await page.click("#move-hour")
    await expect(page.locator(f"#log-{BINH}")).to_contain_text("da co ket qua")
    await expect(page.locator(".place.delivered .count")).to_have_text("12")
    await photograph(page, "5-sent-again")


async def main() -> None:
    async with demonstration() as url, async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        async with page_of(browser, url) as page:
            await play(page)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
