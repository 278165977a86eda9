// SPDX-License-Identifier: GPL-2.0

//! Call signalling messages (H.225.0).
//!
//! Written by tools/testing/h323/tables.py from the ASN.1.

use super::super::{found::Mark, per::*};

static H323_UU_PDUH245_CONTROL_LIST: List = List {
    count: Count::Any,
    of: Type::Contained(Mark::None, &super::control::CONTROL),
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

static SETUP_UUIEFAST_START_LIST: List = List {
    count: Count::Any,
    of: Type::Contained(Mark::Channel, &super::channel::CHANNEL),
};

static TRANSPORT_ADDRESS_IP_ADDRESS_2: Sequence = Sequence {
    extensible: false,
    options: 0,
    fields: &[field(Type::Address4), field(Type::Octets(2))],
    additions: &[],
    cut: false,
};

static TRANSPORT_ADDRESS_IP_SOURCE_ROUTE_ROUTE_LIST: List = List {
    count: Count::Any,
    of: Type::Octets(4),
};

static TRANSPORT_ADDRESS_IP_SOURCE_ROUTE_ROUTING: Choice = Choice {
    extensible: true,
    bits: 1,
    alternatives: &[alternative(Type::Null), alternative(Type::Null)],
    additions: &[],
};

static TRANSPORT_ADDRESS_IP_SOURCE_ROUTE: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[
        field(Type::Octets(4)),
        field(Type::Octets(2)),
        field(Type::SequenceOf(
            &TRANSPORT_ADDRESS_IP_SOURCE_ROUTE_ROUTE_LIST,
        )),
        field(Type::Choice(&TRANSPORT_ADDRESS_IP_SOURCE_ROUTE_ROUTING)),
    ],
    additions: &[],
    cut: false,
};

static TRANSPORT_ADDRESS_IPX_ADDRESS: Sequence = Sequence {
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

static TRANSPORT_ADDRESS_IP6_ADDRESS_2: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[field(Type::Address6), field(Type::Octets(2))],
    additions: &[],
    cut: false,
};

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

static TRANSPORT_ADDRESS_2: Choice = Choice {
    extensible: true,
    bits: 3,
    alternatives: &[
        alternative(Type::Sequence(&TRANSPORT_ADDRESS_IP_ADDRESS_2)),
        alternative(Type::Sequence(&TRANSPORT_ADDRESS_IP_SOURCE_ROUTE)),
        alternative(Type::Sequence(&TRANSPORT_ADDRESS_IPX_ADDRESS)),
        alternative(Type::Sequence(&TRANSPORT_ADDRESS_IP6_ADDRESS_2)),
        alternative(Type::Octets(16)),
        alternative(Type::String(Count::Bits(5, 1), 8)),
        alternative(Type::Sequence(&NON_STANDARD_PARAMETER)),
    ],
    additions: &[],
};

static SETUP_UUIESOURCE_ADDRESS: Choice = Choice {
    extensible: true,
    bits: 1,
    alternatives: &[
        alternative(Type::String(Count::Bits(7, 1), 4)),
        alternative(Type::String(Count::Octets(1, 1), 16)),
    ],
    additions: &[],
};

static SETUP_UUIESOURCE_ADDRESS_LIST: List = List {
    count: Count::Any,
    of: Type::Choice(&SETUP_UUIESOURCE_ADDRESS),
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

static SETUP_UUIEDEST_EXTRA_CRVLIST: List = List {
    count: Count::Any,
    of: Type::Octets(2),
};

static SETUP_UUIECONFERENCE_GOAL: Choice = Choice {
    extensible: true,
    bits: 2,
    alternatives: &[
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
    ],
    additions: &[],
};

static Q954_DETAILS: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[field(Type::Bits(1)), field(Type::Bits(1))],
    additions: &[],
    cut: false,
};

static QSERIES_OPTIONS: Sequence = Sequence {
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
        field(Type::Sequence(&Q954_DETAILS)),
    ],
    additions: &[],
    cut: false,
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

static SETUP_UUIE: Sequence = Sequence {
    extensible: true,
    options: 7,
    fields: &[
        field(Type::Counted),
        optional(Type::Choice(&TRANSPORT_ADDRESS_2)).told(Mark::H245Address),
        optional(Type::SequenceOf(&SETUP_UUIESOURCE_ADDRESS_LIST)),
        field(Type::Sequence(&ENDPOINT_TYPE)),
        optional(Type::SequenceOf(&SETUP_UUIESOURCE_ADDRESS_LIST)),
        optional(Type::Choice(&TRANSPORT_ADDRESS_2)).told(Mark::Destination),
        optional(Type::SequenceOf(&SETUP_UUIESOURCE_ADDRESS_LIST)),
        optional(Type::SequenceOf(&SETUP_UUIEDEST_EXTRA_CRVLIST)),
        field(Type::Bits(1)),
        field(Type::Octets(16)),
        field(Type::Choice(&SETUP_UUIECONFERENCE_GOAL)),
        optional(Type::Sequence(&QSERIES_OPTIONS)),
        field(Type::Choice(&CALL_TYPE)),
    ],
    additions: &[
        alternative(Type::Choice(&TRANSPORT_ADDRESS)).told(Mark::Source),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::SequenceOf(&SETUP_UUIEFAST_START_LIST)),
    ],
    cut: false,
};

static CALL_PROCEEDING_UUIE: Sequence = Sequence {
    extensible: true,
    options: 1,
    fields: &[
        field(Type::Counted),
        field(Type::Sequence(&ENDPOINT_TYPE)),
        optional(Type::Choice(&TRANSPORT_ADDRESS_2)).told(Mark::H245Address),
    ],
    additions: &[
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::SequenceOf(&SETUP_UUIEFAST_START_LIST)),
    ],
    cut: false,
};

static CONNECT_UUIE: Sequence = Sequence {
    extensible: true,
    options: 1,
    fields: &[
        field(Type::Counted),
        optional(Type::Choice(&TRANSPORT_ADDRESS_2)).told(Mark::H245Address),
        field(Type::Sequence(&ENDPOINT_TYPE)),
        field(Type::Octets(16)),
    ],
    additions: &[
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::SequenceOf(&SETUP_UUIEFAST_START_LIST)),
    ],
    cut: false,
};

static INFORMATION_UUIE: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[field(Type::Counted)],
    additions: &[],
    cut: false,
};

static RELEASE_COMPLETE_REASON: Choice = Choice {
    extensible: true,
    bits: 4,
    alternatives: &[
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
        alternative(Type::Null),
    ],
    additions: &[],
};

static RELEASE_COMPLETE_UUIE: Sequence = Sequence {
    extensible: true,
    options: 1,
    fields: &[
        field(Type::Counted),
        optional(Type::Choice(&RELEASE_COMPLETE_REASON)),
    ],
    additions: &[],
    cut: false,
};

static FACILITY_REASON: Choice = Choice {
    extensible: true,
    bits: 2,
    alternatives: &[
        alternative(Type::Null),
        alternative(Type::Null).told(Mark::Forwarded),
        alternative(Type::Null),
        alternative(Type::Null),
    ],
    additions: &[],
};

static FACILITY_UUIE: Sequence = Sequence {
    extensible: true,
    options: 3,
    fields: &[
        field(Type::Counted),
        optional(Type::Choice(&TRANSPORT_ADDRESS_2)).told(Mark::Alternative),
        optional(Type::SequenceOf(&SETUP_UUIESOURCE_ADDRESS_LIST)),
        optional(Type::Octets(16)),
        field(Type::Choice(&FACILITY_REASON)),
    ],
    additions: &[
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::Choice(&TRANSPORT_ADDRESS)).told(Mark::H245Address),
        alternative(Type::SequenceOf(&SETUP_UUIEFAST_START_LIST)),
    ],
    cut: false,
};

static CALL_IDENTIFIER: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[field(Type::Octets(16))],
    additions: &[],
    cut: false,
};

static SECURITY_SERVICE_MODE: Choice = Choice {
    extensible: true,
    bits: 2,
    alternatives: &[
        alternative(Type::Sequence(&NON_STANDARD_PARAMETER)),
        alternative(Type::Null),
        alternative(Type::Null),
    ],
    additions: &[],
};

static SECURITY_CAPABILITIES: Sequence = Sequence {
    extensible: true,
    options: 1,
    fields: &[
        optional(Type::Sequence(&NON_STANDARD_PARAMETER)),
        field(Type::Choice(&SECURITY_SERVICE_MODE)),
        field(Type::Choice(&SECURITY_SERVICE_MODE)),
        field(Type::Choice(&SECURITY_SERVICE_MODE)),
    ],
    additions: &[],
    cut: false,
};

static H245_SECURITY: Choice = Choice {
    extensible: true,
    bits: 2,
    alternatives: &[
        alternative(Type::Sequence(&NON_STANDARD_PARAMETER)),
        alternative(Type::Null),
        alternative(Type::Sequence(&SECURITY_CAPABILITIES)),
        alternative(Type::Sequence(&SECURITY_CAPABILITIES)),
    ],
    additions: &[],
};

static DHSET: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[
        field(Type::String(Count::Octets(2, 0), 1)),
        field(Type::String(Count::Octets(2, 0), 1)),
        field(Type::String(Count::Octets(2, 0), 1)),
    ],
    additions: &[],
    cut: false,
};

static TYPED_CERTIFICATE: Sequence = Sequence {
    extensible: true,
    options: 0,
    fields: &[field(Type::Counted), field(Type::Counted)],
    additions: &[],
    cut: false,
};

static NON_STANDARD_PARAMETER_2: Sequence = Sequence {
    extensible: false,
    options: 0,
    fields: &[field(Type::Counted), field(Type::Counted)],
    additions: &[],
    cut: false,
};

static PROGRESS_UUIETOKENS: Sequence = Sequence {
    extensible: true,
    options: 8,
    fields: &[
        field(Type::Counted),
        optional(Type::Whole(2)),
        optional(Type::String(Count::Bits(7, 1), 16)),
        optional(Type::Sequence(&DHSET)),
        optional(Type::String(Count::Bits(7, 8), 8)),
        optional(Type::Counted),
        optional(Type::Sequence(&TYPED_CERTIFICATE)),
        optional(Type::String(Count::Bits(7, 1), 16)),
        optional(Type::Sequence(&NON_STANDARD_PARAMETER_2)),
    ],
    additions: &[],
    cut: false,
};

static PROGRESS_UUIETOKENS_LIST: List = List {
    count: Count::Any,
    of: Type::Sequence(&PROGRESS_UUIETOKENS),
};

static PARAMS: Sequence = Sequence {
    extensible: true,
    options: 2,
    fields: &[optional(Type::Counted), optional(Type::Octets(8))],
    additions: &[],
    cut: false,
};

static HASHED: Sequence = Sequence {
    extensible: false,
    options: 0,
    fields: &[
        field(Type::Counted),
        field(Type::Sequence(&PARAMS)),
        field(Type::String(Count::Any, 1)),
    ],
    additions: &[],
    cut: false,
};

static PROGRESS_UUIECRYPTO_TOKENS_CRYPTO_EPPWD_HASH: Sequence = Sequence {
    extensible: false,
    options: 0,
    fields: &[
        field(Type::Choice(&SETUP_UUIESOURCE_ADDRESS)),
        field(Type::Whole(2)),
        field(Type::Sequence(&HASHED)),
    ],
    additions: &[],
    cut: false,
};

static PROGRESS_UUIECRYPTO_TOKENS_CRYPTO_GKPWD_HASH: Sequence = Sequence {
    extensible: false,
    options: 0,
    fields: &[
        field(Type::String(Count::Bits(7, 1), 16)),
        field(Type::Whole(2)),
        field(Type::Sequence(&HASHED)),
    ],
    additions: &[],
    cut: false,
};

static ENCRYPTED: Sequence = Sequence {
    extensible: false,
    options: 0,
    fields: &[
        field(Type::Counted),
        field(Type::Sequence(&PARAMS)),
        field(Type::Counted),
    ],
    additions: &[],
    cut: false,
};

static SIGNED: Sequence = Sequence {
    extensible: false,
    options: 0,
    fields: &[
        field(Type::Counted),
        field(Type::Counted),
        field(Type::Sequence(&PARAMS)),
        field(Type::String(Count::Any, 1)),
    ],
    additions: &[],
    cut: false,
};

static CRYPTO_TOKEN_CRYPTO_ENCRYPTED_TOKEN: Sequence = Sequence {
    extensible: false,
    options: 0,
    fields: &[field(Type::Counted), field(Type::Sequence(&ENCRYPTED))],
    additions: &[],
    cut: false,
};

static CRYPTO_TOKEN_CRYPTO_SIGNED_TOKEN: Sequence = Sequence {
    extensible: false,
    options: 0,
    fields: &[field(Type::Counted), field(Type::Sequence(&SIGNED))],
    additions: &[],
    cut: false,
};

static CRYPTO_TOKEN_CRYPTO_HASHED_TOKEN: Sequence = Sequence {
    extensible: false,
    options: 0,
    fields: &[
        field(Type::Counted),
        field(Type::Sequence(&PROGRESS_UUIETOKENS)),
        field(Type::Sequence(&HASHED)),
    ],
    additions: &[],
    cut: false,
};

static CRYPTO_TOKEN: Choice = Choice {
    extensible: true,
    bits: 2,
    alternatives: &[
        alternative(Type::Sequence(&CRYPTO_TOKEN_CRYPTO_ENCRYPTED_TOKEN)),
        alternative(Type::Sequence(&CRYPTO_TOKEN_CRYPTO_SIGNED_TOKEN)),
        alternative(Type::Sequence(&CRYPTO_TOKEN_CRYPTO_HASHED_TOKEN)),
        alternative(Type::Sequence(&ENCRYPTED)),
    ],
    additions: &[],
};

static PROGRESS_UUIECRYPTO_TOKENS: Choice = Choice {
    extensible: true,
    bits: 3,
    alternatives: &[
        alternative(Type::Sequence(
            &PROGRESS_UUIECRYPTO_TOKENS_CRYPTO_EPPWD_HASH,
        )),
        alternative(Type::Sequence(
            &PROGRESS_UUIECRYPTO_TOKENS_CRYPTO_GKPWD_HASH,
        )),
        alternative(Type::Sequence(&ENCRYPTED)),
        alternative(Type::Sequence(&ENCRYPTED)),
        alternative(Type::Sequence(&SIGNED)),
        alternative(Type::Sequence(&SIGNED)),
        alternative(Type::Sequence(&SIGNED)),
        alternative(Type::Choice(&CRYPTO_TOKEN)),
    ],
    additions: &[],
};

static PROGRESS_UUIECRYPTO_TOKENS_LIST: List = List {
    count: Count::Any,
    of: Type::Choice(&PROGRESS_UUIECRYPTO_TOKENS),
};

static PROGRESS_UUIE: Sequence = Sequence {
    extensible: true,
    options: 5,
    fields: &[
        field(Type::Counted),
        field(Type::Sequence(&ENDPOINT_TYPE)),
        optional(Type::Choice(&TRANSPORT_ADDRESS_2)).told(Mark::H245Address),
        field(Type::Sequence(&CALL_IDENTIFIER)),
        optional(Type::Choice(&H245_SECURITY)),
        optional(Type::SequenceOf(&PROGRESS_UUIETOKENS_LIST)),
        optional(Type::SequenceOf(&PROGRESS_UUIECRYPTO_TOKENS_LIST)),
        optional(Type::SequenceOf(&SETUP_UUIEFAST_START_LIST)),
    ],
    additions: &[],
    cut: true,
};

static H323_UU_PDUH323_MESSAGE_BODY: Choice = Choice {
    extensible: true,
    bits: 3,
    alternatives: &[
        alternative(Type::Sequence(&SETUP_UUIE)),
        alternative(Type::Sequence(&CALL_PROCEEDING_UUIE)),
        alternative(Type::Sequence(&CONNECT_UUIE)),
        alternative(Type::Sequence(&CALL_PROCEEDING_UUIE)),
        alternative(Type::Sequence(&INFORMATION_UUIE)),
        alternative(Type::Sequence(&RELEASE_COMPLETE_UUIE)),
        alternative(Type::Sequence(&FACILITY_UUIE)),
    ],
    additions: &[alternative(Type::Sequence(&PROGRESS_UUIE))],
};

static H323_UU_PDU: Sequence = Sequence {
    extensible: true,
    options: 1,
    fields: &[
        field(Type::Choice(&H323_UU_PDUH323_MESSAGE_BODY)),
        optional(Type::Sequence(&NON_STANDARD_PARAMETER)),
    ],
    additions: &[
        alternative(Type::Rest),
        alternative(Type::Rest),
        alternative(Type::SequenceOf(&H323_UU_PDUH245_CONTROL_LIST)).told(Mark::Tunnel),
    ],
    cut: true,
};

static H323_USER_INFORMATION: Sequence = Sequence {
    extensible: true,
    options: 1,
    fields: &[field(Type::Sequence(&H323_UU_PDU))],
    additions: &[],
    cut: true,
};

/// `H323-UserInformation`.
pub(in super::super) static CALL: Type = Type::Sequence(&H323_USER_INFORMATION);
