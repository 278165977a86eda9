// SPDX-License-Identifier: GPL-2.0

//! Telling listeners what happens to connections.

use crate::{attr, attr::MSG_DELETE, attr::MSG_NEW, message::Shown};
use kernel::prelude::*;
use netfilter::{
    conntrack::{account, helper::Help, labels, Conn, Status},
    nfnetlink::{self, errno, Group},
    nlattr::{Buffer, Full, Header},
};
use nf_bindings as bindings;
use nf_conntrack::ecache::Event;
use nf_proto::tuple::Direction;

/// The listener could not be reached, and wants the event to come again.
pub(crate) struct Retry;

/// Tells those who listen of `events` (a bit each) of a connection. `portid` is
/// the netlink port that caused them, and wants to hear if `report` is set.
///
/// # Errors
///
/// Somebody had no room who said that he must not miss anything.
pub(crate) fn tell(conn: &Conn, events: u32, portid: u32, report: bool) -> Result<(), Retry> {
    let has = |event: Event| events & event.bit() != 0;
    let (message, flags, group) = if has(Event::Destroy) {
        (MSG_DELETE, 0, Group::ConntrackDestroy)
    } else if has(Event::New) || has(Event::Related) {
        let flags = bindings::NLM_F_CREATE | bindings::NLM_F_EXCL;
        (MSG_NEW, flags as u16, Group::ConntrackNew)
    } else if events != 0 {
        (MSG_NEW, 0, Group::ConntrackUpdate)
    } else {
        return Ok(());
    };
    let net = conn.net();
    if !report && !nfnetlink::has_listeners(net, group) {
        return Ok(());
    }
    let header = Header {
        portid,
        seq: 0,
        subsystem: attr::CONNECTIONS,
        message,
        flags,
        family: conn.l3num() as u8,
        resource: 0,
    };
    let gfp = bindings::GFP_ATOMIC;
    let sent = match write(conn, events, header, gfp) {
        Ok(message) => nfnetlink::notify(net, group, message, portid, report, gfp),
        Err(_) => {
            return if nfnetlink::set_error(net, group) {
                Err(Retry)
            } else {
                Ok(())
            };
        }
    };
    match sent {
        Err(error) if error == errno(bindings::ENOBUFS) || error == EAGAIN => Err(Retry),
        // Nobody listening is no error.
        _ => Ok(()),
    }
}

fn write(conn: &Conn, events: u32, header: Header, gfp: bindings::gfp_t) -> Result<Buffer> {
    let has = |event: Event| events & event.bit() != 0;
    let mut message = Buffer::new(size(conn), gfp)?;
    let shown = Shown::new(conn);
    let mut writer = message.message(header);
    shown.tuples(&mut writer);
    shown.id(&mut writer);
    shown.status(&mut writer);
    if has(Event::Destroy) {
        shown.timeout_left(&mut writer);
        shown.counters(&mut writer);
        shown.timestamps(&mut writer);
        shown.protocol(&mut writer, true);
    } else {
        shown.timeout(&mut writer);
        if has(Event::ProtoInfo) {
            shown.protocol(&mut writer, false);
        }
        // One of a connection that has it is told of always.
        shown.helper(&mut writer);
        if has(Event::SecMark) || conn.secmark() != 0 {
            shown.security_context(&mut writer);
        }
        if has(Event::Label) {
            shown.labels(&mut writer);
        }
        if has(Event::Related) {
            shown.master(&mut writer);
        }
        if has(Event::SeqAdj) {
            shown.sequence_adjustment(&mut writer);
        }
        if has(Event::Synproxy) {
            shown.synproxy(&mut writer);
        }
    }
    if has(Event::Mark) {
        shown.mark(&mut writer);
    } else {
        shown.mark_if_any(&mut writer);
    }
    shown.event_time(&mut writer);
    match writer.finish() {
        Ok(()) => Ok(message),
        Err(Full) => Err(ENOMEM),
    }
}

/// The most that a message about a connection may need after its
/// `struct nlmsghdr`, bytes; not much more than what it does, as buffers stay
/// with who listens until they are read.
pub(crate) fn size(conn: &Conn) -> usize {
    /// nfgenmsg; three tuples, each with its nests, a zone, and addresses and
    /// ports as large as IPv6's; what is a number; the protocol's state.
    const BASE: usize = 4 + 3 * (4 + 4 + 40 + 4 + 8 + 24 + 8) + 8 * 8 + 64;
    /// Counters: two nests of two numbers of eight bytes each. Timestamps: a
    /// nest of two. Of the event: one.
    const COUNTERS: usize = 2 * (4 + 12 + 12);
    const TIMES: usize = 4 + 12 + 12 + 12;
    /// Two nests of three numbers.
    const SEQADJ: usize = 2 * (4 + 3 * 8);
    const SYNPROXY: usize = 4 + 3 * 8;
    const LABELS: usize = 4 + labels::WORDS * 4;
    /// A nest, the name, and what it keeps.
    const HELP: usize = 4 + 4 + 16 + 4 + 128;
    /// Texts of security modules are not so long as they might be.
    const SECURITY: usize = 256;

    let has = |size: usize, present: bool| if present { size } else { 0 };
    BASE + has(COUNTERS, account::read(conn, Direction::Original).is_some())
        + has(TIMES, conn.times().is_some())
        + has(SEQADJ, conn.status().has(Status::SEQ_ADJUST))
        + has(SYNPROXY, conn.synproxy().is_some())
        + has(LABELS, labels::words(conn).is_some())
        + has(HELP, Help::of(conn).is_some())
        + has(SECURITY, conn.secmark() != 0)
}
