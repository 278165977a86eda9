// SPDX-License-Identifier: GPL-2.0

//! Events of expectations, for those who listen.

use super::{show::show, DELETE, NEW};
use crate::attr::EXPECTATIONS;
use kernel::{prelude::*, sync::rcu};
use netfilter::{
    conntrack::{
        ecache::ExpectEvent,
        expect::{Expect, ExpectLock},
    },
    nfnetlink::{has_listeners, notify, set_error, Group},
    nlattr::{Buffer, Header},
};
use nf_bindings as bindings;

/// Tells of an event of an expectation, whose lock is held; `portid` is who caused
/// it, and wants to be told if `report` says so. No error keeps it from happening:
/// who listens is told that something is missing.
pub(crate) fn event(lock: &ExpectLock, exp: &Expect, events: u32, portid: u32, report: bool) {
    let (message, flags, group) = if events & ExpectEvent::Destroy.bit() != 0 {
        (DELETE, 0, Group::ExpectDestroy)
    } else if events & ExpectEvent::New.bit() != 0 {
        let flags = bindings::NLM_F_CREATE | bindings::NLM_F_EXCL;
        (NEW, flags as u16, Group::ExpectNew)
    } else {
        return;
    };
    let net = exp.master(lock).net();
    if !report && !has_listeners(net, group) {
        return;
    }
    let header = Header {
        portid,
        seq: 0,
        subsystem: EXPECTATIONS,
        message,
        flags,
        family: exp.tuple().src.l3num as u8,
        resource: 0,
    };
    match written(header, exp, lock.rcu()) {
        // Who has no room has been told.
        Ok(buffer) => drop(notify(
            net,
            group,
            buffer,
            portid,
            report,
            bindings::GFP_ATOMIC,
        )),
        Err(_) => {
            set_error(net, group);
        }
    }
}

fn written(header: Header, exp: &Expect, rcu: &rcu::Guard) -> Result<Buffer> {
    let mut buffer = Buffer::new(Buffer::USUAL, bindings::GFP_ATOMIC)?;
    let mut message = buffer.message(header);
    show(&mut message, exp, rcu);
    message.finish()?;
    Ok(buffer)
}
