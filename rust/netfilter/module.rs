// SPDX-License-Identifier: GPL-2.0

//! Keeping a module loaded.
//!
//! C header: [`include/linux/module.h`](srctree/include/linux/module.h)

use core::ptr::NonNull;
use kernel::ThisModule;
use nf_bindings as bindings;

/// While it exists, the module cannot be unloaded.
///
/// # Invariants
///
/// The module's use is counted for this value.
pub struct ModuleRef(NonNull<bindings::module>);

// SAFETY: The count belongs to no thread.
unsafe impl Send for ModuleRef {}
// SAFETY: A shared reference is good for nothing.
unsafe impl Sync for ModuleRef {}

impl ModuleRef {
    /// Keeps a module, unless it is going already.
    pub fn try_get(module: &'static ThisModule) -> Option<Self> {
        // SAFETY: A loaded module, as its code has its `ThisModule`.
        let kept = unsafe { bindings::try_module_get(module.as_ptr()) };
        // INVARIANT: Just counted. Built into the kernel there is no module,
        // which ours never are.
        NonNull::new(module.as_ptr())
            .filter(|_| kept)
            .map(ModuleRef)
    }

    /// Leaves the count to C code, which gives it back by [`put`].
    pub fn forget(self) {
        core::mem::forget(self);
    }
}

/// Gives back a use that [`ModuleRef::forget`] left behind.
///
/// # Safety
///
/// It did, and nobody else gives it back.
pub unsafe fn put(module: &'static ThisModule) {
    // SAFETY: By the function's safety requirement.
    unsafe { bindings::module_put(module.as_ptr()) };
}

impl Drop for ModuleRef {
    fn drop(&mut self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::module_put(self.0.as_ptr()) };
    }
}
