#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The bench refuses a result that is empty, partial or cannot be.
set -eu
cd "$(dirname "$0")"
exec python3 -B - <<'END'
from importlib.machinery import SourceFileLoader
import json

run = SourceFileLoader("run", "run").load_module()
rows = [f"row {i}" for i in range(12)]
good = {setup: {row: [8000 + 500 * i] * 3 for row in rows} for i, setup in enumerate(run.SETUPS)}


def refused(text):
    try:
        run.parse(text)
    except (ValueError, KeyError, TypeError):
        return True
    return False


assert run.parse(json.dumps(good)) == good
assert refused("") and refused("{}") and refused("{") and refused(json.dumps(good) + "\n{}")
for setup in run.SETUPS:
    assert refused(json.dumps({key: value for key, value in good.items() if key != setup}))
    for wrong in (None, 0, -1, "8000", 10 ** 9):
        for values in (wrong, [wrong], [8000, 8000, wrong], [wrong] * 3):
            assert refused(json.dumps({**good, setup: {**good[setup], "row 3": values}}))
    assert refused(json.dumps({**good, setup: {**good[setup], "row 3": []}}))
    fewer = {row: value for row, value in good[setup].items() if row != "row 3"}
    assert refused(json.dumps({**good, setup: fewer}))
# Nothing was tracked.
assert refused(json.dumps({**good, "hooks": good["none"]}))
print("ok - bench: refuses results that are empty, partial or cannot be")
END
