# SPDX-License-Identifier: GPL-2.0
"""What the stock modules export and import, read once per release."""

import json
import os
from concurrent.futures import ProcessPoolExecutor

from . import elf, paths

# Raise it when the facts kept below change.
FORMAT = 4


def name_of(path):
    """The name by which the kernel knows the module in this file."""
    return path.name.split(".")[0].replace("-", "_")


def facts(path, brief=False):
    """What is kept about a module; `brief` leaves out what is costly to read."""
    module = elf.Module(path, local=not brief)
    undefined = module.undefined()
    return {
        "undefined": undefined,
        "exports": None if brief else module.exports(),
        "modinfo": module.modinfo(),
        "parameters": None if brief else module.parameters(),
        # symbol_get() asks for a symbol by a string: any of these, then.
        "by_name": module.identifiers() if "__symbol_get" in undefined else [],
    }


def _stock_facts(path):
    name = name_of(path)
    return name, facts(path, brief=name not in paths.family())


def stock():
    """Module name to facts, of all stock modules of the release."""
    cache = paths.CACHE / f"stock-{paths.release()}.{FORMAT}.json"
    if cache.exists():
        return json.loads(cache.read_text())
    files = sorted(paths.stock().rglob("*.ko*"))
    if not files:
        raise SystemExit(f"error: no stock modules in {paths.stock()}: run 'make setup'")
    with ProcessPoolExecutor() as pool:
        found = dict(pool.map(_stock_facts, files, chunksize=32))
    for module, exports in symvers().items():
        name = module.rsplit("/", 1)[-1].replace("-", "_")
        if name in found and found[name]["exports"] is None:
            found[name]["exports"] = sorted(exports.items())
    for one in found.values():
        one["exports"] = one["exports"] or []
    paths.CACHE.mkdir(parents=True, exist_ok=True)
    fresh = cache.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(found))
    fresh.replace(cache)
    return found


def ours():
    """Module name to facts, of all built modules."""
    return {name_of(path): facts(path) for path in built()}


def built():
    """The files of the built modules."""
    files = sorted(paths.MODULES.glob("*.ko"))
    if not files:
        raise SystemExit(f"error: no modules in {paths.MODULES}: run 'make modules'")
    return files


def symvers():
    """Module path to its exports: name to whether for GPL modules only."""
    found = {}
    with open(paths.kernel() / "out" / "Module.symvers") as lines:
        for line in lines:
            _, name, module, kind, *_ = line.rstrip("\n").split("\t")
            found.setdefault(module, {})[name] = kind.endswith("_GPL")
    return found


def vmlinux():
    """The exports of the kernel itself."""
    return symvers()["vmlinux"]
