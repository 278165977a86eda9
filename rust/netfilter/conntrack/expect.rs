// SPDX-License-Identifier: GPL-2.0

//! `struct nf_conntrack_expect`: an expectation, and the table of them.
//!
//! Who owns what: an expectation in the table is also in its master's list, and
//! a master takes its expectations out of both before it goes. So under the
//! lock, every expectation in the table has a master. Outside of it, a
//! [`NewExpect`] borrows its master, and an [`ExpectRef`] holds a reference to
//! it. Under RCU alone an expectation may be looked at, but not its master.

mod nat;
mod new;
mod table;

pub use new::*;
pub use table::*;

use super::{
    helper::Helper,
    hlist::{self, Linked},
    refcount::Refcount,
    tuple, Conn, ConnRef, Net,
};
use core::{
    cell::UnsafeCell,
    mem::{offset_of, size_of, ManuallyDrop},
    ops::Deref,
    ptr::{null_mut, NonNull},
    sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering},
};
use kernel::sync::rcu;
use nf_bindings as bindings;
use nf_proto::{
    be::Be16,
    expect::Mask,
    l4::Jiffies,
    tuple::{Address, Direction, Tuple},
};

/// Number of classes a helper can sort its expectations into.
pub const CLASSES: u32 = bindings::NF_CT_MAX_EXPECT_CLASSES;

/// The most expectations of a class that a connection can have.
pub const MAX_OF_CLASS: u32 = bindings::NF_CT_EXPECT_MAX_CNT;

/// Flags of an expectation.
#[allow(missing_docs)] // Each is NF_CT_EXPECT_* of the UAPI header.
pub mod flag {
    use super::bindings;
    pub const PERMANENT: u32 = bindings::NF_CT_EXPECT_PERMANENT;
    pub const INACTIVE: u32 = bindings::NF_CT_EXPECT_INACTIVE;
    pub const USERSPACE: u32 = bindings::NF_CT_EXPECT_USERSPACE;
    /// Given up by whoever made it; no longer found.
    pub const DEAD: u32 = bindings::NF_CT_EXPECT_DEAD;
}

const _: () = {
    assert!(size_of::<Mask>() == size_of::<bindings::nf_conntrack_tuple_mask>());
    assert!(
        offset_of!(Mask, id)
            == offset_of!(bindings::nf_conntrack_tuple_mask, src)
                + offset_of!(bindings::nf_conntrack_tuple_mask__bindgen_ty_1, u)
    );
    assert!(offset_of!(bindings::nf_conntrack_tuple_mask__bindgen_ty_1, u3) == 0);
};

/// An expectation (`struct nf_conntrack_expect`).
///
/// # Invariants
///
/// From the cache of expectations; freed a grace period after the last
/// reference is given back. While it is in the table only its flags and its
/// timeout change.
#[repr(C)]
pub struct Expect {
    raw: UnsafeCell<bindings::nf_conntrack_expect>,
    /// See [`Expect::serial`].
    serial: AtomicU64,
}

const _: () = assert!(offset_of!(Expect, raw) == 0);

// SAFETY: What changes while others can reach it is accessed atomically.
unsafe impl Sync for Expect {}
// SAFETY: It belongs to no thread.
unsafe impl Send for Expect {}

struct InTable;
struct OfMaster;

// SAFETY: `hnode` is what links the table's chains.
unsafe impl Linked<Expect> for InTable {
    const OFFSET: usize = offset_of!(bindings::nf_conntrack_expect, hnode);
}

// SAFETY: `lnode` is what links a master's list.
unsafe impl Linked<Expect> for OfMaster {
    const OFFSET: usize = offset_of!(bindings::nf_conntrack_expect, lnode);
}

impl Expect {
    /// A reference from a C pointer.
    ///
    /// # Safety
    ///
    /// `ptr` is an expectation that stays allocated for `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *const bindings::nf_conntrack_expect) -> &'a Expect {
        // SAFETY: By the function's safety requirement.
        unsafe { &*ptr.cast() }
    }

    /// The C pointer.
    #[inline]
    pub fn as_ptr(&self) -> *mut bindings::nf_conntrack_expect {
        self.raw.get()
    }

    /// Its number: later ones have higher ones, in the table and in a master's
    /// list, both of which have the newest first. 0 if it was never there.
    #[inline]
    pub fn serial(&self) -> u64 {
        self.serial.load(Ordering::Relaxed)
    }

    /// The expected tuple.
    #[inline]
    pub fn tuple(&self) -> &Tuple {
        // SAFETY: Constant while others can reach it, by the type invariant.
        tuple::from_c(unsafe { &(*self.as_ptr()).tuple })
    }

    /// The tuple of its master's original direction.
    #[inline]
    pub fn master_tuple(&self) -> &Tuple {
        // SAFETY: Constant while others can reach it, by the type invariant.
        tuple::from_c(unsafe { &(*self.as_ptr()).master_tuple })
    }

    /// Which bits of the expected tuple's source count.
    #[inline]
    pub fn mask(&self) -> &Mask {
        // SAFETY: Same size and offsets (asserted above), every bit pattern is
        // valid, and it is constant while others can reach it.
        unsafe { &*(&raw const (*self.as_ptr()).mask).cast() }
    }

    /// The namespace it is in, to be compared only: under RCU it may be gone.
    #[inline]
    pub fn is_in(&self, net: Net) -> bool {
        // SAFETY: Constant while others can reach it, by the type invariant.
        unsafe { (*self.as_ptr()).net.net == net.as_ptr() }
    }

    /// Its zone's id.
    #[inline]
    pub fn zone_id(&self) -> u16 {
        // SAFETY: Constant while others can reach it, by the type invariant.
        unsafe { (*self.as_ptr()).zone.id }
    }

    /// Its class, below [`CLASSES`] once it is in the table.
    #[inline]
    pub fn class(&self) -> u32 {
        // SAFETY: Constant while others can reach it, by the type invariant.
        unsafe { (*self.as_ptr()).class }
    }

    #[inline]
    fn flags_word(&self) -> &AtomicU32 {
        // SAFETY: An aligned word inside the object, accessed atomically.
        unsafe { AtomicU32::from_ptr(&raw mut (*self.as_ptr()).flags) }
    }

    /// Its flags ([`flag`]).
    #[inline]
    pub fn flags(&self) -> u32 {
        self.flags_word().load(Ordering::Relaxed)
    }

    /// Has one of the flags.
    #[inline]
    pub fn has(&self, flags: u32) -> bool {
        self.flags() & flags != 0
    }

    /// Sets flags. C code changes flags under the lock, too.
    #[inline]
    pub fn set_flags(&self, _lock: &ExpectLock, flags: u32) {
        self.flags_word().fetch_or(flags, Ordering::Relaxed);
    }

    /// Clears flags. As [`set_flags`](Self::set_flags).
    #[inline]
    pub fn clear_flags(&self, _lock: &ExpectLock, flags: u32) {
        self.flags_word().fetch_and(!flags, Ordering::Relaxed);
    }

    #[inline]
    fn timeout_word(&self) -> &AtomicU32 {
        // SAFETY: An aligned word inside the object, accessed atomically.
        unsafe { AtomicU32::from_ptr(&raw mut (*self.as_ptr()).timeout) }
    }

    /// When it ends, in jiffies.
    #[inline]
    pub fn timeout(&self) -> Jiffies {
        self.timeout_word().load(Ordering::Relaxed)
    }

    /// Sets when it ends, in jiffies; see [`nf_proto::expect::expiry`].
    #[inline]
    pub fn set_timeout(&self, timeout: Jiffies) {
        self.timeout_word().store(timeout, Ordering::Relaxed);
    }

    /// Its time is over, or it was given up.
    #[inline]
    pub fn is_over(&self, now: Jiffies) -> bool {
        self.has(flag::DEAD) || (self.timeout().wrapping_sub(now) as i32) <= 0
    }

    /// The helper that made it, under RCU.
    #[inline]
    pub fn helper<'g>(&self, _rcu: &'g rcu::Guard) -> Option<&'g Helper> {
        // SAFETY: Removed with its helper, which is freed a grace period after;
        // a master's helper lives as long as the master.
        unsafe { Helper::from_raw((*self.as_ptr()).helper) }
    }

    /// The helper that the expected connection gets, under RCU.
    #[inline]
    pub fn assign_helper<'g>(&self, _rcu: &'g rcu::Guard) -> Option<&'g Helper> {
        // SAFETY: As for `helper`.
        unsafe { Helper::from_raw((*self.as_ptr()).assign_helper) }
    }

    /// The number of what it is to call, to be compared only; 0 if there is
    /// nothing.
    #[inline]
    pub fn function(&self) -> usize {
        // SAFETY: Constant while others can reach it; only compared.
        unsafe { (*self.as_ptr()).expectfn }.map_or(0, |function| function as usize)
    }

    /// What NAT is to do with the expected connection: the direction in which
    /// the source was changed, and the source that it had.
    #[inline]
    pub fn nat(&self) -> Nat {
        // SAFETY: Constant while others can reach it, by the type invariant;
        // every bit pattern is an address and a port.
        unsafe {
            let raw = self.as_ptr();
            Nat {
                reply: (*raw).dir == Direction::Reply as u32,
                address: (&raw const (*raw).saved_addr).cast::<Address>().read(),
                id: Be16::from_raw((&raw const (*raw).saved_proto).cast::<u16>().read()),
            }
        }
    }

    /// It is by this helper or for it.
    #[inline]
    pub fn refers_to(&self, helper: &Helper) -> bool {
        // SAFETY: Constant while others can reach it; only compared.
        unsafe {
            (*self.as_ptr()).helper == helper.as_ptr()
                || (*self.as_ptr()).assign_helper == helper.as_ptr()
        }
    }

    /// `function` is to be called with the expected connection.
    #[inline]
    pub fn calls(&self, function: ExpectFn) -> bool {
        // SAFETY: Constant while others can reach it; only compared.
        unsafe { (*self.as_ptr()).expectfn }.map(|f| f as usize) == Some(function as usize)
    }

    /// The connection that expects, of an expectation in the table.
    #[inline]
    pub fn master<'l>(&self, _lock: &'l ExpectLock) -> &'l Conn {
        // SAFETY: A master takes its expectations out of the table, for which
        // it needs the lock, before it goes.
        unsafe { Conn::from_raw((*self.as_ptr()).master) }
    }

    /// It is one of `conn`'s.
    #[inline]
    pub fn is_of(&self, conn: &Conn) -> bool {
        // SAFETY: Constant while others can reach it; only compared.
        unsafe { (*self.as_ptr()).master == conn.as_ptr() }
    }

    /// `helper` made it.
    #[inline]
    pub fn is_by(&self, helper: &Helper) -> bool {
        // SAFETY: Constant while others can reach it; only compared.
        unsafe { (*self.as_ptr()).helper == helper.as_ptr() }
    }

    /// Both have the same master.
    #[inline]
    pub fn same_master(&self, other: &Expect) -> bool {
        // SAFETY: Constant while others can reach it; only compared.
        unsafe { (*self.as_ptr()).master == (*other.as_ptr()).master }
    }

    #[inline]
    fn uses(&self) -> Refcount<'_> {
        // SAFETY: Inside the object, and only accessed atomically.
        unsafe { Refcount::from_raw(&raw mut (*self.as_ptr()).use_) }
    }

    /// Counts a reference for C code, unless the last one is given back. Under
    /// RCU.
    pub fn count_reference(&self) -> bool {
        self.uses().increment_unless_zero()
    }

    /// In the table.
    #[inline]
    pub fn is_linked(&self, _lock: &ExpectLock) -> bool {
        // SAFETY: The lock is held, and the node was zeroed when allocated.
        unsafe { hlist::is_linked(&raw const (*self.as_ptr()).hnode) }
    }
}

/// What NAT is to do with an expected connection.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Nat {
    /// In which direction its master's helper saw the address: the reply's, or
    /// the original one.
    pub reply: bool,
    /// The address that was there before NAT.
    pub address: Address,
    /// The port, or what stands for it, that was there before NAT.
    pub id: Be16,
}

const _: () = {
    assert!(size_of::<Address>() == size_of::<bindings::nf_inet_addr>());
    assert!(size_of::<u16>() == size_of::<bindings::nf_conntrack_man_proto>());
};

/// What is called with the expected connection, after it was made.
pub type ExpectFn =
    unsafe extern "C" fn(*mut bindings::nf_conn, *mut bindings::nf_conntrack_expect);

static CACHE: AtomicPtr<bindings::kmem_cache> = AtomicPtr::new(null_mut());

/// Gives a reference back.
///
/// # Safety
///
/// The caller has one.
#[inline]
pub unsafe fn put(exp: *mut bindings::nf_conntrack_expect) {
    // SAFETY: A reference is held, so it is valid.
    unsafe {
        if Expect::from_raw(exp).uses().decrement() {
            bindings::call_rcu(&raw mut (*exp).rcu, Some(free));
        }
    }
}

/// # Safety
///
/// As an RCU callback of [`put`].
unsafe extern "C" fn free(head: *mut bindings::callback_head) {
    // SAFETY: `head` is what `put` gave, within an expectation of the cache to
    // which no reference is left; a grace period has passed.
    unsafe {
        let exp = head.byte_sub(offset_of!(bindings::nf_conntrack_expect, rcu));
        bindings::kmem_cache_free(CACHE.load(Ordering::Relaxed), exp.cast());
    }
}

/// A reference to an expectation and to its master. Not to be dropped with the
/// lock held.
pub struct ExpectRef {
    exp: NonNull<Expect>,
    _master: ConnRef,
}

// SAFETY: Neither belongs to a thread.
unsafe impl Send for ExpectRef {}

impl ExpectRef {
    /// The connection that expects.
    #[inline]
    pub fn master(&self) -> &Conn {
        &self._master
    }

    /// Hands the reference to C code, which keeps away from the master.
    #[inline]
    pub fn into_raw(self) -> *mut bindings::nf_conntrack_expect {
        let this = ManuallyDrop::new(self);
        // SAFETY: Read once, as the value is not dropped.
        drop(unsafe { core::ptr::read(&this._master) });
        this.exp.as_ptr().cast()
    }

    /// Calls the expectation's function, if it has one, with the expected
    /// connection. Under RCU.
    pub fn call(&self, conn: &Conn) {
        let exp: *mut bindings::nf_conntrack_expect = self.exp.as_ptr().cast();
        // SAFETY: Both are valid. Whoever provides the function removes what
        // calls it, and waits for a grace period, before it goes.
        unsafe {
            if let Some(function) = (*exp).expectfn {
                function(conn.as_ptr(), exp);
            }
        }
    }
}

impl Deref for ExpectRef {
    type Target = Expect;

    #[inline]
    fn deref(&self) -> &Expect {
        // SAFETY: A reference is held.
        unsafe { self.exp.as_ref() }
    }
}

impl Drop for ExpectRef {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The reference is this value's.
        unsafe { put(self.exp.as_ptr().cast()) };
    }
}

/// What happens to expectations (`enum ip_conntrack_expect_events`).
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum Event {
    /// It was made.
    New = bindings::ip_conntrack_expect_events_IPEXP_NEW,
    /// It is over.
    Destroy = bindings::ip_conntrack_expect_events_IPEXP_DESTROY,
}

/// Tells the namespace's listener of an event, if the master's events say so.
pub fn notify(lock: &ExpectLock, exp: &Expect, event: Event, portid: u32, report: i32) {
    let master = exp.master(lock);
    // SAFETY: The namespace lives as long as the master. The notifier is
    // unregistered with a grace period before it goes, and a read section goes
    // with the lock.
    let notifier = unsafe {
        let callback = &raw mut (*master.net().ct()).nf_conntrack_event_cb;
        AtomicPtr::from_ptr(callback.cast::<*mut bindings::nf_ct_event_notifier>())
            .load(Ordering::Acquire)
            .as_ref()
    };
    let (Some(notifier), Some(cache)) = (notifier, master.ext::<bindings::nf_conntrack_ecache>())
    else {
        return;
    };
    let bit = 1u32 << (event as u32 & 31);
    // SAFETY: The extension lives as long as the master.
    if u32::from(unsafe { (*cache.as_ptr()).expmask }) & bit == 0 {
        return;
    }
    let item = bindings::nf_exp_event {
        exp: exp.as_ptr(),
        portid,
        report,
    };
    if let Some(deliver) = notifier.exp_event {
        // SAFETY: The item is valid for the call.
        unsafe { deliver(bit, &item) };
    }
}
