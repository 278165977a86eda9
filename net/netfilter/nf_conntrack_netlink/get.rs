// SPDX-License-Identifier: GPL-2.0

//! Showing connections.

use crate::{attr, attr::*, dump::List, filter::Filter, message::Shown, tuple};
use kernel::prelude::*;
use netfilter::{
    conntrack::{ConnRef, Zone},
    nfnetlink::{Command, Request},
    nlattr::{Attributes, Buffer, Table},
};
use nf_conntrack::packet;
use nf_proto::tuple::{Direction, Tuple};

/// `IPCTNL_MSG_CT_GET`, `IPCTNL_MSG_CT_GET_CTRZERO`
pub(crate) struct Get;

impl Command for Get {
    const POLICY: Table = attr::POLICY.table();

    fn call(request: &Request<'_>) -> Result {
        let (attributes, extack) = (request.attributes(), request.extack());
        let resets = request.message() == MSG_GET_CTRZERO;
        if request.is_dump() {
            let filter = Filter::of(attributes, request.family(), extack)?;
            return request.dump(&crate::THIS_MODULE, List::new(filter, resets));
        }
        let (zone, tuple) = wanted(request, attributes)?
            .ok_or_else(|| extack.refuse(EINVAL, c"Which connection?"))?;
        let conn = find(request, zone, &tuple).ok_or(ENOENT)?;
        let mut answer = Buffer::new(Buffer::USUAL, nf_bindings::GFP_KERNEL)?;
        let family = conn.l3num() as u8;
        let mut header = request.answer(attr::CONNECTIONS, MSG_NEW, family);
        // Stock's answers say so, although there is but one of them.
        header.flags = nf_bindings::NLM_F_MULTI as u16;
        let shown = Shown::new(&conn);
        let mut writer = answer.message(header);
        shown.all(&mut writer, 0);
        writer.finish().map_err(|_| ENOMEM)?;
        if resets {
            shown.reset_counters();
        }
        request.reply(answer)
    }
}

/// The tuple of a message that is about one connection, and in which zone.
pub(crate) fn wanted(
    request: &Request<'_>,
    attributes: Attributes<'_>,
) -> Result<Option<(Zone, Tuple)>> {
    let mut zone = tuple::zone(attributes);
    for (number, direction) in [
        (CTA_TUPLE_ORIG, Direction::Original),
        (CTA_TUPLE_REPLY, Direction::Reply),
    ] {
        if let Some(attribute) = attributes.get(number) {
            let (family, extack) = (request.family(), request.extack());
            let found = tuple::read(attribute, family, direction, Some(&mut zone), extack)?;
            return Ok(Some((zone, found)));
        }
    }
    Ok(None)
}

/// The connection of one of its tuples.
pub(crate) fn find(request: &Request<'_>, zone: Zone, tuple: &Tuple) -> Option<ConnRef> {
    let _rcu = kernel::sync::rcu::read_lock();
    packet::find(request.net(), zone, tuple).map(|(conn, _)| conn)
}
