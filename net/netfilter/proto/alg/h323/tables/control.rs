// SPDX-License-Identifier: GPL-2.0

//! Control messages (H.245).
//!
//! Written by tools/testing/h323/tables.py from the ASN.1.

use super::super::{found::Mark, per::*};

static REQUEST_MESSAGE: Choice = Choice {
    extensible: true,
    bits: 4,
    alternatives: &[
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Sequence(&super::channel::OPEN_LOGICAL_CHANNEL)).told(Mark::Channel),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
    ],
    additions: &[],
};

static NETWORK_ACCESS_PARAMETERS_DISTRIBUTION: Choice = Choice {
    extensible: true,
    bits: 1,
    alternatives: &[alternative(Type::Null), alternative(Type::Null)],
    additions: &[],
};

static UNICAST_ADDRESS_IPADDRESS: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[field(Type::Address4)],
    additions: &[],
    cut: true,
};

static UNICAST_ADDRESS_IP6_ADDRESS: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[field(Type::Address6)],
    additions: &[],
    cut: true,
};

static UNICAST_ADDRESS: Choice = Choice {
    extensible: true,
    bits: 3,
    alternatives: &[
        alternative(Type::Sequence(&UNICAST_ADDRESS_IPADDRESS)),
        alternative(Type::Rest),
        alternative(Type::Sequence(&UNICAST_ADDRESS_IP6_ADDRESS)),
        alternative(Type::Rest),
        alternative(Type::Rest),
    ],
    additions: &[],
};

static TRANSPORT_ADDRESS: Choice = Choice {
    extensible: true,
    bits: 1,
    alternatives: &[
        alternative(Type::Choice(&UNICAST_ADDRESS)),
        alternative(Type::Rest),
    ],
    additions: &[],
};

static NETWORK_ACCESS_PARAMETERS_NETWORK_ADDRESS: Choice = Choice {
    extensible: true,
    bits: 2,
    alternatives: &[
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Choice(&TRANSPORT_ADDRESS)).told(Mark::SeparateStack),
    ],
    additions: &[],
};

static NETWORK_ACCESS_PARAMETERS: Sequence = Sequence {
    extensible: true,
    options: 2,
    fields: &[
        optional(Type::Choice(&NETWORK_ACCESS_PARAMETERS_DISTRIBUTION)),
        field(Type::Choice(&NETWORK_ACCESS_PARAMETERS_NETWORK_ADDRESS)),
    ],
    additions: &[],
    cut: true,
};

static NON_STANDARD_IDENTIFIER_H221_NON_STANDARD: Sequence = Sequence {
    extensible: false,
    options: 0,
    fields: &[
        field(Type::Octets(1)),
        field(Type::Octets(1)),
        field(Type::Octets(2)),
    ],
    additions: &[],
    cut: false,
};

static NON_STANDARD_IDENTIFIER: Choice = Choice {
    extensible: false,
    bits: 1,
    alternatives: &[
        alternative(Type::Counted),
        alternative(Type::Sequence(&NON_STANDARD_IDENTIFIER_H221_NON_STANDARD)),
    ],
    additions: &[],
};

static H2250_LOGICAL_CHANNEL_ACK_PARAMETERS_NON_STANDARD: Sequence = Sequence {
    extensible: false,
    options: 0,
    fields: &[
        field(Type::Choice(&NON_STANDARD_IDENTIFIER)),
        field(Type::Counted),
    ],
    additions: &[],
    cut: false,
};

static H2250_LOGICAL_CHANNEL_ACK_PARAMETERS_NON_STANDARD_LIST: List = List {
    count: Count::Any,
    of: Type::Sequence(&H2250_LOGICAL_CHANNEL_ACK_PARAMETERS_NON_STANDARD),
};

static UNICAST_ADDRESS_IPADDRESS_2: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[field(Type::Address4), field(Type::Octets(2))],
    additions: &[],
    cut: false,
};

static UNICAST_ADDRESS_IPXADDRESS: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[
        field(Type::Octets(6)),
        field(Type::Octets(4)),
        field(Type::Bits(16)),
    ],
    additions: &[],
    cut: false,
};

static UNICAST_ADDRESS_IP6_ADDRESS_2: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[field(Type::Address6), field(Type::Octets(2))],
    additions: &[],
    cut: false,
};

static UNICAST_ADDRESS_IPSOURCE_ROUTE_ADDRESS_ROUTING: Choice = Choice {
    extensible: false,
    bits: 1,
    alternatives: &[alternative(Type::Null), alternative(Type::Null)],
    additions: &[],
};

static UNICAST_ADDRESS_IPSOURCE_ROUTE_ADDRESS_ROUTE_LIST: List = List {
    count: Count::Any,
    of: Type::Octets(4),
};

static UNICAST_ADDRESS_IPSOURCE_ROUTE_ADDRESS: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[
        field(Type::Choice(
            &UNICAST_ADDRESS_IPSOURCE_ROUTE_ADDRESS_ROUTING,
        )),
        field(Type::Octets(4)),
        field(Type::Octets(2)),
        field(Type::SequenceOf(
            &UNICAST_ADDRESS_IPSOURCE_ROUTE_ADDRESS_ROUTE_LIST,
        )),
    ],
    additions: &[],
    cut: false,
};

static UNICAST_ADDRESS_2: Choice = Choice {
    extensible: true,
    bits: 3,
    alternatives: &[
        alternative(Type::Sequence(&UNICAST_ADDRESS_IPADDRESS_2)),
        alternative(Type::Sequence(&UNICAST_ADDRESS_IPXADDRESS)),
        alternative(Type::Sequence(&UNICAST_ADDRESS_IP6_ADDRESS_2)),
        alternative(Type::Octets(16)),
        alternative(Type::Sequence(&UNICAST_ADDRESS_IPSOURCE_ROUTE_ADDRESS)),
    ],
    additions: &[],
};

static MULTICAST_ADDRESS_IPADDRESS: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[field(Type::Octets(4)), field(Type::Octets(2))],
    additions: &[],
    cut: false,
};

static MULTICAST_ADDRESS_IP6_ADDRESS: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[field(Type::Octets(16)), field(Type::Octets(2))],
    additions: &[],
    cut: false,
};

static MULTICAST_ADDRESS: Choice = Choice {
    extensible: true,
    bits: 1,
    alternatives: &[
        alternative(Type::Sequence(&MULTICAST_ADDRESS_IPADDRESS)),
        alternative(Type::Sequence(&MULTICAST_ADDRESS_IP6_ADDRESS)),
    ],
    additions: &[],
};

static TRANSPORT_ADDRESS_2: Choice = Choice {
    extensible: true,
    bits: 1,
    alternatives: &[
        alternative(Type::Choice(&UNICAST_ADDRESS_2)),
        alternative(Type::Choice(&MULTICAST_ADDRESS)),
    ],
    additions: &[],
};

static H2250_LOGICAL_CHANNEL_ACK_PARAMETERS: Sequence = Sequence {
    extensible: true,
    options: 5,
    fields: &[
        optional(Type::SequenceOf(
            &H2250_LOGICAL_CHANNEL_ACK_PARAMETERS_NON_STANDARD_LIST,
        )),
        optional(Type::Bits(8)),
        optional(Type::Choice(&TRANSPORT_ADDRESS_2)).told(Mark::Media),
        optional(Type::Choice(&TRANSPORT_ADDRESS)).told(Mark::MediaControl),
    ],
    additions: &[],
    cut: true,
};

static OPEN_LOGICAL_CHANNEL_ACK_FORWARD_MULTIPLEX_ACK_PARAMETERS: Choice = Choice {
    extensible: true,
    bits: 0,
    alternatives: &[alternative(Type::Sequence(
        &H2250_LOGICAL_CHANNEL_ACK_PARAMETERS,
    ))],
    additions: &[],
};

static H222_LOGICAL_CHANNEL_PARAMETERS: Sequence = Sequence {
    extensible: true,
    options: 3,
    fields: &[
        field(Type::Octets(2)),
        field(Type::Octets(2)),
        optional(Type::Octets(2)),
        optional(Type::Counted),
        optional(Type::Counted),
    ],
    additions: &[],
    cut: false,
};

static H2250_LOGICAL_CHANNEL_PARAMETERS: Sequence = Sequence {
    extensible: true,
    options: 10,
    fields: &[
        optional(Type::SequenceOf(
            &H2250_LOGICAL_CHANNEL_ACK_PARAMETERS_NON_STANDARD_LIST,
        )),
        field(Type::Octets(1)),
        optional(Type::Bits(8)),
        optional(Type::Choice(&TRANSPORT_ADDRESS_2)).told(Mark::Media),
        optional(Type::Bits(1)),
        optional(Type::Choice(&TRANSPORT_ADDRESS)).told(Mark::MediaControl),
    ],
    additions: &[],
    cut: true,
};

static OPEN_LOGICAL_CHANNEL_ACK_REVERSE_LOGICAL_CHANNEL_PARAMETERS_MULTIPLEX_PARAMETERS: Choice =
    Choice {
        extensible: true,
        bits: 0,
        alternatives: &[alternative(Type::Sequence(
            &H222_LOGICAL_CHANNEL_PARAMETERS,
        ))],
        additions: &[alternative(Type::Sequence(
            &H2250_LOGICAL_CHANNEL_PARAMETERS,
        ))],
    };

static OPEN_LOGICAL_CHANNEL_ACK_REVERSE_LOGICAL_CHANNEL_PARAMETERS: Sequence = Sequence {
    extensible: true,
    options: 2,
    fields: &[
        field(Type::Octets(2)),
        optional(Type::Octets(2)),
        optional(Type::Choice(
            &OPEN_LOGICAL_CHANNEL_ACK_REVERSE_LOGICAL_CHANNEL_PARAMETERS_MULTIPLEX_PARAMETERS,
        )),
    ],
    additions: &[],
    cut: false,
};

static OPEN_LOGICAL_CHANNEL_ACK: Sequence = Sequence {
    extensible: true,
    options: 1,
    fields: &[
        field(Type::Octets(2)),
        optional(Type::Sequence(
            &OPEN_LOGICAL_CHANNEL_ACK_REVERSE_LOGICAL_CHANNEL_PARAMETERS,
        )),
    ],
    additions: &[
        alternative(Type::Sequence(&NETWORK_ACCESS_PARAMETERS)),
        alternative(Type::Choice(
            &OPEN_LOGICAL_CHANNEL_ACK_FORWARD_MULTIPLEX_ACK_PARAMETERS,
        )),
    ],
    cut: true,
};

static RESPONSE_MESSAGE: Choice = Choice {
    extensible: true,
    bits: 5,
    alternatives: &[
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Sequence(&OPEN_LOGICAL_CHANNEL_ACK)).told(Mark::ChannelAck),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
    ],
    additions: &[],
};

static MULTIMEDIA_SYSTEM_CONTROL_MESSAGE: Choice = Choice {
    extensible: true,
    bits: 2,
    alternatives: &[
        alternative(Type::Choice(&REQUEST_MESSAGE)),
        alternative(Type::Choice(&RESPONSE_MESSAGE)),
        alternative(Type::Rest),
        alternative(Type::Rest),
    ],
    additions: &[],
};

/// `MultimediaSystemControlMessage`.
pub(in super::super) static CONTROL: Type = Type::Choice(&MULTIMEDIA_SYSTEM_CONTROL_MESSAGE);
