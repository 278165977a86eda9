// SPDX-License-Identifier: GPL-2.0

//! Lists whose layout C knows and which C walks under RCU: `struct hlist_head`,
//! and the plain `struct list_head`.
//!
//! C header: [`include/linux/rculist.h`](srctree/include/linux/rculist.h)

use core::{
    marker::PhantomData,
    ptr::{null_mut, NonNull},
    sync::atomic::{AtomicPtr, Ordering},
};
use nf_bindings as bindings;

type Link = AtomicPtr<bindings::hlist_node>;

/// # Safety
///
/// `link` points to a link of a list that stays allocated for `'a`.
#[inline]
unsafe fn link<'a>(link: *mut *mut bindings::hlist_node) -> &'a Link {
    // SAFETY: An aligned word, only accessed atomically here.
    unsafe { AtomicPtr::from_ptr(link) }
}

/// The object that a list's node is part of.
///
/// # Safety
///
/// `OFFSET` is that of a `struct hlist_node` within `T`.
pub unsafe trait Linked<T> {
    /// Bytes from the object's begin to its node.
    const OFFSET: usize;
}

/// Walks a list: under RCU, or under the lock that its changes take.
///
/// The next object is found before the current one is handed out, so that it
/// may be removed from the list while it is looked at.
pub struct Iter<T, L> {
    next: *mut bindings::hlist_node,
    _objects: PhantomData<(*mut T, L)>,
}

/// Walks the list at `head`.
///
/// # Safety
///
/// All of it is of `T`s linked as `L` says; an RCU read section, or the lock
/// that changes take, is held as long as the iterator and what it returned are
/// used.
#[inline]
pub unsafe fn iter<T, L: Linked<T>>(head: *mut bindings::hlist_head) -> Iter<T, L> {
    Iter {
        // SAFETY: A list's head, by the function's safety requirement.
        next: unsafe { link(&raw mut (*head).first) }.load(Ordering::Acquire),
        _objects: PhantomData,
    }
}

impl<T, L: Linked<T>> Iterator for Iter<T, L> {
    type Item = NonNull<T>;

    #[inline]
    fn next(&mut self) -> Option<NonNull<T>> {
        let node = NonNull::new(self.next)?;
        // SAFETY: A node of the list, by the requirement of `iter`.
        self.next = unsafe { link(&raw mut (*node.as_ptr()).next) }.load(Ordering::Acquire);
        // SAFETY: By the requirement of `Linked` and `iter` it is within a `T`.
        Some(unsafe { node.byte_sub(L::OFFSET) }.cast())
    }
}

/// Puts a node at the head of a list.
///
/// # Safety
///
/// The lock that changes take is held, or nobody else knows the list; the node
/// is in no list, and stays allocated until a grace period after it is removed.
#[inline]
pub unsafe fn add(node: *mut bindings::hlist_node, head: *mut bindings::hlist_head) {
    // SAFETY: By the function's safety requirement. Release: who finds the node
    // under RCU finds it complete.
    unsafe {
        let head = link(&raw mut (*head).first);
        let first = head.load(Ordering::Relaxed);
        link(&raw mut (*node).next).store(first, Ordering::Relaxed);
        (*node).pprev = head.as_ptr();
        if !first.is_null() {
            (*first).pprev = &raw mut (*node).next;
        }
        head.store(node, Ordering::Release);
    }
}

/// Whether a node is in a list.
///
/// # Safety
///
/// The node is valid, zeroed or used with this module only, and the lock that
/// changes take is held.
#[inline]
pub unsafe fn is_linked(node: *const bindings::hlist_node) -> bool {
    // SAFETY: By the function's safety requirement.
    unsafe { !(*node).pprev.is_null() }
}

/// Removes a node from its list, if it is in one. Who is at it under RCU finds
/// the way on.
///
/// # Safety
///
/// As for [`is_linked`].
#[inline]
pub unsafe fn remove(node: *mut bindings::hlist_node) {
    // SAFETY: By the function's safety requirement `pprev` is null or the
    // address of the link that points here.
    unsafe {
        let pprev = (*node).pprev;
        if pprev.is_null() {
            return;
        }
        let next = link(&raw mut (*node).next).load(Ordering::Relaxed);
        link(pprev).store(next, Ordering::Release);
        if !next.is_null() {
            (*next).pprev = pprev;
        }
        (*node).pprev = null_mut();
    }
}

/// An empty `struct list_head` in a `static`, whose entries are added and
/// removed under a lock and found under RCU.
pub struct List(core::cell::UnsafeCell<bindings::list_head>);

// SAFETY: Changed under a lock, read under RCU, by the requirements of its
// methods.
unsafe impl Sync for List {}

impl List {
    /// Empty.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        List(core::cell::UnsafeCell::new(bindings::list_head {
            next: null_mut(),
            prev: null_mut(),
        }))
    }

    #[inline]
    fn head(&self) -> *mut bindings::list_head {
        self.0.get()
    }

    /// Makes it ready; before anything else.
    ///
    /// # Safety
    ///
    /// Nobody else uses it yet.
    pub unsafe fn start(&self) {
        // SAFETY: By the function's safety requirement.
        unsafe {
            (*self.head()).next = self.head();
            (*self.head()).prev = self.head();
        }
    }

    /// Adds an entry.
    ///
    /// # Safety
    ///
    /// The lock that changes of this list take is held; the entry is in no
    /// list, and stays allocated until a grace period after its removal.
    pub unsafe fn add(&self, entry: *mut bindings::list_head) {
        // SAFETY: By the function's safety requirement. Release: who finds the
        // entry finds it complete.
        unsafe {
            let first = (*self.head()).next;
            (*entry).next = first;
            (*entry).prev = self.head();
            AtomicPtr::from_ptr(&raw mut (*self.head()).next).store(entry, Ordering::Release);
            (*first).prev = entry;
        }
    }

    /// Removes an entry.
    ///
    /// # Safety
    ///
    /// The lock that changes of this list take is held; the entry is in this
    /// list.
    pub unsafe fn remove(&self, entry: *mut bindings::list_head) {
        // SAFETY: By the function's safety requirement. The entry keeps its way
        // on for who is at it; its way back is poisoned, as C does.
        unsafe {
            let (next, prev) = ((*entry).next, (*entry).prev);
            (*next).prev = prev;
            AtomicPtr::from_ptr(&raw mut (*prev).next).store(next, Ordering::Release);
            (*entry).prev = null_mut();
        }
    }

    /// The first entry that `choose` picks.
    ///
    /// # Safety
    ///
    /// Under RCU or the lock that changes take, also while the result is used.
    pub unsafe fn find(
        &self,
        mut choose: impl FnMut(NonNull<bindings::list_head>) -> bool,
    ) -> Option<NonNull<bindings::list_head>> {
        let mut at = self.head();
        loop {
            // SAFETY: The head or an entry, valid by the safety requirement.
            at = unsafe { AtomicPtr::from_ptr(&raw mut (*at).next) }.load(Ordering::Acquire);
            if at == self.head() {
                return None;
            }
            let entry = NonNull::new(at)?;
            if choose(entry) {
                return Some(entry);
            }
        }
    }
}
