// SPDX-License-Identifier: GPL-2.0

//! Making policies, and what they say.

use super::{Policy, Raw};
use crate::conntrack::refcount::Refcount;
use core::{
    mem::{offset_of, ManuallyDrop},
    ptr::NonNull,
    sync::atomic::{AtomicU32, Ordering},
};
use kernel::prelude::*;
use nf_bindings as bindings;

// SAFETY: What changes while others can reach a policy is accessed atomically.
unsafe impl Send for Policy {}
// SAFETY: As above.
unsafe impl Sync for Policy {}

impl Policy {
    /// A new policy for connections of a family and a protocol. Its timeouts
    /// are `values`, in jiffies, as the protocol numbers them; those missing are
    /// zero, those too many are ignored. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`
    pub fn new(l3num: u16, protocol: u8, values: &[u32]) -> Result<Self> {
        // SAFETY: Never null; the descriptions of protocols are constant.
        let l4proto = unsafe { bindings::nf_ct_l4proto_find(protocol) };
        // SAFETY: As above.
        let room = usize::from(unsafe { (*l4proto).ctnl_timeout.obj_size });
        // SAFETY: Sleeping is allowed.
        let raw = unsafe { bindings::ct_timeout_alloc(room) };
        let raw = NonNull::new(raw).ok_or(ENOMEM)?;
        // SAFETY: Just allocated, and nobody else's.
        unsafe {
            (*raw.as_ptr()).l3num = l3num;
            (*raw.as_ptr()).l4proto = l4proto;
        }
        // INVARIANT: The one reference is the new value's.
        let policy = Policy(raw);
        policy.count().set(1);
        policy.set(values);
        Ok(policy)
    }

    /// Another reference.
    pub fn get(&self) -> Self {
        self.count().increment();
        // INVARIANT: Just counted.
        Policy(self.0)
    }

    /// The C pointer.
    pub fn as_ptr(&self) -> *mut bindings::nf_ct_timeout {
        self.0.as_ptr()
    }

    /// Hands the reference to C code.
    pub fn into_raw(self) -> *mut bindings::nf_ct_timeout {
        ManuallyDrop::new(self).as_ptr()
    }

    /// Takes over a reference that C code has; nothing of a null pointer.
    ///
    /// # Safety
    ///
    /// `raw` is null or a policy of which a reference is the caller's.
    pub unsafe fn from_raw(raw: *mut bindings::nf_ct_timeout) -> Option<Self> {
        // INVARIANT: By the function's safety requirement.
        NonNull::new(raw).map(Policy)
    }

    fn count(&self) -> Refcount<'_> {
        // SAFETY: Inside the object, to which there is a reference, and only
        // accessed atomically.
        unsafe { Refcount::from_raw(&raw mut (*self.as_ptr()).refcnt) }
    }

    /// How many references there are, this one included.
    pub fn uses(&self) -> u32 {
        self.count().get()
    }

    /// The family of the connections that it is for (`NFPROTO_*`).
    pub fn l3num(&self) -> u16 {
        // SAFETY: Constant since it was made.
        unsafe { (*self.as_ptr()).l3num }
    }

    /// Their protocol; 255 for all that have no timeouts of their own.
    pub fn protocol(&self) -> u8 {
        // SAFETY: Constant since it was made, as is the description.
        unsafe { (*(*self.as_ptr()).l4proto).l4proto }
    }

    fn words(&self) -> &[AtomicU32] {
        let raw = self.as_ptr();
        // SAFETY: As large as the description says, by `new` and by whatever C
        // code makes policies; only accessed atomically.
        unsafe {
            let entries = usize::from((*(*raw).l4proto).ctnl_timeout.obj_size) / size_of::<u32>();
            let data = raw.byte_add(offset_of!(Raw, data));
            core::slice::from_raw_parts(data.cast(), entries)
        }
    }

    /// The timeouts in jiffies, as the protocol numbers them.
    pub fn values(&self) -> impl Iterator<Item = u32> + '_ {
        self.words().iter().map(|word| word.load(Ordering::Relaxed))
    }

    /// Sets the timeouts, in jiffies. Those missing stay, those too many are
    /// ignored; packets see each change by itself.
    pub fn set(&self, values: &[u32]) {
        for (word, value) in self.words().iter().zip(values) {
            word.store(*value, Ordering::Relaxed);
        }
    }
}
