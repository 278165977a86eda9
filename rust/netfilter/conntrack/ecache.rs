// SPDX-License-Identifier: GPL-2.0

//! Events: what happens to a connection and somebody may want to hear of
//! (`struct nf_conntrack_ecache`), and who hears of it.
//!
//! A namespace has one listener (`struct nf_ct_event_notifier`), found under
//! RCU. A connection whose end the listener could not take is kept in a list
//! of the namespace, and tried again by delayed work; the work item is C's
//! (rust/helpers/ct_ecache.c) and calls `nf_conntrack_ecache_run`, which the
//! module provides.

use super::{ext, Conn, ConnRef, Net};
use core::{
    marker::PhantomData,
    ops::Deref,
    ptr::NonNull,
    sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering},
};
use nf_bindings as bindings;
use nf_proto::l4::Jiffies;

/// What can happen to a connection (`enum ip_conntrack_events`).
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // Each is IPCT_* of the UAPI header, documented there.
pub enum Event {
    New = bindings::ip_conntrack_events_IPCT_NEW,
    Related = bindings::ip_conntrack_events_IPCT_RELATED,
    Destroy = bindings::ip_conntrack_events_IPCT_DESTROY,
    Reply = bindings::ip_conntrack_events_IPCT_REPLY,
    Assured = bindings::ip_conntrack_events_IPCT_ASSURED,
    ProtoInfo = bindings::ip_conntrack_events_IPCT_PROTOINFO,
    Helper = bindings::ip_conntrack_events_IPCT_HELPER,
    Mark = bindings::ip_conntrack_events_IPCT_MARK,
    SeqAdj = bindings::ip_conntrack_events_IPCT_SEQADJ,
    SecMark = bindings::ip_conntrack_events_IPCT_SECMARK,
    Label = bindings::ip_conntrack_events_IPCT_LABEL,
    Synproxy = bindings::ip_conntrack_events_IPCT_SYNPROXY,
}

// An extension's mask of events has 16 bits.
const _: () = assert!(bindings::ip_conntrack_events___IPCT_MAX < 16);

impl Event {
    /// Its bit in a mask of events.
    #[inline]
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// What can happen to an expectation (`enum ip_conntrack_expect_events`).
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // Each is IPEXP_* of the UAPI header, documented there.
pub enum ExpectEvent {
    New = bindings::ip_conntrack_expect_events_IPEXP_NEW,
    Destroy = bindings::ip_conntrack_expect_events_IPEXP_DESTROY,
}

impl ExpectEvent {
    /// Its bit in a mask of events.
    #[inline]
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// A connection's events that are not reported yet, and which are wanted.
#[derive(Clone, Copy)]
pub struct Cache<'a>(
    NonNull<bindings::nf_conntrack_ecache>,
    PhantomData<&'a Conn>,
);

impl<'a> Cache<'a> {
    /// That of a connection, if it has one.
    #[inline]
    pub fn of(conn: &'a Conn) -> Option<Self> {
        conn.ext().map(|raw| Cache(raw, PhantomData))
    }

    /// Adds one to a connection that is not confirmed; nothing if memory is
    /// short or it has one.
    pub fn add(
        conn: &'a Conn,
        connection_events: u16,
        expectation_events: u16,
        gfp: bindings::gfp_t,
    ) -> Option<Self> {
        let id = bindings::nf_ct_ext_id_NF_CT_EXT_ECACHE;
        let raw: NonNull<bindings::nf_conntrack_ecache> = ext::add(conn, id, gfp)?.cast();
        // SAFETY: Just added, and the connection has one owner, the caller.
        unsafe {
            (*raw.as_ptr()).ctmask = connection_events;
            (*raw.as_ptr()).expmask = expectation_events;
        }
        let cache = Cache(raw, PhantomData);
        if conn.ext::<bindings::nf_conn_tstamp>().is_some() {
            cache.stamp();
        }
        Some(cache)
    }

    /// The wanted events of the connection.
    #[inline]
    pub fn connection_events(self) -> u16 {
        // SAFETY: The extension lives as long as the connection; rules may
        // write this aligned word meanwhile.
        unsafe { (&raw const (*self.0.as_ptr()).ctmask).read_volatile() }
    }

    /// The wanted events of expectations for which it is the master.
    #[inline]
    pub fn expectation_events(self) -> u16 {
        // SAFETY: As above.
        unsafe { (&raw const (*self.0.as_ptr()).expmask).read_volatile() }
    }

    /// Events that wait for the packet's end, a bit each.
    #[inline]
    pub fn waiting(self) -> &'a AtomicU64 {
        // SAFETY: An aligned word inside the extension, which lives as long as
        // the connection; only accessed atomically, by C too.
        unsafe { AtomicU64::from_ptr((&raw mut (*self.0.as_ptr()).cache).cast()) }
    }

    /// Events that the listener could not take, a bit each.
    #[inline]
    pub fn missed(self) -> &'a AtomicU32 {
        // SAFETY: As above.
        unsafe { AtomicU32::from_ptr(&raw mut (*self.0.as_ptr()).missed) }
    }

    /// The netlink port of whoever destroyed the connection, if its end could
    /// not be reported at once; else 0.
    #[inline]
    pub fn destroyer(self) -> &'a AtomicU32 {
        // SAFETY: As above.
        unsafe { AtomicU32::from_ptr(&raw mut (*self.0.as_ptr()).portid) }
    }

    #[inline]
    fn timestamp(self) -> &'a AtomicU64 {
        // SAFETY: As above; `local64_t` is a 64-bit word.
        unsafe { AtomicU64::from_ptr((&raw mut (*self.0.as_ptr()).timestamp).cast()) }
    }

    /// The time of an event that is noted, nanoseconds since 1970, or 0.
    #[inline]
    pub fn time(self) -> u64 {
        self.timestamp().load(Ordering::Relaxed)
    }

    fn stamp(self) {
        // SAFETY: Readable in any context.
        let now = unsafe { bindings::ktime_real_ns() };
        self.timestamp().store(now, Ordering::Relaxed);
    }

    /// Notes the time of an event, for connections that have timestamps.
    #[inline]
    pub fn restamp(self) {
        if self.timestamp().load(Ordering::Relaxed) != 0 {
            self.stamp();
        }
    }
}

const _: () = assert!(core::mem::size_of::<bindings::local64_t>() == core::mem::size_of::<u64>());

/// Somebody listens to connection events in some namespace
/// (`nf_ctnetlink_has_listener`).
#[inline]
pub fn has_listener() -> bool {
    // SAFETY: A byte that nfnetlink may write at any time.
    unsafe { (&raw const bindings::nf_ctnetlink_has_listener).read_volatile() != 0 }
}

#[inline]
fn notifier(net: Net) -> &'static AtomicPtr<bindings::nf_ct_event_notifier> {
    // SAFETY: An aligned pointer inside the namespace, which outlives the use
    // that callers in this file make of the reference.
    unsafe { AtomicPtr::from_ptr(&raw mut (*net.ct()).nf_conntrack_event_cb) }
}

/// The namespace has a listener now.
#[inline]
pub fn is_heard(net: Net) -> bool {
    !notifier(net).load(Ordering::Relaxed).is_null()
}

/// Sets the namespace's listener, or takes it away (null). False if there was
/// one before and now is another.
///
/// # Safety
///
/// It stays valid, and so do its functions, until a grace period after it was
/// taken away.
pub unsafe fn set_notifier(net: Net, new: *const bindings::nf_ct_event_notifier) -> bool {
    let old = notifier(net).swap(new.cast_mut(), Ordering::AcqRel);
    old.is_null() || new.is_null()
}

/// Tells the namespace's listener: what the listener says (negative: it could
/// not take it), or nothing if there is none.
pub fn notify(conn: &Conn, events: u32, portid: u32, report: i32) -> Option<i32> {
    let _rcu = kernel::sync::rcu::read_lock();
    let listener = notifier(conn.net()).load(Ordering::Acquire);
    let item = bindings::nf_ct_event {
        ct: conn.as_ptr(),
        portid,
        report,
    };
    // SAFETY: A listener is valid within an RCU read section in which it was
    // seen, and gets a connection that lives meanwhile.
    unsafe {
        let call = listener.as_ref()?.ct_event?;
        Some(call(events, &item))
    }
}

/// Tells the listener of an expectation's event, if it is wanted.
///
/// # Safety
///
/// The expectation is valid, has a master, and its lock is held.
pub unsafe fn notify_expect(
    exp: *mut bindings::nf_conntrack_expect,
    event: ExpectEvent,
    portid: u32,
    report: i32,
) {
    // SAFETY: By the function's safety requirement; the master lives as long
    // as its expectations.
    let master = unsafe { Conn::from_raw((*exp).master) };
    let _rcu = kernel::sync::rcu::read_lock();
    let listener = notifier(master.net()).load(Ordering::Acquire);
    // SAFETY: As in `notify`.
    let Some(call) = (unsafe { listener.as_ref() }).and_then(|listener| listener.exp_event) else {
        return;
    };
    let Some(cache) = Cache::of(master) else {
        return;
    };
    if u32::from(cache.expectation_events()) & event.bit() != 0 {
        let item = bindings::nf_exp_event {
            exp,
            portid,
            report,
        };
        // SAFETY: As in `notify`, with an expectation.
        unsafe { call(event.bit(), &item) };
    }
}

/// The connections of a namespace that ended without its listener knowing.
///
/// # Invariants
///
/// The area is that of a live namespace in which [`start`] ran.
pub struct Dying<'a>(NonNull<bindings::nf_conntrack_net>, PhantomData<&'a ()>);

/// Prepares a new namespace's list and work.
pub fn start(net: Net) {
    // SAFETY: The area is allocated, and nobody uses it yet.
    unsafe { bindings::ecache_start(net.area().as_ptr()) }
}

/// Waits for the work, which is not queued again. May sleep.
pub fn stop(net: Net) {
    // SAFETY: Started in `start`; no connection is left to queue it.
    unsafe { bindings::ecache_stop(net.area().as_ptr()) }
}

impl Dying<'static> {
    /// That of a namespace.
    #[inline]
    pub fn of(net: Net) -> Self {
        // INVARIANT: By the invariant of `Net`; connections exist only after
        // `start`.
        Dying(net.area(), PhantomData)
    }
}

impl<'a> Dying<'a> {
    /// From the C pointer that the work item has.
    ///
    /// # Safety
    ///
    /// The type invariant holds for `'a`.
    pub unsafe fn from_raw(area: NonNull<bindings::nf_conntrack_net>) -> Self {
        // INVARIANT: By the function's safety requirement.
        Dying(area, PhantomData)
    }

    /// Adds a connection that has left the table; the table's reference to it
    /// is the list's from now on.
    pub fn add(&self, conn: &Conn) {
        // SAFETY: By the type invariant. Whoever set DYING and removed it from
        // the table is alone in using the connection's list nodes.
        unsafe { bindings::ecache_dying_add(self.0.as_ptr(), conn.as_ptr()) }
    }

    /// There is none; may be outdated at once.
    pub fn is_empty(&self) -> bool {
        // SAFETY: By the type invariant.
        unsafe { bindings::ecache_dying_empty(self.0.as_ptr()) }
    }

    /// One of them. Only the work item takes them out, one by one.
    pub fn first(&mut self) -> Option<Entry<'_>> {
        // SAFETY: By the type invariant. It stays in the list, and so valid,
        // until the work item takes it out, which is who has `self` mutably.
        let conn = unsafe { bindings::ecache_dying_first(self.0.as_ptr()) };
        NonNull::new(conn).map(|conn| Entry(conn, self.0, PhantomData))
    }

    /// Has the work item run in `delay` jiffies, unless it will anyway.
    pub fn run_in(&self, delay: Jiffies) {
        // SAFETY: By the type invariant.
        unsafe { bindings::ecache_run_in(self.0.as_ptr(), delay) }
    }

    /// Has the work item run now.
    pub fn run_now(&self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::ecache_run_now(self.0.as_ptr()) }
    }
}

/// A connection in the list of [`Dying`] ones.
pub struct Entry<'a>(
    NonNull<bindings::nf_conn>,
    NonNull<bindings::nf_conntrack_net>,
    PhantomData<&'a mut ()>,
);

impl Entry<'_> {
    /// Takes it out, and gives back its reference.
    pub fn remove(self) {
        // SAFETY: It is in this list, see `Dying::first`, and its reference is
        // the list's.
        unsafe {
            bindings::ecache_dying_del(self.1.as_ptr(), self.0.as_ptr());
            drop(ConnRef::from_raw(self.0.as_ptr()));
        }
    }
}

impl Deref for Entry<'_> {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        // SAFETY: The list has a reference.
        unsafe { Conn::from_raw(self.0.as_ptr()) }
    }
}

/// Some connection's end is still to be reported (`ecache_dwork_pending`).
#[inline]
pub fn is_pending(net: Net) -> bool {
    // SAFETY: An aligned word of a live namespace, written as a hint.
    unsafe { (&raw const (*net.ct()).ecache_dwork_pending).read_volatile() }
}

/// Sets [`is_pending`].
pub fn set_pending(net: Net, pending: bool) {
    // SAFETY: As above.
    unsafe { (&raw mut (*net.ct()).ecache_dwork_pending).write_volatile(pending) }
}
