// SPDX-License-Identifier: GPL-2.0

//! What protocols keep about a connection (`CTA_PROTOINFO`).
//!
//! It is read by the protocols' own functions (`struct nf_conntrack_l4proto`),
//! which check ranges and lock.

use crate::attr::CTA_PROTOINFO;
use kernel::prelude::*;
use netfilter::{
    conntrack::{state, Conn},
    nlattr::{Attribute, Extack, Policy, Rule, Writer},
};
use nf_bindings as bindings;
use nf_proto::l4::{number, sctp, tcp};

use bindings::{
    ctattr_protoinfo_CTA_PROTOINFO_SCTP as CTA_PROTOINFO_SCTP,
    ctattr_protoinfo_CTA_PROTOINFO_TCP as CTA_PROTOINFO_TCP,
    ctattr_protoinfo_sctp_CTA_PROTOINFO_SCTP_STATE as CTA_PROTOINFO_SCTP_STATE,
    ctattr_protoinfo_sctp_CTA_PROTOINFO_SCTP_VTAG_ORIGINAL as CTA_PROTOINFO_SCTP_VTAG_ORIGINAL,
    ctattr_protoinfo_sctp_CTA_PROTOINFO_SCTP_VTAG_REPLY as CTA_PROTOINFO_SCTP_VTAG_REPLY,
    ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_FLAGS_ORIGINAL as CTA_PROTOINFO_TCP_FLAGS_ORIGINAL,
    ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_FLAGS_REPLY as CTA_PROTOINFO_TCP_FLAGS_REPLY,
    ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_STATE as CTA_PROTOINFO_TCP_STATE,
    ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_WSCALE_ORIGINAL as CTA_PROTOINFO_TCP_WSCALE_ORIGINAL,
    ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_WSCALE_REPLY as CTA_PROTOINFO_TCP_WSCALE_REPLY,
};

const MAX: usize = bindings::ctattr_protoinfo___CTA_PROTOINFO_MAX as usize;

static POLICY: Policy<MAX> = Policy::new(&[
    (CTA_PROTOINFO_TCP, Rule::Nested),
    (CTA_PROTOINFO_SCTP, Rule::Nested),
]);

/// Writes a connection's; of one that is over only the state.
pub(crate) fn write(writer: &mut Writer<'_>, conn: &Conn, is_over: bool) {
    match conn.protocol() {
        number::TCP => {
            let tcp: tcp::State = state::peek(conn);
            let [original, reply] = tcp.seen;
            writer.nest(CTA_PROTOINFO, |writer| {
                writer.nest(CTA_PROTOINFO_TCP, |writer| {
                    writer.u8(CTA_PROTOINFO_TCP_STATE, tcp.state() as u8);
                    if !is_over {
                        writer
                            .u8(CTA_PROTOINFO_TCP_WSCALE_ORIGINAL, original.td_scale)
                            .u8(CTA_PROTOINFO_TCP_WSCALE_REPLY, reply.td_scale)
                            .pair(CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, [original.flags, 0])
                            .pair(CTA_PROTOINFO_TCP_FLAGS_REPLY, [reply.flags, 0]);
                    }
                });
            });
        }
        number::SCTP => {
            let sctp: sctp::State = state::peek(conn);
            let [original, reply] = sctp.vtag;
            writer.nest(CTA_PROTOINFO, |writer| {
                writer.nest(CTA_PROTOINFO_SCTP, |writer| {
                    writer.u8(CTA_PROTOINFO_SCTP_STATE, sctp.state() as u8);
                    if !is_over {
                        writer
                            .be32(CTA_PROTOINFO_SCTP_VTAG_ORIGINAL, original)
                            .be32(CTA_PROTOINFO_SCTP_VTAG_REPLY, reply);
                    }
                });
            });
        }
        _ => {}
    }
}

/// Sets a connection's.
///
/// # Errors
///
/// `EINVAL`, `ERANGE`
pub(crate) fn set(conn: &Conn, attribute: Attribute<'_>, extack: Extack<'_>) -> Result {
    let parsed = attribute.nested(&POLICY, extack)?;
    conn.set_protocol_info(parsed.attributes())
        .map_err(|error| extack.refuse_attribute(error, c"Not a state of the protocol", attribute))
}
