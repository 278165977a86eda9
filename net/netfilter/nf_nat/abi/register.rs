// SPDX-License-Identifier: GPL-2.0

//! Which nat chains a namespace has.
//!
//! The hook core has one function of ours for each hook and family, registered
//! while there is a chain. The chains (of nft, of iptables) do not stand beside
//! it, but behind it, in an order of their own: ours asks them only about the first
//! packet of a connection.

use super::hooks;
use crate::stat::REASONS;
use core::{
    cell::UnsafeCell,
    ptr::null_mut,
    sync::atomic::{AtomicPtr, AtomicU64, Ordering},
};
use kernel::{error::to_result, ffi::c_uint, prelude::*};
use netfilter::conntrack::{
    skb::{Hook, Packet},
    Net,
};
use nf_bindings as bindings;
use nf_proto::tuple::Family;

/// Hooks of a family.
pub const HOOKS: usize = 4;

type Entries = AtomicPtr<bindings::nf_hook_entries>;

/// The chains of one hook.
///
/// # Invariants
///
/// What the hook core was given for a hook function of ours, in a call of that
/// function, or nothing.
#[derive(Clone, Copy)]
pub struct Chains<'a>(Option<&'a Entries>);

impl<'a> Chains<'a> {
    /// From a hook function's argument.
    ///
    /// # Safety
    ///
    /// `data` is that argument, in a call of the function.
    #[inline]
    pub unsafe fn from_raw(data: *mut kernel::ffi::c_void) -> Self {
        // SAFETY: By the function's safety requirement null or part of a family's
        // registration, which stays until a grace period after it was taken back.
        Chains(unsafe { data.cast::<Entries>().as_ref() })
    }

    /// Shows a packet to one chain after the other until one has a verdict other
    /// than `NF_ACCEPT` or `done` says that no more need be asked. Returns the last
    /// verdict.
    #[inline]
    pub fn ask(self, packet: &mut Packet<'_>, hook: Hook<'_>, done: impl Fn() -> bool) -> u32 {
        let Some(entries) = self.0 else {
            return bindings::NF_ACCEPT;
        };
        let entries = entries.load(Ordering::Acquire);
        if entries.is_null() {
            return bindings::NF_ACCEPT;
        }
        // SAFETY: Under RCU, as every hook function; a replaced list is freed after
        // a grace period. It has as many entries as it says.
        let entries = unsafe {
            core::slice::from_raw_parts(
                (*entries).hooks.as_ptr(),
                (*entries).num_hook_entries.into(),
            )
        };
        for entry in entries {
            let Some(function) = entry.hook else { continue };
            // SAFETY: A hook function with its own argument, and ours.
            let verdict = unsafe { function(entry.priv_, packet.as_ptr(), hook.as_ptr()) };
            if verdict != bindings::NF_ACCEPT || done() {
                return verdict;
            }
        }
        bindings::NF_ACCEPT
    }
}

/// The registration of one family in one namespace.
#[repr(C)]
struct Registered {
    /// What is behind each of `ops`.
    entries: [Entries; HOOKS],
    ops: [bindings::nf_hook_ops; HOOKS],
    users: u32,
}

/// What is kept for a namespace; zeroed when it begins.
#[repr(C)]
struct Area {
    /// By family: IPv4, IPv6. Changed under the lock.
    families: [UnsafeCell<*mut Registered>; 2],
    counters: [AtomicU64; REASONS],
}

/// The size of that, for the namespace core.
pub const AREA: usize = size_of::<Area>();

/// The number of that, which the namespace core sets.
pub struct Id(pub UnsafeCell<c_uint>);

// SAFETY: Written by the core before the module uses it, constant afterwards.
unsafe impl Sync for Id {}

/// The module's.
pub static ID: Id = Id(UnsafeCell::new(0));

fn area(net: Net) -> *const Area {
    // SAFETY: The namespace lives, so its areas do, and the number is set.
    unsafe { bindings::net_generic(net.as_ptr(), *ID.0.get()).cast() }
}

/// The counters of a namespace.
pub fn counters<'a>(net: Net) -> &'a [AtomicU64; REASONS] {
    // SAFETY: The area lives as long as the namespace, only accessed atomically.
    unsafe { &(*area(net)).counters }
}

/// Serialises registrations.
struct Lock(());

impl Lock {
    fn take() -> Self {
        // SAFETY: Process context; given back when dropped.
        unsafe { bindings::nat_hooks_lock() };
        Lock(())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // SAFETY: Taken in `take`.
        unsafe { bindings::nat_hooks_unlock() };
    }
}

fn slot(net: Net, family: Family, _lock: &Lock) -> *mut *mut Registered {
    // SAFETY: The area lives as long as the namespace.
    let [ipv4, ipv6] = unsafe { &(*area(net)).families };
    match family {
        Family::Ipv4 => ipv4.get(),
        Family::Ipv6 => ipv6.get(),
    }
}

fn ops_of(family: Family) -> &'static [bindings::nf_hook_ops; HOOKS] {
    match family {
        Family::Ipv4 => &hooks::IPV4_OPS.0,
        Family::Ipv6 => &hooks::IPV6_OPS.0,
    }
}

/// The position of a hook in a family's operations.
fn position(family: Family, hook: c_uint) -> Option<usize> {
    ops_of(family).iter().position(|op| op.hooknum == hook)
}

/// Adds a chain to a namespace's. May sleep.
///
/// # Errors
///
/// `EINVAL` for a hook without NAT, `ENOMEM`, or what the hook core says.
///
/// # Safety
///
/// The namespace lives, and `ops` is valid until [`unregister`].
pub unsafe fn register(net: Net, family: Family, ops: *const bindings::nf_hook_ops) -> Result {
    // SAFETY: By the function's safety requirement.
    let hook = unsafe { (*ops).hooknum };
    let position = position(family, hook).ok_or(EINVAL)?;
    let lock = Lock::take();
    let slot = slot(net, family, &lock);
    // SAFETY: The lock is held.
    let registered = unsafe {
        if (*slot).is_null() {
            *slot = begin(net, family)?;
        }
        *slot
    };
    // SAFETY: The lock is held; the list is changed by the hook core as it is read
    // in `Chains::ask`.
    unsafe {
        let Some(entries) = (*registered).entries.get(position) else {
            return Err(EINVAL);
        };
        let result = to_result(bindings::nf_hook_entries_insert_raw(entries.as_ptr(), ops));
        if result.is_ok() {
            (*registered).users = (*registered).users.saturating_add(1);
        } else if (*registered).users == 0 {
            end(net, slot);
        }
        result
    }
}

/// Takes a chain away again. May sleep; packets may still be in it until a grace
/// period is over.
///
/// # Safety
///
/// `ops` was registered there.
pub unsafe fn unregister(net: Net, family: Family, ops: *const bindings::nf_hook_ops) {
    // SAFETY: By the function's safety requirement.
    let Some(position) = position(family, unsafe { (*ops).hooknum }) else {
        return;
    };
    let lock = Lock::take();
    let slot = slot(net, family, &lock);
    // SAFETY: The lock is held; as in `register`.
    unsafe {
        let registered = *slot;
        if registered.is_null() {
            return;
        }
        if let Some(entries) = (*registered).entries.get(position) {
            bindings::nf_hook_entries_delete_raw(entries.as_ptr(), ops);
        }
        (*registered).users = (*registered).users.saturating_sub(1);
        if (*registered).users == 0 {
            end(net, slot);
        }
    }
}

/// Registers the hook functions of a family.
fn begin(net: Net, family: Family) -> Result<*mut Registered> {
    // SAFETY: Null pointers, numbers and operations of zeroes are valid.
    let registered: Registered = unsafe { core::mem::zeroed() };
    let registered = KBox::into_raw(KBox::new(registered, GFP_KERNEL)?);
    // SAFETY: The memory is ours until it is registered, and stays where it is.
    unsafe {
        (&raw mut (*registered).ops)
            .cast::<u8>()
            .copy_from_nonoverlapping(
                core::ptr::from_ref(ops_of(family)).cast(),
                size_of::<[bindings::nf_hook_ops; HOOKS]>(),
            );
        let Registered { entries, ops, .. } = &mut *registered;
        for (op, entries) in ops.iter_mut().zip(entries.iter()) {
            op.priv_ = core::ptr::from_ref(entries).cast_mut().cast();
        }
        let ops = (&raw const (*registered).ops).cast();
        let result = bindings::nf_register_net_hooks(net.as_ptr(), ops, HOOKS as c_uint);
        if let Err(error) = to_result(result) {
            // A packet may have come by before the last one failed.
            bindings::nat_free_later(registered.cast());
            return Err(error);
        }
    }
    Ok(registered)
}

/// Takes the hook functions of a family away.
///
/// # Safety
///
/// `slot` is that of the namespace, registered, and the lock is held.
unsafe fn end(net: Net, slot: *mut *mut Registered) {
    // SAFETY: By the function's safety requirement. Packets may still be in the
    // functions, and somebody may be looking at the operations: the memory goes
    // after a grace period.
    unsafe {
        let registered = *slot;
        *slot = null_mut();
        let ops = (&raw const (*registered).ops).cast();
        bindings::nf_unregister_net_hooks(net.as_ptr(), ops, HOOKS as c_uint);
        bindings::nat_free_later(registered.cast());
    }
}
