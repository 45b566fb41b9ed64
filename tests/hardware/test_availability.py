import pytest

from hardware import availability
from train.errors import MaestroError


@pytest.mark.parametrize("error", [ImportError, ValueError, OSError, RuntimeError, SystemError])
def test_a_package_that_breaks_as_it_is_looked_for_is_not_there(monkeypatch, error):
    def broken(_name):
        raise error("libnx.so: cannot open shared object file")

    monkeypatch.setattr(availability.importlib.util, "find_spec", broken)
    found = availability.closed_package()
    assert (found.found, found.missing, found.complete) == ((), availability.MODULES, False)
    with pytest.raises(MaestroError, match=r"lava-loihi, Intel's package for the chip: not installed\. `python"):
        availability.require_chip("runs/x")


def test_what_is_missing_of_it_is_named(monkeypatch):
    there = set(availability.MODULES) - {"nxcore"}
    monkeypatch.setattr(availability.importlib.util, "find_spec", lambda name: object() if name in there else None)
    with pytest.raises(MaestroError, match="nxcore missing"):
        availability.require_chip("runs/x")


def test_all_of_it(monkeypatch):
    monkeypatch.setattr(availability.importlib.util, "find_spec", lambda name: object())
    assert availability.require_chip("runs/x").complete
