# SPDX-License-Identifier: GPL-2.0
"""What the VMs of the bench print: what it must have, and what follows from it."""

import json
import pathlib
import statistics
from importlib.machinery import SourceFileLoader

HERE = pathlib.Path(__file__).resolve().parent
NETLINK = ("create", "dump", "dump, 1 of 100", "dump, none", "delete, 1 of 100", "flush",
           "create, and the event", "flush, and the events")
STALL = ("nothing", "connections are made", "the list is read", "the table is made twice as large",
         "all are deleted")
MEMORY = ("bare", "accounting, timestamps", "events", "NAT", "helper")
COMMON = 50_000
# Families and rows of each set-up of `sizes`.
SIZED = {
    "none": ((4, 6), ("established", "new")),
    "ingress": ((4, 6), ("established",)),
    "ct": ((4, 6), ("established", "new")),
    "masquerade": ((4,), ("established", "new")),
    "flowtable": ((4, 6), ("established",)),
}


class Wrong(ValueError):
    """A result that is empty, partial or cannot be."""


def rows_of_guest():
    """Set-up and rows that a whole result has."""
    guest = SourceFileLoader("guest", str(HERE / "guest")).load_module()
    rows = {name: [f"IPv{family} {row}" for family in (4, 6) for row in setup.rows]
            for name, setup in guest.SETUPS.items()}
    return rows | {"ingress": rows["flowtable"]}


def number(value, least, most, what):
    """A figure, in its bounds."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least < value < most:
        raise Wrong(f"{what}: {value}")
    return value


def same(found, needed, what):
    """The keys are these."""
    if not isinstance(found, dict) or set(found) != set(needed) or not needed:
        raise Wrong(f"{what}: {sorted(found) if isinstance(found, dict) else found}")


def runs(values, what, most=1_000_000):
    """At least three figures of packets that were really sent."""
    if not isinstance(values, list) or len(values) < 3:
        raise Wrong(f"{what}: {values}")
    for value in values:
        number(value, 500, most, what)


def check_packets(result, only=""):
    """Every set-up and row, and something was tracked in each."""
    needed = {setup: [row for row in rows if only in row] for setup, rows in rows_of_guest().items()}
    needed = {setup: rows for setup, rows in needed.items() if rows}
    same(result, needed, "set-ups")
    for setup, rows in needed.items():
        same(result[setup], rows, setup)
        for row in rows:
            runs(result[setup][row], f"{setup}, {row}")
    for setup, rows in needed.items():
        for row in rows:
            base = {"none": None, "ingress": None, "flowtable": "ingress"}.get(setup, "none")
            if base and statistics.median(result[setup][row]) <= statistics.median(result[base][row]):
                raise Wrong(f"{setup}, {row}: nothing was tracked")
            if setup == "flowtable" and min(result[setup][row]) >= statistics.median(result["none"][row]):
                raise Wrong(f"{setup}, {row}: not the fast path")


def check_sizes(result, sizes):
    """Every size, for established and new flows."""
    everywhere = "all" in sizes
    numbers = [int(size) for size in sizes if size != "all"]
    same(result, SIZED, "set-ups")
    for setup, (families, rows) in SIZED.items():
        same(result[setup], [f"IPv{f} UDP {row}" for f in families for row in rows], setup)
        for row, figures in result[setup].items():
            here = ["0"] if setup in ("none", "ingress") else [
                str(n) for n in numbers
                if n <= COMMON or everywhere or (setup, row[:4]) == ("ct", "IPv4")]
            same(figures, here, f"{setup}, {row}")
            for size, values in figures.items():
                runs(values, f"{setup}, {row}, {size}")
                cost = statistics.median(values)
                if here != ["0"] and cost <= statistics.median(result[without(setup)][row]["0"]):
                    raise Wrong(f"{setup}, {row}, {size}: nothing was tracked")
                if setup == "flowtable" and cost >= statistics.median(result["none"][row]["0"]):
                    raise Wrong(f"{setup}, {row}, {size}: not the fast path")


def check_memory(result, modules):
    """Every kind of connection and every module."""
    same(result, ("bytes", "modules"), "memory")
    same(result["bytes"], MEMORY, "bytes")
    same(result["modules"], modules, "modules")
    for kind, value in result["bytes"].items():
        number(value, 64, 10_000, kind)
    for name, sizes in result["modules"].items():
        if not isinstance(sizes, list) or len(sizes) != 2:
            raise Wrong(f"{name}: {sizes}")
        for value in sizes:
            number(value, 1000, 100_000_000, name)


def check_netlink(result, _):
    """Every row of the control plane."""
    same(result, NETLINK, "rows")
    for row, value in result.items():
        number(value, 10, 1_000_000, row)


def check_stall(result, _):
    """Every row, and the beat without work is the beat."""
    same(result, ("longest", "resize"), "stall")
    same(result["longest"], STALL, "rows")
    for row, value in result["longest"].items():
        number(value, 49, 10_000_000, row)
    number(result["longest"]["nothing"], 49, 500, "nothing")
    number(result["resize"], 1, 1_000_000, "resize")


def check_cpus(result, _):
    """Both rows on one and on two processors."""
    same(result, ("none", "ct"), "set-ups")
    for setup, rows in result.items():
        same(rows, ("established", "new"), setup)
        for row, figures in rows.items():
            same(figures, ("1", "2"), f"{setup}, {row}")
            for processors, values in figures.items():
                runs(values, f"{setup}, {row}, {processors}", 10_000_000)


def rows_of_native():
    """Set-up and rows of a whole result of one boot."""
    guest = SourceFileLoader("native_guest", str(HERE / "native_guest")).load_module()
    return {name: [f"IPv{family} {row}" for family in (4, 6) for row in rows] for name, rows in guest.SETUPS.items()}


def check_native(result, _):
    """Every set-up and row: pairs of nanoseconds, and something was tracked in each."""
    needed = rows_of_native()
    same(result, needed, "set-ups")
    for setup, rows in needed.items():
        same(result[setup], rows, setup)
        for row in rows:
            pairs = result[setup][row]
            if not isinstance(pairs, list) or len(pairs) < 10:
                raise Wrong(f"{setup}, {row}: {pairs}")
            for pair in pairs:
                if not isinstance(pair, list) or len(pair) != 2:
                    raise Wrong(f"{setup}, {row}: {pair}")
                for value in pair:
                    number(value, 20, 10_000_000, f"{setup}, {row}")
            if added(pairs) <= 0:
                raise Wrong(f"{setup}, {row}: nothing was tracked")


CHECKS = {"packets": check_packets, "native": check_native, "sizes": check_sizes, "memory": check_memory,
          "netlink": check_netlink, "stall": check_stall, "cpus": check_cpus}


def parse(part, text, given):
    """What the VM of a part printed, checked; `given`: what it was asked for."""
    lines = [line for line in text.splitlines() if line.startswith("{")]
    if len(lines) != 1:
        raise Wrong("no result, or more than one")
    try:
        result = json.loads(lines[0])
        CHECKS[part](result, given)
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError, StopIteration) as error:
        raise Wrong(f"not a result: {error!r}") from error
    return result


def without(setup):
    """The set-up that a set-up is compared with."""
    return "ingress" if setup == "flowtable" else "none"


def spread(values):
    """How far the middle ones of some runs are apart."""
    values = sorted(values)
    cut = len(values) // 4
    middle = values[cut:len(values) - cut]
    return middle[-1] - middle[0]


TITLES = {"ct": "", "rule": ", ct state", "marks": ", mark, counters", "chains": ", nat chains", "snat": ", SNAT",
          "masquerade": ", masquerade", "masquerade1": ", masquerade, one address",
          "dnat": ", DNAT", "flowtable": ", flowtable"}


def packet_rows(result):
    """Name, without, added, spread: of each row and set-up. A flowtable's
    fast path is counted from the device that the packet comes in by."""
    for setup, title in TITLES.items():
        for row, values in result.get(setup, {}).items():
            none = statistics.median(result[without(setup)][row])
            yield row + title, none, statistics.median(values) - none, spread(values)


def size_rows(result):
    """The same by number of connections."""
    for setup in ("ct", "masquerade", "flowtable"):
        for row, figures in result[setup].items():
            none = statistics.median(result[without(setup)][row]["0"])
            for size, values in figures.items():
                title = f"{row}{TITLES[setup]}, {int(size):,} connections"
                yield title, none, statistics.median(values) - none, spread(values)


def other_rows(part, result):
    """Name and figure of what is not a packet's."""
    if part == "memory":
        for kind, value in result["bytes"].items():
            yield f"bytes for each connection, {kind}", value
        for name, (code, _) in result["modules"].items():
            yield f"module in memory, bytes: {name}", code
    elif part == "netlink":
        for row, value in result.items():
            yield f"ctnetlink, for each entry: {row}", value
    elif part == "cpus":
        for row, figures in result["ct"].items():
            for processors, values in figures.items():
                yield f"UDP {row}, packets/s, processors: {processors}", statistics.median(values)
            # Pairs, since the host's other work comes and goes.
            pairs = [100 * two / one for one, two in zip(figures["1"], figures["2"])]
            yield f"UDP {row}, two processors, % of one", statistics.median(pairs)
            yield f"UDP {row}, two processors, % of one: +-", spread(pairs)
    else:
        for row, value in result["longest"].items():
            yield f"longest wait of a packet, us: {row}", value
        yield "instructions to resize, for each connection", result["resize"]


def added(pairs):
    """What tracking adds, as a share of what there is without: the median of what two runs one after the other say."""
    return statistics.median(tracked / none for none, tracked in pairs) - 1


def boot_rows(result):
    """Of a boot of native_guest: name, without, added, and how far the middle ones of that are apart."""
    for setup, rows in result.items():
        for row, pairs in rows.items():
            none = statistics.median(without for without, _ in pairs)
            apart = spread([tracked / without for without, tracked in pairs])
            yield row + TITLES[setup], none, added(pairs) * none, apart * none


def native_rows(boots):
    """Of pairs of boots: name, and the medians of without, stock, ours, and of the
    ratio in a pair, with its quartiles. All are of a processor at its median speed."""
    rows = {}
    for boot in boots:
        theirs = {name: values for name, *values in boot_rows(boot["stock"])}
        for name, none, ours, _ in boot_rows(boot["ours"]):
            base, stock, _ = theirs[name]
            rows.setdefault(name, []).append((none, stock, ours, (ours / none) / (stock / base)))
    for name, values in rows.items():
        none, stock, ours, ratios = zip(*values)
        low, _, high = statistics.quantiles(ratios, n=4)
        yield name, *map(statistics.median, (none, stock, ours, ratios)), low, high


ROWS = {"packets": packet_rows, "sizes": size_rows, "native": boot_rows}


def compare(part, stock, ours):
    """Rows of a table: name, without, stock, its spread, ours, its spread."""
    if part in ROWS:
        rows = ROWS[part]
        theirs = {name: values for name, *values in rows(stock)}
        for name, _, a, a_apart in rows(ours):
            none, b, b_apart = theirs[name]
            yield name, none, b, b_apart, a, a_apart
    else:
        theirs = dict(other_rows(part, stock))
        for name, value in other_rows(part, ours):
            yield name, None, theirs[name], None, value, None
