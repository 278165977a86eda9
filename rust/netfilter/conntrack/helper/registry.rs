// SPDX-License-Identifier: GPL-2.0

//! The registries: of helpers, of functions for expected connections, of
//! helpers' NAT halves.

use super::{string, text, Helper};
use crate::conntrack::hlist::{self, Linked, List};
use core::{marker::PhantomData, mem::offset_of, ptr::null_mut};
use kernel::{prelude::*, sync::rcu};
use nf_bindings as bindings;
use nf_proto::tuple::Tuple;

struct ByHash;

// SAFETY: `hnode` is what links the registry's chains.
unsafe impl Linked<Helper> for ByHash {
    const OFFSET: usize = offset_of!(bindings::nf_conntrack_helper, hnode);
}

/// Serialises changes of the registries. Sleeps.
pub struct RegistryLock(());

impl RegistryLock {
    /// Takes the lock.
    pub fn take() -> Self {
        // SAFETY: Process context.
        unsafe { bindings::helper_mutex_lock() };
        RegistryLock(())
    }

    /// The registered helpers.
    pub fn helpers(&self) -> impl Iterator<Item = &Helper> {
        // SAFETY: The lock is held: nothing is removed.
        (0..chains()).flat_map(|chain| unsafe { chain_of(chain) })
    }

    /// Registers a helper, with one reference. It is not registered.
    ///
    /// # Safety
    ///
    /// It stays allocated until its last reference is given back.
    pub unsafe fn add(&self, helper: &Helper) {
        helper.uses().set(1);
        // SAFETY: The lock is held, and there are so many heads.
        unsafe {
            let head = bindings::nf_ct_helper_hash.add(chain_number(helper.tuple()) as usize);
            hlist::add(&raw mut (*helper.as_ptr()).hnode, head);
        }
    }

    /// Takes a helper out of the registry.
    pub fn remove(&self, helper: &Helper) {
        // SAFETY: The lock is held; null or a registered helper's link.
        unsafe { hlist::remove(&raw mut (*helper.as_ptr()).hnode) };
    }
}

impl Drop for RegistryLock {
    fn drop(&mut self) {
        // SAFETY: Taken in `take`.
        unsafe { bindings::helper_mutex_unlock() };
    }
}

fn chains() -> u32 {
    // SAFETY: Constant while the module runs.
    unsafe { (&raw const bindings::nf_ct_helper_hsize).read() }
}

fn chain_number(tuple: &Tuple) -> u32 {
    let key = (u32::from(tuple.src.l3num) << 8) ^ u32::from(tuple.dst.protocol);
    key.wrapping_mul(31)
        .wrapping_add(u32::from(tuple.src.id.raw()))
        .checked_rem(chains())
        .unwrap_or(0)
}

/// # Safety
///
/// `number` is below [`chains`]; under RCU, or with the registry's lock, while
/// the result is used.
unsafe fn chain_of<'g>(number: u32) -> impl Iterator<Item = &'g Helper> {
    // SAFETY: There are so many heads, of lists of helpers.
    let iter =
        unsafe { hlist::iter::<Helper, ByHash>(bindings::nf_ct_helper_hash.add(number as usize)) };
    // SAFETY: By the function's safety requirement.
    iter.map(|helper| unsafe { &*helper.as_ptr() })
}

/// The registered helpers.
pub fn registered(_rcu: &rcu::Guard) -> impl Iterator<Item = &Helper> {
    // SAFETY: Under RCU.
    (0..chains()).flat_map(|chain| unsafe { chain_of(chain) })
}

/// Helpers can be registered: the module has started.
pub fn is_started() -> bool {
    // SAFETY: Only compared.
    !unsafe { (&raw const bindings::nf_ct_helper_hash).read_volatile() }.is_null()
}

/// Makes the registries. May sleep.
///
/// # Errors
///
/// `ENOMEM`
pub fn start() -> Result {
    // SAFETY: Nothing else runs yet.
    unsafe {
        EXPECT_FUNCTIONS.0.start();
        NAT_HELPERS.0.start();
        // Rounded up to what fits into a page.
        bindings::nf_ct_helper_hsize = 1;
        let heads = bindings::ct_alloc_hashtable(&raw mut bindings::nf_ct_helper_hsize, 0);
        bindings::nf_ct_helper_hash = heads.cast();
        if heads.is_null() {
            return Err(ENOMEM);
        }
    }
    Ok(())
}

/// Frees the registries. Nothing is registered any more.
pub fn stop() {
    // SAFETY: Helpers' modules depend on this one, so none is left.
    unsafe {
        bindings::kvfree(bindings::nf_ct_helper_hash.cast());
        bindings::nf_ct_helper_hash = null_mut();
    }
}

/// A registry of what C code provides by name.
pub struct Registry<T>(List, PhantomData<fn() -> *mut T>);

/// Functions for expected connections (`struct nf_ct_helper_expectfn`). Changes
/// take the expectations' lock.
pub static EXPECT_FUNCTIONS: Registry<bindings::nf_ct_helper_expectfn> =
    Registry(List::new(), PhantomData);

/// NAT halves of helpers (`struct nf_conntrack_nat_helper`). Changes take the
/// registry's lock.
pub static NAT_HELPERS: Registry<bindings::nf_conntrack_nat_helper> =
    Registry(List::new(), PhantomData);

const _: () = {
    assert!(offset_of!(bindings::nf_ct_helper_expectfn, head) == 0);
    assert!(offset_of!(bindings::nf_conntrack_nat_helper, list) == 0);
};

impl<T> Registry<T> {
    /// Adds an entry, which begins with its list head.
    ///
    /// # Safety
    ///
    /// The registry's lock is held; the entry is in no list, and stays until a
    /// grace period after its removal.
    pub unsafe fn add(&self, entry: *mut T) {
        // SAFETY: By the function's safety requirement.
        unsafe { self.0.add(entry.cast()) };
    }

    /// Removes an entry.
    ///
    /// # Safety
    ///
    /// The registry's lock is held; the entry is in this registry.
    pub unsafe fn remove(&self, entry: *mut T) {
        // SAFETY: By the function's safety requirement.
        unsafe { self.0.remove(entry.cast()) };
    }

    /// The first entry that `choose` picks.
    pub fn find<'g>(
        &self,
        _rcu: &'g rcu::Guard,
        mut choose: impl FnMut(&T) -> bool,
    ) -> Option<&'g T> {
        // SAFETY: Under RCU, and entries stay for a grace period after their
        // removal; each begins with its list head.
        unsafe {
            let found = self.0.find(|entry| choose(&*entry.as_ptr().cast()))?;
            Some(&*found.as_ptr().cast())
        }
    }
}

/// The name of an expectation function.
pub fn function_name(function: &bindings::nf_ct_helper_expectfn) -> &[u8] {
    // SAFETY: A terminated string that lives as long as the entry.
    unsafe { string(function.name) }
}

/// The name of a NAT half's module.
pub fn nat_helper_name(helper: &bindings::nf_conntrack_nat_helper) -> &[u8] {
    text(&helper.mod_name)
}

/// Keeps the module of a NAT half, if it is not going already.
pub fn try_get_nat_module(helper: &bindings::nf_conntrack_nat_helper) -> bool {
    // SAFETY: As for `Helper::try_get_module`.
    unsafe { bindings::try_module_get(helper.module) }
}

/// Gives back what [`try_get_nat_module`] took.
pub fn put_nat_module(helper: &bindings::nf_conntrack_nat_helper) {
    // SAFETY: Taken before.
    unsafe { bindings::module_put(helper.module) };
}
