// SPDX-License-Identifier: GPL-2.0

//! Arrays on the heap whose length is known when they are made.
//!
//! The kernel crate's `Vec` can grow, and its arithmetic for that brings panics
//! into the module, which here is not allowed. Elements never move.

use core::alloc::Layout;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;
use kernel::alloc::allocator::KVmalloc;
use kernel::alloc::{Allocator, Flags, NumaNode};
use kernel::prelude::*;

/// An array.
///
/// # Invariants
///
/// `first` is an allocation by `KVmalloc` for `capacity` elements, of which `len`
/// (all, unless an iterator was wrong about itself) are initialised.
pub struct Array<T> {
    first: NonNull<T>,
    len: usize,
    capacity: usize,
}

// SAFETY: It owns its elements.
unsafe impl<T: Send> Send for Array<T> {}
// SAFETY: It gives shared access only.
unsafe impl<T: Sync> Sync for Array<T> {}

impl<T> Array<T> {
    /// The elements of an iterator. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn new<I>(elements: I) -> Result<Self>
    where
        I: ExactSizeIterator<Item = T>,
    {
        Self::with_flags(elements, GFP_KERNEL)
    }

    /// The same where nobody may sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn atomic<I>(elements: I) -> Result<Self>
    where
        I: ExactSizeIterator<Item = T>,
    {
        Self::with_flags(elements, GFP_ATOMIC)
    }

    fn with_flags<I>(elements: I, flags: Flags) -> Result<Self>
    where
        I: ExactSizeIterator<Item = T>,
    {
        // Not `len()`, whose check would be a panic.
        let (capacity, _) = elements.size_hint();
        let layout = Layout::array::<T>(capacity).map_err(|_| ENOMEM)?;
        let first = KVmalloc::alloc(layout, flags, NumaNode::NO_NODE)?.cast::<T>();
        let mut len = 0usize;
        for element in elements.take(capacity) {
            // SAFETY: `len` is below `capacity`, for which there is room.
            unsafe { first.add(len).write(element) };
            len = len.wrapping_add(1);
        }
        // INVARIANT: Allocated and initialised above.
        Ok(Self {
            first,
            len,
            capacity,
        })
    }
}

impl<T> Deref for Array<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: By the invariant.
        unsafe { core::slice::from_raw_parts(self.first.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for Array<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: By the invariant.
        unsafe { core::slice::from_raw_parts_mut(self.first.as_ptr(), self.len) }
    }
}

impl<T> Drop for Array<T> {
    fn drop(&mut self) {
        let all = core::ptr::slice_from_raw_parts_mut(self.first.as_ptr(), self.len);
        // SAFETY: By the invariant these are initialised.
        unsafe { core::ptr::drop_in_place(all) };
        if let Ok(layout) = Layout::array::<T>(self.capacity) {
            // SAFETY: By the invariant it is an allocation of this layout.
            unsafe { KVmalloc::free(self.first.cast(), layout) };
        }
    }
}
