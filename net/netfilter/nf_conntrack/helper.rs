// SPDX-License-Identifier: GPL-2.0

//! Helpers: who reads the payload of a connection. They are registered here by
//! their modules, and given to connections by rules; nothing is assigned by
//! itself.

use crate::expect;
use kernel::{prelude::*, sync::rcu};
use netfilter::conntrack::{
    expect::MAX_OF_CLASS,
    helper::{self, user::NewHelper, Help, Helper, HelperRef, RegistryLock, NAT_HELPERS},
    skb::Packet,
    Conn, Info, Status,
};
use nf_bindings as bindings;
use nf_proto::tuple::Tuple;

/// Makes the registries. Sleeps.
///
/// # Errors
///
/// `ENOMEM`
pub fn start() -> Result {
    helper::start()
}

/// Frees the registries.
pub fn stop() {
    helper::stop();
}

/// The connection has a helper.
#[inline]
pub fn has(conn: &Conn) -> bool {
    Help::of(conn).is_some_and(Help::has_helper)
}

/// The connection has room for a helper, if none perhaps.
#[inline]
pub fn has_extension(conn: &Conn) -> bool {
    Help::of(conn).is_some()
}

/// The connection's helper is one in user space.
pub fn in_user_space(conn: &Conn) -> bool {
    let rcu = rcu::read_lock();
    Help::of(conn)
        .and_then(|help| help.helper(&rcu))
        .is_some_and(Helper::is_in_user_space)
}

/// Gives a connection that is not confirmed a helper. Without memory, or if the
/// helper is going, it does without.
pub fn assign(conn: &Conn, helper: &Helper) {
    let help = Help::of(conn).or_else(|| Help::add(conn, bindings::GFP_ATOMIC));
    if let (Some(help), Some(helper)) = (help, helper.try_get()) {
        help.set_helper(Some(helper));
    }
}

/// [`assign_from`] on the packet path; an errno.
pub fn try_assign(conn: &Conn, template: &Conn) -> i32 {
    match assign_from(template, conn, bindings::GFP_ATOMIC) {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// Gives a connection that is not confirmed the helper of its template
/// (`__nf_ct_try_assign_helper`).
///
/// One that a rule gave it stays. One of another sort than the template's goes,
/// as what it keeps about the connection cannot be read by the other.
///
/// # Errors
///
/// `ENOMEM`
pub fn assign_from(template: &Conn, conn: &Conn, gfp: bindings::gfp_t) -> Result {
    if conn.status().has(Status::HELPER) {
        return Ok(());
    }
    let rcu = rcu::read_lock();
    let wanted = Help::of(template).and_then(|help| help.helper(&rcu));
    let help = Help::of(conn);
    let Some(wanted) = wanted else {
        if let Some(help) = help {
            help.set_helper(None);
        }
        return Ok(());
    };
    let help = match help {
        Some(help) => help,
        None => Help::add(conn, gfp).ok_or(ENOMEM)?,
    };
    match help.helper(&rcu) {
        Some(present) if present.same_function(wanted) => {}
        Some(_) => help.set_helper(None),
        None => help.set_helper(wanted.try_get()),
    }
    Ok(())
}

/// Tells a connection's helper that the connection is over
/// (`nf_ct_helper_destroy`).
pub fn destroy(conn: &Conn) {
    let Some(help) = Help::of(conn) else { return };
    let rcu = rcu::read_lock();
    if let Some(helper) = help.helper(&rcu) {
        helper.connection_over(conn);
    }
}

/// Gives back a connection's reference to its helper: the connection is being
/// freed.
pub fn put(conn: &Conn) {
    if let Some(help) = Help::of(conn) {
        help.set_helper(None);
    }
}

/// Lets the connection's helper, if it has one, read a packet whose transport
/// header is `transport` bytes from its data; returns an `NF_*` verdict. Under
/// RCU.
#[inline]
pub fn call(packet: &mut Packet<'_>, conn: &Conn, info: Info, transport: u32) -> u32 {
    let Some(help) = Help::of(conn) else {
        return bindings::NF_ACCEPT;
    };
    let rcu = rcu::read_lock();
    match help.helper(&rcu) {
        Some(helper) => helper.call(packet, transport, conn, info) as u32,
        None => bindings::NF_ACCEPT,
    }
}

/// The helper of a name for a family and a protocol.
pub fn find<'g>(rcu: &'g rcu::Guard, name: &[u8], l3num: u16, protocol: u8) -> Option<&'g Helper> {
    helper::registered(rcu).find(|helper| {
        helper.name() == name && helper.covers(l3num) && helper.protocol() == protocol
    })
}

/// [`find`]s a helper, if need be after loading its module, and keeps both.
/// Sleeps. To be given back with [`put_with_module`].
pub fn get_with_module(name: &[u8], l3num: u16, protocol: u8) -> Option<HelperRef> {
    let try_get = || {
        let rcu = rcu::read_lock();
        find(&rcu, name, l3num, protocol).map(|helper| {
            if !helper.try_get_module() {
                return None;
            }
            let found = helper.try_get();
            if found.is_none() {
                helper.put_module();
            }
            found
        })
    };
    match try_get() {
        Some(found) => found,
        None => {
            helper::request_helper(name).ok()?;
            try_get().flatten()
        }
    }
}

/// Gives back what [`get_with_module`] returned.
pub fn put_with_module(helper: HelperRef) {
    helper.put_module();
}

/// Keeps the NAT half of a helper, if need be after loading it. Sleeps.
///
/// # Errors
///
/// `ENOENT` if there is no such helper or its NAT half is not to be had.
pub fn get_nat_module(name: &[u8], l3num: u16, protocol: u8) -> Result {
    let mut wanted = [0u8; helper::NAME_LEN];
    let length;
    {
        let rcu = rcu::read_lock();
        let module = find(&rcu, name, l3num, protocol)
            .ok_or(ENOENT)?
            .nat_module_name();
        if let Some(found) = find_nat(&rcu, module) {
            return helper::try_get_nat_module(found)
                .then_some(())
                .ok_or(ENOENT);
        }
        // Copied, as loading sleeps and the helper may go meanwhile.
        for (to, from) in wanted.iter_mut().zip(module) {
            *to = *from;
        }
        length = module.len();
    }
    let wanted = wanted.get(..length).ok_or(ENOENT)?;
    helper::request_module(wanted);
    let rcu = rcu::read_lock();
    let found = find_nat(&rcu, wanted).ok_or(ENOENT)?;
    helper::try_get_nat_module(found)
        .then_some(())
        .ok_or(ENOENT)
}

/// Gives back what [`get_nat_module`] took.
pub fn put_nat_module(of: &Helper) {
    let rcu = rcu::read_lock();
    // It is there, as its module is kept.
    if let Some(found) = find_nat(&rcu, of.nat_module_name()) {
        helper::put_nat_module(found);
    }
}

fn find_nat<'g>(rcu: &'g rcu::Guard, name: &[u8]) -> Option<&'g bindings::nf_conntrack_nat_helper> {
    NAT_HELPERS.find(rcu, |entry| helper::nat_helper_name(entry) == name)
}

/// A helper of this name, or one that would see the same packets, is in the
/// registry already.
fn is_taken(registry: &RegistryLock, new: &Helper) -> bool {
    registry.helpers().any(|helper| {
        let same_name = helper.name() == new.name()
            && helper.covers(new.l3num())
            && helper.protocol() == new.protocol();
        same_name || (!new.is_in_user_space() && same_place(helper.tuple(), new.tuple()))
    })
}

fn same_place(a: &Tuple, b: &Tuple) -> bool {
    a.src.id == b.src.id && a.src.l3num == b.src.l3num && a.dst.protocol == b.dst.protocol
}

/// Checks and registers a helper; the registry has one reference.
///
/// `add` puts it into the registry, by [`RegistryLock::add`].
///
/// # Errors
///
/// `ENOENT` before the module has started, `EINVAL` if a class's limit is more
/// than can be counted or it has too many, `EBUSY` if there is one like it.
pub fn register(new: &Helper, add: impl FnOnce(&RegistryLock)) -> Result {
    prepare(new)?;
    let registry = RegistryLock::take();
    if is_taken(&registry, new) {
        return Err(EBUSY);
    }
    add(&registry);
    Ok(())
}

fn prepare(new: &Helper) -> Result {
    if !helper::is_started() {
        return Err(ENOENT);
    }
    if !new.is_well_formed() || !new.default_limits(MAX_OF_CLASS) {
        return Err(EINVAL);
    }
    Ok(())
}

/// Registers a helper in user space.
///
/// # Errors
///
/// As [`register`].
pub fn register_user_space(new: NewHelper) -> Result {
    prepare(new.helper())?;
    let registry = RegistryLock::take();
    if is_taken(&registry, new.helper()) {
        return Err(EBUSY);
    }
    new.register(&registry);
    Ok(())
}

/// [`unregister`]s all helpers in user space that `choose` picks; false if it
/// picks none. Sleeps.
pub fn unregister_user_space(mut choose: impl FnMut(&Helper) -> bool) -> bool {
    let mut found = false;
    loop {
        let taken = RegistryLock::take().take_user_space(&mut choose);
        let Some(helper) = taken else { return found };
        found = true;
        withdraw(helper);
    }
}

/// Takes a helper out of the registry and away from all that use it: from the
/// return on none of its functions is called. Connections keep the object.
/// Sleeps.
pub fn unregister(helper: HelperRef) {
    RegistryLock::take().remove(&helper);
    withdraw(helper);
}

fn withdraw(helper: HelperRef) {
    helper.disable();
    // Who found it before has done with it.
    helper::synchronize();
    release(helper);
}

/// Removes the expectations by or for a helper, and gives its reference back.
pub fn release(helper: HelperRef) {
    expect::iterate(None, 0, 0, |_, exp| exp.refers_to(&helper));
}

/// The connection's helper wants to know when it is over: of ours, only PPTP's.
pub fn has_destroy(conn: &Conn) -> bool {
    let rcu = rcu::read_lock();
    Help::of(conn)
        .and_then(|help| help.helper(&rcu))
        .is_some_and(Helper::has_destroy)
}
