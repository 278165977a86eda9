// SPDX-License-Identifier: GPL-2.0

//! What connection tracking keeps about a network namespace: `net->ct`, which
//! stock modules read, and the module's own per-namespace area.

use super::stat::{self, Counter};
use crate::rcu::ReadGuard;
use core::{
    ptr::NonNull,
    sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, Ordering},
};
use nf_bindings as bindings;

/// A namespace in which connections are tracked.
///
/// # Invariants
///
/// The namespace lives as long as the value is used: it is that of a packet in
/// a hook, of a connection to which a reference is held (a namespace does not
/// end before its connections), or of a per-namespace callback.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Net(NonNull<bindings::net>);

// SAFETY: A namespace belongs to no thread.
unsafe impl Send for Net {}
// SAFETY: What changes in it is accessed atomically or under its locks.
unsafe impl Sync for Net {}

impl Net {
    /// From a C pointer.
    ///
    /// # Safety
    ///
    /// `ptr` is not null, and the type invariant holds.
    #[inline]
    pub unsafe fn from_raw(ptr: *mut bindings::net) -> Self {
        // SAFETY: By the function's safety requirement.
        Net(unsafe { NonNull::new_unchecked(ptr) })
    }

    /// The C pointer.
    #[inline]
    pub fn as_ptr(self) -> *mut bindings::net {
        self.0.as_ptr()
    }

    /// The first namespace.
    #[inline]
    pub fn is_init(self) -> bool {
        self.as_ptr() == &raw mut bindings::init_net
    }

    /// The number that users know the namespace by.
    pub fn number(self) -> u32 {
        // SAFETY: By the type invariant.
        unsafe { bindings::ct_net_number(self.as_ptr()) }
    }

    /// Counts one more of a statistic, on this CPU.
    #[inline]
    pub fn count(self, counter: Counter) {
        // SAFETY: By the type invariant; statistics live as long as hooks and
        // connections can exist.
        unsafe { stat::count(self.as_ptr(), counter) }
    }

    /// The module's own area.
    #[inline]
    pub fn area(self) -> NonNull<bindings::nf_conntrack_net> {
        // SAFETY: By the type invariant; the area is allocated with the
        // namespace's other ones before anything else happens.
        unsafe { NonNull::new_unchecked(bindings::ct_pernet(self.as_ptr())) }
    }

    /// [`Self::area`] in an RCU read section, which is all that it needs.
    #[inline]
    pub fn area_in(self, _rcu: ReadGuard<'_>) -> NonNull<bindings::nf_conntrack_net> {
        const GEN: usize = bindings::nf_rust_offset_NF_RUST_NET_GEN as usize;
        const PTR: usize = bindings::nf_rust_offset_NF_RUST_NET_GENERIC_PTR as usize;
        // SAFETY: By the type invariant. `gen` is an array of pointers, of which a
        // longer one may take the place, but not in this read section; ours has
        // been in it since before anything else happened.
        unsafe {
            let areas = AtomicPtr::<u8>::from_ptr(self.as_ptr().byte_add(GEN).cast())
                .load(Ordering::Acquire)
                .add(PTR)
                .cast::<*mut bindings::nf_conntrack_net>();
            NonNull::new_unchecked(*areas.add(bindings::nf_conntrack_net_id as usize))
        }
    }

    /// [`Self::connections`] and [`Self::expectations`], in an RCU read section.
    #[inline]
    pub fn counts(&self, rcu: ReadGuard<'_>) -> (&AtomicI32, u32) {
        let area = self.area_in(rcu).as_ptr();
        // SAFETY: As in these two.
        unsafe {
            (
                AtomicI32::from_ptr((&raw mut (*area).count).cast()),
                AtomicU32::from_ptr(&raw mut (*area).expect_count).load(Ordering::Relaxed),
            )
        }
    }

    /// The number of connections, unconfirmed ones included.
    #[inline]
    pub fn connections(&self) -> &AtomicI32 {
        // SAFETY: An aligned word inside the area, only accessed atomically.
        unsafe { AtomicI32::from_ptr((&raw mut (*self.area().as_ptr()).count).cast()) }
    }

    /// The number of expectations.
    #[inline]
    pub fn expectations(&self) -> u32 {
        // SAFETY: An aligned word inside the area; written under the
        // expectation lock, read here as a hint.
        unsafe {
            AtomicU32::from_ptr(&raw mut (*self.area().as_ptr()).expect_count)
                .load(Ordering::Relaxed)
        }
    }

    /// `net->ct`, as C has it: settings, timeouts, statistics.
    #[inline]
    pub fn ct(self) -> *mut bindings::netns_ct {
        const OFFSET: usize = bindings::nf_rust_offset_NF_RUST_NET_CT as usize;
        // SAFETY: By the type invariant, and that is where `ct` is in it.
        unsafe { self.as_ptr().cast::<u8>().add(OFFSET).cast() }
    }

    /// The timeouts and switches of the protocols (`struct nf_ip_net`).
    #[inline]
    pub fn protocols(&self) -> &bindings::nf_ip_net {
        // SAFETY: By the type invariant. Sysctls write single words of it at
        // any time: values are read once each, none depends on another.
        unsafe { &(*self.ct()).nf_ct_proto }
    }

    /// `nf_conntrack_checksum`: checksums are verified.
    #[inline]
    pub fn checksum(self) -> bool {
        // SAFETY: By the type invariant.
        unsafe { (&raw const (*self.ct()).sysctl_checksum).read_volatile() != 0 }
    }

    /// Sets [`Self::checksum`].
    pub fn set_checksum(self, on: bool) {
        // SAFETY: By the type invariant.
        unsafe { bindings::ct_set_checksum(self.as_ptr(), on) }
    }

    /// `nf_conntrack_acct`: new connections get counters.
    #[inline]
    pub fn accounting(self) -> bool {
        // SAFETY: By the type invariant.
        unsafe { (&raw const (*self.ct()).sysctl_acct).read_volatile() != 0 }
    }

    /// `nf_conntrack_timestamp`: new connections get timestamps.
    #[inline]
    pub fn timestamps(self) -> bool {
        // SAFETY: By the type invariant.
        unsafe { (&raw const (*self.ct()).sysctl_tstamp).read_volatile() != 0 }
    }

    /// `nf_conntrack_events`: 0 no, 1 yes, 2 while somebody listens.
    #[inline]
    pub fn events(self) -> u8 {
        // SAFETY: By the type invariant.
        unsafe { (&raw const (*self.ct()).sysctl_events).read_volatile() }
    }

    /// Some rule uses labels.
    #[inline]
    pub fn labels_used(self) -> bool {
        // SAFETY: By the type invariant.
        unsafe { (&raw const (*self.ct()).labels_used.counter).read_volatile() != 0 }
    }

    /// `nf_conntrack_log_invalid`: 0 none, 255 all, else a protocol number.
    #[inline]
    pub fn log_invalid(self) -> u8 {
        // SAFETY: By the type invariant.
        unsafe { (&raw const (*self.ct()).sysctl_log_invalid).read_volatile() }
    }

    /// Counts `n` more of a statistic, on this CPU.
    #[inline]
    pub fn add(self, counter: Counter, n: u32) {
        // SAFETY: By the type invariant, as in [`Self::count`].
        unsafe { bindings::ct_stat_add(self.as_ptr(), counter as u32, n) }
    }
}

/// A namespace that does not end before the value is dropped.
pub struct NetRef(Net);

impl NetRef {
    /// Keeps a namespace, unless it ends already.
    pub fn get(net: Net) -> Option<Self> {
        // SAFETY: The namespace is valid, by the invariant of `Net`.
        let taken = unsafe { bindings::net_try_get(net.as_ptr()) };
        (!taken.is_null()).then(|| NetRef(net))
    }

    /// Keeps the namespace that `net` knows by a number, if there is one.
    pub fn by_number(net: Net, number: i32) -> Option<Self> {
        // SAFETY: As above; what is returned is valid, and the caller's to put.
        let found = unsafe { bindings::get_net_ns_by_id(net.as_ptr(), number) };
        NonNull::new(found).map(|found| NetRef(Net(found)))
    }

    /// The namespace.
    pub fn net(&self) -> Net {
        self.0
    }
}

impl Drop for NetRef {
    fn drop(&mut self) {
        // SAFETY: The reference is this value's.
        unsafe { bindings::net_put(self.0.as_ptr()) };
    }
}

/// Connections of all namespaces together. Process context.
pub fn total_connections() -> u32 {
    // SAFETY: Process context.
    unsafe { bindings::ct_total_connections() }
}
