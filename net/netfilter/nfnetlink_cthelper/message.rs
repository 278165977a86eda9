// SPDX-License-Identifier: GPL-2.0

//! What user space asks for, and the answers.

use crate::{
    attribute::{self, Classes, Meant},
    Queued, THIS_MODULE,
};
use kernel::{
    error::code::{EBUSY, EEXIST, EINVAL, ENOENT, EPERM},
    prelude::*,
    sync::rcu,
};
use netfilter::{
    conntrack::helper::{
        registered,
        user::{NewHelper, UserHelper, DATA_LEN},
        Helper, HelperRef, NAME_LEN,
    },
    nfnetlink::{Command, Dump, Entry, Output, Progress, Request, Subsystem},
    nlattr::{Buffer, Table, Writer},
};
use nf_bindings as bindings;
use nf_conntrack::helper::{register_user_space, unregister_user_space};
use nf_proto::be::{Be16, Be32};

const ID: u8 = bindings::NFNL_SUBSYS_CTHELPER as u8;

/// The subsystem, its messages by their numbers.
pub static SUBSYSTEM: Subsystem<3> = Subsystem::new(
    c"cthelper",
    ID,
    [
        Entry::of::<New>(),
        Entry::of::<Get>(),
        Entry::of::<Delete>(),
    ],
);

/// Answers are messages of this type.
const HELPER: u8 = bindings::nfnl_cthelper_msg_types_NFNL_MSG_CTHELPER_NEW as u8;

/// Helpers are those of all namespaces.
fn administrator() -> Result {
    if netfilter::capable::net_admin() {
        Ok(())
    } else {
        Err(EPERM)
    }
}

/// The first helper in user space that is meant, kept.
fn find(meant: &Meant<'_>) -> Option<HelperRef> {
    let rcu = rcu::read_lock();
    let mut helpers = registered(&rcu);
    helpers
        .find(|helper| helper.is_in_user_space() && meant.is(helper))
        .and_then(Helper::try_get)
}

/// The queue that a request says: its numbers have 16 bits.
fn queue_in(request: &Request<'_>) -> Result<Option<u16>> {
    let Some(number) = request.attributes().be32(attribute::QUEUE) else {
        return Ok(None);
    };
    u16::try_from(number.get()).map(Some).map_err(|_| EINVAL)
}

/// Whether the helper is to be at work, if the request says so.
fn status_in(request: &Request<'_>) -> Option<bool> {
    match request.attributes().be32(attribute::STATUS)?.get() {
        bindings::NFCT_HELPER_STATUS_ENABLED => Some(true),
        bindings::NFCT_HELPER_STATUS_DISABLED => Some(false),
        _ => None,
    }
}

/// NFNL_MSG_CTHELPER_NEW: makes a helper, or changes one.
struct New;

impl Command for New {
    const POLICY: Table = attribute::HELPER.table();

    fn call(request: &Request<'_>) -> Result {
        administrator()?;
        let meant = Meant::by(request)?;
        meant.one()?;
        match find(&meant) {
            Some(_) if request.is_exclusive() => Err(EEXIST),
            Some(helper) => change(request, &helper),
            None => make(request, &meant),
        }
    }
}

fn make(request: &Request<'_>, meant: &Meant<'_>) -> Result {
    let (name, l3num, protocol) = meant.one()?;
    let attributes = request.attributes();
    let classes = attributes.get(attribute::POLICY).ok_or(EINVAL)?;
    let data_len = attributes.be32(attribute::DATA_LEN).ok_or(EINVAL)?;
    let classes = Classes::new(classes, request.extack())?;
    let data_len = u16::try_from(data_len.get())
        .ok()
        .filter(|length| usize::from(*length) <= DATA_LEN)
        .ok_or(ENOMEM)?;
    register_user_space(NewHelper::new::<Queued>(&UserHelper {
        name,
        l3num,
        protocol,
        classes: classes.all(),
        data_len,
        queue: queue_in(request)?.unwrap_or(0),
        enabled: status_in(request).unwrap_or(false),
    })?)
}

fn change(request: &Request<'_>, helper: &Helper) -> Result {
    let attributes = request.attributes();
    let data_len = attributes.be32(attribute::DATA_LEN).map(Be32::get);
    // Connections have data of the old length.
    if data_len.is_some_and(|length| length != helper.data_len().into()) {
        return Err(EBUSY);
    }
    let queue = queue_in(request)?;
    if let Some(classes) = attributes.get(attribute::POLICY) {
        Classes::new(classes, request.extack())?.apply(helper)?;
    }
    if let Some(queue) = queue {
        helper.set_queue(queue);
    }
    if let Some(enabled) = status_in(request) {
        helper.set_configured(enabled);
    }
    Ok(())
}

/// NFNL_MSG_CTHELPER_GET: shows a helper, or all.
struct Get;

impl Command for Get {
    const POLICY: Table = attribute::HELPER.table();

    fn call(request: &Request<'_>) -> Result {
        administrator()?;
        if request.is_dump() {
            return request.dump(&THIS_MODULE, All(None));
        }
        let helper = find(&Meant::by(request)?).ok_or(ENOENT)?;
        let mut header = request.answer(ID, HELPER, bindings::NFPROTO_UNSPEC as u8);
        // It claims to be one of many, as it always did.
        header.flags = bindings::NLM_F_MULTI as u16;
        let mut answer = Buffer::new(Buffer::USUAL, bindings::GFP_KERNEL)?;
        let mut message = answer.message(header);
        show(&mut message, &helper);
        message.finish()?;
        request.reply(answer)
    }
}

/// What tells helpers apart.
type Key = ([u8; NAME_LEN], u16, u8);

fn key(helper: &Helper) -> Key {
    let mut name = [0; NAME_LEN];
    for (to, from) in name.iter_mut().zip(helper.name()) {
        *to = *from;
    }
    (name, helper.l3num(), helper.protocol())
}

/// All helpers in the order of their keys: after the one that was shown last,
/// whether that is still there or not.
struct All(Option<Key>);

impl All {
    /// The next one after the last.
    fn next<'g>(&self, rcu: &'g rcu::Guard) -> Option<(Key, &'g Helper)> {
        let mut next: Option<(Key, &Helper)> = None;
        for helper in registered(rcu) {
            if !helper.is_in_user_space() {
                continue;
            }
            let key = key(helper);
            let follows = self.0.is_none_or(|last| key > last);
            if follows && next.is_none_or(|(next, _)| key < next) {
                next = Some((key, helper));
            }
        }
        next
    }
}

impl Dump for All {
    fn step(&mut self, out: &mut Output<'_>) -> Result<Progress> {
        let header = out.header(ID, HELPER, 0, bindings::NFPROTO_UNSPEC as u8);
        loop {
            let rcu = rcu::read_lock();
            let Some((key, helper)) = self.next(&rcu) else {
                return Ok(Progress::Finished);
            };
            let mut message = out.message(header);
            show(&mut message, helper);
            if message.finish().is_err() {
                return Ok(Progress::More);
            }
            self.0 = Some(key);
        }
    }
}

fn show(message: &mut Writer<'_>, helper: &Helper) {
    message
        .text(attribute::NAME, helper.name())
        .number(attribute::QUEUE, helper.queue().into());
    message.nest(attribute::TUPLE, |message| {
        message
            .be16(attribute::L3, Be16::new(helper.l3num()))
            .u8(attribute::L4, helper.protocol());
    });
    message.nest(attribute::POLICY, |message| {
        message.number(attribute::NUMBER, helper.classes());
        for (class, kind) in (0..helper.classes()).zip(attribute::CLASS..=u32::MAX) {
            show_class(message, kind, helper, class);
        }
    });
    let status = if helper.is_configured() {
        bindings::NFCT_HELPER_STATUS_ENABLED
    } else {
        bindings::NFCT_HELPER_STATUS_DISABLED
    };
    message
        .number(attribute::DATA_LEN, helper.data_len().into())
        .number(attribute::STATUS, status);
}

fn show_class(message: &mut Writer<'_>, kind: u32, helper: &Helper, class: u32) {
    let Some(policy) = helper.policy(class) else {
        return;
    };
    message.nest(kind, |message| {
        message
            .text(attribute::CLASS_NAME, helper.class_name(class))
            .number(attribute::CLASS_MAX, policy.max_expected)
            .number(attribute::CLASS_TIMEOUT, policy.timeout);
    });
}

/// NFNL_MSG_CTHELPER_DEL: deletes helpers, or all.
struct Delete;

impl Command for Delete {
    const POLICY: Table = attribute::HELPER.table();

    fn call(request: &Request<'_>) -> Result {
        administrator()?;
        let meant = Meant::by(request)?;
        let any = {
            let rcu = rcu::read_lock();
            let mut helpers = registered(&rcu);
            helpers.any(Helper::is_in_user_space)
        };
        // Of none, all are deleted.
        if unregister_user_space(|helper| meant.is(helper)) || !any {
            Ok(())
        } else {
            Err(ENOENT)
        }
    }
}
