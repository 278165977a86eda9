#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Writes the decoder's tables from the ASN.1 of H.225.0 and H.245.

tables.py DIRECTORY: run by hand, with pycrate (PyPI) for the ASN.1; what it
writes into net/netfilter/proto/alg/h323/tables/ is kept in the repository.

WANTED says what the decoder looks for. Of the rest there is only what has to be
known to get past it, and nothing of what stands behind the last thing wanted:
there a sequence is cut.
"""

import re
import sys

from pycrate_asn1dir import H225, H245

CALL = H225.H323_MESSAGES
CONTROL = H245.MULTIMEDIA_SYSTEM_CONTROL

# In a tree of names, MARK is what is told when the decoder gets there. A leaf is
# what to do with the value.
MARK = ""
TRANSPORT = {"ipAddress": {"ip": "Address4"}, "ip6Address": {"ip": "Address6"}}
UNICAST = {
    "unicastAddress": {
        "iPAddress": {"network": "Address4"},
        "iP6Address": {"network": "Address6"},
    }
}


def marked(tree, mark):
    return {MARK: mark, **tree}


MEDIA = {
    "mediaChannel": marked(UNICAST, "Media"),
    "mediaControlChannel": marked(UNICAST, "MediaControl"),
}
STACK = {"networkAddress": {"localAreaAddress": marked(UNICAST, "SeparateStack")}}
CHANNEL = {
    MARK: "Channel",
    "forwardLogicalChannelParameters": {
        "dataType": {"data": {"application": {"t120": {"separateLANStack": {MARK: "T120"}}}}},
        "multiplexParameters": {"h2250LogicalChannelParameters": MEDIA},
    },
    "reverseLogicalChannelParameters": {
        "multiplexParameters": {"h2250LogicalChannelParameters": MEDIA},
    },
    "separateStack": STACK,
}
CHANNEL_ACK = {
    MARK: "ChannelAck",
    "reverseLogicalChannelParameters": {
        "multiplexParameters": {"h2250LogicalChannelParameters": MEDIA},
    },
    "separateStack": STACK,
    "forwardMultiplexAckParameters": {"h2250LogicalChannelAckParameters": MEDIA},
}
SYSTEM_CONTROL = {
    "request": {"openLogicalChannel": CHANNEL},
    "response": {"openLogicalChannelAck": CHANNEL_ACK},
}


def each(tree):
    return {MARK: tree[MARK], "[]": {name: sub for name, sub in tree.items() if name != MARK}}


# What an octet string contains.
FAST_START = {"[]": {"()": ("Channel", "channel")}}
TUNNEL = {"[]": {"()": ("None", "control")}}
H245 = marked(TRANSPORT, "H245Address")
BODY = {"h245Address": H245, "fastStart": FAST_START}
CALL_MESSAGE = {
    "h323-uu-pdu": {
        "h323-message-body": {
            "setup": {
                **BODY,
                "destCallSignalAddress": marked(TRANSPORT, "Destination"),
                "sourceCallSignalAddress": marked(TRANSPORT, "Source"),
            },
            "callProceeding": BODY,
            "connect": BODY,
            "alerting": BODY,
            "facility": {
                **BODY,
                "alternativeAddress": marked(TRANSPORT, "Alternative"),
                "reason": {"callForwarded": {MARK: "Forwarded"}},
            },
            "progress": BODY,
        },
        "h245Control": {MARK: "Tunnel", **TUNNEL},
    },
}
RAS = marked(TRANSPORT, "RasAddress")
SIGNAL = marked(TRANSPORT, "CallSignal")
RAS_MESSAGE = {
    "gatekeeperRequest": {MARK: "GatekeeperRequest", "rasAddress": RAS},
    "gatekeeperConfirm": {MARK: "GatekeeperConfirm", "rasAddress": RAS},
    "registrationRequest": {
        MARK: "RegistrationRequest",
        "callSignalAddress": each(SIGNAL),
        "rasAddress": each(RAS),
        "timeToLive": "Seconds",
    },
    "registrationConfirm": {
        MARK: "RegistrationConfirm",
        "callSignalAddress": each(SIGNAL),
        "timeToLive": "Seconds",
    },
    "unregistrationRequest": {
        MARK: "UnregistrationRequest",
        "callSignalAddress": each(SIGNAL),
    },
    "admissionRequest": {
        MARK: "AdmissionRequest",
        "destCallSignalAddress": marked(TRANSPORT, "Destination"),
        "srcCallSignalAddress": marked(TRANSPORT, "Source"),
    },
    "admissionConfirm": {
        MARK: "AdmissionConfirm",
        "destCallSignalAddress": marked(TRANSPORT, "Destination"),
    },
    "locationRequest": {MARK: "LocationRequest", "replyAddress": RAS},
    "locationConfirm": {MARK: "LocationConfirm", "callSignalAddress": SIGNAL},
    "infoRequestResponse": {
        MARK: "InfoRequestResponse",
        "rasAddress": RAS,
        "callSignalAddress": each(SIGNAL),
    },
}


def bits(values):
    """How many bits tell so many values apart."""
    return (values - 1).bit_length()


class File:
    """One file of tables."""

    def __init__(self, name, what, uses):
        self.name, self.what, self.uses = name, what, uses
        self.lines, self.known, self.names = [], {}, set()

    def const(self, hint, kind, text):
        """A static with these contents: its path."""
        known = self.known.get((kind, text))
        if known:
            return known
        stem = re.sub("([a-z0-9])([A-Z])", r"\1_\2", hint.replace("-", "_")).upper()
        name, number = stem, 2
        while name in self.names:
            name, number = f"{stem}_{number}", number + 1
        self.names.add(name)
        self.known[kind, text] = name
        seen = "pub(super) " if name == "OPEN_LOGICAL_CHANNEL" else ""
        self.lines.append(f"{seen}static {name}: {kind} = {text};\n")
        return name

    def write(self, directory, roots):
        with open(f"{directory}/{self.name}.rs", "w", encoding="ascii") as out:
            out.write("// SPDX-License-Identifier: GPL-2.0\n\n")
            out.write(f"//! {self.what}\n//!\n")
            out.write("//! Written by tools/testing/h323/tables.py from the ASN.1.\n\n")
            for use in self.uses:
                out.write(f"use {use};\n")
            out.write("\n")
            for line in self.lines:
                out.write(line + "\n")
            for name, doc, value in roots:
                out.write(f"/// {doc}\npub(in super::super) static {name}: Type = {value};\n\n")


def least(obj):
    """It has at least a bit."""
    return obj.TYPE != "NULL"


def constrained(lb, ub):
    """A whole number of a range, that is not looked at."""
    values = ub - lb + 1
    if values < 256:
        return f"Type::Bits({bits(values)})"
    if values == 256:
        return "Type::Octets(1)"
    if values <= 65536:
        return "Type::Octets(2)"
    octets = (bits(values) + 7) // 8
    return f"Type::Whole({bits(octets)})"


def count(size):
    """How a number of elements or units is encoded."""
    if size is None or size.ub is None or size.ub >= 65536:
        return "Count::Any"
    assert size._ev is None, "extensible size"
    values = size.ub - size.lb + 1
    assert values > 1, "always as many"
    if values < 256:
        return f"Count::Bits({bits(values)}, {size.lb})"
    return f"Count::Octets({1 if values == 256 else 2}, {size.lb})"


def string(obj):
    """A string: units of so many bits."""
    kind = obj.TYPE
    size = obj._const_sz
    if kind in ("OCTET STRING", "BIT STRING"):
        unit = 8 if kind == "OCTET STRING" else 1
    elif kind == "BMPString":
        unit = 16
    elif kind == "NumericString":
        unit = 4
    elif kind in ("GeneralString", "UTF8String"):
        return "Type::Counted"
    elif kind in ("IA5String", "PrintableString", "VisibleString"):
        letters = getattr(obj, "_const_alpha", None)
        full = bits(128 if kind == "IA5String" else 74 if kind == "PrintableString" else 95)
        wanted = bits(len(letters.root)) if letters is not None else full
        unit = next(power for power in (1, 2, 4, 8) if power >= wanted)
    else:
        raise ValueError(kind)
    if size is not None and size.ub == size.lb and size.lb is not None:
        total = size.lb * unit
        if total <= 16:
            return f"Type::Bits({total})"
        if unit == 8:
            return f"Type::Octets({size.lb})"
    if size is not None and size.ub is not None and kind != "OCTET STRING":
        assert size.ub * unit >= 16, "not aligned"
    if count(size) == "Count::Any" and unit == 8:
        return "Type::Counted"
    return f"Type::String({count(size)}, {unit})"


def emit(file, obj, tree, hint, more):
    """The type of obj. more: something wanted stands behind it, within the same
    open type."""
    if isinstance(tree, str):
        if tree == "Address4":
            assert obj.TYPE == "OCTET STRING" and obj._const_sz.lb == obj._const_sz.ub == 4
        elif tree == "Address6":
            assert obj.TYPE == "OCTET STRING" and obj._const_sz.lb == obj._const_sz.ub == 16
        else:
            assert tree == "Seconds"
            assert (obj._const_val.lb, obj._const_val.ub) == (1, 4294967295)
        return f"Type::{tree}"
    if tree is CHANNEL and file.name != "channel":
        return "Type::Sequence(&super::channel::OPEN_LOGICAL_CHANNEL)"
    wanted = {name: sub for name, sub in tree.items() if name != MARK}
    if not wanted and not more:
        return "Type::Rest"
    if "()" in wanted:
        assert obj.TYPE == "OCTET STRING" and obj._const_sz is None
        mark, root = wanted["()"]
        return f"Type::Contained(Mark::{mark}, &super::{root}::{root.upper()})"
    kind = obj.TYPE
    if kind == "NULL":
        return "Type::Null"
    if kind == "BOOLEAN":
        return "Type::Bits(1)"
    if kind in ("OBJECT IDENTIFIER", "OPEN TYPE", "OPEN_TYPE"):
        return "Type::Counted"
    if kind == "INTEGER":
        limits = obj._const_val
        if limits is None or limits.lb is None or limits.ub is None:
            return "Type::Counted"
        assert limits._ev is None
        return constrained(limits.lb, limits.ub)
    if kind == "ENUMERATED":
        width = bits(len(obj._root))
        assert obj._ext is None, "extensible names"
        return f"Type::Bits({width})"
    if kind == "SEQUENCE OF":
        assert least(obj._cont)
        of = emit(file, obj._cont, wanted.get("[]", {}), hint, True)
        return "Type::SequenceOf(&" + file.const(
            hint + "List", "List", f"List {{ count: {count(obj._const_sz)}, of: {of} }}"
        ) + ")"
    if kind == "CHOICE":
        return choice(file, obj, wanted, hint, more)
    if kind == "SEQUENCE":
        return sequence(file, obj, wanted, hint, more)
    return string(obj)


def element(kind, optional, mark, of):
    text = f"alternative({of})" if kind == "Alternative" else f"optional({of})" if optional else f"field({of})"
    return f"{text}.told(Mark::{mark})" if mark else text


def mark_of(tree):
    return tree.get(MARK) if isinstance(tree, dict) else None


def beneath(obj, name, hint):
    sub = obj._cont[name]
    return sub, (sub._typeref.called[1] if sub._typeref else hint + name[0].upper() + name[1:])


def additions(file, obj, wanted, hint):
    """What was added to a type: open types, up to the last wanted."""
    names = obj._ext or []
    last = max((i for i, name in enumerate(names) if name in wanted), default=-1)
    parts = []
    for name in names[: last + 1]:
        assert not getattr(obj, "_ext_nest", None) or name in obj._ext_nest
        if name in wanted:
            sub, below = beneath(obj, name, hint)
            of = emit(file, sub, wanted[name], below, False)
            parts.append(element("Alternative", False, mark_of(wanted[name]), of))
        else:
            parts.append(element("Alternative", False, None, "Type::Rest"))
    return parts


def sequence(file, obj, wanted, hint, more):
    added = additions(file, obj, wanted, hint)
    names = obj._root
    unknown = set(wanted) - set(names) - set(obj._ext or [])
    assert not unknown, unknown
    behind = more or bool(added)
    last = max((i for i, name in enumerate(names) if name in wanted), default=-1)
    fields = []
    for i, name in enumerate(names):
        if i > last and not behind:
            break
        sub, below = beneath(obj, name, hint)
        tree = wanted.get(name, {})
        of = emit(file, sub, tree, below, behind or i < last)
        fields.append(element("Field", sub._opt or sub._def is not None, mark_of(tree), of))
    options = sum(1 for n in names if obj._cont[n]._opt or obj._cont[n]._def is not None)
    text = (
        f"Sequence {{ extensible: {'false' if obj._ext is None else 'true'}, options: {options}, "
        f"fields: &[{', '.join(fields)}], additions: &[{', '.join(added)}], "
        f"cut: {'false' if more else 'true'} }}"
    )
    return f"Type::Sequence(&{file.const(hint, 'Sequence', text)})"


def choice(file, obj, wanted, hint, more):
    names = obj._root
    unknown = set(wanted) - set(names) - set(obj._ext or [])
    assert not unknown, unknown
    parts = []
    for name in names:
        sub, below = beneath(obj, name, hint)
        tree = wanted.get(name, {})
        parts.append(element("Alternative", False, mark_of(tree), emit(file, sub, tree, below, more)))
    text = (
        f"Choice {{ extensible: {'false' if obj._ext is None else 'true'}, bits: {bits(len(names))}, "
        f"alternatives: &[{', '.join(parts)}], "
        f"additions: &[{', '.join(additions(file, obj, wanted, hint))}] }}"
    )
    return f"Type::Choice(&{file.const(hint, 'Choice', text)})"


TYPES = "super::super::{found::Mark, per::*}"


def main():
    directory = sys.argv[1]
    for name, what, root, doc, obj, tree in (
        ("ras", "RAS messages (H.225.0).", "RAS", "`RasMessage`.", CALL.RasMessage, RAS_MESSAGE),
        (
            "call",
            "Call signalling messages (H.225.0).",
            "CALL",
            "`H323-UserInformation`.",
            CALL.H323_UserInformation,
            CALL_MESSAGE,
        ),
        (
            "control",
            "Control messages (H.245).",
            "CONTROL",
            "`MultimediaSystemControlMessage`.",
            CONTROL.MultimediaSystemControlMessage,
            SYSTEM_CONTROL,
        ),
        (
            "channel",
            "`OpenLogicalChannel` alone, as in fast start (H.245).",
            "CHANNEL",
            "`OpenLogicalChannel`.",
            CONTROL.OpenLogicalChannel,
            CHANNEL,
        ),
    ):
        file = File(name, what, [TYPES])
        value = emit(file, obj, tree, obj._name, False)
        file.write(directory, [(root, doc, value)])


main()
