"""Lava's channels between processes without their threads: the same messages, in a fraction of the time.

Every message of lava-nc 0.10 wakes a thread on each side, which wakes the one that waits; a network of
14 Processes sends some 50 messages a step. Here whoever waits, waits on the semaphore itself. Shared
memory, semaphores, order and capacity of a channel stay as they are, and so do all models.
"""

import time
from typing import Any

import numpy as np

# Between two looks at several channels; the networks run here wait on one at a time.
_LOOK_S = 1e-4


def install() -> None:
    """Replace the ports' methods in this process and in those that it forks."""
    from lava.magma.compiler.channels import pypychannel

    send, receive = pypychannel.CspSendPort, pypychannel.CspRecvPort
    send.start, send.probe, send.send, send.join = _start_send, _probe_send, _send, _join
    receive.start, receive.probe, receive.peek = _start_receive, _probe_receive, _peek
    receive.recv, receive.join = _receive, _join
    pypychannel.CspSelector.select = _select


def _slots(port: Any) -> list[Any]:
    views = (port._shm.buf[port._nbytes * i : port._nbytes * (i + 1)] for i in range(port._size))
    return [np.ndarray(shape=port._shape, dtype=port._dtype, buffer=view) for view in views]


def _start_send(port: Any) -> None:
    port._array = _slots(port)
    # Slots never written yet; after those, a slot is free when the other side says so.
    port._free = port._size


def _probe_send(port: Any) -> bool:
    if not port._free and port._ack.acquire(block=False):
        port._free = 1
    return bool(port._free)


def _send(port: Any, data: Any) -> None:
    if data.shape != port._shape:
        raise ValueError(f"{port._name}: sends shape {data.shape}, the channel's is {port._shape}")
    if port._free:
        port._free -= 1
    else:
        port._ack.acquire()
    port._array[port._idx][:] = data[:]
    port._idx = (port._idx + 1) % port._size
    port._req.release()


def _start_receive(port: Any) -> None:
    port._array = _slots(port)
    # Whether a message has been waited for and not yet taken.
    port._held = False


def _probe_receive(port: Any) -> bool:
    port._held = port._held or port._req.acquire(block=False)
    return bool(port._held)


def _await(port: Any) -> None:
    if not port._held:
        port._req.acquire()
        port._held = True


def _peek(port: Any) -> Any:
    _await(port)
    return port._array[port._idx].copy()


def _receive(port: Any) -> Any:
    result = _peek(port)
    port._held = False
    port._idx = (port._idx + 1) % port._size
    port._ack.release()
    return result


def _join(port: Any) -> None:
    port._done = True


def _select(_: Any, *channel_actions: Any) -> Any:
    """Wait for any channel to have a message, and do what belongs to it."""
    if len(channel_actions) == 1 and hasattr(channel_actions[0][0], "_held"):
        channel, action = channel_actions[0]
        _await(channel)
        return action()
    while True:
        for channel, action in channel_actions:
            if channel.probe():
                return action()
        time.sleep(_LOOK_S)
