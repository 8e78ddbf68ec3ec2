"""Waiting in a page whose policy forbids `eval`, and with it Playwright's own `wait_for_function`."""

import time

PATIENCE = 4
"""How many times slower another machine may be than the one the waits were tried on; they end with their condition."""

TRIED = "try { return await (EXPRESSION); } catch (problem) { window.hitch = String(problem); return null; }"


def until(page, expression, seconds=30):
    """Wait until a JavaScript expression is true; returns its value. What fails is not there yet."""
    end = time.monotonic() + PATIENCE * seconds
    script = f"(async () => {{ {TRIED.replace('EXPRESSION', expression)} }})()"
    while not (value := page.evaluate(script)):
        if time.monotonic() > end:
            status = page.evaluate("document.querySelector('.status')?.innerText")
            hitch = page.evaluate("window.hitch")
            raise AssertionError(f"not true in time: {expression}; the page says {status!r}, and last {hitch!r}")
        page.wait_for_timeout(40)
    return value
