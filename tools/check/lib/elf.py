# SPDX-License-Identifier: GPL-2.0
"""Reads what the checks need of a kernel module: a relocatable ELF64 file."""

import bisect
import lzma
import re
import struct
from collections import namedtuple

Section = namedtuple("Section", "name type offset size link info entsize")
Symbol = namedtuple("Symbol", "name value size kind bind section")
Relocation = namedtuple("Relocation", "offset kind symbol addend")

SHT_SYMTAB, SHT_RELA, SHT_NOBITS = 2, 4, 8
STT_FUNC, STT_SECTION = 2, 3
SHN_UNDEF = 0
# struct kernel_symbol with relative references, and its flag (enum ksym_flags).
KSYMTAB_ENTRY, KSYM_GPL_ONLY = 12, 1
# struct kernel_param: its size, and the offset of `perm`.
PARAM_ENTRY, PARAM_PERM = 40, 24


def text(data, offset):
    """The C string at `offset`."""
    return data[offset : data.index(b"\0", offset)].decode()


class Module:
    """A module file, xz-compressed or not; without `local`, only its global symbols are read."""

    def __init__(self, path, local=True):
        data = path.read_bytes()
        if data[:6] == b"\xfd7zXZ\0":
            data = lzma.decompress(data)
        if data[:5] != b"\x7fELF\x02":
            raise ValueError(f"{path}: not an ELF64 file")
        self.data = data
        shoff = struct.unpack_from("<Q", data, 40)[0]
        count, names = struct.unpack_from("<HH", data, 60)
        raw = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + 64 * i) for i in range(count)]
        strings = raw[names][4]
        self.sections = [
            Section(text(data, strings + s[0]), s[1], s[4], s[5], s[6], s[7], s[9]) for s in raw
        ]
        self.symbols = []
        for section in self.sections:
            if section.type == SHT_SYMTAB:
                # sh_info: the index of the first global one.
                self._read_symbols(section, 0 if local else section.info)

    def _read_symbols(self, section, first):
        strings = self.sections[section.link].offset
        begin = section.offset + first * section.entsize
        body = self.data[begin : section.offset + section.size]
        for name, info, _, where, value, size in struct.iter_unpack("<IBBHQQ", body):
            self.symbols.append(
                Symbol(text(self.data, strings + name), value, size, info & 15, info >> 4, where)
            )

    def section(self, name):
        """The contents of the section of that name; empty if there is none."""
        for section in self.sections:
            if section.name == name and section.type != SHT_NOBITS:
                return self.data[section.offset : section.offset + section.size]
        return b""

    def undefined(self):
        """The names that have to come from elsewhere."""
        return sorted({s.name for s in self.symbols if s.section == SHN_UNDEF and s.name})

    def exports(self):
        """Name and whether for GPL modules only, of every export, twice if twice there."""
        tables = {i: s.name for i, s in enumerate(self.sections) if s.name.startswith("__ksymtab")}
        flags = self.section("__kflagstab")
        found = []
        for symbol in self.symbols:
            table = tables.get(symbol.section)
            if not symbol.name.startswith("__ksymtab_") or table == "__ksymtab_strings":
                continue
            index = symbol.value // KSYMTAB_ENTRY
            if table == "__ksymtab" and index < len(flags):
                gpl = bool(flags[index] & KSYM_GPL_ONLY)
            else:  # kernels with a table for each class
                gpl = table == "__ksymtab_gpl"
            if table:
                found.append((symbol.name[len("__ksymtab_") :], gpl))
        return sorted(found)

    def modinfo(self):
        """Field name to list of values."""
        info = {}
        for entry in self.section(".modinfo").split(b"\0"):
            key, equals, value = entry.decode(errors="replace").partition("=")
            if equals:
                info.setdefault(key, []).append(value)
        return info

    def relocations(self):
        """(index of the section that they apply to, its relocations), for every such section."""
        for section in self.sections:
            if section.type == SHT_RELA:
                body = self.data[section.offset : section.offset + section.size]
                yield section.info, [
                    Relocation(offset, info & 0xFFFFFFFF, self.symbols[info >> 32], addend)
                    for offset, info, addend in struct.iter_unpack("<QQq", body)
                ]

    def parameters(self):
        """Name to mode bits, of every module parameter, those with callbacks included."""
        found = {}
        table = self.section("__param")
        for target, relocations in self.relocations():
            if self.sections[target].name != "__param":
                continue
            for relocation in relocations:
                at = relocation.offset
                if at % PARAM_ENTRY or relocation.symbol.section == SHN_UNDEF:
                    continue
                where = self.sections[relocation.symbol.section].offset
                name = text(self.data, where + relocation.symbol.value + relocation.addend)
                found[name] = struct.unpack_from("<H", table, at + PARAM_PERM)[0]
        return found

    def identifiers(self):
        """Every read-only string that could be a symbol's name."""
        found = set()
        for section in self.sections:
            if section.name.startswith(".rodata") and section.type not in (SHT_NOBITS, SHT_RELA):
                body = self.data[section.offset : section.offset + section.size]
                found.update(re.findall(rb"(?:^|\0)([A-Za-z_][A-Za-z0-9_]{3,})(?=\0)", body))
        return sorted(name.decode() for name in found)

    def callers(self, wanted):
        """For each symbol name that `wanted` accepts: the functions that refer to it."""
        functions = {}
        for symbol in self.symbols:
            if symbol.kind == STT_FUNC and symbol.section != SHN_UNDEF:
                functions.setdefault(symbol.section, []).append(symbol)
        for in_section in functions.values():
            in_section.sort(key=lambda s: s.value)
        starts = {index: [s.value for s in group] for index, group in functions.items()}
        found = {}
        for target, relocations in self.relocations():
            for relocation in relocations:
                name = relocation.symbol.name
                if not name or not wanted(name):
                    continue
                at = bisect.bisect_right(starts.get(target, []), relocation.offset) - 1
                inside = functions[target][at].name if at >= 0 else self.sections[target].name
                found.setdefault(name, set()).add(inside)
        return found
