"""The page around the views: something learns when it opens, time is a line, a link is an experiment."""

import re
import shlex

import pytest
from browsing import until

pytestmark = pytest.mark.slow

PROBE = "window.__probe"
STATUS = "document.querySelector('.status').innerText"
STEP = f"+{STATUS}.match(/step ([\\d,]+)/)[1].replace(',', '')"


def state_of(page):
    return page.locator(".status").inner_text()


def test_it_opens_on_something_that_learns_and_asks_no_other_host(page, enter, whole_studio):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    enter("learn")
    assert page.evaluate(f"{PROBE}.firstVisibleMs") > 0
    assert re.search(r"epoch|trained", state_of(page))
    assert asked
    assert all(url.startswith((whole_studio.address, "data:", "blob:")) for url in asked), asked
    assert page.evaluate(f"{PROBE}.errors") == []


def test_play_pause_and_step_by_button_and_by_keyboard(page, enter):
    enter("learn", "?data.name=digits&training.epochs=1500&training.batch=64")
    until(page, f"/^epoch/.test({STATUS})")
    page.get_by_role("button", name="Pause").click()
    until(page, f"{STATUS}.startsWith('paused')")
    step = page.evaluate(STEP)
    page.get_by_role("button", name="One step").click()
    until(page, f"{STEP} === {step + 1}")
    until(page, f"{STATUS}.startsWith('paused')")
    page.get_by_role("heading", level=1).click()
    page.keyboard.press(" ")
    until(page, "!document.querySelector('.status').innerText.startsWith('paused')")


def test_a_run_that_waits_for_another_can_have_it_paused(page, enter, whole_studio):
    whole_studio.rest()
    (long,) = whole_studio.new({"training": {"epochs": 10_000}})
    whole_studio.wait(long, "running", seconds=40)
    (short,) = whole_studio.new({"training": {"epochs": 2}})
    page.goto(f"{whole_studio.address}/?token={whole_studio.home.token}")
    page.goto("about:blank")
    page.goto(f"{whole_studio.address}/#1/learn?run={short}")
    page.get_by_role("button", name="Pause the other").click()
    whole_studio.wait(short, "done", seconds=40)
    assert whole_studio.run(long)["state"] in ("paused", "stopped")
    until(page, f"{STATUS}.startsWith('trained')")


def test_the_time_line_scrubs_to_a_snapshot_and_forks_there(page, enter, whole_studio):
    enter("learn")
    until(page, "document.querySelector('.where').innerText.match(/of ([2-9]|\\d\\d)/)", seconds=30)
    line = page.get_by_role("slider", name="Time of the training")
    line.press("Home")
    until(page, f"{PROBE}.snapshot === 0")
    until(page, f"{STATUS}.includes('snapshot of step 0')")
    until(page, "location.hash.includes('step=0')")
    before = {run["id"] for run in whole_studio.http.get("/api/runs").json()}
    page.get_by_role("button", name="Fork here").click()
    until(page, "!location.hash.includes('step=')")
    (new,) = [run for run in whole_studio.http.get("/api/runs").json() if run["id"] not in before]
    assert new["forked_step"] == 0


def test_a_link_is_an_experiment(page, enter, browser, whole_studio):
    enter("learn", "?data.name=digits&bottleneck.kind=plain&bottleneck.size=3&training.epochs=3&chapter=space")
    until(page, "/run=/.test(location.hash)")
    link = page.evaluate("location.href")
    assert "bottleneck.size=3" in link
    other = page.context.new_page()
    other.goto(link)
    other.get_by_role("heading", name="The latent space").wait_for()
    until(other, "document.querySelector('.status').innerText.match(/epoch|trained/)")
    run = re.search(r"run=(\w+)", link)[1]
    assert whole_studio.http.get(f"/api/runs/{run}").json()["recipe"]["bottleneck"]["size"] == 3
    other.close()


def test_a_run_is_copied_as_a_command_and_as_python(page, enter):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    enter("learn")
    page.get_by_role("button", name="as command").click()
    until(page, "navigator.clipboard.readText().then((text) => text.startsWith('narrows train'))")
    words = shlex.split(page.evaluate("navigator.clipboard.readText()"))
    assert words[:3] == ["narrows", "train", "digits"]
    page.get_by_role("button", name="as Python").click()
    until(page, "navigator.clipboard.readText().then((text) => text.startsWith('from narrows import'))")
    compile(page.evaluate("navigator.clipboard.readText()"), "copied", "exec")


def test_a_file_dropped_outside_use_becomes_the_data(page, enter):
    enter("learn")
    rows = "\n".join(f"{n % 7},{n % 5},{n % 3}" for n in range(200))
    page.evaluate(
        """(text) => {
          const given = new DataTransfer();
          given.items.add(new File([text], "<b>mine</b>.csv", { type: "text/csv" }));
          const event = new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: given });
          document.querySelector("main").dispatchEvent(event);
        }""",
        f"one,two,three\n{rows}\n",
    )
    page.get_by_text("<b>mine</b>.csv is here").wait_for()
    until(page, "location.hash.includes('data.name=upload')")
    assert "#1/build" in page.url


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("cat.png", "1,2\n3,4\n", "cat.png is named as a picture, but holds text"),
        ("broken.csv", "a,b\n1,2\n3\n" * 20, "fields"),
        ("a.bin", "\x01\x02", "none of the kinds of file that are read here"),
    ],
)
def test_a_broken_file_is_a_calm_sentence_and_no_error_of_the_console(page, enter, name, content, words):
    enter("build")
    page.evaluate(
        """([text, name]) => {
          const given = new DataTransfer();
          given.items.add(new File([text], name));
          const event = new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: given });
          document.querySelector("main").dispatchEvent(event);
        }""",
        [content, name],
    )
    page.get_by_role("alert").filter(has_text=words).wait_for()
    assert "#1/build" in page.url


def test_the_theme_is_chosen_and_kept(page, enter):
    enter("learn")
    button = page.get_by_role("button", name=re.compile("Theme"))
    theme, paper = (
        "(document.documentElement.dataset.theme ?? 'auto')",
        "getComputedStyle(document.body).backgroundColor",
    )

    def turn_to(name):
        button.click()
        until(page, f"{theme} === '{name}'")

    turn_to("dark")
    dark = page.evaluate(paper)
    turn_to("light")
    until(page, f"{paper} !== {dark!r}")
    turn_to("auto")
    turn_to("dark")
    page.reload()
    page.wait_for_selector(".top")
    until(page, f"{theme} === 'dark' && {paper} === {dark!r}")


def test_a_link_that_asks_for_the_impossible_is_a_calm_sentence(page, whole_studio):
    page.goto(f"{whole_studio.address}/?token={whole_studio.home.token}")
    page.goto("about:blank")
    page.goto(f"{whole_studio.address}/#1/learn?bottleneck.kind=plain&bottleneck.size=64000")
    banner = page.get_by_role("alert")
    banner.wait_for()
    assert "64000" in banner.inner_text().replace(",", "")
    until(page, "/epoch|trained/.test(document.querySelector('.status').innerText)", seconds=30)
    banner.get_by_role("button", name="Close").click()
    banner.wait_for(state="detached")
    assert page.evaluate(f"{PROBE}.errors") == []


def test_a_lost_connection_is_said_and_mended(page, enter):
    sockets = []

    def through(socket):
        socket.connect_to_server()
        sockets.append(socket)

    page.route_web_socket(re.compile("/api/live"), through)
    enter("learn")
    page.evaluate("""() => {
      window.heard = [];
      const line = document.querySelector('.status');
      const watcher = new MutationObserver(() => heard.push(line.innerText));
      watcher.observe(line, { subtree: true, childList: true, characterData: true });
    }""")
    count = len(sockets)
    sockets[-1].close()
    until(page, "heard.some((words) => words.startsWith('connection lost'))")
    until(page, "!document.querySelector('.status').innerText.startsWith('connection lost')")
    assert len(sockets) > count
