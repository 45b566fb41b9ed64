"""Peak of a process's own memory while the engine streams a file of spikes; started by ``test_growth.py``.

``memory_child.py NET SPIKES MEMORY_BYTES`` prints JSON. Pages of the mapped file are the file's and do not count.
"""

import json
import sys
import threading
import time
from pathlib import Path

import numpy as np

# What is to be run lies in the folder that this is started in.
sys.path.insert(0, str(Path.cwd()))

from lava_runtime.engine.engine import Engine


def own_bytes() -> int:
    """Resident memory that is no file's."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("RssAnon:")[2].split()[0])


def main() -> None:
    """Stream once to have all loaded and compiled, then again under watch."""
    net, spikes, memory_bytes = Path(sys.argv[1]), np.load(sys.argv[2], mmap_mode="r"), int(sys.argv[3])
    engine = Engine.from_file(net, threads=2, memory_bytes=memory_bytes)
    for _ in engine.blocks(spikes[:64]):
        pass
    before, peak, running = own_bytes(), 0, True

    def watch() -> None:
        nonlocal peak
        while running:
            peak = max(peak, own_bytes())
            time.sleep(0.002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    counted = sum(int(found.counts.sum()) for found in engine.blocks(spikes))
    seconds = time.perf_counter() - started
    running = False
    watcher.join()
    print(json.dumps({"before_bytes": before, "peak_bytes": peak, "spikes": counted, "seconds": seconds}))


if __name__ == "__main__":
    main()
