// SPDX-License-Identifier: GPL-2.0

//! The attributes of messages about connections, by their UAPI names, and what
//! each must be like.

use netfilter::nlattr::{Policy, Rule};
use nf_bindings as bindings;

pub(crate) use bindings::{
    ctattr_type_CTA_COUNTERS_ORIG as CTA_COUNTERS_ORIG,
    ctattr_type_CTA_COUNTERS_REPLY as CTA_COUNTERS_REPLY, ctattr_type_CTA_FILTER as CTA_FILTER,
    ctattr_type_CTA_HELP as CTA_HELP, ctattr_type_CTA_ID as CTA_ID,
    ctattr_type_CTA_LABELS as CTA_LABELS, ctattr_type_CTA_LABELS_MASK as CTA_LABELS_MASK,
    ctattr_type_CTA_MARK as CTA_MARK, ctattr_type_CTA_MARK_MASK as CTA_MARK_MASK,
    ctattr_type_CTA_NAT_DST as CTA_NAT_DST, ctattr_type_CTA_NAT_SRC as CTA_NAT_SRC,
    ctattr_type_CTA_PROTOINFO as CTA_PROTOINFO, ctattr_type_CTA_SECCTX as CTA_SECCTX,
    ctattr_type_CTA_SEQ_ADJ_ORIG as CTA_SEQ_ADJ_ORIG,
    ctattr_type_CTA_SEQ_ADJ_REPLY as CTA_SEQ_ADJ_REPLY, ctattr_type_CTA_STATUS as CTA_STATUS,
    ctattr_type_CTA_STATUS_MASK as CTA_STATUS_MASK, ctattr_type_CTA_SYNPROXY as CTA_SYNPROXY,
    ctattr_type_CTA_TIMEOUT as CTA_TIMEOUT, ctattr_type_CTA_TIMESTAMP as CTA_TIMESTAMP,
    ctattr_type_CTA_TIMESTAMP_EVENT as CTA_TIMESTAMP_EVENT,
    ctattr_type_CTA_TUPLE_MASTER as CTA_TUPLE_MASTER, ctattr_type_CTA_TUPLE_ORIG as CTA_TUPLE_ORIG,
    ctattr_type_CTA_TUPLE_REPLY as CTA_TUPLE_REPLY, ctattr_type_CTA_USE as CTA_USE,
    ctattr_type_CTA_ZONE as CTA_ZONE,
};

/// Messages about connections (`NFNL_SUBSYS_CTNETLINK`).
pub(crate) const CONNECTIONS: u8 = bindings::NFNL_SUBSYS_CTNETLINK as u8;

/// Messages about expectations (`NFNL_SUBSYS_CTNETLINK_EXP`).
pub(crate) const EXPECTATIONS: u8 = bindings::NFNL_SUBSYS_CTNETLINK_EXP as u8;

/// A connection, or a change of one (`IPCTNL_MSG_CT_NEW`).
pub(crate) const MSG_NEW: u8 = bindings::cntl_msg_types_IPCTNL_MSG_CT_NEW as u8;

/// A connection's end (`IPCTNL_MSG_CT_DELETE`).
pub(crate) const MSG_DELETE: u8 = bindings::cntl_msg_types_IPCTNL_MSG_CT_DELETE as u8;

/// Show it, and begin its counters anew (`IPCTNL_MSG_CT_GET_CTRZERO`).
pub(crate) const MSG_GET_CTRZERO: u8 = bindings::cntl_msg_types_IPCTNL_MSG_CT_GET_CTRZERO as u8;

/// The longest `CTA_LABELS`, bytes.
const LABELS: u16 = size_of::<bindings::nf_conn_labels>() as u16;

/// Of a message about a connection.
pub(crate) static POLICY: Policy<{ bindings::ctattr_type___CTA_MAX as usize }> = Policy::new(&[
    (CTA_TUPLE_ORIG, Rule::Nested),
    (CTA_TUPLE_REPLY, Rule::Nested),
    (CTA_STATUS, Rule::U32),
    (CTA_PROTOINFO, Rule::Nested),
    (CTA_HELP, Rule::Nested),
    (CTA_NAT_SRC, Rule::Nested),
    (CTA_TIMEOUT, Rule::U32),
    (CTA_MARK, Rule::U32),
    (CTA_ID, Rule::U32),
    (CTA_NAT_DST, Rule::Nested),
    (CTA_TUPLE_MASTER, Rule::Nested),
    (CTA_SEQ_ADJ_ORIG, Rule::Nested),
    (CTA_SEQ_ADJ_REPLY, Rule::Nested),
    (CTA_ZONE, Rule::U16),
    (CTA_MARK_MASK, Rule::U32),
    (CTA_LABELS, Rule::Bytes(LABELS)),
    (CTA_LABELS_MASK, Rule::Bytes(LABELS)),
    (CTA_SYNPROXY, Rule::Nested),
    (CTA_FILTER, Rule::Nested),
    (CTA_STATUS_MASK, Rule::U32),
    (CTA_TIMESTAMP_EVENT, Rule::Refused),
]);
