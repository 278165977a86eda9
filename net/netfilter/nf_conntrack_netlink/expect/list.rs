// SPDX-License-Identifier: GPL-2.0

//! IPCTNL_MSG_EXP_GET and IPCTNL_MSG_EXP_GET_STATS_CPU: one expectation, all,
//! those of a master, and how many there were.

use super::{attribute as number, show::show, NEW};
use crate::{
    attr::{CONNECTIONS, EXPECTATIONS},
    THIS_MODULE,
};
use kernel::{prelude::*, sync::rcu};
use netfilter::{
    conntrack::{
        conn::now,
        expect::{of_master, size, Chain, Expect},
        helper::Help,
        stat, ConnRef, Net,
    },
    nfnetlink::{Command, Dump, Output, Progress, Request},
    nlattr::{Buffer, Table},
};
use nf_bindings as bindings;
use nf_conntrack::{
    expect::{find, id},
    packet,
};

/// IPCTNL_MSG_EXP_GET
pub(super) struct Get;

impl Command for Get {
    const POLICY: Table = number::EXPECT.table();

    fn call(request: &Request<'_>) -> Result {
        let (attributes, extack) = (request.attributes(), request.extack());
        let family = request.family();
        let zone = number::zone_in(attributes);
        if request.is_dump() {
            if !attributes.has(number::MASTER) {
                return request.dump(&THIS_MODULE, All::of(family));
            }
            let tuple = number::tuple_in(attributes, number::MASTER, family, extack)?;
            let (master, _) = packet::find(request.net(), zone, &tuple).ok_or(ENOENT)?;
            if Help::of(&master).is_none() {
                // It expects nothing.
                return Ok(());
            }
            return request.dump(&THIS_MODULE, OfMaster::new(master, family));
        }
        let which = if attributes.has(number::TUPLE) {
            number::TUPLE
        } else {
            number::MASTER
        };
        let tuple = number::tuple_in(attributes, which, family, extack)?;
        let exp = find(request.net(), zone, &tuple).ok_or(ENOENT)?;
        if let Some(wanted) = attributes.be32(number::EXPECT_ID) {
            if wanted.get() != id(&exp) {
                return Err(ENOENT);
            }
        }
        let mut header = request.answer(EXPECTATIONS, NEW, exp.tuple().src.l3num as u8);
        // It claims to be one of many, as it always did.
        header.flags = bindings::NLM_F_MULTI as u16;
        let mut answer = Buffer::new(Buffer::USUAL, bindings::GFP_KERNEL)?;
        let mut message = answer.message(header);
        show(&mut message, &exp, &rcu::read_lock());
        message.finish()?;
        request.reply(answer)
    }
}

/// Where a list is: lists have the newest first, so that what comes later has a
/// lower number than this, whatever came and went meanwhile.
#[derive(Clone, Copy)]
struct Place(u64);

impl Place {
    const BEGIN: Place = Place(u64::MAX);

    fn is_to_come(self, exp: &Expect) -> bool {
        exp.serial() < self.0
    }

    fn pass(&mut self, exp: &Expect) {
        self.0 = exp.serial();
    }
}

/// Shows an expectation in a list. False if there is no room.
fn add(out: &mut Output<'_>, exp: &Expect, rcu: &rcu::Guard) -> bool {
    let header = out.header(EXPECTATIONS, NEW, 0, exp.tuple().src.l3num as u8);
    let mut message = out.message(header);
    show(&mut message, exp, rcu);
    message.finish().is_ok()
}

fn is_of(exp: &Expect, family: u8) -> bool {
    family == 0 || exp.tuple().src.l3num == u16::from(family)
}

/// All expectations of a namespace.
struct All {
    family: u8,
    chain: u32,
    place: Place,
}

impl All {
    fn of(family: u8) -> Self {
        All {
            family,
            chain: 0,
            place: Place::BEGIN,
        }
    }

    /// Shows the rest of a chain. False if there was no room for all.
    fn show(&mut self, chain: Chain, net: Net, out: &mut Output<'_>) -> bool {
        let rcu = rcu::read_lock();
        let now = now();
        for exp in chain.iter(&rcu) {
            let wanted = self.place.is_to_come(exp)
                && exp.is_in(net)
                && is_of(exp, self.family)
                && !exp.is_over(now);
            if !wanted {
                continue;
            }
            if !add(out, exp, &rcu) {
                return false;
            }
            self.place.pass(exp);
        }
        true
    }
}

impl Dump for All {
    fn step(&mut self, out: &mut Output<'_>) -> Result<Progress> {
        let net = out.net();
        if net.expectations() == 0 {
            return Ok(Progress::Finished);
        }
        while self.chain < size() {
            let Some(chain) = Chain::number(self.chain) else {
                break;
            };
            if !self.show(chain, net, out) {
                return Ok(Progress::More);
            }
            self.chain = self.chain.saturating_add(1);
            self.place = Place::BEGIN;
        }
        Ok(Progress::Finished)
    }
}

/// All expectations of a connection.
struct OfMaster {
    master: ConnRef,
    family: u8,
    place: Place,
}

impl OfMaster {
    fn new(master: ConnRef, family: u8) -> Self {
        OfMaster {
            master,
            family,
            place: Place::BEGIN,
        }
    }
}

impl Dump for OfMaster {
    fn step(&mut self, out: &mut Output<'_>) -> Result<Progress> {
        let Some(help) = Help::of(&self.master) else {
            return Ok(Progress::Finished);
        };
        let rcu = rcu::read_lock();
        let now = now();
        for exp in of_master(help, &rcu) {
            let wanted = self.place.is_to_come(exp) && is_of(exp, self.family) && !exp.is_over(now);
            if !wanted {
                continue;
            }
            if !add(out, exp, &rcu) {
                return Ok(Progress::More);
            }
            self.place.pass(exp);
        }
        Ok(Progress::Finished)
    }
}

/// IPCTNL_MSG_EXP_GET_STATS_CPU
pub(super) struct Statistics;

impl Command for Statistics {
    fn call(request: &Request<'_>) -> Result {
        if request.is_dump() {
            return request.dump(&THIS_MODULE, PerCpu { next: 0 });
        }
        Ok(())
    }
}

/// A message for each CPU, whose number is the message's resource.
struct PerCpu {
    next: u32,
}

impl Dump for PerCpu {
    fn step(&mut self, out: &mut Output<'_>) -> Result<Progress> {
        // The answers say that they are of connections' subsystem, as they always
        // did.
        let kind = bindings::ctnl_exp_msg_types_IPCTNL_MSG_EXP_GET_STATS_CPU as u8;
        while self.next < stat::cpus() {
            if let Some(counters) = stat::of_cpu(out.net(), self.next) {
                let mut header = out.header(CONNECTIONS, kind, 0, bindings::NFPROTO_UNSPEC as u8);
                header.resource = self.next as u16;
                let mut message = out.message(header);
                message
                    .number(
                        bindings::ctattr_expect_stats_CTA_STATS_EXP_NEW,
                        counters.expect_new,
                    )
                    .number(
                        bindings::ctattr_expect_stats_CTA_STATS_EXP_CREATE,
                        counters.expect_create,
                    )
                    .number(
                        bindings::ctattr_expect_stats_CTA_STATS_EXP_DELETE,
                        counters.expect_delete,
                    );
                if message.finish().is_err() {
                    return Ok(Progress::More);
                }
            }
            self.next = self.next.saturating_add(1);
        }
        Ok(Progress::Finished)
    }
}
