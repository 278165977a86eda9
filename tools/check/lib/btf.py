# SPDX-License-Identifier: GPL-2.0
"""Reads BTF: what a module offers to BPF programs (Documentation/bpf/btf.rst of the kernel)."""

import struct

(INT, PTR, ARRAY, STRUCT, UNION, ENUM, FWD, TYPEDEF, VOLATILE, CONST, RESTRICT, FUNC, FUNC_PROTO, VAR, DATASEC,
 FLOAT, DECL_TAG, TYPE_TAG, ENUM64) = range(1, 20)
# Bytes behind a type's head: of all, and for each of its vlen members.
REST = {INT: 4, ARRAY: 12, VAR: 4, DECL_TAG: 4}
EACH = {STRUCT: 12, UNION: 12, ENUM: 8, FUNC_PROTO: 8, DATASEC: 12, ENUM64: 12}
WORDS = {STRUCT: "struct", UNION: "union", ENUM: "enum", ENUM64: "enum", CONST: "const", VOLATILE: "volatile"}
SET8_KFUNCS = 1


class Btf:
    """Types by number; those of `base` come first."""

    def __init__(self, data, base=None):
        magic, _, _, head, types, types_len, strings, strings_len = struct.unpack_from("<HBBIIIII", data)
        if magic != 0xEB9F:
            raise ValueError("not BTF")
        self.base = base
        self.strings = data[head + strings : head + strings + strings_len]
        self.first_string = base.end_string if base else 0
        self.end_string = self.first_string + strings_len
        self.first = base.end if base else 1
        self.types = []
        at, end = head + types, head + types + types_len
        while at < end:
            name, info, size = struct.unpack_from("<III", data, at)
            kind, count = info >> 24 & 31, info & 0xFFFF
            length = 12 + REST.get(kind, 0) + EACH.get(kind, 0) * count
            self.types.append((kind, name, size, info, data[at + 12 : at + length]))
            at += length
        self.end = self.first + len(self.types)

    def type(self, number):
        """(kind, name, size or type, info, the rest)"""
        return self.types[number - self.first] if number >= self.first else self.base.type(number)

    def string(self, offset):
        """A name by its offset."""
        if offset < self.first_string:
            return self.base.string(offset)
        begin = offset - self.first_string
        return self.strings[begin : self.strings.index(b"\0", begin)].decode()

    def describe(self, number):
        """A type in words, structures by their names."""
        if not number:
            return "void"
        kind, name, to, info, _ = self.type(number)
        if kind == PTR:
            return self.describe(to) + " *"
        if kind in (CONST, VOLATILE):
            return f"{WORDS[kind]} {self.describe(to)}"
        if kind == TYPE_TAG:
            return self.describe(to)
        if kind == FWD:
            return f"{'union' if info >> 31 else 'struct'} {self.string(name)}"
        return f"{WORDS[kind]} {self.string(name)}" if kind in WORDS else self.string(name)

    def prototype(self, number):
        """A function's type, with the names of the parameters."""
        _, name, proto, _, _ = self.type(number)
        _, _, result, _, rest = self.type(proto)
        parameters = [f"{self.describe(kind)} {self.string(word)}" for word, kind in struct.iter_unpack("<II", rest)]
        return f"{self.describe(result)} {self.string(name)}({', '.join(parameters)})"

    def functions(self):
        """The numbers of those that BPF programs may call."""
        return {to for kind, name, to, _, _ in self.types if kind == DECL_TAG and self.string(name) == "bpf_kfunc"}


def interface(module, vmlinux):
    """Prototype and flags of each function in the sets that a module can register for BPF programs.

    `vmlinux` gives the BTF that a module builds on if it does not bring its own base.
    """
    ids = module.section(".BTF_ids")
    sets = [s.value for s in module.symbols if s.name.startswith("__BTF_ID__set8__")]
    if not sets:
        return {}
    if not module.section(".BTF"):
        raise ValueError("no BTF")
    own = module.section(".BTF.base")
    btf = Btf(module.section(".BTF"), Btf(own) if own else vmlinux())
    tagged, found = btf.functions(), {}
    for at in sets:
        count, flags = struct.unpack_from("<II", ids, at)
        if not flags & SET8_KFUNCS:
            continue
        for number, bits in struct.iter_unpack("<II", ids[at + 8 : at + 8 + 8 * count]):
            if number not in tagged:
                raise ValueError(f"number {number} in .BTF_ids is no function for programs")
            found[btf.string(btf.type(number)[1])] = f"{btf.prototype(number)}, flags {bits:#x}"
    return found
