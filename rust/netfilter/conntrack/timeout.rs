// SPDX-License-Identifier: GPL-2.0

//! Timeout policies: an array of timeouts that replaces the namespace's for
//! the connections of a rule (`struct nf_ct_timeout`).
//!
//! nfnetlink_cttimeout and nft_ct make them; templates and connections refer
//! to them by a count, and readers find them under RCU.

mod policy;

use super::{ext, Conn, Net};
use core::{
    marker::PhantomData,
    mem::offset_of,
    ptr::{null_mut, NonNull},
    sync::atomic::{AtomicPtr, Ordering},
};
use kernel::ffi::c_char;
use nf_bindings as bindings;

type Raw = bindings::nf_ct_timeout;

/// A counted reference to a policy.
///
/// # Invariants
///
/// The reference is this value's own.
pub struct Policy(NonNull<Raw>);

impl Drop for Policy {
    fn drop(&mut self) {
        // SAFETY: The reference is this value's.
        unsafe { bindings::ct_timeout_release(self.0.as_ptr()) }
    }
}

/// # Safety
///
/// The policy is valid, by a reference or under RCU.
unsafe fn give(conn: &Conn, policy: NonNull<Raw>) -> bool {
    if ext::add_ext::<bindings::nf_conn_timeout>(conn).is_none() {
        return false;
    }
    // SAFETY: By the function's safety requirement.
    if !unsafe { bindings::ct_timeout_get(policy.as_ptr()) } {
        return false;
    }
    if let Some(place) = place(conn) {
        place.store(policy.as_ptr(), Ordering::Release);
    }
    true
}

/// Where a connection or template refers to its policy.
#[inline]
fn place(conn: &Conn) -> Option<&AtomicPtr<Raw>> {
    let ext = conn.ext::<bindings::nf_conn_timeout>()?;
    // SAFETY: An aligned pointer inside the extension, which lives as long as
    // the connection; only accessed atomically.
    Some(unsafe { AtomicPtr::from_ptr(&raw mut (*ext.as_ptr()).timeout) })
}

/// The timeouts of the connection's policy, in jiffies, as its protocol numbers
/// them; nothing if it has none. Valid in the RCU read section of the caller.
#[inline]
pub fn timeouts(conn: &Conn) -> Option<NonNull<u32>> {
    let policy = NonNull::new(place(conn)?.load(Ordering::Acquire))?;
    // SAFETY: The array is behind the policy's other fields, in one object.
    Some(unsafe { policy.byte_add(offset_of!(Raw, data)) }.cast())
}

// The array is one of words.
const _: () = assert!(offset_of!(Raw, data) % 4 == 0);

/// Gives a new connection its template's policy, if that has one. Without
/// memory it goes without.
pub fn inherit(conn: &Conn, template: &Conn) {
    let Some(place) = place(template) else { return };
    let _rcu = kernel::sync::rcu::read_lock();
    if let Some(policy) = NonNull::new(place.load(Ordering::Acquire)) {
        // SAFETY: Seen in this RCU read section.
        unsafe { give(conn, policy) };
    }
}

/// Takes a connection's or template's policy away; it must be `only`, if this
/// is not null. Who gets it back here is alone in doing so.
pub fn take(conn: &Conn, only: *const Raw) -> Option<Policy> {
    let place = place(conn)?;
    let _rcu = kernel::sync::rcu::read_lock();
    let policy = NonNull::new(place.load(Ordering::Acquire))?;
    if !only.is_null() && !core::ptr::eq(policy.as_ptr(), only) {
        return None;
    }
    place
        .compare_exchange(
            policy.as_ptr(),
            null_mut(),
            Ordering::AcqRel,
            Ordering::Relaxed,
        )
        .ok()?;
    // The connection's reference is taken over, by one only.
    Some(Policy(policy))
}

/// The name of a policy, as C has it.
#[derive(Clone, Copy)]
pub struct Name<'a>(*const c_char, PhantomData<&'a [c_char]>);

impl Name<'_> {
    /// From a C pointer.
    ///
    /// # Safety
    ///
    /// It points to a terminated string that stays valid during the lifetime.
    pub unsafe fn from_raw(name: *const c_char) -> Self {
        Name(name, PhantomData)
    }
}

/// The functions of nfnetlink_cttimeout, found under RCU.
pub struct Base(
    NonNull<bindings::nf_ct_timeout_hooks>,
    kernel::sync::rcu::Guard,
);

impl Base {
    /// They, if the module is loaded.
    pub fn find() -> Option<Self> {
        let guard = kernel::sync::rcu::read_lock();
        // SAFETY: An aligned pointer that the module writes once each when it
        // comes and goes, published under RCU.
        let hooks = unsafe {
            AtomicPtr::from_ptr((&raw mut bindings::nf_ct_timeout_hook).cast())
                .load(Ordering::Acquire)
        };
        NonNull::new(hooks).map(|hooks| Base(hooks, guard))
    }

    /// The policy of a name, which counts as used by a rule from now on.
    pub fn find_policy(&self, net: Net, name: Name<'_>) -> Option<Used<'_>> {
        // SAFETY: Valid in the RCU read section that `self` holds.
        let policy = unsafe {
            let find = self.0.as_ref().timeout_find_get?;
            NonNull::new(find(net.as_ptr(), name.0))?
        };
        Some(Used { base: self, policy })
    }

    fn put(&self, policy: NonNull<Raw>) {
        // SAFETY: Valid in the RCU read section that `self` holds; callers give
        // back a use, and with it a reference, that is theirs.
        unsafe {
            if let Some(put) = self.0.as_ref().timeout_put {
                put(policy.as_ptr());
            }
        }
    }
}

/// Takes a template's policy away, which is then no longer used by its rule.
///
/// # Safety
///
/// If the template has a policy, [`Used::keep`] left it there.
pub unsafe fn unuse(template: &Conn) {
    let Some(base) = Base::find() else { return };
    if let Some(policy) = take(template, core::ptr::null()) {
        base.put(policy.0);
    }
}

/// A policy that counts as used by a rule; no longer when dropped.
pub struct Used<'a> {
    base: &'a Base,
    policy: NonNull<Raw>,
}

impl Used<'_> {
    /// The protocol family and protocol that it is for.
    pub fn protocols(&self) -> (u16, u8) {
        // SAFETY: It is in use; the protocol's description is constant.
        unsafe {
            (
                self.policy.as_ref().l3num,
                (*self.policy.as_ref().l4proto).l4proto,
            )
        }
    }

    /// Gives the policy to a template, which uses it from now on ([`unuse`]).
    /// False if memory is short, or the template has one already.
    pub fn keep(self, template: &Conn) -> bool {
        // SAFETY: It is in use.
        let given = unsafe { give(template, self.policy) };
        if given {
            core::mem::forget(self);
        }
        given
    }
}

impl Drop for Used<'_> {
    fn drop(&mut self) {
        self.base.put(self.policy);
    }
}

/// Messages for the administrator, rate-limited, about a rule's policy.
pub mod log {
    use super::{bindings, Name};

    /// nfnetlink_cttimeout is not loaded.
    #[cold]
    pub fn no_base() {
        // SAFETY: Any context.
        unsafe { bindings::ct_timeout_log_base() }
    }

    /// There is none of this name.
    #[cold]
    pub fn missing(name: Name<'_>) {
        // SAFETY: Any context; the name is terminated.
        unsafe { bindings::ct_timeout_log_missing(name.0) }
    }

    /// It is for another protocol of this layer.
    #[cold]
    pub fn other(name: Name<'_>, layer: i32, number: u16) {
        // SAFETY: As above.
        unsafe { bindings::ct_timeout_log_other(name.0, layer, number.into()) }
    }
}
