// SPDX-License-Identifier: GPL-2.0

//! Arrays on the heap that grow and shrink at their end.
//!
//! As in [`array`](crate::array): the arithmetic of the kernel crate's `Vec` brings
//! panics into a module, this does not. Elements move when it grows.

use core::alloc::Layout;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;
use kernel::alloc::allocator::Kmalloc;
use kernel::alloc::{AllocError, Allocator, Flags, NumaNode};

/// A growing array.
///
/// # Invariants
///
/// `first` is dangling if `capacity` is 0, otherwise an allocation by `Kmalloc` for
/// `capacity` elements; the first `len` of them, at most `capacity`, are
/// initialised.
pub struct Vector<T> {
    first: NonNull<T>,
    len: usize,
    capacity: usize,
}

// SAFETY: It owns its elements.
unsafe impl<T: Send> Send for Vector<T> {}
// SAFETY: Who shares it has shared access to its elements only.
unsafe impl<T: Sync> Sync for Vector<T> {}

impl<T> Vector<T> {
    /// Nothing; does not allocate.
    pub const fn new() -> Self {
        const { assert!(size_of::<T>() != 0) };
        // INVARIANT: No capacity.
        Self {
            first: NonNull::dangling(),
            len: 0,
            capacity: 0,
        }
    }

    /// Makes room for `capacity` elements, in one allocation; does nothing if there
    /// is as much already. May sleep if the flags say so.
    ///
    /// # Errors
    ///
    /// `AllocError`.
    pub fn reserve(&mut self, capacity: usize, flags: Flags) -> Result<(), AllocError> {
        if capacity <= self.capacity {
            return Ok(());
        }
        let layout = Layout::array::<T>(capacity).map_err(|_| AllocError)?;
        let old = Layout::array::<T>(self.capacity).map_err(|_| AllocError)?;
        let first = (self.capacity != 0).then_some(self.first.cast());
        // SAFETY: By the invariant `first` is nothing or an allocation of this
        // layout, which is not used any more if this succeeds.
        let first = unsafe { Kmalloc::realloc(first, layout, old, flags, NumaNode::NO_NODE)? };
        // INVARIANT: Allocated above; the elements have been moved along.
        self.first = first.cast();
        self.capacity = capacity;
        Ok(())
    }

    /// Adds an element at the end; if there is no room, makes twice as much. May
    /// sleep if the flags say so.
    ///
    /// # Errors
    ///
    /// `AllocError`; the element is dropped.
    pub fn push(&mut self, element: T, flags: Flags) -> Result<(), AllocError> {
        if self.len >= self.capacity {
            let capacity = self.capacity.checked_mul(2).ok_or(AllocError)?;
            self.reserve(capacity.max(4), flags)?;
        }
        // SAFETY: By the invariant there is room for one more.
        unsafe { self.first.add(self.len).write(element) };
        // INVARIANT: Initialised above. No overflow: `len` was below `capacity`.
        self.len = self.len.wrapping_add(1);
        Ok(())
    }

    /// Removes the last element. The room stays.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        // INVARIANT: Moved out below, so no longer counted.
        self.len = self.len.checked_sub(1)?;
        // SAFETY: It was initialised, by the invariant.
        Some(unsafe { self.first.add(self.len).read() })
    }
}

impl<T> Default for Vector<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Deref for Vector<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: By the invariant.
        unsafe { core::slice::from_raw_parts(self.first.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for Vector<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: By the invariant, and borrowed alone.
        unsafe { core::slice::from_raw_parts_mut(self.first.as_ptr(), self.len) }
    }
}

impl<T> Drop for Vector<T> {
    fn drop(&mut self) {
        let all = core::ptr::slice_from_raw_parts_mut(self.first.as_ptr(), self.len);
        // SAFETY: By the invariant these are initialised.
        unsafe { core::ptr::drop_in_place(all) };
        if self.capacity == 0 {
            return;
        }
        if let Ok(layout) = Layout::array::<T>(self.capacity) {
            // SAFETY: By the invariant it is an allocation of this layout.
            unsafe { Kmalloc::free(self.first.cast(), layout) };
        }
    }
}
