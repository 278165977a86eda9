// SPDX-License-Identifier: GPL-2.0

//! Listing connections.

use crate::{attr, filter, filter::Filter, message::Shown};
use core::sync::atomic::Ordering;
use kernel::prelude::*;
use netfilter::{
    conntrack::{conn::now, table::Visit, table::Walk, Conn},
    nfnetlink::{Dump, Output, Progress},
    nlattr::Full,
};
use nf_bindings as bindings;
use nf_conntrack::change;
use nf_proto::tuple::Direction;

/// A list under way. It holds no connection between steps: its position is a
/// place in the table's order, which stays when connections go.
pub(crate) struct List {
    walk: Walk,
    filter: Option<Filter>,
    resets: bool,
}

impl List {
    /// The connections that `filter` is about; if it `resets`, what is shown of
    /// their counters is taken off.
    pub(crate) fn new(filter: Option<Filter>, resets: bool) -> Self {
        List {
            walk: Walk::new(Direction::Original),
            filter,
            resets,
        }
    }
}

impl Dump for List {
    fn step(&mut self, out: &mut Output<'_>) -> Result<Progress> {
        let (net, time) = (out.net(), now());
        if net.connections().load(Ordering::Acquire) == 0 {
            return Ok(Progress::Finished);
        }
        let flags = self.answer_flags();
        let (filter, resets) = (self.filter.as_ref(), self.resets);
        let finished = change::walk(
            &mut self.walk,
            |conn| filter::matches(filter, conn, net) && !conn.is_expired(time),
            |conn| match show(out, conn, flags, resets) {
                Ok(()) => Visit::Continue,
                Err(Full) => Visit::Stop,
            },
        );
        Ok(if finished {
            Progress::Finished
        } else {
            Progress::More
        })
    }

    fn answer_flags(&self) -> u16 {
        match self.filter {
            Some(_) => bindings::NLM_F_DUMP_FILTERED as u16,
            None => 0,
        }
    }
}

/// Writes one, of which the walk has a reference.
fn show(out: &mut Output<'_>, conn: &Conn, flags: u16, resets: bool) -> Result<(), Full> {
    let family = conn.l3num() as u8;
    let header = out.header(attr::CONNECTIONS, attr::MSG_NEW, flags, family);
    let shown = Shown::new(conn);
    let mut writer = out.message(header);
    shown.all(&mut writer, 1);
    writer.finish()?;
    if resets {
        shown.reset_counters();
    }
    Ok(())
}
