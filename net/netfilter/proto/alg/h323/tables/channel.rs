// SPDX-License-Identifier: GPL-2.0

//! `OpenLogicalChannel` alone, as in fast start (H.245).
//!
//! Written by tools/testing/h323/tables.py from the ASN.1.

use super::super::{found::Mark, per::*};

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

static NON_STANDARD_PARAMETER: Sequence = Sequence {
    extensible: false,
    options: 0,
    fields: &[
        field(Type::Choice(&NON_STANDARD_IDENTIFIER)),
        field(Type::Counted),
    ],
    additions: &[],
    cut: false,
};

static H261_VIDEO_CAPABILITY: Sequence = Sequence {
    extensible: true,
    options: 2,
    fields: &[
        optional(Type::Bits(2)),
        optional(Type::Bits(2)),
        field(Type::Bits(1)),
        field(Type::Octets(2)),
        field(Type::Bits(1)),
    ],
    additions: &[],
    cut: false,
};

static H262_VIDEO_CAPABILITY: Sequence = Sequence {
    extensible: false,
    options: 6,
    fields: &[
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        optional(Type::Whole(2)),
        optional(Type::Whole(2)),
        optional(Type::Octets(2)),
        optional(Type::Octets(2)),
        optional(Type::Bits(4)),
        optional(Type::Whole(2)),
        field(Type::Bits(1)),
    ],
    additions: &[],
    cut: false,
};

static H263_VIDEO_CAPABILITY: Sequence = Sequence {
    extensible: true,
    options: 7,
    fields: &[
        optional(Type::Bits(5)),
        optional(Type::Bits(5)),
        optional(Type::Bits(5)),
        optional(Type::Bits(5)),
        optional(Type::Bits(5)),
        field(Type::Whole(2)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        optional(Type::Whole(2)),
        optional(Type::Octets(2)),
    ],
    additions: &[],
    cut: false,
};

static IS11172_VIDEO_CAPABILITY: Sequence = Sequence {
    extensible: true,
    options: 6,
    fields: &[
        field(Type::Bits(1)),
        optional(Type::Whole(2)),
        optional(Type::Whole(2)),
        optional(Type::Octets(2)),
        optional(Type::Octets(2)),
        optional(Type::Bits(4)),
        optional(Type::Whole(2)),
    ],
    additions: &[],
    cut: false,
};

static VIDEO_CAPABILITY: Choice = Choice {
    extensible: true,
    bits: 3,
    alternatives: &[
        alternative(Type::Sequence(&NON_STANDARD_PARAMETER)),
        alternative(Type::Sequence(&H261_VIDEO_CAPABILITY)),
        alternative(Type::Sequence(&H262_VIDEO_CAPABILITY)),
        alternative(Type::Sequence(&H263_VIDEO_CAPABILITY)),
        alternative(Type::Sequence(&IS11172_VIDEO_CAPABILITY)),
    ],
    additions: &[],
};

static AUDIO_CAPABILITY_G7231: Sequence = Sequence {
    extensible: false,
    options: 0,
    fields: &[field(Type::Octets(1)), field(Type::Bits(1))],
    additions: &[],
    cut: false,
};

static IS11172_AUDIO_CAPABILITY: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Octets(2)),
    ],
    additions: &[],
    cut: false,
};

static IS13818_AUDIO_CAPABILITY: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Octets(2)),
    ],
    additions: &[],
    cut: false,
};

static AUDIO_CAPABILITY: Choice = Choice {
    extensible: true,
    bits: 4,
    alternatives: &[
        alternative(Type::Sequence(&NON_STANDARD_PARAMETER)),
        alternative(Type::Octets(1)),
        alternative(Type::Octets(1)),
        alternative(Type::Octets(1)),
        alternative(Type::Octets(1)),
        alternative(Type::Octets(1)),
        alternative(Type::Octets(1)),
        alternative(Type::Octets(1)),
        alternative(Type::Sequence(&AUDIO_CAPABILITY_G7231)),
        alternative(Type::Octets(1)),
        alternative(Type::Octets(1)),
        alternative(Type::Octets(1)),
        alternative(Type::Sequence(&IS11172_AUDIO_CAPABILITY)),
        alternative(Type::Sequence(&IS13818_AUDIO_CAPABILITY)),
    ],
    additions: &[],
};

static DATA_PROTOCOL_CAPABILITY: Choice = Choice {
    extensible: true,
    bits: 3,
    alternatives: &[
        alternative(Type::Sequence(&NON_STANDARD_PARAMETER)),
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
    ],
    additions: &[
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest).told(Mark::T120),
    ],
};

static DATA_PROTOCOL_CAPABILITY_2: Choice = Choice {
    extensible: true,
    bits: 3,
    alternatives: &[
        alternative(Type::Sequence(&NON_STANDARD_PARAMETER)),
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
    ],
    additions: &[],
};

static T84_PROFILE_T84_RESTRICTED: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
    ],
    additions: &[],
    cut: false,
};

static T84_PROFILE: Choice = Choice {
    extensible: false,
    bits: 1,
    alternatives: &[
        alternative(Type::Null),
        alternative(Type::Sequence(&T84_PROFILE_T84_RESTRICTED)),
    ],
    additions: &[],
};

static DATA_APPLICATION_CAPABILITY_APPLICATION_T84: Sequence = Sequence {
    extensible: false,
    options: 0,
    fields: &[
        field(Type::Choice(&DATA_PROTOCOL_CAPABILITY_2)),
        field(Type::Choice(&T84_PROFILE)),
    ],
    additions: &[],
    cut: false,
};

static DATA_APPLICATION_CAPABILITY_APPLICATION_NLPID: Sequence = Sequence {
    extensible: false,
    options: 0,
    fields: &[
        field(Type::Choice(&DATA_PROTOCOL_CAPABILITY_2)),
        field(Type::Counted),
    ],
    additions: &[],
    cut: false,
};

static DATA_APPLICATION_CAPABILITY_APPLICATION: Choice = Choice {
    extensible: true,
    bits: 4,
    alternatives: &[
        alternative(Type::Sequence(&NON_STANDARD_PARAMETER)),
        alternative(Type::Choice(&DATA_PROTOCOL_CAPABILITY)),
        alternative(Type::Choice(&DATA_PROTOCOL_CAPABILITY_2)),
        alternative(Type::Choice(&DATA_PROTOCOL_CAPABILITY_2)),
        alternative(Type::Sequence(&DATA_APPLICATION_CAPABILITY_APPLICATION_T84)),
        alternative(Type::Choice(&DATA_PROTOCOL_CAPABILITY_2)),
        alternative(Type::Choice(&DATA_PROTOCOL_CAPABILITY_2)),
        alternative(Type::Sequence(
            &DATA_APPLICATION_CAPABILITY_APPLICATION_NLPID,
        )),
        alternative(Type::Null),
        alternative(Type::Choice(&DATA_PROTOCOL_CAPABILITY_2)),
    ],
    additions: &[],
};

static DATA_APPLICATION_CAPABILITY: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[
        field(Type::Choice(&DATA_APPLICATION_CAPABILITY_APPLICATION)),
        field(Type::Whole(2)),
    ],
    additions: &[],
    cut: false,
};

static ENCRYPTION_MODE: Choice = Choice {
    extensible: true,
    bits: 1,
    alternatives: &[
        alternative(Type::Sequence(&NON_STANDARD_PARAMETER)),
        alternative(Type::Null),
    ],
    additions: &[],
};

static DATA_TYPE: Choice = Choice {
    extensible: true,
    bits: 3,
    alternatives: &[
        alternative(Type::Sequence(&NON_STANDARD_PARAMETER)),
        alternative(Type::Null),
        alternative(Type::Choice(&VIDEO_CAPABILITY)),
        alternative(Type::Choice(&AUDIO_CAPABILITY)),
        alternative(Type::Sequence(&DATA_APPLICATION_CAPABILITY)),
        alternative(Type::Choice(&ENCRYPTION_MODE)),
    ],
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

static H223_LOGICAL_CHANNEL_PARAMETERS_ADAPTATION_LAYER_TYPE_AL3: Sequence = Sequence {
    extensible: false,
    options: 0,
    fields: &[field(Type::Bits(2)), field(Type::Whole(2))],
    additions: &[],
    cut: false,
};

static H223_LOGICAL_CHANNEL_PARAMETERS_ADAPTATION_LAYER_TYPE: Choice = Choice {
    extensible: true,
    bits: 3,
    alternatives: &[
        alternative(Type::Sequence(&NON_STANDARD_PARAMETER)),
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Sequence(
            &H223_LOGICAL_CHANNEL_PARAMETERS_ADAPTATION_LAYER_TYPE_AL3,
        )),
    ],
    additions: &[],
};

static H223_LOGICAL_CHANNEL_PARAMETERS: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[
        field(Type::Choice(
            &H223_LOGICAL_CHANNEL_PARAMETERS_ADAPTATION_LAYER_TYPE,
        )),
        field(Type::Bits(1)),
    ],
    additions: &[],
    cut: false,
};

static CRCLENGTH: Choice = Choice {
    extensible: true,
    bits: 2,
    alternatives: &[
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
    ],
    additions: &[],
};

static V76_HDLCPARAMETERS: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[
        field(Type::Choice(&CRCLENGTH)),
        field(Type::Octets(2)),
        field(Type::Bits(1)),
    ],
    additions: &[],
    cut: false,
};

static V76_LOGICAL_CHANNEL_PARAMETERS_MODE_ERM: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[field(Type::Bits(7)), field(Type::Choice(&CRCLENGTH))],
    additions: &[],
    cut: false,
};

static V76_LOGICAL_CHANNEL_PARAMETERS_MODE: Choice = Choice {
    extensible: true,
    bits: 1,
    alternatives: &[
        alternative(Type::Sequence(&V76_LOGICAL_CHANNEL_PARAMETERS_MODE_ERM)),
        alternative(Type::Null),
    ],
    additions: &[],
};

static V75_PARAMETERS: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[field(Type::Bits(1))],
    additions: &[],
    cut: false,
};

static V76_LOGICAL_CHANNEL_PARAMETERS: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[
        field(Type::Sequence(&V76_HDLCPARAMETERS)),
        field(Type::Choice(&CRCLENGTH)),
        field(Type::Bits(1)),
        field(Type::Choice(&V76_LOGICAL_CHANNEL_PARAMETERS_MODE)),
        field(Type::Sequence(&V75_PARAMETERS)),
    ],
    additions: &[],
    cut: false,
};

static H2250_LOGICAL_CHANNEL_PARAMETERS_NON_STANDARD_LIST: List = List {
    count: Count::Any,
    of: Type::Sequence(&NON_STANDARD_PARAMETER),
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

static H2250_LOGICAL_CHANNEL_PARAMETERS: Sequence = Sequence {
    extensible: true,
    options: 10,
    fields: &[
        optional(Type::SequenceOf(
            &H2250_LOGICAL_CHANNEL_PARAMETERS_NON_STANDARD_LIST,
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

static OPEN_LOGICAL_CHANNEL_FORWARD_LOGICAL_CHANNEL_PARAMETERS_MULTIPLEX_PARAMETERS: Choice =
    Choice {
        extensible: true,
        bits: 2,
        alternatives: &[
            alternative(Type::Sequence(&H222_LOGICAL_CHANNEL_PARAMETERS)),
            alternative(Type::Sequence(&H223_LOGICAL_CHANNEL_PARAMETERS)),
            alternative(Type::Sequence(&V76_LOGICAL_CHANNEL_PARAMETERS)),
        ],
        additions: &[alternative(Type::Sequence(
            &H2250_LOGICAL_CHANNEL_PARAMETERS,
        ))],
    };

static OPEN_LOGICAL_CHANNEL_FORWARD_LOGICAL_CHANNEL_PARAMETERS: Sequence = Sequence {
    extensible: true,
    options: 1,
    fields: &[
        optional(Type::Octets(2)),
        field(Type::Choice(&DATA_TYPE)),
        field(Type::Choice(
            &OPEN_LOGICAL_CHANNEL_FORWARD_LOGICAL_CHANNEL_PARAMETERS_MULTIPLEX_PARAMETERS,
        )),
    ],
    additions: &[],
    cut: false,
};

static DATA_APPLICATION_CAPABILITY_APPLICATION_2: Choice = Choice {
    extensible: true,
    bits: 4,
    alternatives: &[
        alternative(Type::Sequence(&NON_STANDARD_PARAMETER)),
        alternative(Type::Choice(&DATA_PROTOCOL_CAPABILITY_2)),
        alternative(Type::Choice(&DATA_PROTOCOL_CAPABILITY_2)),
        alternative(Type::Choice(&DATA_PROTOCOL_CAPABILITY_2)),
        alternative(Type::Sequence(&DATA_APPLICATION_CAPABILITY_APPLICATION_T84)),
        alternative(Type::Choice(&DATA_PROTOCOL_CAPABILITY_2)),
        alternative(Type::Choice(&DATA_PROTOCOL_CAPABILITY_2)),
        alternative(Type::Sequence(
            &DATA_APPLICATION_CAPABILITY_APPLICATION_NLPID,
        )),
        alternative(Type::Null),
        alternative(Type::Choice(&DATA_PROTOCOL_CAPABILITY_2)),
    ],
    additions: &[],
};

static DATA_APPLICATION_CAPABILITY_2: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[
        field(Type::Choice(&DATA_APPLICATION_CAPABILITY_APPLICATION_2)),
        field(Type::Whole(2)),
    ],
    additions: &[],
    cut: false,
};

static DATA_TYPE_2: Choice = Choice {
    extensible: true,
    bits: 3,
    alternatives: &[
        alternative(Type::Sequence(&NON_STANDARD_PARAMETER)),
        alternative(Type::Null),
        alternative(Type::Choice(&VIDEO_CAPABILITY)),
        alternative(Type::Choice(&AUDIO_CAPABILITY)),
        alternative(Type::Sequence(&DATA_APPLICATION_CAPABILITY_2)),
        alternative(Type::Choice(&ENCRYPTION_MODE)),
    ],
    additions: &[],
};

static OPEN_LOGICAL_CHANNEL_REVERSE_LOGICAL_CHANNEL_PARAMETERS_MULTIPLEX_PARAMETERS: Choice =
    Choice {
        extensible: true,
        bits: 1,
        alternatives: &[
            alternative(Type::Sequence(&H223_LOGICAL_CHANNEL_PARAMETERS)),
            alternative(Type::Sequence(&V76_LOGICAL_CHANNEL_PARAMETERS)),
        ],
        additions: &[alternative(Type::Sequence(
            &H2250_LOGICAL_CHANNEL_PARAMETERS,
        ))],
    };

static OPEN_LOGICAL_CHANNEL_REVERSE_LOGICAL_CHANNEL_PARAMETERS: Sequence = Sequence {
    extensible: true,
    options: 1,
    fields: &[
        field(Type::Choice(&DATA_TYPE_2)),
        optional(Type::Choice(
            &OPEN_LOGICAL_CHANNEL_REVERSE_LOGICAL_CHANNEL_PARAMETERS_MULTIPLEX_PARAMETERS,
        )),
    ],
    additions: &[],
    cut: false,
};

pub(super) static OPEN_LOGICAL_CHANNEL: Sequence = Sequence {
    extensible: true,
    options: 1,
    fields: &[
        field(Type::Octets(2)),
        field(Type::Sequence(
            &OPEN_LOGICAL_CHANNEL_FORWARD_LOGICAL_CHANNEL_PARAMETERS,
        )),
        optional(Type::Sequence(
            &OPEN_LOGICAL_CHANNEL_REVERSE_LOGICAL_CHANNEL_PARAMETERS,
        )),
    ],
    additions: &[alternative(Type::Sequence(&NETWORK_ACCESS_PARAMETERS))],
    cut: true,
};

/// `OpenLogicalChannel`.
pub(in super::super) static CHANNEL: Type = Type::Sequence(&OPEN_LOGICAL_CHANNEL);
