// SPDX-License-Identifier: GPL-2.0

//! Functions for expected connections that have a name, by which user space
//! refers to them.

use crate::conntrack::expect::ExpectFn;
use core::mem::zeroed;
use kernel::prelude::*;
use nf_bindings as bindings;

/// A function in the registry (`struct nf_ct_helper_expectfn`), until it is
/// dropped: then no expectation calls it, and nobody is in it any more.
pub struct ExpectFunction(*mut bindings::nf_ct_helper_expectfn);

// SAFETY: It belongs to no thread.
unsafe impl Send for ExpectFunction {}
// SAFETY: A shared reference is good for nothing.
unsafe impl Sync for ExpectFunction {}

impl ExpectFunction {
    /// Registers a function under a name. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`
    pub fn new(name: &'static CStr, function: ExpectFn) -> Result<Self> {
        // SAFETY: All of its fields may be zero.
        let mut entry: bindings::nf_ct_helper_expectfn = unsafe { zeroed() };
        entry.name = name.as_char_ptr();
        entry.expectfn = Some(function);
        let entry = KBox::into_raw(KBox::new(entry, GFP_KERNEL)?);
        // SAFETY: It stays where it is until it is taken back.
        unsafe { bindings::nf_ct_helper_expectfn_register(entry) };
        Ok(ExpectFunction(entry))
    }
}

impl Drop for ExpectFunction {
    fn drop(&mut self) {
        // SAFETY: Registered in `new`, once, from `KBox::into_raw`. Who may have
        // seen it under RCU has gone when the second call returns, which waits.
        unsafe {
            bindings::nf_ct_helper_expectfn_unregister(self.0);
            bindings::nf_ct_helper_expectfn_destroy(self.0);
            drop(KBox::from_raw(self.0));
        }
    }
}
