// SPDX-License-Identifier: GPL-2.0

//! The glue to nfnetlink_queue and nfnetlink_log: a packet that goes to user
//! space carries its connection, and what comes back may change it.

use crate::{attr, events, message::Shown, update};
use kernel::prelude::*;
use netfilter::{
    conntrack::{Conn, Info, Status},
    nlattr::{Attribute, Extack, Full, Writer},
};

/// How much room a connection needs in a message, bytes.
pub(crate) fn size(conn: &Conn) -> usize {
    events::size(conn)
}

/// Writes a packet's connection as the nest `number`, and how the packet relates
/// to it.
///
/// # Errors
///
/// There was no room; nothing was written.
pub(crate) fn write(
    mut writer: Writer<'_>,
    conn: &Conn,
    info: Info,
    number: u32,
    info_number: u32,
) -> Result<(), Full> {
    let shown = Shown::new(conn);
    writer.nest(number, |writer| {
        shown.tuples(writer);
        shown.id(writer);
        shown.status(writer);
        shown.timeout(writer);
        shown.protocol(writer, false);
        shown.counters(writer);
        shown.timestamps(writer);
        shown.helper(writer);
        if conn.secmark() != 0 {
            shown.security_context(writer);
        }
        shown.master(writer);
        if conn.status().has(Status::SEQ_ADJUST) {
            shown.sequence_adjustment(writer);
        }
        shown.synproxy(writer);
        shown.mark(writer);
        shown.labels(writer);
    });
    writer.number(info_number, info.number());
    writer.finish()
}

/// Changes a packet's connection as user space says that gives the packet back.
///
/// # Errors
///
/// Those of [`update::change_queued`].
pub(crate) fn change(attribute: Attribute<'_>, conn: &Conn) -> Result {
    let parsed = attribute.nested(&attr::POLICY, Extack::NONE)?;
    let attributes = parsed.attributes();
    update::change_queued(attributes, conn)
}
