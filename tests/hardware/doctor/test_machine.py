"""The processor's energy counters, memory and disk."""

import pytest

from hardware.doctor.machine import check

ZONE = "/sys/class/powercap/intel-rapl:0"


def found(machine, topic):
    (finding,) = [finding for finding in check(machine) if finding.topic == topic]
    return finding


def counter(machine, content, zone=ZONE, name="package-0\n"):
    machine.files |= {f"{zone}/energy_uj": content, f"{zone}/name": name}


def test_no_counters(machine):
    finding = found(machine, "RAPL")
    assert (finding.state, "unavailable" in finding.cure) == ("missing", True)


def test_counters_that_can_be_read(machine):
    counter(machine, "123456\n")
    counter(machine, "99\n", f"{ZONE}:0", "core\n")
    assert found(machine, "RAPL").found == "counters can be read: package-0, core"


def test_counters_for_root_alone(machine):
    counter(machine, PermissionError(13, "Permission denied"))
    finding = found(machine, "RAPL")
    assert (finding.state, finding.found) == (
        "missing",
        "package-0 only for root, as kernels have it since 2020 (CVE-2020-8694)",
    )
    assert "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj" in finding.cure


@pytest.mark.parametrize("content", ["many\n", OSError(5, "Input/output error")])
def test_counters_that_are_broken(machine, content):
    counter(machine, content)
    assert found(machine, "RAPL").state == "wrong"


def test_a_counter_without_a_name_is_called_by_its_folder(machine):
    machine.files[f"{ZONE}/energy_uj"] = "1"
    assert found(machine, "RAPL").found == "counters can be read: intel-rapl:0"


def test_processor(machine):
    assert found(machine, "CPU").found == "A Processor, 4 cores for this process"
    machine.files["/proc/cpuinfo"] = ""
    assert found(machine, "CPU").found == "of unknown name, 4 cores for this process"


def test_memory(machine):
    assert (found(machine, "memory").state, found(machine, "memory").found) == ("ok", "8.0 GiB free")
    machine.files["/proc/meminfo"] = "MemAvailable:    1048576 kB\n"
    assert found(machine, "memory").found == "1.0 GiB free, while training and the simulator want 2"
    del machine.files["/proc/meminfo"]
    assert found(machine, "memory").state == "missing"


def test_a_containers_own_limit(machine):
    machine.files |= {"/sys/fs/cgroup/memory.max": "3221225472\n", "/sys/fs/cgroup/memory.current": "2147483648\n"}
    assert (found(machine, "memory").state, found(machine, "memory").found[:7]) == ("wrong", "1.0 GiB")
    machine.files["/sys/fs/cgroup/memory.max"] = "max\n"
    assert found(machine, "memory").state == "ok"


def test_disk(machine, monkeypatch):
    assert found(machine, "disk").state == "ok"
    machine.free = 2**29
    assert found(machine, "disk").found == "0.5 GiB free here, while corpus, features and runs want 1"

    def gone(_path):
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(machine, "free_bytes", gone)
    assert found(machine, "disk").state == "wrong"
