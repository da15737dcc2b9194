"""The processes of the panel's queue, each by what it is."""

from __future__ import annotations

import psutil

from tests.support.panel import Panel

FORKED = ("worker", "monitor", "pusher")  # by the sentinel, in this order
QUEUE_ROLES = ("master", "sentinel", *FORKED)


def queue_processes(panel: Panel) -> dict[str, psutil.Process]:
    """Only the master while the others are not all there."""
    master = panel.child("worker")
    found = {"master": master}
    children = master.children()
    forked = sorted(children[0].children(), key=lambda process: process.pid) if len(children) == 1 else []
    if len(forked) == len(FORKED):
        found |= {"sentinel": children[0], **dict(zip(FORKED, forked, strict=True))}
    return found
