// SPDX-License-Identifier: GPL-2.0

//! Hash tables of lists that readers walk without a lock and that end in a
//! marker instead of null.
//!
//! The objects are of type-stable memory ([`slab`](crate::slab)), so one may turn
//! into another under a reader's feet and carry him over to another list. He
//! notices at the end: the marker is not that of the list he began, and he
//! begins again.
//!
//! C headers: [`include/linux/list_nulls.h`](srctree/include/linux/list_nulls.h),
//! [`include/linux/rculist_nulls.h`](srctree/include/linux/rculist_nulls.h)

use crate::array::Array;
use crate::rcu::ReadGuard;
use crate::slab::{self, Fresh, Object, Ref};
use core::mem::{align_of, offset_of, size_of};
use core::ptr::{null_mut, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering};
use kernel::prelude::*;
use kernel::types::Opaque;
use nf_bindings as bindings;

/// A list node (`struct hlist_nulls_node`).
#[repr(C)]
pub struct Node {
    next: AtomicPtr<Node>,
    pprev: AtomicPtr<AtomicPtr<Node>>,
}

const _: () = {
    type C = bindings::hlist_nulls_node;
    assert!(size_of::<Node>() == size_of::<C>() && align_of::<Node>() == align_of::<C>());
    assert!(offset_of!(Node, next) == offset_of!(C, next));
    assert!(offset_of!(Node, pprev) == offset_of!(C, pprev));
};

/// The marker at the end of list number `index`.
#[inline]
fn marker(index: usize) -> *mut Node {
    // Bit 0 tells a marker from a node, which is aligned.
    (index.wrapping_mul(2) | 1) as *mut Node
}

/// What a link leads to: the node, or `None` at the end.
#[inline]
fn node(link: *mut Node) -> Option<NonNull<Node>> {
    if link as usize & 1 != 0 {
        return None;
    }
    NonNull::new(link)
}

/// # Safety
///
/// `node` must be that of a `T`.
#[inline]
unsafe fn object<T: Object>(node: NonNull<Node>) -> NonNull<T> {
    // SAFETY: By the requirement, and `T::NODE` is the node's offset.
    unsafe { node.byte_sub(T::NODE).cast() }
}

struct Bucket {
    first: AtomicPtr<Node>,
    lock: Opaque<bindings::spinlock_t>,
}

/// A hash table of a fixed number of lists, a lock each for those who change it,
/// none for those who look.
///
/// # Invariants
///
/// Every node in a list is that of a published `T`, of which the list has one
/// reference. A list changes only with its lock held.
pub struct Table<T: Object> {
    buckets: Array<Bucket>,
    _objects: core::marker::PhantomData<Ref<T>>,
}

// SAFETY: The buckets' locks and atomics are for use by many threads, and the
// objects are `Send + Sync`.
unsafe impl<T: Object> Send for Table<T> {}
// SAFETY: As above.
unsafe impl<T: Object> Sync for Table<T> {}

impl<T: Object> Table<T> {
    /// A table of `1 << bits` lists, at most 2^24. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn new(bits: u32) -> Result<Self> {
        let len = 1usize << bits.min(24);
        let buckets = Array::new((0..len).map(|index| Bucket {
            first: AtomicPtr::new(marker(index)),
            lock: Opaque::zeroed(),
        }))?;
        for bucket in buckets.iter() {
            // SAFETY: The bucket has its place now, and moves no more.
            unsafe { bindings::spin_lock_init(bucket.lock.get()) };
        }
        Ok(Self {
            buckets,
            _objects: core::marker::PhantomData,
        })
    }

    /// The number of lists.
    #[inline]
    pub fn len(&self) -> usize {
        self.buckets.len()
    }

    /// Whether there is no list; never so.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    #[inline]
    fn index(&self, tag: u32) -> usize {
        tag as usize & self.buckets.len().wrapping_sub(1)
    }

    /// A reference to an object with this tag (its hash) that `is_it` accepts.
    /// No lock; any context.
    ///
    /// The object was in the table during the call, and may be out of it again.
    #[inline]
    pub fn find(
        &self,
        tag: u32,
        _guard: ReadGuard<'_>,
        is_it: impl Fn(&T) -> bool,
    ) -> Option<Ref<T>> {
        let index = self.index(tag);
        let bucket = self.buckets.get(index)?;
        loop {
            let mut link = bucket.first.load(Ordering::Acquire);
            while let Some(at) = node(link) {
                // SAFETY: It was in a list of a `Table<T>` in this read section, so
                // it is the node of a `T`, perhaps of a free one.
                let found = unsafe { object::<T>(at) };
                // SAFETY: As above, and the type of its memory stays meanwhile.
                let candidate = unsafe { slab::tag(found) == tag };
                if candidate {
                    // SAFETY: As above.
                    if let Some(found) = unsafe { Ref::try_get(found) } {
                        // Looked at again: it may have become another meanwhile.
                        if is_it(&found) {
                            return Some(found);
                        }
                    }
                }
                // SAFETY: As above.
                link = unsafe { at.as_ref() }.next.load(Ordering::Acquire);
            }
            if link == marker(index) {
                return None;
            }
        }
    }

    /// Puts an object into the list of its tag, unless one that `is_it` accepts
    /// is there: then that is the error. Softirq or process context.
    ///
    /// # Errors
    ///
    /// The other object, or `None` in case of a saturated count or no list.
    #[inline]
    pub fn insert(
        &self,
        fresh: Fresh<T>,
        is_it: impl Fn(&T) -> bool,
    ) -> core::result::Result<Ref<T>, Option<Ref<T>>> {
        let tag = fresh.tag();
        let mut list = self.lock(self.index(tag)).ok_or(None)?;
        let mut link = list.bucket.first.load(Ordering::Relaxed);
        while let Some(at) = node(link) {
            // SAFETY: By the table's invariant, with its lock held.
            let (other, next) =
                unsafe { (object::<T>(at), at.as_ref().next.load(Ordering::Relaxed)) };
            // SAFETY: As above.
            if unsafe { slab::tag(other) == tag && is_it(other.as_ref()) } {
                // SAFETY: As above.
                return Err(unsafe { Ref::try_get(other) });
            }
            link = next;
        }
        Ok(list.add(fresh))
    }

    /// Calls `f` for each object of list number `index` with the list locked,
    /// and takes those out for which it says so. Softirq or process context;
    /// `f` must not sleep nor use the same list.
    ///
    /// Returns how many were taken out.
    pub fn remove_if(&self, index: usize, mut f: impl FnMut(&T) -> bool) -> usize {
        let mut removed = 0usize;
        if self.is_list_empty(index) {
            return removed;
        }
        let Some(mut list) = self.lock(index) else {
            return removed;
        };
        let mut link = list.bucket.first.load(Ordering::Relaxed);
        while let Some(at) = node(link) {
            // SAFETY: By the table's invariant, with its lock held.
            let object = unsafe { object::<T>(at) };
            // SAFETY: As above; and the next one is read while this one is ours.
            link = unsafe { at.as_ref() }.next.load(Ordering::Relaxed);
            // SAFETY: As above.
            if f(unsafe { object.as_ref() }) {
                // SAFETY: It is in this list.
                drop(unsafe { list.remove(at) });
                removed = removed.wrapping_add(1);
            }
        }
        removed
    }

    /// Calls `f` for each object of list number `index`, with the list locked as
    /// in [`remove_if`](Self::remove_if).
    pub fn for_each(&self, index: usize, mut f: impl FnMut(&T)) {
        self.remove_if(index, |object| {
            f(object);
            false
        });
    }

    /// Whether list number `index` has nothing in it just now.
    #[inline]
    pub fn is_list_empty(&self, index: usize) -> bool {
        self.buckets
            .get(index)
            .is_none_or(|bucket| node(bucket.first.load(Ordering::Relaxed)).is_none())
    }

    #[inline]
    fn lock(&self, index: usize) -> Option<Locked<'_, T>> {
        let bucket = self.buckets.get(index)?;
        // SAFETY: The lock is initialised in `new`.
        unsafe { bindings::spin_lock_bh(bucket.lock.get()) };
        Some(Locked {
            bucket,
            _objects: core::marker::PhantomData,
        })
    }
}

impl<T: Object> Drop for Table<T> {
    fn drop(&mut self) {
        for index in 0..self.len() {
            self.remove_if(index, |_| true);
        }
    }
}

/// A locked list.
struct Locked<'a, T: Object> {
    bucket: &'a Bucket,
    _objects: core::marker::PhantomData<Ref<T>>,
}

impl<T: Object> Locked<'_, T> {
    #[inline]
    fn add(&mut self, fresh: Fresh<T>) -> Ref<T> {
        let at = fresh.node();
        let object = fresh.publish();
        let first = self.bucket.first.load(Ordering::Relaxed);
        let head = &raw const self.bucket.first;
        // SAFETY: The node is of an object that is in no list but this one from
        // now on, whose lock we hold; so is the node that was the first.
        unsafe {
            at.as_ref().next.store(first, Ordering::Relaxed);
            at.as_ref().pprev.store(head.cast_mut(), Ordering::Relaxed);
            if let Some(first) = node(first) {
                let next = &raw const (*at.as_ptr()).next;
                first
                    .as_ref()
                    .pprev
                    .store(next.cast_mut(), Ordering::Relaxed);
            }
        }
        // Release: who follows the link sees node and object complete.
        self.bucket.first.store(at.as_ptr(), Ordering::Release);
        object
    }

    /// Takes a node out and hands over the list's reference. Its `next` stays:
    /// readers may be on it.
    ///
    /// # Safety
    ///
    /// It must be in this list.
    #[inline]
    unsafe fn remove(&mut self, at: NonNull<Node>) -> Ref<T> {
        // SAFETY: The node is in our list, and we hold the lock; so its neighbours
        // are valid too.
        unsafe {
            let next = at.as_ref().next.load(Ordering::Relaxed);
            let pprev = at.as_ref().pprev.load(Ordering::Relaxed);
            (*pprev).store(next, Ordering::Release);
            if let Some(next) = node(next) {
                next.as_ref().pprev.store(pprev, Ordering::Relaxed);
            }
            at.as_ref().pprev.store(null_mut(), Ordering::Relaxed);
            Ref::from_raw(object::<T>(at))
        }
    }
}

impl<T: Object> Drop for Locked<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: We hold it.
        unsafe { bindings::spin_unlock_bh(self.bucket.lock.get()) };
    }
}
