// SPDX-License-Identifier: GPL-2.0

//! What user space asks for, and the answers.

use crate::{
    abi::policies,
    list::Entry,
    name::{self, Name},
    namespace::Policies,
    THIS_MODULE,
};
use core::sync::atomic::Ordering;
use kernel::{error::code::EEXIST, prelude::*, sync::Arc};
use netfilter::{
    conntrack::{state, timeout::Policy, HZ},
    module::ModuleRef,
    nfnetlink::{Command, Dump, Entry as Place, Output, Progress, Request, Subsystem},
    nlattr::{self, Attribute, Buffer, Header, Rule, Table, Writer},
};
use nf_bindings as bindings;
use nf_conntrack::timeout::{kind, Kind, MOST};
use nf_proto::be::{Be16, Be32};

const NAME: u32 = bindings::ctattr_timeout_CTA_TIMEOUT_NAME;
const L3PROTO: u32 = bindings::ctattr_timeout_CTA_TIMEOUT_L3PROTO;
const L4PROTO: u32 = bindings::ctattr_timeout_CTA_TIMEOUT_L4PROTO;
const DATA: u32 = bindings::ctattr_timeout_CTA_TIMEOUT_DATA;
const USE: u32 = bindings::ctattr_timeout_CTA_TIMEOUT_USE;

static ATTRIBUTES: nlattr::Policy<{ bindings::ctattr_timeout___CTA_TIMEOUT_MAX as usize }> =
    nlattr::Policy::new(&[
        (NAME, Rule::Text(name::MAX as u16 - 1)),
        (L3PROTO, Rule::U16),
        (L4PROTO, Rule::U8),
        (DATA, Rule::Nested),
    ]);

/// As many timeouts as any protocol has, and those that one has less.
static TIMEOUTS: nlattr::Policy<{ MOST + 1 }> = {
    let mut rules = [(0, Rule::U32); MOST];
    let mut i = 0;
    while i < rules.len() {
        rules[i].0 = i as u32 + 1;
        i += 1;
    }
    nlattr::Policy::new(&rules)
};

const ID: u8 = bindings::NFNL_SUBSYS_CTNETLINK_TIMEOUT as u8;

/// The subsystem, its messages by their numbers.
pub static SUBSYSTEM: Subsystem<5> = Subsystem::new(
    c"conntrack_timeout",
    ID,
    [
        Place::of::<New>(),
        Place::of::<Get>(),
        Place::of::<Delete>(),
        Place::of::<SetDefault>(),
        Place::of::<GetDefault>(),
    ],
);

/// Answers are messages of these types.
const POLICY: u8 = bindings::ctnl_timeout_msg_types_IPCTNL_MSG_TIMEOUT_NEW as u8;
const DEFAULT: u8 = bindings::ctnl_timeout_msg_types_IPCTNL_MSG_TIMEOUT_DEFAULT_SET as u8;

/// How an answer begins. It claims to be one of many, as it always did.
fn header(request: &Request<'_>, message: u8) -> Header {
    let mut header = request.answer(ID, message, bindings::NFPROTO_UNSPEC as u8);
    header.flags = bindings::NLM_F_MULTI as u16;
    header
}

fn name_in(request: &Request<'_>) -> Result<Option<Name>> {
    match request.attributes().text(NAME) {
        Some(text) => Name::new(text).map(Some).ok_or(EINVAL),
        None => Ok(None),
    }
}

fn protocol_in(request: &Request<'_>) -> Result<u8> {
    request.attributes().u8(L4PROTO).ok_or(EINVAL)
}

fn family_in(request: &Request<'_>) -> Result<u16> {
    let family = request.attributes().be16(L3PROTO);
    family.map(Be16::get).ok_or(EINVAL)
}

fn unsupported() -> Error {
    Error::from_errno(-(bindings::EOPNOTSUPP as i32))
}

fn supported(protocol: u8) -> Result<&'static Kind> {
    kind(protocol).ok_or_else(unsupported)
}

/// The timeouts that a request says, the namespace's where it says none.
fn timeouts_in(request: &Request<'_>, kind: &Kind, data: Attribute<'_>) -> Result<[u32; MOST]> {
    let given = data.nested_below(&TIMEOUTS, kind.attributes_end(), request.extack())?;
    let given = given.attributes();
    let net = request.net();
    let defaults = state::timeouts(&net, kind.protocol).ok_or_else(unsupported)?;
    Ok(kind.table(defaults, |attribute| {
        given.be32(attribute.into()).map(Be32::get)
    }))
}

/// IPCTNL_MSG_TIMEOUT_NEW: makes a policy, or gives one other timeouts.
struct New;

impl Command for New {
    const POLICY: Table = ATTRIBUTES.table();

    fn call(request: &Request<'_>) -> Result {
        let name = name_in(request)?.ok_or(EINVAL)?;
        let (l3num, protocol) = (family_in(request)?, protocol_in(request)?);
        let data = request.attributes().get(DATA).ok_or(EINVAL)?;
        let policies = policies(request.net())?;
        if let Some(policy) = policies.find(&name) {
            if request.is_exclusive() {
                return Err(EEXIST);
            }
            if !request.may_replace() {
                return Err(EBUSY);
            }
            if (policy.l3num(), policy.protocol()) != (l3num, protocol) {
                return Err(EINVAL);
            }
            policy.set(&timeouts_in(request, supported(protocol)?, data)?);
            return Ok(());
        }
        let timeouts = timeouts_in(request, supported(protocol)?, data)?;
        let policy = Policy::new(l3num, protocol, &timeouts)?;
        let module = ModuleRef::try_get(&THIS_MODULE).ok_or(ENOENT)?;
        policies.add(Entry::new(name, policy, module)?);
        Ok(())
    }
}

/// IPCTNL_MSG_TIMEOUT_GET: shows a policy, or all.
struct Get;

impl Command for Get {
    const POLICY: Table = ATTRIBUTES.table();

    fn call(request: &Request<'_>) -> Result {
        let policies = policies(request.net())?;
        if request.is_dump() {
            return request.dump(
                &THIS_MODULE,
                All {
                    policies,
                    position: 0,
                },
            );
        }
        let name = name_in(request)?.ok_or(EINVAL)?;
        let policy = policies.find(&name).ok_or(ENOENT)?;
        // That one is for the answer.
        let uses = policy.uses().saturating_sub(1);
        let mut answer = Buffer::new(Buffer::USUAL, bindings::GFP_KERNEL)?;
        let mut message = answer.message(header(request, POLICY));
        show(&mut message, &name, &policy, uses);
        message.finish()?;
        request.reply(answer)
    }
}

struct All {
    policies: Arc<Policies>,
    /// Where to go on.
    position: u64,
}

impl Dump for All {
    fn step(&mut self, out: &mut Output<'_>) -> Result<Progress> {
        let header = out.header(ID, POLICY, 0, bindings::NFPROTO_UNSPEC as u8);
        let rest = self.policies.show(self.position, |entry| {
            let policy = entry.policy();
            let mut message = out.message(header);
            show(&mut message, entry.name(), policy, policy.uses());
            Ok(message.finish()?)
        });
        Ok(match rest {
            Some(position) => {
                self.position = position;
                Progress::More
            }
            None => Progress::Finished,
        })
    }
}

fn show(message: &mut Writer<'_>, name: &Name, policy: &Policy, uses: u32) {
    message
        .text(NAME, name.text())
        .be16(L3PROTO, Be16::new(policy.l3num()))
        .u8(L4PROTO, policy.protocol())
        .number(USE, uses);
    let mut table = [0; MOST];
    for (to, from) in table.iter_mut().zip(policy.values()) {
        *to = from;
    }
    if let Some(kind) = kind(policy.protocol()) {
        show_timeouts(message, kind, &table);
    }
}

fn show_timeouts(message: &mut Writer<'_>, kind: &Kind, table: &[u32]) {
    message.nest(DATA, |message| {
        for (attribute, timeout) in kind.attributes(table) {
            message.number(attribute.into(), timeout / HZ);
        }
    });
}

/// IPCTNL_MSG_TIMEOUT_DELETE: deletes a policy, or all.
struct Delete;

impl Command for Delete {
    const POLICY: Table = ATTRIBUTES.table();

    fn call(request: &Request<'_>) -> Result {
        let policies = policies(request.net())?;
        let net = request.net();
        match name_in(request)? {
            Some(name) if policies.remove(net, |entry| *entry.name() == name) => Ok(()),
            Some(_) => Err(ENOENT),
            None => {
                policies.clear(net);
                Ok(())
            }
        }
    }
}

/// IPCTNL_MSG_TIMEOUT_DEFAULT_SET: sets the timeouts of the namespace.
struct SetDefault;

impl Command for SetDefault {
    const POLICY: Table = ATTRIBUTES.table();

    fn call(request: &Request<'_>) -> Result {
        let protocol = protocol_in(request)?;
        let data = request.attributes().get(DATA).ok_or(EINVAL)?;
        let timeouts = timeouts_in(request, supported(protocol)?, data)?;
        let net = request.net();
        let words = state::timeouts(&net, protocol).ok_or_else(unsupported)?;
        for (word, timeout) in words.iter().zip(timeouts) {
            word.store(timeout, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// IPCTNL_MSG_TIMEOUT_DEFAULT_GET: shows the timeouts of the namespace.
struct GetDefault;

impl Command for GetDefault {
    const POLICY: Table = ATTRIBUTES.table();

    fn call(request: &Request<'_>) -> Result {
        let (l3num, protocol) = (family_in(request)?, protocol_in(request)?);
        let kind = supported(protocol)?;
        let net = request.net();
        let words = state::timeouts(&net, protocol).ok_or_else(unsupported)?;
        let mut table = [0; MOST];
        for (to, from) in table.iter_mut().zip(words) {
            *to = from.load(Ordering::Relaxed);
        }
        let mut answer = Buffer::new(Buffer::USUAL, bindings::GFP_KERNEL)?;
        let mut message = answer.message(header(request, DEFAULT));
        message
            .be16(L3PROTO, Be16::new(l3num))
            .u8(L4PROTO, protocol);
        show_timeouts(&mut message, kind, &table);
        message.finish()?;
        request.reply(answer)
    }
}
