// SPDX-License-Identifier: GPL-2.0

//! Making and changing connections (`IPCTNL_MSG_CT_NEW`): which of both it is
//! depends on what is there, and on what the flags allow.

use crate::{attr, attr::*, create, get, nat, tuple, update};
use kernel::prelude::*;
use netfilter::{
    conntrack::Conn,
    nfnetlink::{Command, Request},
    nlattr::Table,
};
use nf_conntrack::ecache::{self, Event};
use nf_proto::tuple::Direction;

/// `IPCTNL_MSG_CT_NEW`
pub(crate) struct New;

/// What a message may have changed.
const CHANGED: u32 = Event::Reply.bit()
    | Event::Assured.bit()
    | Event::Helper.bit()
    | Event::ProtoInfo.bit()
    | Event::SeqAdj.bit()
    | Event::Mark.bit()
    | Event::Synproxy.bit();

impl Command for New {
    const POLICY: Table = attr::POLICY.table();

    fn call(request: &Request<'_>) -> Result {
        let (attributes, extack) = (request.attributes(), request.extack());
        let mut zone = tuple::zone(attributes);
        let mut read = |number, direction| {
            let attribute = attributes.get(number);
            let read = attribute.map(|attribute| {
                let family = request.family();
                tuple::read(attribute, family, direction, Some(&mut zone), extack)
            });
            read.transpose()
        };
        let original = read(CTA_TUPLE_ORIG, Direction::Original)?;
        let reply = read(CTA_TUPLE_REPLY, Direction::Reply)?;
        let present = original
            .as_ref()
            .or(reply.as_ref())
            .and_then(|tuple| get::find(request, zone, tuple));
        if let Some(conn) = present {
            if request.is_exclusive() {
                return Err(EEXIST);
            }
            update::change(request, &conn)?;
            report(request, &conn, CHANGED | Event::Label.bit());
            return Ok(());
        }
        if !request.may_create() {
            return Err(ENOENT);
        }
        let (Some(original), Some(reply)) = (original, reply) else {
            return Err(extack.refuse(EINVAL, c"A new connection has two tuples"));
        };
        if original.dst.protocol != reply.dst.protocol {
            return Err(extack.refuse(EINVAL, c"The tuples are of different protocols"));
        }
        nat::prepare(request)?;
        let conn = create::create(request, zone, &original, &reply)?;
        let mut events = if conn.master().is_some() {
            Event::Related.bit()
        } else {
            Event::New.bit()
        };
        // Whether it has labels depends on whether somebody uses these.
        if attributes.has(CTA_LABELS) && update::labels(attributes, &conn, extack).is_ok() {
            events |= Event::Label.bit();
        }
        report(request, &conn, CHANGED | events);
        Ok(())
    }
}

fn report(request: &Request<'_>, conn: &Conn, events: u32) {
    let wants_report = request.wants_report().into();
    ecache::report_mask(conn, events, request.portid(), wants_report);
}
