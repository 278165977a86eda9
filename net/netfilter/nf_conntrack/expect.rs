// SPDX-License-Identifier: GPL-2.0

//! Expectations: connections that a helper reads about in another one, their
//! master. Whoever fulfils one becomes RELATED.

mod control;
mod proc;

pub use control::*;
pub use proc::{proc_exit, proc_init};

use core::sync::atomic::{AtomicU64, Ordering};
use kernel::prelude::*;
use netfilter::conntrack::{
    conn::now,
    expect::{
        self, flag, notify, Chain, Event, Expect, ExpectLock, ExpectRef, NewExpect, CLASSES,
        MAX_OF_CLASS,
    },
    helper::Help,
    stat::Counter,
    Conn, Fresh, Net, Status, Zone, HZ,
};
use nf_bindings as bindings;
use nf_proto::{
    be::{Be16, Be32},
    expect as rules,
    hash::{self, Key},
    l4::Jiffies,
    tuple::{Address, Family, Tuple},
};

static KEY: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// Makes the table: for `buckets` buckets of the table of connections that the
/// module starts with by default, of which `random` keys the hash. May sleep.
///
/// # Errors
///
/// `ENOMEM`
pub fn start(buckets: u32, random: [u64; 2]) -> Result {
    for (word, value) in KEY.iter().zip(random) {
        word.store(value, Ordering::Relaxed);
    }
    for word in &control::ID_KEY {
        word.store(netfilter::random::u64(), Ordering::Relaxed);
    }
    expect::start(buckets / 256)
}

/// Frees the table. Every namespace's connections are gone. May sleep.
pub fn stop() {
    expect::stop();
}

fn shut_down() -> Error {
    Error::from_errno(-(bindings::ESHUTDOWN as i32))
}

fn already() -> Error {
    Error::from_errno(-(bindings::EALREADY as i32))
}

fn chain(net: Net, tuple: &Tuple) -> Chain {
    let [a, b] = &KEY;
    let key = Key::new([a.load(Ordering::Relaxed), b.load(Ordering::Relaxed)]);
    let [d0, d1, d2, d3] = tuple.dst.address.0;
    let pair = |a: u32, b: u32| (u64::from(a) << 32) | u64::from(b);
    let ids = pair(
        u32::from(tuple.dst.id.raw()),
        (u32::from(tuple.src.l3num) << 8) | u32::from(tuple.dst.protocol),
    );
    Chain::of(hash::hash_array(
        &key,
        [
            pair(d0.raw(), d1.raw()),
            pair(d2.raw(), d3.raw()),
            ids,
            net.as_ptr() as u64,
        ],
    ))
}

/// The namespace has expectations.
#[inline]
pub fn any_in(net: Net) -> bool {
    net.expectations() != 0
}

fn is_for(exp: &Expect, net: Net, zone: Zone, tuple: &Tuple) -> bool {
    rules::matches(tuple, exp.tuple(), exp.mask())
        && exp.is_in(net)
        && exp.zone_id() == zone.raw_id()
}

/// An expectation that a new connection fulfils.
pub struct Claimed(ExpectRef);

impl Claimed {
    /// The connection that expected it.
    pub fn master(&self) -> &Conn {
        self.0.master()
    }

    /// Makes `fresh` the expected connection: it gets its master, with mark and
    /// security mark, and the helper that is meant for it. Under the RCU read
    /// section of the [`claim`].
    pub fn apply(&self, fresh: &mut Fresh) {
        fresh.set_master(self.0.master().get());
        let rcu = kernel::sync::rcu::read_lock();
        if let Some(helper) = self.0.assign_helper(&rcu) {
            crate::helper::assign(fresh.conn(), helper);
        }
    }

    /// Lets whoever made the expectation have a look at the connection. Under
    /// the RCU read section of the [`claim`].
    pub fn run(self, conn: &Conn) {
        self.0.call(conn);
    }
}

/// The expectation that a connection of this tuple fulfils, if there is one and
/// its master is still there. It is over then, unless it is permanent or
/// `unlink` says otherwise. Under RCU.
pub fn claim(net: Net, zone: Zone, tuple: &Tuple, unlink: bool) -> Option<Claimed> {
    if !any_in(net) {
        return None;
    }
    let lock = ExpectLock::take();
    let now = now();
    for exp in lock.walk(chain(net, tuple)) {
        if exp.is_over(now) {
            remove(&lock, exp, 0, 0);
            continue;
        }
        if exp.has(flag::INACTIVE) || !is_for(exp, net, zone, tuple) {
            continue;
        }
        // A master that nobody outside of this machine has seen cannot be
        // answered; one that goes away must not get new references.
        let master = exp.master(&lock).status();
        if !master.has(Status::CONFIRMED) || master.has(Status::DYING) {
            return None;
        }
        let found = lock.get(exp)?;
        if unlink && !exp.has(flag::PERMANENT) {
            remove(&lock, exp, 0, 0);
        }
        return Some(Claimed(found));
    }
    None
}

/// The expectation that a connection of this tuple would fulfil, with its
/// master.
pub fn find(net: Net, zone: Zone, tuple: &Tuple) -> Option<ExpectRef> {
    if !any_in(net) {
        return None;
    }
    let lock = ExpectLock::take();
    let now = now();
    let exp = lock
        .walk(chain(net, tuple))
        .find(|exp| !exp.is_over(now) && is_for(exp, net, zone, tuple))?;
    lock.get(exp)
}

/// [`find`] without a reference, and so without the master.
pub fn find_rcu<'g>(
    rcu: &'g kernel::sync::rcu::Guard,
    net: Net,
    zone: Zone,
    tuple: &Tuple,
) -> Option<&'g Expect> {
    if !any_in(net) {
        return None;
    }
    let now = now();
    let mut chain = chain(net, tuple).iter(rcu);
    chain.find(|exp| !exp.is_over(now) && is_for(exp, net, zone, tuple))
}

/// What is expected (the arguments of `nf_ct_expect_init`).
pub struct Wanted<'a> {
    /// Class, of those of the master's helper.
    pub class: u32,
    /// Family, `NFPROTO_IPV4` or `NFPROTO_IPV6`.
    pub l3num: u16,
    /// Where from, if known.
    pub source: Option<&'a Address>,
    /// Where to.
    pub destination: &'a Address,
    /// `IPPROTO_*`
    pub protocol: u8,
    /// Port it comes from, if known.
    pub source_port: Option<Be16>,
    /// Port it goes to.
    pub port: Be16,
}

/// Says what a new expectation is for, on the packet path, where the master's
/// helper stays.
pub fn describe(exp: &mut NewExpect<'_>, wanted: &Wanted<'_>) {
    let master = exp.master();
    let rcu = kernel::sync::rcu::read_lock();
    let helper = Help::of(master).and_then(|help| help.helper(&rcu));
    let mut tuple = Tuple::default();
    let mut mask = rules::Mask::default();
    tuple.src.l3num = wanted.l3num;
    if let Some(address) = wanted.source {
        tuple.src.address = cut(address, wanted.l3num);
        mask.address = cut(&Address([Be32::from_raw(u32::MAX); 4]), wanted.l3num);
    }
    if let Some(port) = wanted.source_port {
        tuple.src.id = port;
        mask.id = Be16::from_raw(u16::MAX);
    }
    tuple.dst.address = cut(wanted.destination, wanted.l3num);
    tuple.dst.id = wanted.port;
    tuple.dst.protocol = wanted.protocol;
    exp.describe(&expect::Description {
        class: wanted.class,
        flags: 0,
        tuple,
        mask,
        helper,
    });
}

/// An address of a family: what an IPv4 address does not have is zero.
fn cut(address: &Address, l3num: u16) -> Address {
    if l3num == Family::Ipv4.number() {
        let [word, ..] = address.0;
        Address::v4(word)
    } else {
        *address
    }
}

/// Puts an expectation into the table (`nf_ct_expect_related_report`). `flags`
/// are `NF_CT_EXP_F_*`.
///
/// # Errors
///
/// `ESHUTDOWN` if its master can have none or its helper is going, `EALREADY`
/// if it is there, `EBUSY` if others are in its way, `EMFILE` if there are too
/// many, `EINVAL` if it has a class that its helper does not know.
pub fn related(exp: &NewExpect<'_>, portid: u32, report: i32, flags: u32) -> Result {
    related_with(exp, portid, report, flags, |_| Ok(None))
}

/// [`related`] of one that `complete` makes complete, with the lock held: it
/// says for how many jiffies it is expected, if not for as long as its class is.
///
/// # Errors
///
/// As [`related`], and those of `complete`.
pub fn related_with(
    exp: &NewExpect<'_>,
    portid: u32,
    report: i32,
    flags: u32,
    complete: impl FnOnce(&ExpectLock) -> Result<Option<Jiffies>>,
) -> Result {
    let lock = ExpectLock::take();
    let help = Help::of(exp.master()).ok_or_else(shut_down)?;
    let lifetime = complete(&lock)?;
    check(&lock, exp, &help, flags)?;
    help.count(exp.class(), 1, &lock);
    exp.set_timeout(match lifetime {
        Some(lifetime) => now().wrapping_add(lifetime.min(rules::LONGEST)),
        None => usual_end(&lock, exp, &help),
    });
    insert(&lock, exp, &help, portid, report);
    Ok(())
}

/// Puts two expectations of one master into the table, or none.
///
/// # Errors
///
/// As [`related`]; `EINVAL` if their masters differ.
pub fn related_pair(pair: [&NewExpect<'_>; 2], flags: u32) -> Result {
    let [first, second] = pair;
    let lock = ExpectLock::take();
    if !first.same_master(second) {
        return Err(EINVAL);
    }
    let help = Help::of(first.master()).ok_or(EINVAL)?;
    check(&lock, first, &help, flags)?;
    help.count(first.class(), 1, &lock);
    if let Err(error) = check(&lock, second, &help, flags) {
        help.count(first.class(), -1, &lock);
        return Err(error);
    }
    help.count(second.class(), 1, &lock);
    for exp in [first, second] {
        exp.set_timeout(usual_end(&lock, exp, &help));
        insert(&lock, exp, &help, 0, 0);
    }
    Ok(())
}

fn check(lock: &ExpectLock, new: &NewExpect<'_>, help: &Help<'_>, flags: u32) -> Result {
    if new.is_linked(lock) {
        return Err(already());
    }
    // It would outlive the removal of the helper's expectations.
    if new
        .helper(lock.rcu())
        .is_some_and(|helper| !helper.is_alive())
    {
        return Err(shut_down());
    }
    let class = new.class();
    let most = match help.helper(lock.rcu()) {
        Some(helper) => helper
            .policy(class)
            .ok_or(EINVAL)?
            .max_expected
            .min(MAX_OF_CLASS),
        None if class < CLASSES => MAX_OF_CLASS,
        None => return Err(EINVAL),
    };
    make_way(lock, new, flags)?;
    if help.expecting(class, lock) >= most {
        evict(lock, help, class, most);
    }
    let net = new.master().net();
    if net.expectations() >= expect::limit() {
        expect::log_full();
        return Err(EMFILE);
    }
    Ok(())
}

/// Removes what `new` replaces; an error if something else is in its way.
fn make_way(lock: &ExpectLock, new: &NewExpect<'_>, flags: u32) -> Result {
    let net = new.master().net();
    let any_master = flags & bindings::NF_CT_EXP_F_SKIP_MASTER != 0;
    let now = now();
    for exp in lock.walk(chain(net, new.tuple())) {
        if exp.is_over(now) {
            remove(lock, exp, 0, 0);
            continue;
        }
        if !exp.is_in(net) || exp.zone_id() != new.zone_id() {
            continue;
        }
        let (theirs, ours) = ((exp.tuple(), exp.mask()), (new.tuple(), new.mask()));
        if (any_master || exp.same_master(new)) && rules::same(theirs, ours) {
            if exp.class() != new.class() || !exp.same_master(new) {
                return Err(already());
            }
            remove(lock, exp, 0, 0);
            return Ok(());
        }
        if rules::clash(theirs, ours) {
            return Err(EBUSY);
        }
    }
    Ok(())
}

/// Removes what is over, and if that is not enough, the oldest of the class.
fn evict(lock: &ExpectLock, help: &Help<'_>, class: u32, most: u32) {
    let now = now();
    let mut oldest = None;
    for exp in lock.list(help) {
        if exp.is_over(now) {
            remove(lock, exp, 0, 0);
        } else if exp.class() == class {
            oldest = Some(exp);
        }
    }
    if let Some(oldest) = oldest {
        if help.expecting(class, lock) >= most {
            remove(lock, oldest, 0, 0);
        }
    }
}

/// When one ends that says so itself, and lives as long as its class.
fn usual_end(lock: &ExpectLock, exp: &NewExpect<'_>, help: &Help<'_>) -> Jiffies {
    let policy = help
        .helper(lock.rcu())
        .and_then(|helper| helper.policy(exp.class()));
    let span = policy.map_or(0, |policy| rules::span(policy.timeout, HZ));
    rules::extend(exp.timeout(), span, now())
}

fn insert(lock: &ExpectLock, exp: &NewExpect<'_>, help: &Help<'_>, portid: u32, report: i32) {
    let net = exp.master().net();
    lock.link(exp, chain(net, exp.tuple()), help);
    lock.count(net, 1);
    net.count(Counter::ExpectCreate);
    notify(lock, exp, Event::New, portid, report);
}

/// Removes an expectation from the table, if it is there. False if it was not.
pub fn remove(lock: &ExpectLock, exp: &Expect, portid: u32, report: i32) -> bool {
    if !lock.unlink(exp) {
        return false;
    }
    let master = exp.master(lock);
    let net = master.net();
    lock.count(net, -1);
    if let Some(help) = Help::of(master) {
        help.count(exp.class(), -1, lock);
    }
    notify(lock, exp, Event::Destroy, portid, report);
    net.count(Counter::ExpectDelete);
    lock.put_linked(exp);
    true
}

/// Gives up an expectation that may have been fulfilled meanwhile.
pub fn withdraw(exp: &Expect) {
    let lock = ExpectLock::take();
    exp.set_flags(&lock, flag::DEAD);
    remove(&lock, exp, 0, 0);
}

/// Removes all expectations of a connection: it goes.
pub fn remove_all(conn: &Conn) {
    // Most connections expect nothing.
    let Some(help) = Help::of(conn) else { return };
    let lock = ExpectLock::take();
    for exp in lock.list(&help) {
        remove(&lock, exp, 0, 0);
    }
}

/// Removes those expectations of a connection that are over.
pub fn gc(conn: &Conn) {
    let Some(help) = Help::of(conn) else { return };
    if help.expects_nothing() {
        return;
    }
    let lock = ExpectLock::take();
    let now = now();
    for exp in lock.list(&help) {
        if exp.is_over(now) {
            remove(&lock, exp, 0, 0);
        }
    }
}

/// Removes the expectations of `net` (of all namespaces, if there is none) that
/// `choose` picks. It is called with the lock held.
pub fn iterate(
    net: Option<Net>,
    portid: u32,
    report: i32,
    mut choose: impl FnMut(&ExpectLock, &Expect) -> bool,
) {
    for number in 0..expect::size() {
        let Some(chain) = Chain::number(number) else {
            return;
        };
        // One chain at a time: packets wait for the lock.
        let lock = ExpectLock::take();
        for exp in lock.walk(chain) {
            if net.is_none_or(|net| exp.is_in(net)) && choose(&lock, exp) {
                remove(&lock, exp, portid, report);
            }
        }
    }
}
