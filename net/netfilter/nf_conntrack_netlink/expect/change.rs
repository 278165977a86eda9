// SPDX-License-Identifier: GPL-2.0

//! IPCTNL_MSG_EXP_NEW and IPCTNL_MSG_EXP_DELETE, and expectations that come with
//! a verdict on a queued packet.

use super::attribute::{self as number, Fulfilled};
use kernel::{
    error::code::{EEXIST, EINVAL, ENOENT, ENOMEM},
    prelude::*,
    sync::rcu,
};
use netfilter::{
    conntrack::{
        conn::now,
        expect::{Description, NewExpect},
        helper::{Help, HelperRef},
        Conn, HZ,
    },
    nfnetlink::{errno, Command, Request},
    nlattr::{Attribute, Attributes, Extack, Table},
};
use nf_bindings as bindings;
use nf_conntrack::{
    expect::{id, iterate, related_with, remove, with_found},
    helper, packet,
};
use nf_proto::expect::{expiry, span};

fn unsupported() -> Error {
    errno(bindings::EOPNOTSUPP)
}

/// IPCTNL_MSG_EXP_NEW
pub(super) struct New;

impl Command for New {
    const POLICY: Table = number::EXPECT.table();

    fn call(request: &Request<'_>) -> Result {
        let (attributes, extack) = (request.attributes(), request.extack());
        let net = request.net();
        for needed in [number::TUPLE, number::MASK, number::MASTER] {
            if !attributes.has(needed) {
                return Err(extack.refuse(EINVAL, c"tuple, mask and master must be said"));
            }
        }
        let zone = number::zone_in(attributes);
        let family = request.family();
        let wanted = Fulfilled::by(attributes, family, extack)?;
        let changed = with_found(net, zone, &wanted.tuple, |_, exp| {
            if request.is_exclusive() {
                return Err(EEXIST);
            }
            if let Some(seconds) = attributes.be32(number::TIMEOUT) {
                exp.set_timeout(expiry(now(), seconds.get(), HZ));
            }
            Ok(())
        });
        if let Some(result) = changed {
            return result;
        }
        if !request.may_create() {
            return Err(ENOENT);
        }
        let master = number::tuple_in(attributes, number::MASTER, family, extack)?;
        let (master, _) = packet::find(net, zone, &master).ok_or(ENOENT)?;
        let made = Made {
            wanted,
            assigned: None,
            portid: request.portid(),
            report: request.wants_report(),
        };
        made.make(&master, attributes, extack)
    }
}

/// An expectation to be made.
struct Made {
    wanted: Fulfilled,
    /// The helper of the expected connection.
    assigned: Option<HelperRef>,
    portid: u32,
    report: bool,
}

impl Made {
    fn make(&self, master: &Conn, attributes: Attributes<'_>, extack: Extack<'_>) -> Result {
        let rcu = rcu::read_lock();
        // Expectations are of the master's helper, and so is their class.
        let helper = Help::of(master)
            .and_then(|help| help.helper(&rcu))
            .ok_or_else(|| extack.refuse(unsupported(), c"the master has no helper"))?;
        let class = attributes
            .be32(number::CLASS)
            .map_or(0, |class| class.get());
        if helper.policy(class).is_none() {
            return Err(extack.refuse(EINVAL, c"the helper has no such class"));
        }
        let nat = number::nat_in(attributes, master.l3num() as u8, extack)?;
        let mut exp = NewExpect::alloc(master).ok_or(ENOMEM)?;
        exp.describe(&Description {
            class,
            flags: number::flags_in(attributes),
            tuple: self.wanted.tuple,
            mask: self.wanted.mask,
            helper: Some(helper),
        });
        if let Some(nat) = nat {
            exp.set_nat(nat);
        }
        let seconds = attributes.be32(number::TIMEOUT).map(|time| time.get());
        let lifetime = seconds.filter(|seconds| *seconds != 0);
        related_with(&exp, self.portid, self.report.into(), 0, |lock| {
            if let Some(name) = attributes.text(number::FUNCTION) {
                exp.set_function(lock, name)?;
            }
            if let Some(assigned) = &self.assigned {
                exp.set_assigned(lock, assigned)?;
            }
            Ok(lifetime.map(|seconds| span(seconds, HZ)))
        })
    }
}

/// Makes an expectation that came with a verdict on a packet of `master`
/// (NFQA_EXP). `portid` is who gave it, and wants to be told if `report` says so.
///
/// # Errors
///
/// As for a request.
pub(crate) fn attach(attribute: Attribute<'_>, master: &Conn, portid: u32, report: bool) -> Result {
    let family = master.l3num() as u8;
    number::nested(attribute, |attributes| {
        let wanted = Fulfilled::by(attributes, family, Extack::NONE)?;
        let assigned = match attributes.text(number::HELP_NAME) {
            Some(name) => {
                let rcu = rcu::read_lock();
                let found = helper::find(&rcu, name, master.l3num(), wanted.tuple.dst.protocol);
                let kept = found.and_then(|helper| helper.try_get());
                Some(kept.ok_or_else(unsupported)?)
            }
            None => None,
        };
        let made = Made {
            wanted,
            assigned,
            portid,
            report,
        };
        made.make(master, attributes, Extack::NONE)
    })
}

/// IPCTNL_MSG_EXP_DELETE
pub(super) struct Delete;

impl Command for Delete {
    const POLICY: Table = number::EXPECT.table();

    fn call(request: &Request<'_>) -> Result {
        let attributes = request.attributes();
        let (net, portid) = (request.net(), request.portid());
        let report = request.wants_report().into();
        if attributes.has(number::TUPLE) {
            let zone = number::zone_in(attributes);
            let family = request.family();
            let tuple = number::tuple_in(attributes, number::TUPLE, family, request.extack())?;
            let wanted = attributes.be32(number::EXPECT_ID).map(|id| id.get());
            let removed = with_found(net, zone, &tuple, |lock, exp| {
                wanted.is_none_or(|wanted| wanted == id(exp)) && remove(lock, exp, portid, report)
            });
            return removed.filter(|removed| *removed).map(drop).ok_or(ENOENT);
        }
        let helper = attributes.text(number::HELP_NAME);
        iterate(Some(net), portid, report, |lock, exp| {
            helper.is_none_or(|name| {
                exp.helper(lock.rcu())
                    .is_some_and(|helper| helper.name() == name)
            })
        });
        Ok(())
    }
}
