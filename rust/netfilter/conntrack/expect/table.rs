// SPDX-License-Identifier: GPL-2.0

//! The table of expectations, and its lock.

use super::{put, Expect, ExpectRef, InTable, NewExpect, OfMaster, CACHE};
use crate::conntrack::{helper::Help, hlist, Net};
use core::{
    ptr::{null_mut, NonNull},
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
};
use kernel::{prelude::*, sync::rcu};
use nf_bindings as bindings;
use nf_proto::hash;

/// The lock of the table of expectations and of all masters' lists is held
/// (`nf_conntrack_expect_lock`), and with it an RCU read section.
pub struct ExpectLock {
    taken: bool,
    _rcu: rcu::Guard,
}

impl ExpectLock {
    /// Takes the lock; bottom halves are off meanwhile.
    #[inline]
    pub fn take() -> Self {
        let rcu = rcu::read_lock();
        // SAFETY: The lock is a static of ours, in data_expect.c.
        unsafe { bindings::spin_lock_bh(&raw mut bindings::nf_conntrack_expect_lock) };
        ExpectLock {
            taken: true,
            _rcu: rcu,
        }
    }

    /// States that C code holds the lock.
    ///
    /// # Safety
    ///
    /// It does, as long as the result exists.
    #[inline]
    pub unsafe fn held() -> Self {
        ExpectLock {
            taken: false,
            _rcu: rcu::read_lock(),
        }
    }

    /// The read section that goes with the lock.
    #[inline]
    pub fn rcu(&self) -> &rcu::Guard {
        &self._rcu
    }

    /// The expectations in a chain. The current one may be unlinked; it stays
    /// valid while the lock is held.
    #[inline]
    pub fn walk(&self, chain: Chain) -> impl Iterator<Item = &Expect> {
        // SAFETY: Chains are of linked expectations; the lock is held.
        let iter = unsafe { hlist::iter::<Expect, InTable>(chain.head()) };
        // SAFETY: Freed at the earliest when the read section has ended.
        iter.map(|exp| unsafe { &*exp.as_ptr() })
    }

    /// A master's expectations, the newest first. The current one may be
    /// unlinked.
    #[inline]
    pub fn list<'l>(&'l self, help: &Help<'l>) -> impl Iterator<Item = &'l Expect> {
        // SAFETY: The list is of linked expectations; the lock is held.
        let iter = unsafe { hlist::iter::<Expect, OfMaster>(help.expectations()) };
        // SAFETY: Freed at the earliest when the read section has ended.
        iter.map(|exp| unsafe { &*exp.as_ptr() })
    }

    /// Puts an expectation into a chain and its master's list, and counts a
    /// reference for them. It is in neither.
    pub fn link(&self, exp: &NewExpect<'_>, chain: Chain, help: &Help<'_>) {
        exp.uses().increment();
        // Only changed with the lock.
        let serial = SERIAL.load(Ordering::Relaxed).wrapping_add(1);
        SERIAL.store(serial, Ordering::Relaxed);
        exp.serial.store(serial, Ordering::Relaxed);
        // SAFETY: The lock is held, and a grace period passes after unlinking
        // before the expectation is freed.
        unsafe {
            hlist::add(&raw mut (*exp.as_ptr()).lnode, help.expectations());
            hlist::add(&raw mut (*exp.as_ptr()).hnode, chain.head());
        }
    }

    /// Takes an expectation out of chain and list; false if it was in none.
    ///
    /// The reference that was counted for them is the caller's now, to be given
    /// back by [`put_linked`](Self::put_linked).
    pub fn unlink(&self, exp: &Expect) -> bool {
        if !exp.is_linked(self) {
            return false;
        }
        // SAFETY: The lock is held.
        unsafe {
            hlist::remove(&raw mut (*exp.as_ptr()).hnode);
            hlist::remove(&raw mut (*exp.as_ptr()).lnode);
        }
        true
    }

    /// Gives back the reference of an expectation that was unlinked.
    pub fn put_linked(&self, exp: &Expect) {
        // SAFETY: The reference was the table's, and is given back once, by
        // whom `unlink` told to.
        unsafe { put(exp.as_ptr()) };
    }

    /// A reference to an expectation that is in the table, and to its master,
    /// unless that is going.
    pub fn get(&self, exp: &Expect) -> Option<ExpectRef> {
        if !exp.is_linked(self) {
            return None;
        }
        let master = exp.master(self).try_get()?;
        exp.uses().increment();
        Some(ExpectRef {
            exp: NonNull::from(exp),
            _master: master,
        })
    }

    /// Changes the number of expectations of a namespace.
    pub fn count(&self, net: Net, by: i32) {
        // SAFETY: The area lives as long as the namespace; the word is written
        // under the lock, and read as a hint without.
        let count = unsafe { AtomicU32::from_ptr(&raw mut (*net.area().as_ptr()).expect_count) };
        let now = count.load(Ordering::Relaxed).saturating_add_signed(by);
        count.store(now, Ordering::Relaxed);
    }
}

impl Drop for ExpectLock {
    #[inline]
    fn drop(&mut self) {
        if self.taken {
            // SAFETY: Taken in `take`.
            unsafe { bindings::spin_unlock_bh(&raw mut bindings::nf_conntrack_expect_lock) };
        }
    }
}

/// The number of the newest expectation.
static SERIAL: AtomicU64 = AtomicU64::new(0);

/// A chain of the table.
#[derive(Clone, Copy)]
pub struct Chain(u32);

impl Chain {
    /// The chain of a hash.
    #[inline]
    pub fn of(hash: u32) -> Self {
        Chain(hash::bucket(hash, size()))
    }

    /// A chain by its number.
    #[inline]
    pub fn number(number: u32) -> Option<Self> {
        (number < size()).then_some(Chain(number))
    }

    #[inline]
    fn head(self) -> *mut bindings::hlist_head {
        // SAFETY: The array is there while the module runs, with as many heads.
        unsafe { bindings::nf_ct_expect_hash.add(self.0 as usize) }
    }

    /// The expectations in it now. Some may just be going.
    #[inline]
    pub fn iter(self, _rcu: &rcu::Guard) -> impl Iterator<Item = &Expect> {
        // SAFETY: Chains are of linked expectations; under RCU.
        let iter = unsafe { hlist::iter::<Expect, InTable>(self.head()) };
        // SAFETY: Freed at the earliest when the read section has ended.
        iter.map(|exp| unsafe { &*exp.as_ptr() })
    }
}

/// A connection's expectations, the newest first. Some may just be going.
#[inline]
pub fn of_master<'g>(help: Help<'_>, _rcu: &'g rcu::Guard) -> impl Iterator<Item = &'g Expect> {
    // SAFETY: The list is of linked expectations; under RCU, and the connection
    // is there when the walk begins.
    let iter = unsafe { hlist::iter::<Expect, OfMaster>(help.expectations()) };
    // SAFETY: Freed at the earliest when the read section has ended.
    iter.map(|exp| unsafe { &*exp.as_ptr() })
}

/// Number of chains.
#[inline]
pub fn size() -> u32 {
    // SAFETY: Constant once the module runs.
    unsafe { (&raw const bindings::nf_ct_expect_hsize).read() }
}

/// The most expectations of a namespace (`nf_conntrack_expect_max`).
#[inline]
pub fn limit() -> u32 {
    // SAFETY: An aligned word that a sysctl may write.
    unsafe { (&raw const bindings::nf_ct_expect_max).read_volatile() }
}

/// Tells the administrator that [`limit`] is reached; rate-limited.
#[cold]
pub fn log_full() {
    // SAFETY: Only logs.
    unsafe { bindings::expect_log_full() }
}

/// Makes the table: `chains` chains, unless a module parameter says otherwise,
/// and four expectations a namespace for each. May sleep.
///
/// # Errors
///
/// `ENOMEM`
pub fn start(chains: u32) -> Result {
    // SAFETY: Nothing else runs yet; the parameter was read before.
    unsafe {
        if bindings::nf_ct_expect_hsize == 0 {
            bindings::nf_ct_expect_hsize = chains.max(1);
        }
        bindings::nf_ct_expect_max = bindings::nf_ct_expect_hsize.saturating_mul(4);
        let cache = bindings::expect_cache_create(size_of::<Expect>() as u32);
        if cache.is_null() {
            return Err(ENOMEM);
        }
        let heads = bindings::ct_alloc_hashtable(&raw mut bindings::nf_ct_expect_hsize, 0);
        if heads.is_null() {
            bindings::kmem_cache_destroy(cache);
            return Err(ENOMEM);
        }
        bindings::nf_ct_expect_hash = heads.cast();
        CACHE.store(cache, Ordering::Release);
    }
    Ok(())
}

/// Frees the table. May sleep. No connection is left, and so no expectation.
pub fn stop() {
    // SAFETY: Expectations whose last reference is gone are freed by callbacks,
    // which are waited for; nobody uses the table any more.
    unsafe {
        bindings::rcu_barrier();
        bindings::kmem_cache_destroy(CACHE.swap(null_mut(), Ordering::AcqRel));
        bindings::kvfree(bindings::nf_ct_expect_hash.cast());
        bindings::nf_ct_expect_hash = null_mut();
    }
}
