"""The ends of the sliders follow the code as it grows, and never move under the hand."""

REACH = """
  const { Reach } = await import("narrows/build/reach");
  const reach = new Reach();
  const ranges = (low, high) => {
    const of = (value) => Float32Array.of(value, value);
    return { low: of(low), high: of(high), mean: of((low + high) / 2), spread: of((high - low) / 8) };
  };
"""


def test_a_code_that_grows_is_never_beyond_the_ends(lab):
    body = """
      const wrong = [];
      for (let step = 0; step < 400; step += 1) {
        const size = 1.02 ** step;
        const code = Float32Array.of(size, -size, size / 2, size / 3);
        reach.meet(code, 2);
        code.forEach((value, i) => {
          const [low, high] = reach.of(i % 2);
          if (value < low || value > high) wrong.push([step, i]);
        });
        if (step % 50 === 10) reach.settle(ranges(-size, size));
      }
      return { wrong, ends: reach.of(0) };
    """
    found = lab(REACH + body)
    assert found["wrong"] == []
    # Half as far again at most, or most of a slider would be empty.
    assert found["ends"][1] < 1.5 * 1.02**399


def test_the_ends_of_a_number_in_hand_stay(lab):
    body = """
      reach.settle(ranges(-1, 1));
      const before = [reach.of(0), reach.of(1)];
      reach.kept = 0;
      reach.meet([9, 9], 2);
      reach.settle(ranges(-20, 20));
      const during = [reach.of(0), reach.of(1)];
      reach.kept = null;
      reach.meet([9, 9], 2);
      return { before, during, after: reach.of(0) };
    """
    found = lab(REACH + body)
    assert found["during"][0] == found["before"][0]
    assert found["during"][1][1] > 20
    assert found["after"][1] > 9


def test_the_ends_come_back_in_steps(lab):
    body = """
      reach.settle(ranges(-10, 10));
      const highs = [];
      for (let i = 0; i < 12; i += 1) {
        reach.settle(ranges(-1, 1));
        highs.push(reach.of(0)[1]);
      }
      return highs;
    """
    highs = lab(REACH + body)
    assert highs[0] > 7
    assert highs == sorted(highs, reverse=True)
    assert highs[-1] < 1.6
