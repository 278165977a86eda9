#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Encodes H.323 messages for the tests, with pycrate (PyPI), not with our code.

messages.py DIRECTORY: run by hand. It writes, and the repository keeps,
net/netfilter/proto/alg/h323/tests/golden.rs, the bytes and what is to be found in
them; tools/testing/selftests/net/netfilter/h323_messages.py, the same bytes for
the virtual machine; and the fuzzer's first inputs.
"""

import os
import sys

from pycrate_asn1dir import H225, H245
from pycrate_asn1rt.codecs import ASN1CodecPER

OPEN = ASN1CodecPER.encode_unconst_open.__func__


def encode_open(codec, wrapped):
    """pycrate (0.8.1) encodes additions before it knows where their bitmap ends,
    and pads the first one as if that were not aligned, which it always is."""
    if "_gen_ext" not in sys._getframe(1).f_locals:
        return OPEN(codec, wrapped)
    before = codec._off[-1]
    codec._off[-1] = 0
    encoded = OPEN(codec, wrapped)
    codec._off[-1] = before
    return encoded


ASN1CodecPER.encode_unconst_open = classmethod(encode_open)

RAS = H225.H323_MESSAGES.RasMessage
CALL = H225.H323_MESSAGES.H323_UserInformation
CONTROL = H245.MULTIMEDIA_SYSTEM_CONTROL.MultimediaSystemControlMessage
CHANNEL = H245.MULTIMEDIA_SYSTEM_CONTROL.OpenLogicalChannel

INSIDE, GATEKEEPER, PEER, PROXY = (
    bytes([10, 0, 1, 99]),
    bytes([10, 0, 2, 99]),
    bytes([10, 0, 2, 99]),
    bytes([10, 0, 3, 7]),
)
INSIDE6 = bytes.fromhex("dead0001000000000000000000000099")
LOOPBACK = bytes([127, 0, 0, 1])
VERSION = (0, 0, 8, 2250, 0, 4)
VERSION_H245 = (0, 0, 8, 245, 0, 7)
GUID = bytes(range(16))


def transport(address, port):
    kind = "ipAddress" if len(address) == 4 else "ip6Address"
    return (kind, {"ip": address, "port": port})


def unicast(address, port):
    kind = "iPAddress" if len(address) == 4 else "iP6Address"
    return ("unicastAddress", (kind, {"network": address, "tsapIdentifier": port}))


VENDOR = {
    "vendor": {"t35CountryCode": 181, "t35Extension": 0, "manufacturerCode": 18},
    "productId": b"rustynat\0",
    "versionId": b"1.0\0",
}
ENDPOINT = {"vendor": VENDOR, "terminal": {}, "mc": False, "undefinedNode": False}
NON_STANDARD = {
    "nonStandardIdentifier": (
        "h221NonStandard",
        {"t35CountryCode": 181, "t35Extension": 0, "manufacturerCode": 18},
    ),
    "data": b"anything",
}
GATEWAY = {
    "vendor": VENDOR,
    "gateway": {
        "protocol": [
            ("voice", {"nonStandardData": NON_STANDARD}),
            ("h323", {}),
        ]
    },
    "mc": False,
    "undefinedNode": False,
}
ALIASES = [("dialledDigits", "12345#*"), ("h323-ID", "Jane"), ("url-ID", "jane@example.org")]


def codec(number):
    if number == 0:
        return ("audioData", ("g711Alaw64k", 20))
    if number == 1:
        return ("audioData", ("g7231", {"maxAl-sduAudioFrames": 1, "silenceSuppression": True}))
    if number == 2:
        return ("videoData", ("h261VideoCapability", {
            "qcifMPI": 1, "cifMPI": 2, "temporalSpatialTradeOffCapability": False,
            "maxBitRate": 1000, "stillImageTransmission": False}))
    if number == 3:
        return ("videoData", ("h263VideoCapability", {
            "sqcifMPI": 1, "maxBitRate": 100000, "unrestrictedVector": False,
            "arithmeticCoding": False, "advancedPrediction": False, "pbFrames": False,
            "temporalSpatialTradeOffCapability": True, "hrd-B": 5}))
    return ("nullData", 0)


def h2250(session, media=None, control=None):
    value = {"sessionID": session, "silenceSuppression": False}
    if media:
        value["mediaChannel"] = unicast(*media)
    if control:
        value["mediaGuaranteedDelivery"] = False
        value["mediaControlChannel"] = unicast(*control)
    return ("h2250LogicalChannelParameters", value)


def channel(number, data=0, forward=(None, None), reverse=None, stack=None):
    value = {
        "forwardLogicalChannelNumber": number,
        "forwardLogicalChannelParameters": {
            "dataType": codec(data) if isinstance(data, int) else data,
            "multiplexParameters": h2250(1, *forward),
        },
    }
    if reverse:
        value["reverseLogicalChannelParameters"] = {
            "dataType": codec(1),
            "multiplexParameters": h2250(2, *reverse),
        }
    if stack:
        value["separateStack"] = {
            "networkAddress": ("localAreaAddress", unicast(*stack)),
            "distribution": ("unicast", 0),
            "associateConference": False,
        }
    return value


T120 = ("data", {"application": ("t120", ("separateLANStack", 0)), "maxBitRate": 0})
USER_DATA = ("data", {"application": ("userData", ("v14buffered", 0)), "maxBitRate": 10})


def encoded(kind, value):
    kind.set_val(value)
    out = kind.to_aper()
    kind.from_aper(out)
    return out


def ras(kind, **value):
    return encoded(RAS, (kind, value))


def q931(kind, inside, elements=b""):
    inside = b"\x05" + inside
    return (
        b"\x08\x02\x12\x34" + bytes([kind]) + elements
        + b"\x7e" + len(inside).to_bytes(2, "big") + inside
    )


TYPES = {"setup": 5, "callProceeding": 2, "connect": 7, "alerting": 1, "facility": 0x62,
         "progress": 3, "releaseComplete": 0x5A, "information": 0x7B}


def call(kind, tunnelled=None, non_standard=None, elements=b"", user=None, **value):
    pdu = {"h323-message-body": (kind, value), "h245Tunnelling": tunnelled is not None}
    if tunnelled is not None:
        pdu["h245Control"] = [encoded(CONTROL, one) for one in tunnelled]
    if non_standard:
        pdu["nonStandardData"] = non_standard
    top = {"h323-uu-pdu": pdu}
    if user:
        top["user-data"] = {"protocol-discriminator": 5, "user-information": user}
    return q931(TYPES[kind], encoded(CALL, top), elements)


def fast(*channels):
    return [encoded(CHANNEL, one) for one in channels]


def setup(**more):
    return call(
        "setup",
        **{
            "protocolIdentifier": VERSION,
            "sourceInfo": ENDPOINT,
            "activeMC": False,
            "conferenceID": GUID,
            "conferenceGoal": ("create", 0),
            "callType": ("pointToPoint", 0),
            "callIdentifier": {"guid": GUID},
            "mediaWaitForConnect": False,
            "canOverlapSend": False,
            **more,
        },
    )


def answer(kind, **more):
    value = {"protocolIdentifier": VERSION}
    if kind in ("callProceeding", "connect", "alerting", "progress"):
        value["destinationInfo"] = ENDPOINT
    if kind == "connect":
        value["conferenceID"] = GUID
    value["callIdentifier"] = {"guid": GUID}
    return call(kind, **{**value, **more})


def facility(reason, **more):
    return call(
        "facility",
        **{
            "protocolIdentifier": VERSION,
            "conferenceID": GUID,
            "reason": (reason, 0),
            "callIdentifier": {"guid": GUID},
            **more,
        },
    )


def registration(**more):
    return ras("registrationRequest", **{
        "requestSeqNum": 2, "protocolIdentifier": VERSION, "discoveryComplete": True,
        "callSignalAddress": [transport(INSIDE, 1720)], "rasAddress": [transport(INSIDE, 1719)],
        "terminalType": ENDPOINT, "endpointVendor": VENDOR, "keepAlive": False,
        "willSupplyUUIEs": False, "maintainConnection": False, **more})


A, B, C, D = (INSIDE, 5000), (INSIDE, 5001), (INSIDE, 5002), (INSIDE, 5003)
OLC = ("request", ("openLogicalChannel", channel(1, 0, (A, B))))
ACK = ("response", ("openLogicalChannelAck", {
    "forwardLogicalChannelNumber": 1,
    "reverseLogicalChannelParameters": {
        "reverseLogicalChannelNumber": 7, "multiplexParameters": h2250(1, C, D)},
    "separateStack": {
        "networkAddress": ("localAreaAddress", unicast(INSIDE, 1503)),
        "distribution": ("unicast", 0),
        "associateConference": False},
    "forwardMultiplexAckParameters": ("h2250LogicalChannelAckParameters", {
        "sessionID": 1, "mediaChannel": unicast(*A), "mediaControlChannel": unicast(*B),
        "dynamicRTPPayloadType": 96}),
}))
CAPABILITIES = ("request", ("terminalCapabilitySet", {
    "sequenceNumber": 1, "protocolIdentifier": VERSION_H245,
    "capabilityTable": [{"capabilityTableEntryNumber": 1,
                         "capability": ("receiveAudioCapability", ("g711Alaw64k", 20))}]}))
H245_AT = transport(INSIDE, 2000)

# Name, how it is read, bytes, what is found: kind, seconds, (role, address, port).
MESSAGES = []


def message(name, how, data, *places, kind="Other", seconds=None):
    MESSAGES.append((name, how, data, kind, seconds, places))


message("GRQ", "ras", ras("gatekeeperRequest", requestSeqNum=1, protocolIdentifier=VERSION,
        rasAddress=transport(INSIDE, 1719), endpointType=ENDPOINT, endpointAlias=ALIASES,
        nonStandardData=NON_STANDARD, supportsAltGK=0),
        ("Ras", INSIDE, 1719), kind="GatekeeperRequest")
message("GRQ6", "ras", ras("gatekeeperRequest", requestSeqNum=1, protocolIdentifier=VERSION,
        rasAddress=transport(INSIDE6, 1719), endpointType=ENDPOINT),
        ("Ras", INSIDE6, 1719), kind="GatekeeperRequest")
message("GCF", "ras", ras("gatekeeperConfirm", requestSeqNum=1, protocolIdentifier=VERSION,
        gatekeeperIdentifier="gk", rasAddress=transport(GATEKEEPER, 1720)),
        ("Ras", GATEKEEPER, 1720), kind="GatekeeperConfirm")
message("RRQ", "ras", registration(), ("CallSignal", INSIDE, 1720), ("Ras", INSIDE, 1719),
        kind="RegistrationRequest")
message("RRQ with everything", "ras", registration(
        nonStandardData=NON_STANDARD, terminalType=GATEWAY, terminalAlias=ALIASES,
        callSignalAddress=[transport(LOOPBACK, 1720), transport(INSIDE, 1720), transport(PROXY, 1)],
        rasAddress=[transport(INSIDE6, 1719), transport(INSIDE, 1719)],
        gatekeeperIdentifier="gk", timeToLive=77, endpointIdentifier="me",
        alternateEndpoints=[{"priority": 1}], supportsAltGK=0),
        ("CallSignal", LOOPBACK, 1720), ("CallSignal", INSIDE, 1720), ("CallSignal", PROXY, 1),
        ("Ras", INSIDE6, 1719), ("Ras", INSIDE, 1719), kind="RegistrationRequest", seconds=77)
message("RRQ for long", "ras", registration(timeToLive=4294967295, callSignalAddress=[]),
        ("Ras", INSIDE, 1719), kind="RegistrationRequest", seconds=4294967295)
message("RRQ from IPX", "ras", registration(
        callSignalAddress=[("ipxAddress", {"node": b"123456", "netnum": b"1234", "port": b"12"}),
                           ("ipSourceRoute", {"ip": INSIDE, "port": 1720, "route": [PEER, PROXY],
                                              "routing": ("loose", 0)}),
                           ("netBios", b"0123456789abcdef"), ("nsap", b"12345"),
                           ("nonStandardAddress", NON_STANDARD), transport(INSIDE, 1722)]),
        ("CallSignal", INSIDE, 1722), ("Ras", INSIDE, 1719), kind="RegistrationRequest")
for ttl in (1, 2, 255, 256, 257, 65535, 65536, 65537, 16777216, 16777217):
    message(f"RCF of {ttl} s", "ras", ras("registrationConfirm", requestSeqNum=2,
            protocolIdentifier=VERSION, callSignalAddress=[transport(INSIDE, 1720)],
            terminalAlias=ALIASES, gatekeeperIdentifier="gk", endpointIdentifier="me",
            timeToLive=ttl, willRespondToIRR=False, maintainConnection=False),
            ("CallSignal", INSIDE, 1720), kind="RegistrationConfirm", seconds=ttl)
message("RCF", "ras", ras("registrationConfirm", requestSeqNum=2, protocolIdentifier=VERSION,
        callSignalAddress=[transport(GATEKEEPER, 1720)], endpointIdentifier="me",
        willRespondToIRR=False, maintainConnection=False),
        ("CallSignal", GATEKEEPER, 1720), kind="RegistrationConfirm")
message("URQ", "ras", ras("unregistrationRequest", requestSeqNum=3,
        callSignalAddress=[transport(INSIDE, 1720)], endpointAlias=ALIASES,
        endpointIdentifier="me"),
        ("CallSignal", INSIDE, 1720), kind="UnregistrationRequest")
ADMISSION = {"requestSeqNum": 4, "callType": ("pointToPoint", 0), "endpointIdentifier": "me",
             "srcInfo": ALIASES, "bandWidth": 640, "callReferenceValue": 1, "conferenceID": GUID,
             "activeMC": False, "answerCall": False, "canMapAlias": False,
             "callIdentifier": {"guid": GUID}, "willSupplyUUIEs": False}
message("ARQ of the caller", "ras", ras("admissionRequest", **{
        **ADMISSION, "destinationInfo": [("dialledDigits", "99")],
        "srcCallSignalAddress": transport(INSIDE, 1720)}),
        ("Source", INSIDE, 1720), kind="AdmissionRequest")
message("ARQ of the called", "ras", ras("admissionRequest", **{
        **ADMISSION, "callModel": ("direct", 0), "answerCall": True,
        "destCallSignalAddress": transport(INSIDE, 1720),
        "srcCallSignalAddress": transport(PEER, 1720)}),
        ("Destination", INSIDE, 1720), ("Source", PEER, 1720), kind="AdmissionRequest")
message("ACF", "ras", ras("admissionConfirm", requestSeqNum=4, bandWidth=640,
        callModel=("direct", 0), destCallSignalAddress=transport(PROXY, 1720), irrFrequency=10,
        willRespondToIRR=False, uuiesRequested={name: False for name in (
            "setup", "callProceeding", "connect", "alerting", "information", "releaseComplete",
            "facility", "progress", "empty", "status", "statusInquiry", "setupAcknowledge",
            "notify")}),
        ("Destination", PROXY, 1720), kind="AdmissionConfirm")
message("LRQ", "ras", ras("locationRequest", requestSeqNum=5, endpointIdentifier="me",
        destinationInfo=ALIASES, nonStandardData=NON_STANDARD,
        replyAddress=transport(INSIDE, 1719), canMapAlias=False),
        ("Ras", INSIDE, 1719), kind="LocationRequest")
message("LCF", "ras", ras("locationConfirm", requestSeqNum=5,
        callSignalAddress=transport(PROXY, 1720), rasAddress=transport(PROXY, 1719)),
        ("CallSignal", PROXY, 1720), kind="LocationConfirm")
message("IRR", "ras", ras("infoRequestResponse", requestSeqNum=6, endpointType=ENDPOINT,
        endpointIdentifier="me", rasAddress=transport(INSIDE, 1719),
        callSignalAddress=[transport(INSIDE, 1720), transport(INSIDE, 1720)],
        needResponse=False, unsolicited=True),
        ("Ras", INSIDE, 1719), ("CallSignal", INSIDE, 1720), ("CallSignal", INSIDE, 1720),
        kind="InfoRequestResponse")
message("DRQ", "ras", ras("disengageRequest", requestSeqNum=7, endpointIdentifier="me",
        conferenceID=GUID, callReferenceValue=1, disengageReason=("normalDrop", 0),
        answeredCall=False, callIdentifier={"guid": GUID}))
message("RIP", "ras", ras("requestInProgress", requestSeqNum=7, delay=100))

message("Setup", "call", setup(h245Address=H245_AT,
        destCallSignalAddress=transport(PEER, 1720),
        sourceCallSignalAddress=transport(INSIDE, 33000), sourceAddress=ALIASES,
        destinationAddress=ALIASES, elements=b"\xa1\x04\x03\x88\x93\xa5\x28\x05Jane\0"),
        ("H245", INSIDE, 2000), ("Destination", PEER, 1720), ("Source", INSIDE, 33000))
message("Setup with fast start", "call", setup(
        sourceCallSignalAddress=transport(INSIDE, 33000),
        destExtraCallInfo=ALIASES, destExtraCRV=[1, 2], remoteExtensionAddress=ALIASES[0],
        callServices={"q932Full": False, "q951Full": False, "q952Full": False, "q953Full": False,
                      "q955Full": False, "q956Full": False, "q957Full": False,
                      "q954Info": {"conferenceCalling": False, "threePartyService": False}},
        fastStart=fast(channel(1, 0, (None, B)), channel(2, 1, (None, B)),
                       channel(3, 4, (None, None), (A, B)),
                       channel(4, 3, (C, D), (C, D)))),
        ("Source", INSIDE, 33000), ("Media", *B), ("Media", *B), ("Media", *A), ("Media", *B),
        ("Media", *C), ("Media", *D), ("Media", *C), ("Media", *D))
message("Setup from IPv6", "call", setup(h245Address=transport(INSIDE6, 2000),
        sourceInfo=GATEWAY, fastStart=fast(channel(1, 2, ((INSIDE6, 5000), (INSIDE6, 5001))))),
        ("H245", INSIDE6, 2000), ("Media", INSIDE6, 5000), ("Media", INSIDE6, 5001))
message("Setup with control inside", "call", setup(
        h245Address=H245_AT, tunnelled=[CAPABILITIES, OLC, ACK], non_standard=NON_STANDARD,
        user=b"user data", tokens=[{"tokenOID": (1, 2, 3)}]),
        ("H245", INSIDE, 2000), ("Media", *A), ("Media", *B), ("Media", *C), ("Media", *D),
        ("Data", INSIDE, 1503), ("Media", *A), ("Media", *B))
message("Setup without addresses", "call", setup())
message("CallProceeding", "call", answer("callProceeding", h245Address=H245_AT,
        fastStart=fast(channel(1, 0, (A, B)))),
        ("H245", INSIDE, 2000), ("Media", *A), ("Media", *B))
message("Alerting", "call", answer("alerting", h245Address=H245_AT,
        fastStart=fast(channel(1, 1, (A, B)))),
        ("H245", INSIDE, 2000), ("Media", *A), ("Media", *B))
message("Connect", "call", answer("connect", h245Address=H245_AT,
        fastStart=fast(channel(1, 2, (A, B)), channel(2, 3, (C, D)))),
        ("H245", INSIDE, 2000), ("Media", *A), ("Media", *B), ("Media", *C), ("Media", *D))
message("Progress", "call", answer("progress", h245Address=H245_AT,
        tokens=[{"tokenOID": (1, 2, 3), "timeStamp": 1, "password": "pw"}],
        fastStart=fast(channel(1, 0, (A, None)))),
        ("H245", INSIDE, 2000), ("Media", *A))
message("Information", "call", answer("information", tunnelled=[OLC]),
        ("Media", *A), ("Media", *B))
message("ReleaseComplete", "call", answer("releaseComplete",
        reason=("destinationRejection", 0), tunnelled=[]))
message("Facility", "call", facility("transportedInformation", h245Address=H245_AT,
        alternativeAddress=transport(PROXY, 1720), fastStart=fast(channel(1, 0, (A, B)))),
        ("H245", INSIDE, 2000), ("Media", *A), ("Media", *B))
message("Facility that forwards", "call", facility("callForwarded", h245Address=H245_AT,
        alternativeAddress=transport(PROXY, 1720), alternativeAliasAddress=ALIASES,
        fastStart=fast(channel(1, 0, (A, B))), tunnelled=[
            ("request", ("openLogicalChannel", channel(1, 0, (C, None))))]),
        ("Alternative", PROXY, 1720), ("Media", *C))
message("Facility with a later reason", "call", facility("startH245", h245Address=H245_AT),
        ("H245", INSIDE, 2000))

message("OpenLogicalChannel", "control", encoded(CONTROL, OLC), ("Media", *A), ("Media", *B))
message("OpenLogicalChannel both ways", "control", encoded(CONTROL, (
        "request", ("openLogicalChannel", channel(9, 3, (A, B), (C, D))))),
        ("Media", *A), ("Media", *B), ("Media", *C), ("Media", *D))
message("OpenLogicalChannel for T.120", "control", encoded(CONTROL, (
        "request", ("openLogicalChannel", channel(3, T120, (None, None), None, (INSIDE, 1503))))),
        ("Data", INSIDE, 1503))
message("OpenLogicalChannel for other data", "control", encoded(CONTROL, (
        "request", ("openLogicalChannel", channel(3, USER_DATA, (None, B), None, (INSIDE, 1503))))),
        ("Media", *B))
message("OpenLogicalChannelAck", "control", encoded(CONTROL, ACK), ("Media", *C), ("Media", *D),
        ("Data", INSIDE, 1503), ("Media", *A), ("Media", *B))
message("OpenLogicalChannelAck, IPv6", "control", encoded(CONTROL, (
        "response", ("openLogicalChannelAck", {
            "forwardLogicalChannelNumber": 1,
            "forwardMultiplexAckParameters": ("h2250LogicalChannelAckParameters", {
                "mediaChannel": unicast(INSIDE6, 5000),
                "mediaControlChannel": unicast(INSIDE6, 5001)})}))),
        ("Media", INSIDE6, 5000), ("Media", INSIDE6, 5001))
message("TerminalCapabilitySet", "control", encoded(CONTROL, CAPABILITIES))
message("EndSession", "control", encoded(CONTROL, (
        "command", ("endSessionCommand", ("disconnect", 0)))))


def rust(path):
    with open(path, "w", encoding="ascii") as out:
        out.write("// SPDX-License-Identifier: GPL-2.0\n\n")
        out.write("//! Messages and what is to be found in them.\n//!\n")
        out.write("//! Written by tools/testing/h323/messages.py; encoded by pycrate.\n\n")
        out.write("use super::{Golden, How::*};\nuse crate::alg::h323::{Kind, Role};\n\n")
        out.write("pub(super) const GOLDEN: &[Golden] = &[\n")
        for name, how, data, kind, seconds, places in MESSAGES:
            out.write(f"    Golden {{\n        name: \"{name}\",\n        how: {how.capitalize()},\n")
            text = "".join(f"\\x{byte:02x}" for byte in data)
            lines = [text[i : i + 72] for i in range(0, len(text), 72)]
            out.write("        bytes: b\"" + "\\\n            ".join(lines) + "\",\n")
            out.write(f"        kind: Kind::{kind},\n        seconds: {'None' if seconds is None else f'Some({seconds})'},\n")
            out.write("        places: &[\n")
            for role, address, port in places:
                text = ", ".join(str(byte) for byte in address)
                out.write(f"            (Role::{role}, &[{text}], {port}),\n")
            out.write("        ],\n    },\n")
        out.write("];\n")


def python(path):
    with open(path, "w", encoding="ascii") as out:
        out.write("# SPDX-License-Identifier: GPL-2.0\n")
        out.write('"""H.323 messages, encoded by pycrate: tools/testing/h323/messages.py."""\n\n')
        out.write("MESSAGES = {\n")
        for name, how, data, *_ in MESSAGES:
            text = data.hex()
            lines = [text[i : i + 80] for i in range(0, len(text), 80)]
            out.write(f"    {name!r}: (\n        {how!r},\n        bytes.fromhex(\n")
            for line in lines:
                out.write(f"            {line!r}\n")
            out.write("        ),\n    ),\n")
        out.write("}\n")


def corpus(path):
    os.makedirs(path, exist_ok=True)
    for name, how, data, *_ in MESSAGES:
        if how != "ras":
            data = b"\x03\0" + (len(data) + 4).to_bytes(2, "big") + data
        choice = {"ras": 0, "call": 1, "control": 2}[how]
        name = name.replace(" ", "-").replace(",", "").replace(".", "")
        with open(f"{path}/{name}", "wb") as out:
            out.write(data + bytes([choice]))


TOP = sys.argv[1]
rust(f"{TOP}/net/netfilter/proto/alg/h323/tests/golden.rs")
python(f"{TOP}/tools/testing/selftests/net/netfilter/h323_messages.py")
corpus(f"{TOP}/tools/testing/fuzz/corpus/h323")
