"""What the page says of a problem is what the server says, once, whatever its status."""

import pytest

from narrows.errors import LimitError
from narrows.studio.problems import told


@pytest.mark.parametrize("status", [200, 413])
def test_a_problem_is_one_sentence_and_a_refusal(lab, status):
    error = LimitError("70,000 pixels", expected="at most 16,384", step="Scale it down", code="limit.side")
    body = """
      const { api } = await import("narrows/state/api");
      const headers = { "Content-Type": "application/problem+json" };
      const asked = [];
      window.fetch = async (path, how) => {
        asked.push(how.headers);
        return new Response(JSON.stringify(problem), { status, headers });
      };
      const found = await api.get("runs").catch(({ sentence, status, code }) => ({ sentence, status, code }));
      return { ...found, preferred: asked[0].Prefer };
    """
    said = {"sentence": str(error), "status": 413, "code": "limit.side", "preferred": "problems=200"}
    assert lab(body, problem=told(error), status=status) == said
