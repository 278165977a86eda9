#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The bench refuses a result that is empty, partial or cannot be, and draws one
# that is whole.
set -eu
cd "$(dirname "$0")"
exec python3 -B - <<'END'
import copy
import json
import sys
import xml.dom.minidom
from importlib.machinery import SourceFileLoader

sys.path.insert(0, ".")
import picture
import results

FORWARD = results.rows_of_guest()
NATIVE = results.rows_of_native()
BASE = {"none": 7000, "ingress": 3000, "flowtable": 5000}
SIZES = ["1", "1000", "1000000"]
MODULES = ["nf_conntrack", "nf_nat"]


def by_size(setup, row):
    if setup in ("none", "ingress"):
        return {"0": [BASE[setup] + n for n in range(3)]}
    here = [size for size in SIZES if size != "1000000" or (setup, row[:4]) == ("ct", "IPv4")]
    return {size: [BASE.get(setup, 8000) + n for n in range(3)] for size in here}


UDP = {setup: [f"IPv{family} UDP {row}" for family in families for row in rows]
       for setup, (families, rows) in results.SIZED.items()}
GOOD = {
    "packets": ({setup: {row: [BASE.get(setup, 8000) + n for n in range(5)] for row in rows}
                 for setup, rows in FORWARD.items()}, ""),
    "native": ({setup: {row: [[1000 + n, 1200 + n * 1.2] for n in range(20)] for row in rows}
                for setup, rows in NATIVE.items()}, None),
    "sizes": ({setup: {row: by_size(setup, row) for row in rows} for setup, rows in UDP.items()}, SIZES),
    "memory": ({"bytes": {kind: 300.5 for kind in results.MEMORY},
                "modules": {name: [200_000, 300_000] for name in MODULES}}, MODULES),
    "netlink": ({row: 5000 for row in results.NETLINK}, None),
    "cpus": ({setup: {row: {n: [9000.5] * 5 for n in "12"} for row in ("established", "new")}
              for setup in ("none", "ct")}, None),
    "stall": ({"longest": {row: 50.5 for row in results.STALL}, "resize": 100}, None),
}
WRONG = (None, True, 0, -1, "8000", 1e12, float("nan"), [], {}, [8000], [8000, "8000"], [8000, 8000, None], [8000, 8000, 0])


def refused(part, text):
    try:
        results.parse(part, text, GOOD[part][1])
    except results.Wrong:
        return True
    return False


def spoilt(value):
    """The value with one thing in it gone, or wrong, or too much."""
    if not isinstance(value, dict):
        yield from (wrong for wrong in WRONG if wrong != value)
        return
    for key, inner in value.items():
        yield {other: copy.copy(values) for other, values in value.items() if other != key}
        for worse in spoilt(inner):
            yield {**value, key: worse}
    yield {**value, "one more": next(iter(value.values()))}


assert set(GOOD) == set(results.CHECKS)
for part, (good, given) in GOOD.items():
    text = json.dumps(good)
    assert results.parse(part, f"> progress\n{text}\n", given) == good
    for wrong in ("", "{", "{}", "[]", "null", text[:-1], text + "\n" + text):
        assert refused(part, wrong), (part, wrong)
    tried = 0
    for worse in spoilt(good):
        assert refused(part, json.dumps(worse)), (part, worse)
        tried += 1
    assert tried > 50 and list(results.compare(part, good, good))
    print(f"ok - bench: {part}: {tried} results that are empty, partial or cannot be are refused")

# Nothing was tracked; and what is called the fast path is not.
packets = GOOD["packets"][0]
assert refused("packets", json.dumps({**packets, "ct": packets["none"]}))
assert refused("packets", json.dumps({**packets, "flowtable": packets["chains"]}))
slow = {row: [8000] * 5 for row in packets["flowtable"]}
assert refused("packets", json.dumps({**packets, "flowtable": slow}))
native = GOOD["native"][0]
same = {row: [[none, none] for none, _ in pairs] for row, pairs in native["snat"].items()}
assert refused("native", json.dumps({**native, "snat": same}))
sizes = GOOD["sizes"][0]
for setup, cost in (("ct", 7000), ("flowtable", 3000), ("flowtable", 7001)):
    same = {row: {size: [cost] * 3 for size in figures} for row, figures in sizes[setup].items()}
    assert refused("sizes", json.dumps({**sizes, setup: same})), setup
print("ok - bench: a result in which nothing was tracked, or nothing took the fast path, is refused")

assert refused("packets", json.dumps({**packets, "ct": {row: [8000, 8000] for row in packets["ct"]}}))

# Of pairs counts the ratio in each, and the median of those; and a processor that is half as fast says the same.
half = {setup: {row: [[none * 2, none * 2.2] for none, _ in pairs] for row, pairs in rows.items()}
        for setup, rows in native.items()}
rows = {name: figures for name, *figures in results.native_rows([{"ours": ours, "stock": native} for ours in
                                                                 (native, half, half)])}
assert [round(figure, 6) for figure in rows["IPv4 UDP new"]] == [2019, 201.9, 201.9, 0.5, 0.5, 1], rows["IPv4 UDP new"]
print("ok - bench: pairs of boots are compared one by one")

markdown = SourceFileLoader("markdown", "markdown").load_module()
for part, (good, _) in GOOD.items():
    lines = list(markdown.table(part, {"stock": good, "ours": good, "kernel": "7.2", "date": "today"}))
    assert len(lines) > 6 and len({line.count("|") for line in lines[2:-1]}) == 1, lines
lines = list(markdown.pairs({"pairs": [{"stock": native, "ours": half}] * 3, "kernel": "7.2", "date": "today"}))
assert len(lines) > 6 and len({line.count("|") for line in lines[2:-1]}) == 1, lines
print("ok - bench: every part has a table")

drawn = xml.dom.minidom.parseString(picture.draw(sizes, sizes, "a <kernel>"))
assert len(drawn.getElementsByTagName("polyline")) == 16
print("ok - bench: the picture has a line for each side and row")
END
