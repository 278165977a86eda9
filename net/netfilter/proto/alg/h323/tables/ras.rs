// SPDX-License-Identifier: GPL-2.0

//! RAS messages (H.225.0).
//!
//! Written by tools/testing/h323/tables.py from the ASN.1.

use super::super::{found::Mark, per::*};

static H221_NON_STANDARD: Sequence = Sequence {
    extensible: true,
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
    extensible: true,
    bits: 1,
    alternatives: &[
        alternative(Type::Counted),
        alternative(Type::Sequence(&H221_NON_STANDARD)),
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

static TRANSPORT_ADDRESS_IP_ADDRESS: Sequence = Sequence {
    extensible: false,
    options: 0,
    fields: &[field(Type::Address4)],
    additions: &[],
    cut: true,
};

static TRANSPORT_ADDRESS_IP6_ADDRESS: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[field(Type::Address6)],
    additions: &[],
    cut: true,
};

static TRANSPORT_ADDRESS: Choice = Choice {
    extensible: true,
    bits: 3,
    alternatives: &[
        alternative(Type::Sequence(&TRANSPORT_ADDRESS_IP_ADDRESS)),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Sequence(&TRANSPORT_ADDRESS_IP6_ADDRESS)),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
    ],
    additions: &[],
};

static GATEKEEPER_REQUEST: Sequence = Sequence {
    extensible: true,
    options: 4,
    fields: &[
        field(Type::Octets(2)),
        field(Type::Counted),
        optional(Type::Sequence(&NON_STANDARD_PARAMETER)),
        field(Type::Choice(&TRANSPORT_ADDRESS)).told(Mark::RasAddress),
    ],
    additions: &[],
    cut: true,
};

static GATEKEEPER_CONFIRM: Sequence = Sequence {
    extensible: true,
    options: 2,
    fields: &[
        field(Type::Octets(2)),
        field(Type::Counted),
        optional(Type::Sequence(&NON_STANDARD_PARAMETER)),
        optional(Type::String(Count::Bits(7, 1), 16)),
        field(Type::Choice(&TRANSPORT_ADDRESS)).told(Mark::RasAddress),
    ],
    additions: &[],
    cut: true,
};

static REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS_IP_ADDRESS: Sequence = Sequence {
    extensible: false,
    options: 0,
    fields: &[field(Type::Address4), field(Type::Octets(2))],
    additions: &[],
    cut: false,
};

static REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS_IP_SOURCE_ROUTE_ROUTE_LIST: List = List {
    count: Count::Any,
    of: Type::Octets(4),
};

static REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS_IP_SOURCE_ROUTE_ROUTING: Choice = Choice {
    extensible: true,
    bits: 1,
    alternatives: &[alternative(Type::Null), alternative(Type::Null)],
    additions: &[],
};

static REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS_IP_SOURCE_ROUTE: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[
        field(Type::Octets(4)),
        field(Type::Octets(2)),
        field(Type::SequenceOf(
            &REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS_IP_SOURCE_ROUTE_ROUTE_LIST,
        )),
        field(Type::Choice(
            &REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS_IP_SOURCE_ROUTE_ROUTING,
        )),
    ],
    additions: &[],
    cut: false,
};

static REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS_IPX_ADDRESS: Sequence = Sequence {
    extensible: false,
    options: 0,
    fields: &[
        field(Type::Octets(6)),
        field(Type::Octets(4)),
        field(Type::Bits(16)),
    ],
    additions: &[],
    cut: false,
};

static REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS_IP6_ADDRESS: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[field(Type::Address6), field(Type::Octets(2))],
    additions: &[],
    cut: false,
};

static REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS: Choice = Choice {
    extensible: true,
    bits: 3,
    alternatives: &[
        alternative(Type::Sequence(
            &REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS_IP_ADDRESS,
        )),
        alternative(Type::Sequence(
            &REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS_IP_SOURCE_ROUTE,
        )),
        alternative(Type::Sequence(
            &REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS_IPX_ADDRESS,
        )),
        alternative(Type::Sequence(
            &REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS_IP6_ADDRESS,
        )),
        alternative(Type::Octets(16)),
        alternative(Type::String(Count::Bits(5, 1), 8)),
        alternative(Type::Sequence(&NON_STANDARD_PARAMETER)),
    ],
    additions: &[],
};

static REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS_LIST: List = List {
    count: Count::Any,
    of: Type::Choice(&REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS),
};

static VENDOR_IDENTIFIER: Sequence = Sequence {
    extensible: true,
    options: 2,
    fields: &[
        field(Type::Sequence(&H221_NON_STANDARD)),
        optional(Type::String(Count::Octets(1, 1), 8)),
        optional(Type::String(Count::Octets(1, 1), 8)),
    ],
    additions: &[],
    cut: false,
};

static GATEKEEPER_INFO: Sequence = Sequence {
    extensible: true,
    options: 1,
    fields: &[optional(Type::Sequence(&NON_STANDARD_PARAMETER))],
    additions: &[],
    cut: false,
};

static GATEWAY_INFO_PROTOCOL: Choice = Choice {
    extensible: true,
    bits: 4,
    alternatives: &[
        alternative(Type::Sequence(&NON_STANDARD_PARAMETER)),
        alternative(Type::Sequence(&GATEKEEPER_INFO)),
        alternative(Type::Sequence(&GATEKEEPER_INFO)),
        alternative(Type::Sequence(&GATEKEEPER_INFO)),
        alternative(Type::Sequence(&GATEKEEPER_INFO)),
        alternative(Type::Sequence(&GATEKEEPER_INFO)),
        alternative(Type::Sequence(&GATEKEEPER_INFO)),
        alternative(Type::Sequence(&GATEKEEPER_INFO)),
        alternative(Type::Sequence(&GATEKEEPER_INFO)),
    ],
    additions: &[],
};

static GATEWAY_INFO_PROTOCOL_LIST: List = List {
    count: Count::Any,
    of: Type::Choice(&GATEWAY_INFO_PROTOCOL),
};

static GATEWAY_INFO: Sequence = Sequence {
    extensible: true,
    options: 2,
    fields: &[
        optional(Type::SequenceOf(&GATEWAY_INFO_PROTOCOL_LIST)),
        optional(Type::Sequence(&NON_STANDARD_PARAMETER)),
    ],
    additions: &[],
    cut: false,
};

static ENDPOINT_TYPE: Sequence = Sequence {
    extensible: true,
    options: 6,
    fields: &[
        optional(Type::Sequence(&NON_STANDARD_PARAMETER)),
        optional(Type::Sequence(&VENDOR_IDENTIFIER)),
        optional(Type::Sequence(&GATEKEEPER_INFO)),
        optional(Type::Sequence(&GATEWAY_INFO)),
        optional(Type::Sequence(&GATEKEEPER_INFO)),
        optional(Type::Sequence(&GATEKEEPER_INFO)),
        field(Type::Bits(1)),
        field(Type::Bits(1)),
    ],
    additions: &[],
    cut: false,
};

static REGISTRATION_REQUEST_TERMINAL_ALIAS: Choice = Choice {
    extensible: true,
    bits: 1,
    alternatives: &[
        alternative(Type::String(Count::Bits(7, 1), 4)),
        alternative(Type::String(Count::Octets(1, 1), 16)),
    ],
    additions: &[],
};

static REGISTRATION_REQUEST_TERMINAL_ALIAS_LIST: List = List {
    count: Count::Any,
    of: Type::Choice(&REGISTRATION_REQUEST_TERMINAL_ALIAS),
};

static REGISTRATION_REQUEST: Sequence = Sequence {
    extensible: true,
    options: 3,
    fields: &[
        field(Type::Octets(2)),
        field(Type::Counted),
        optional(Type::Sequence(&NON_STANDARD_PARAMETER)),
        field(Type::Bits(1)),
        field(Type::SequenceOf(
            &REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS_LIST,
        ))
        .told(Mark::CallSignal),
        field(Type::SequenceOf(
            &REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS_LIST,
        ))
        .told(Mark::RasAddress),
        field(Type::Sequence(&ENDPOINT_TYPE)),
        optional(Type::SequenceOf(&REGISTRATION_REQUEST_TERMINAL_ALIAS_LIST)),
        optional(Type::String(Count::Bits(7, 1), 16)),
        field(Type::Sequence(&VENDOR_IDENTIFIER)),
    ],
    additions: &[alternative(Type::Rest), alternative(Type::Seconds)],
    cut: true,
};

static REGISTRATION_CONFIRM: Sequence = Sequence {
    extensible: true,
    options: 3,
    fields: &[
        field(Type::Octets(2)),
        field(Type::Counted),
        optional(Type::Sequence(&NON_STANDARD_PARAMETER)),
        field(Type::SequenceOf(
            &REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS_LIST,
        ))
        .told(Mark::CallSignal),
        optional(Type::SequenceOf(&REGISTRATION_REQUEST_TERMINAL_ALIAS_LIST)),
        optional(Type::String(Count::Bits(7, 1), 16)),
        field(Type::String(Count::Bits(7, 1), 16)),
    ],
    additions: &[alternative(Type::Rest), alternative(Type::Seconds)],
    cut: true,
};

static UNREGISTRATION_REQUEST: Sequence = Sequence {
    extensible: true,
    options: 3,
    fields: &[
        field(Type::Octets(2)),
        field(Type::SequenceOf(
            &REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS_LIST,
        ))
        .told(Mark::CallSignal),
    ],
    additions: &[],
    cut: true,
};

static CALL_TYPE: Choice = Choice {
    extensible: true,
    bits: 2,
    alternatives: &[
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
    ],
    additions: &[],
};

static ADMISSION_REQUEST: Sequence = Sequence {
    extensible: true,
    options: 7,
    fields: &[
        field(Type::Octets(2)),
        field(Type::Choice(&CALL_TYPE)),
        optional(Type::Choice(
            &REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS_IP_SOURCE_ROUTE_ROUTING,
        )),
        field(Type::String(Count::Bits(7, 1), 16)),
        optional(Type::SequenceOf(&REGISTRATION_REQUEST_TERMINAL_ALIAS_LIST)),
        optional(Type::Choice(&REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS)).told(Mark::Destination),
        optional(Type::SequenceOf(&REGISTRATION_REQUEST_TERMINAL_ALIAS_LIST)),
        field(Type::SequenceOf(&REGISTRATION_REQUEST_TERMINAL_ALIAS_LIST)),
        optional(Type::Choice(&TRANSPORT_ADDRESS)).told(Mark::Source),
    ],
    additions: &[],
    cut: true,
};

static ADMISSION_CONFIRM: Sequence = Sequence {
    extensible: true,
    options: 2,
    fields: &[
        field(Type::Octets(2)),
        field(Type::Whole(2)),
        field(Type::Choice(
            &REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS_IP_SOURCE_ROUTE_ROUTING,
        )),
        field(Type::Choice(&TRANSPORT_ADDRESS)).told(Mark::Destination),
    ],
    additions: &[],
    cut: true,
};

static LOCATION_REQUEST: Sequence = Sequence {
    extensible: true,
    options: 2,
    fields: &[
        field(Type::Octets(2)),
        optional(Type::String(Count::Bits(7, 1), 16)),
        field(Type::SequenceOf(&REGISTRATION_REQUEST_TERMINAL_ALIAS_LIST)),
        optional(Type::Sequence(&NON_STANDARD_PARAMETER)),
        field(Type::Choice(&TRANSPORT_ADDRESS)).told(Mark::RasAddress),
    ],
    additions: &[],
    cut: true,
};

static LOCATION_CONFIRM: Sequence = Sequence {
    extensible: true,
    options: 1,
    fields: &[
        field(Type::Octets(2)),
        field(Type::Choice(&TRANSPORT_ADDRESS)).told(Mark::CallSignal),
    ],
    additions: &[],
    cut: true,
};

static INFO_REQUEST_RESPONSE: Sequence = Sequence {
    extensible: true,
    options: 3,
    fields: &[
        optional(Type::Sequence(&NON_STANDARD_PARAMETER)),
        field(Type::Octets(2)),
        field(Type::Sequence(&ENDPOINT_TYPE)),
        field(Type::String(Count::Bits(7, 1), 16)),
        field(Type::Choice(&REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS)).told(Mark::RasAddress),
        field(Type::SequenceOf(
            &REGISTRATION_REQUEST_CALL_SIGNAL_ADDRESS_LIST,
        ))
        .told(Mark::CallSignal),
    ],
    additions: &[],
    cut: true,
};

static RAS_MESSAGE: Choice = Choice {
    extensible: true,
    bits: 5,
    alternatives: &[
        alternative(Type::Sequence(&GATEKEEPER_REQUEST)).told(Mark::GatekeeperRequest),
        alternative(Type::Sequence(&GATEKEEPER_CONFIRM)).told(Mark::GatekeeperConfirm),
        alternative(Type::Rest),
        alternative(Type::Sequence(&REGISTRATION_REQUEST)).told(Mark::RegistrationRequest),
        alternative(Type::Sequence(&REGISTRATION_CONFIRM)).told(Mark::RegistrationConfirm),
        alternative(Type::Rest),
        alternative(Type::Sequence(&UNREGISTRATION_REQUEST)).told(Mark::UnregistrationRequest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Sequence(&ADMISSION_REQUEST)).told(Mark::AdmissionRequest),
        alternative(Type::Sequence(&ADMISSION_CONFIRM)).told(Mark::AdmissionConfirm),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Sequence(&LOCATION_REQUEST)).told(Mark::LocationRequest),
        alternative(Type::Sequence(&LOCATION_CONFIRM)).told(Mark::LocationConfirm),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Sequence(&INFO_REQUEST_RESPONSE)).told(Mark::InfoRequestResponse),
        alternative(Type::Rest),
        alternative(Type::Rest),
    ],
    additions: &[],
};

/// `RasMessage`.
pub(in super::super) static RAS: Type = Type::Choice(&RAS_MESSAGE);
