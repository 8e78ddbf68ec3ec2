"""Waiting in a page whose policy forbids `eval`, and with it Playwright's own `wait_for_function`."""

import time


def until(page, expression, seconds=30):
    """Wait until a JavaScript expression is true; returns its value."""
    end = time.monotonic() + seconds
    while not (value := page.evaluate(expression)):
        if time.monotonic() > end:
            status = page.evaluate("document.querySelector('.status')?.innerText")
            raise AssertionError(f"not true after {seconds} s: {expression}; the page says {status!r}")
        page.wait_for_timeout(40)
    return value
