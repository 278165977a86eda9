# SPDX-License-Identifier: GPL-2.0
"""Messages from the kernel as lines that are the same from one run to the next."""

import json

from nfnl import CONNTRACK, EXPECT, HELPER, TIMEOUT


def plain(message, port, found=None):
    """A message from the kernel, without what depends on the run. `found`: what is in it."""
    found = message.decoded() if found is None else found
    if message.subsystem in (CONNTRACK, EXPECT):
        for name in ("id", "timestamp_event"):
            if name in found:
                found[name] = "N"
        # Counted down since: told in multiples of 1,000 or 100 s.
        if isinstance(found.get("timeout"), int):
            unit = 1000 if message.subsystem == CONNTRACK else 100
            found["timeout"] = -(-found["timeout"] // unit) * unit
        for name in found.get("timestamp", {}):
            found["timestamp"][name] = "N"
    who = {0: "nobody", port: "me"}.get(message.port, "other")
    subsystem = {CONNTRACK: "CT", EXPECT: "EXP", TIMEOUT: "TIMEOUT", HELPER: "HELPER"}[message.subsystem]
    return f"{subsystem} {message.name} flags={message.flags:#x} family={message.family} res_id={message.res_id} port={who} " \
        f"{json.dumps(found, sort_keys=True)}"
