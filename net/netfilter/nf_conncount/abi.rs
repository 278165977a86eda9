// SPDX-License-Identifier: GPL-2.0

//! What C calls: include/net/netfilter/nf_conntrack_count.h.
//!
//! Of `struct nf_conncount_list`, which its users embed, they read `count`. The
//! connections are ours: `head.next` points to them, once there are any.

use crate::{
    connections::{Candidate, Connections},
    keyed::{Counts, Key, WORDS},
};
use core::ptr::null_mut;
use kernel::{
    ffi::{c_int, c_uint},
    prelude::*,
    sync::rcu,
};
use netfilter::conntrack::{skb::Packet, Net};
use nf_bindings as bindings;
use nf_conntrack::check_prototype;

check_prototype!(
    nf_conncount_add_skb,
    nf_conncount_cache_free,
    nf_conncount_count_skb,
    nf_conncount_destroy,
    nf_conncount_gc_list,
    nf_conncount_init,
    nf_conncount_list_init,
);

/// A list, its lock held.
struct List(*mut bindings::nf_conncount_list);

impl List {
    /// # Safety
    ///
    /// `list` was initialised and lives until the value is dropped.
    unsafe fn lock(list: *mut bindings::nf_conncount_list) -> Self {
        // SAFETY: By the safety requirement.
        unsafe { bindings::spin_lock_bh(&raw mut (*list).list_lock) };
        List(list)
    }

    /// As `lock`, unless somebody else holds it.
    ///
    /// # Safety
    ///
    /// As for `lock`.
    unsafe fn try_lock(list: *mut bindings::nf_conncount_list) -> Option<Self> {
        // SAFETY: By the safety requirement.
        let locked = unsafe { bindings::spin_trylock_bh(&raw mut (*list).list_lock) != 0 };
        locked.then_some(List(list))
    }

    fn connections(&mut self) -> Option<&mut Connections> {
        // SAFETY: Null or the box made in `connections_or_new`, which the lock
        // makes ours.
        unsafe { (*self.0).head.next.cast::<Connections>().as_mut() }
    }

    fn connections_or_new(&mut self) -> Result<&mut Connections> {
        // SAFETY: The lock is held.
        if unsafe { (*self.0).head.next.is_null() } {
            let new = KBox::into_raw(KBox::new(Connections::new(), GFP_ATOMIC)?);
            // SAFETY: As above.
            unsafe { (*self.0).head.next = new.cast() };
        }
        self.connections().ok_or(ENOMEM)
    }
}

impl Drop for List {
    /// Publishes the count.
    fn drop(&mut self) {
        let count = self.connections().map_or(0, |c| c.count());
        // SAFETY: The lock is held, and readers of the count read one word.
        unsafe {
            (&raw mut (*self.0).count).write_volatile(count);
            bindings::spin_unlock_bh(&raw mut (*self.0).list_lock);
        }
    }
}

/// # Safety
///
/// C: `list` is the caller's alone.
#[no_mangle]
pub unsafe extern "C" fn nf_conncount_list_init(list: *mut bindings::nf_conncount_list) {
    // SAFETY: By the C contract.
    unsafe {
        bindings::spin_lock_init(&raw mut (*list).list_lock);
        (*list).head = bindings::list_head {
            next: null_mut(),
            prev: null_mut(),
        };
        (*list).count = 0;
        (*list).last_gc = 0;
        (*list).last_gc_count = 0;
    }
}

/// # Safety
///
/// C: `net`, `skb` and `list` are valid, the packet's network header is set.
#[no_mangle]
pub unsafe extern "C" fn nf_conncount_add_skb(
    net: *mut bindings::net,
    skb: *const bindings::sk_buff,
    l3num: u16,
    list: *mut bindings::nf_conncount_list,
) -> c_int {
    let _rcu = rcu::read_lock();
    // SAFETY: By the C contract; the packet is only read.
    let (net, packet) = unsafe { (Net::from_raw(net), Packet::from_raw(skb.cast_mut())) };
    let Some(candidate) = Candidate::of(net, &packet, l3num) else {
        return ENOENT.to_errno();
    };
    if candidate.assured {
        // Counted when it began.
        return EEXIST.to_errno();
    }
    // SAFETY: By the C contract.
    let mut list = unsafe { List::lock(list) };
    let added = list
        .connections_or_new()
        .and_then(|connections| connections.add(net, &candidate));
    added.map_or_else(Error::to_errno, |()| 0)
}

/// # Safety
///
/// C: `net` and `list` are valid.
#[no_mangle]
pub unsafe extern "C" fn nf_conncount_gc_list(
    net: *mut bindings::net,
    list: *mut bindings::nf_conncount_list,
) -> bool {
    let _rcu = rcu::read_lock();
    // SAFETY: By the C contract.
    let (net, list) = unsafe { (Net::from_raw(net), List::try_lock(list)) };
    // If somebody else has the lock, they are at it.
    let Some(mut list) = list else { return false };
    match list.connections() {
        Some(connections) => {
            connections.tidy(net);
            connections.count() == 0
        }
        None => true,
    }
}

/// # Safety
///
/// C: nobody uses `list` any more.
#[no_mangle]
pub unsafe extern "C" fn nf_conncount_cache_free(list: *mut bindings::nf_conncount_list) {
    // SAFETY: By the C contract it is ours alone: null or the box made in
    // `connections_or_new`, which is not used again.
    unsafe {
        let connections = (*list).head.next.cast::<Connections>();
        (*list).head.next = null_mut();
        if !connections.is_null() {
            drop(KBox::from_raw(connections));
        }
    }
}

/// # Safety
///
/// C: `net` outlives what is returned. Sleeps.
#[no_mangle]
pub unsafe extern "C" fn nf_conncount_init(
    net: *mut bindings::net,
    keylen: c_uint,
) -> *mut bindings::nf_conncount_data {
    let words = (keylen / 4) as usize;
    // SAFETY: By the C contract.
    let net = unsafe { Net::from_raw(net) };
    let made = if keylen % 4 == 0 {
        Counts::new(net, words)
    } else {
        Err(EINVAL)
    };
    match made.and_then(|counts| Ok(KBox::new(counts, GFP_KERNEL)?)) {
        Ok(counts) => KBox::into_raw(counts).cast(),
        Err(error) => error.to_ptr(),
    }
}

/// # Safety
///
/// C: `data` came from `nf_conncount_init` and is not used any more. Sleeps.
#[no_mangle]
pub unsafe extern "C" fn nf_conncount_destroy(
    _net: *mut bindings::net,
    data: *mut bindings::nf_conncount_data,
) {
    // SAFETY: By the C contract.
    drop(unsafe { KBox::from_raw(data.cast::<Counts>()) });
}

/// # Safety
///
/// C: `net`, `data` and `key` are valid, and `skb` is null or a packet with its
/// network header set; under RCU.
#[no_mangle]
pub unsafe extern "C" fn nf_conncount_count_skb(
    net: *mut bindings::net,
    skb: *const bindings::sk_buff,
    l3num: u16,
    data: *mut bindings::nf_conncount_data,
    key: *const u32,
) -> c_uint {
    let _rcu = rcu::read_lock();
    // SAFETY: By the C contract; `data` came from `nf_conncount_init`.
    let (net, counts) = unsafe { (Net::from_raw(net), &*data.cast::<Counts>()) };
    let mut copy: Key = [0; WORDS];
    for (i, word) in copy.iter_mut().enumerate().take(counts.words()) {
        // SAFETY: A key has as many words as `nf_conncount_init` was told.
        *word = unsafe { key.add(i).read() };
    }
    if skb.is_null() {
        return counts.count(net, &copy);
    }
    // SAFETY: By the C contract; the packet is only read.
    let packet = unsafe { Packet::from_raw(skb.cast_mut()) };
    match Candidate::of(net, &packet, l3num) {
        Some(candidate) => counts.add(net, &copy, &candidate),
        None => 0,
    }
}
