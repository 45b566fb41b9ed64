"""Memory that is left: the machine's, or a container's where that is less."""

import pytest

from train.data.memory import available_bytes

MEMINFO = "MemTotal: 25165824 kB\nMemAvailable:   16777216 kB\n"
GIB = 1 << 30


def machine(folder, files):
    for name, text in {"proc/meminfo": MEMINFO, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def v2(group, most, now, cache=0):
    return {
        f"sys/fs/cgroup/{group}memory.max": f"{most}\n",
        f"sys/fs/cgroup/{group}memory.current": f"{now}\n",
        f"sys/fs/cgroup/{group}memory.stat": f"anon 5\ninactive_file {cache}\n",
    }


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({}, 16 * GIB),
        # Version 2: as a container sees itself, at the top; and a group within groups, the least of which counts.
        ({"proc/self/cgroup": "0::/\n", **v2("", 4 * GIB, GIB)}, 3 * GIB),
        ({"proc/self/cgroup": "0::/\n", **v2("", 4 * GIB, GIB, GIB // 2)}, 3.5 * GIB),
        ({"proc/self/cgroup": "0::/a/b\n", **v2("a/b/", 8 * GIB, 0), **v2("a/", 2 * GIB, GIB)}, GIB),
        ({"proc/self/cgroup": "0::/a/b\n", **v2("a/b/", "max", GIB)}, 16 * GIB),
        ({"proc/self/cgroup": "0::/a\n", **v2("a/", 99 * GIB, 0)}, 16 * GIB),
        ({"proc/self/cgroup": "0::/a\n", **v2("a/", GIB, 2 * GIB)}, 0),
        # The host's path, which the container does not see.
        ({"proc/self/cgroup": "0::/host/part\n", **v2("", 4 * GIB, GIB)}, 3 * GIB),
        # Version 1; its largest limit means none.
        (
            {
                "proc/self/cgroup": "3:cpu,cpuacct:/x\n2:memory:/x\n0::/\n",
                "sys/fs/cgroup/memory/x/memory.limit_in_bytes": f"{2 * GIB}\n",
                "sys/fs/cgroup/memory/x/memory.usage_in_bytes": f"{GIB}\n",
                "sys/fs/cgroup/memory/x/memory.stat": f"inactive_file {GIB // 8}\ntotal_inactive_file {GIB // 4}\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{GIB}\n",
            },
            1.25 * GIB,
        ),
        ({"proc/self/cgroup": "0::/a:b\n", **v2("a:b/", 4 * GIB, GIB)}, 3 * GIB),
        ({"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": f"{GIB}\n"}, 16 * GIB),
        ({"proc/self/cgroup": "nonsense\n::\n"}, 16 * GIB),
    ],
)
def test_what_is_left(tmp_path, files, wanted):
    assert available_bytes(machine(tmp_path, files)) == wanted


def test_a_system_that_does_not_tell(tmp_path):
    assert available_bytes(tmp_path) == 4e9
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "meminfo").write_bytes(b"\xff")
    assert available_bytes(tmp_path) == 4e9


def test_this_machine():
    assert 1e6 < available_bytes() < 1e15
