"""What the tests of training share."""

import pytest


@pytest.fixture
def kill_after():
    """A function that lets a training go on until its `count`-th event of a kind, and ends it as a kill would."""

    def kill(events, kind, count=1):
        while count:
            count -= isinstance(next(events), kind)
        # Without a folder nothing is saved on the way out.
        events.gi_frame.f_locals["run"].folder = None
        events.close()

    return kill
