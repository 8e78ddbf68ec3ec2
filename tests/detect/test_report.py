"""The report: what it says is so, it runs nothing, asks nobody, and can be read by everybody."""

import html
import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from narrows.detect import charts
from narrows.detect.blame import alarms_of, first_alarms
from narrows.detect.conformal import check, p_values
from narrows.detect.curves import judge, precision_recall
from narrows.detect.drift import Reference, drift
from narrows.detect.peers import beside
from narrows.detect.report import POLICY, Report, lines, write
from narrows.detect.report import page as page_of
from narrows.detect.svg import Axis, Frame, text_of
from narrows.detect.threshold import Budget, Cost, Share, Threshold
from narrows.errors import InputError

HOSTILE = ("</style><script>document.title='broken out'</script>", '"><img src=x onerror=alert(1)>', "a & b\x00\u202e")
RNG = np.random.default_rng(8)
LABELS = RNG.random(900) < 0.05
PARTS = RNG.gamma(2, size=(900, 3)) + 4 * LABELS[:, None] * RNG.random((900, 3))
SCORES = PARTS.sum(1)
CALIBRATION = RNG.gamma(2, size=(500, 3)).sum(1)
THRESHOLD = Budget(count=25).fit(CALIBRATION, on="held-out rows")


def whole(labels=LABELS, name="cards.csv", columns=HOSTILE):
    rows = first_alarms(SCORES, THRESHOLD)
    alarms = alarms_of(
        rows,
        SCORES,
        PARTS[rows],
        columns,
        lambda row, column: (f"{PARTS[row, column]:,.2f}", "2.00"),
        p_values=p_values(SCORES, CALIBRATION),
        labels=labels,
    )
    moved = drift(Reference.fit(PARTS - 1, columns, CALIBRATION), PARTS, SCORES)
    others = {"PCA": SCORES[::-1], "kNN": SCORES + RNG.normal(size=900)}
    return Report(
        name,
        ("Held out.", HOSTILE[0]),
        SCORES,
        THRESHOLD,
        labels,
        None if labels is None else judge(SCORES, labels, alerts=(20, 100), rounds=50),
        alarms,
        beside(SCORES, others, labels, rounds=50),
        moved,
        check(CALIBRATION[:200], CALIBRATION[200:], 0.05),
    )


REPORT = whole()
PAGE = page_of(REPORT)
each = pytest.mark.parametrize("report", [REPORT, whole(None)], ids=["labels", "none"])


class Reader(HTMLParser):
    """Checks that every element is closed where it should be, and keeps what there is."""

    EMPTY = ("meta", "path", "line", "circle", "rect")

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.said = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.said.append(data)


def read(text):
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


@each
def test_nothing_runs_and_nothing_is_loaded(report):
    reader = read(page_of(report))
    assert not {"script", "img", "link", "iframe", "object", "form", "base"} & set(reader.tags)
    assert not [name for name, _ in reader.attributes if name.startswith("on") or name in ("src", "href")]
    assert ("content", POLICY) in reader.attributes
    assert "url(" not in page_of(report)
    assert "http" not in page_of(report).replace("http-equiv", "")


def test_words_of_the_data_stay_words():
    reader = read(page_of(whole(name=HOSTILE[0])))
    said = "".join(reader.said)
    assert reader.tags.count("style") == 1
    assert HOSTILE[1] in said
    assert HOSTILE[0] in said
    assert not set("\x00\u202e") & set(PAGE)


def test_text_is_one_line_and_short():
    assert text_of("a\nb\tc") == "a b c"
    assert len(text_of("x" * 500)) == 80
    assert text_of("&" * 500, 10) == "&amp;" * 9 + "…"
    assert html.unescape(text_of("<'\"&>")) == "<'\"&>"


@each
def test_the_page_says_what_the_lines_say(report):
    said = " ".join("".join(read(page_of(report)).said).split())
    for sentence in (report.sentence, report.threshold.sentence, report.beside.sentence, report.check.sentence):
        assert " ".join(sentence.split()) in said
        assert any(sentence in line for line in lines(report))


def test_counts_are_those_of_the_scores():
    alarms = (THRESHOLD.value <= SCORES).sum()
    right = LABELS[THRESHOLD.value <= SCORES].sum()
    assert REPORT.alarm_count == alarms
    assert f"{alarms} alarms for 900 rows, {right} of them right" in REPORT.sentence
    assert f"{right / LABELS.sum():.0%} of the odd rows are found" in REPORT.sentence


def test_the_parts_of_an_alarm_add_up_to_its_score():
    assert len(REPORT.alarms) == 20
    for alarm in REPORT.alarms:
        assert sum(blame.part for blame in alarm.blames) + alarm.others == pytest.approx(alarm.score)
        assert [blame.part for blame in alarm.blames] == sorted((b.part for b in alarm.blames), reverse=True)


def test_columns_that_made_a_row_less_odd_are_not_blamed():
    (alarm,) = alarms_of(np.array([0]), [1.0], np.array([[3.0, -2.0, 0.0]]), "abc", lambda row, column: ("1", "2"))
    assert [blame.column for blame in alarm.blames] == ["a"]
    assert alarm.others == -2
    with pytest.raises(InputError, match="contributions"):
        alarms_of(np.array([0]), [1.0], np.ones((1, 2)), "abc", lambda row, column: ("", ""))


@pytest.mark.parametrize(
    "scores",
    [
        SCORES,
        SCORES - 10,
        np.exp(SCORES),
        -np.exp(SCORES),
        np.append(SCORES, -1e9),
        np.append(SCORES - 8, 1e9),
        np.full(5, 3.0),
        np.zeros(4),
        np.array([1e-300, 1.0]),
        np.array([-1e300, 1e300]),
        SCORES * 1e-12,
        SCORES * 1e12 + 1e15,
    ],
)
def test_every_row_is_in_the_histogram_and_alarms_are_on_their_side(scores):
    threshold = Share(share=0.5).fit(scores)
    bins = charts.binned(scores, threshold, scores > np.median(scores), Frame())
    assert bins.calm.sum() + bins.odd.sum() == len(scores)
    right = bins.edges[:-1] >= threshold.value
    assert (bins.calm + bins.odd)[right].sum() == (scores >= threshold.value).sum()
    assert "nan" not in charts.scores_chart(scores, threshold, None)


def test_the_dot_is_where_the_threshold_is():
    curve = precision_recall(SCORES, LABELS)
    point = charts.here(curve, THRESHOLD)
    alarms = THRESHOLD.value <= SCORES
    assert curve.y[point] == pytest.approx(LABELS[alarms].mean())
    assert curve.x[point] == pytest.approx(LABELS[alarms].sum() / LABELS.sum())
    nobody = Threshold(value=SCORES.max() + 1, rule=Budget(), fitted_on="rows")
    assert charts.here(curve, nobody) is None
    assert "here" not in charts.precision_chart(SCORES, LABELS, nobody)


def test_the_cost_curve_has_the_costs_of_the_rule():
    rule = Cost(miss=7, false_alarm=2)
    report = replace(REPORT, threshold=rule.fit(CALIBRATION, np.arange(500) % 9 == 0))
    assert report.cost == (7, 2)
    assert "7 a miss and 2 a false alarm" in page_of(report)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3.2, 7.9), (1e-9, 2e-9), (1e6, 1e6 + 3), (-1e300, 1e300)])
def test_ticks_are_round_few_and_inside(low, high):
    ticks = Axis(low, high, 0, 1).ticks()
    assert 2 <= len(ticks) <= 7
    assert all(low - 1e-9 * abs(low) <= tick <= high + 1e-9 * abs(high) for tick in ticks)


def test_a_report_of_little_is_a_page_too():
    scores = np.array([1.0, 2.0, 3.0])
    quiet = Threshold(value=9.0, rule=Budget(), fitted_on="rows")
    said = "".join(read(page_of(Report("t", (), scores, quiet))).said)
    assert "0 alarms for 3 rows" in said
    assert "No row raises an alarm" in said


def test_it_is_json_without_the_single_scores():
    again = json.loads(json.dumps(REPORT.as_dict(), allow_nan=False))
    assert again["alarm_count"] == REPORT.alarm_count
    assert again["beside"]["sentence"] == REPORT.beside.sentence
    assert Threshold.model_validate({k: v for k, v in again["threshold"].items() if k != "sentence"}) == THRESHOLD


def test_a_report_of_many_rows_is_a_small_page(tmp_path):
    scores = np.random.default_rng(0).gamma(2, size=300_000)
    labels = scores + np.random.default_rng(1).gamma(2, size=300_000) > 14
    report = Report("many.csv", (), scores, Share().fit(scores), labels)
    assert write(report, tmp_path / "report.html").stat().st_size < 400_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser_it_is_readable_fits_a_phone_and_asks_nobody(page, tmp_path, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.emulate_media(color_scheme=scheme)
    page.goto(write(whole(name=HOSTILE[0]), tmp_path / "report.html").as_uri())
    assert page.title().startswith("Odd rows of </style>")
    assert len(asked) == 1
    found = axe.Axe().run(page).response["violations"]
    assert [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found] == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_all_other_columns_added_is_nothing_where_there_are_none():
    """And not the difference of two sums that are nearly equal."""
    parts = np.array([[0.1, 0.2, 0.3]])
    (alarm,) = alarms_of(np.array([0]), [parts.sum()], parts, ["a", "b", "c"], lambda row, column: ("1", "2"))
    assert alarm.others == 0
