"""Time without a core: other processes', and the host's."""

import pytest

from hardware.baseline import waiting
from hardware.baseline.waiting import Waited, waited_share


@pytest.fixture
def counts(tmp_path, monkeypatch):
    """Write what Linux counts: seconds queued; ticks of all cores worked and stolen."""
    monkeypatch.setattr(waiting, "SCHEDSTAT", tmp_path / "schedstat")
    monkeypatch.setattr(waiting, "STAT", tmp_path / "stat")

    def write(queued_s, worked, stolen, idle=70):
        (tmp_path / "schedstat").write_text(f"100 {int(queued_s * 1e9)} 3\n")
        # user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice; guest is in user already.
        counted = f"{worked - 6} 1 2 {idle} 30 2 1 {stolen} 5 0"
        (tmp_path / "stat").write_text(f"cpu  {counted}\ncpu0 1 1 1 1 1 1 1 77 0 0\n")
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("queued_s", "worked", "stolen", "share"),
    [
        (2.0, 1000, 50, 0.0),
        (2.5, 1400, 50, 0.125),
        # Of 400 ticks that cores had work, a quarter was stolen.
        (2.0, 1300, 150, 0.25),
        (2.5, 1300, 150, 0.375),
        (9.0, 1000, 450, 1.0),
        # Counters that went back, as after a move to another host.
        (1.0, 900, 40, 0.0),
    ],
)
def test_the_share_that_others_had(counts, queued_s, worked, stolen, share):
    counts(2.0, 1000, 50)
    before = Waited.now()
    assert before == Waited(2.0, 50, 1050)
    counts(queued_s, worked, stolen, idle=9999)
    found = waited_share(before, 4.0)
    assert (found["value"], found["unit"]) == (share, "share")
    assert "host" in found["method"]


def test_a_system_that_does_not_tell(counts):
    folder = counts(2.0, 1000, 50)
    before = Waited.now()
    (folder / "stat").write_text("cpu 1 2 3\n")
    found = waited_share(before, 4.0)
    assert (found["value"], "host" in found["method"]) == (0.0, False)
    (folder / "schedstat").unlink()
    assert Waited.now() == Waited(None, None, None)
    assert "does not tell" in waited_share(before, 4.0)["unavailable"]


def test_this_machine_counts_upwards():
    before = Waited.now()
    sum(range(100000))
    after = Waited.now()
    for first, second in zip(vars(before).values(), vars(after).values(), strict=True):
        assert first is None or second is None or second >= first >= 0
