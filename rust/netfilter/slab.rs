// SPDX-License-Identifier: GPL-2.0

//! Slab caches of objects whose memory keeps its type through RCU read
//! sections (`SLAB_TYPESAFE_BY_RCU`), and counted references to them.
//!
//! Such an object is freed at once when its last reference goes, without a grace
//! period, and its memory may at once become another object of the same cache.
//! A reader who came by it through a list must therefore take a reference first
//! and look whether it is the right one after. The types say so:
//!
//! * [`Fresh`]: allocated, known to its maker only, freely changed.
//! * [`Ref`]: published, counted, shared.
//! * A reader without a reference sees only what is valid in a free object too:
//!   reference count, tag and list node. See [`nulls`](crate::nulls), where
//!   [`Ref`]s come from.
//!
//! C header: [`include/linux/slab.h`](srctree/include/linux/slab.h)

use crate::nulls::Node;
use core::marker::PhantomData;
use core::mem::offset_of;
use core::ops::{Deref, DerefMut};
use core::ptr::{null_mut, NonNull};
use core::sync::atomic::{fence, AtomicPtr, AtomicU32, Ordering};
use kernel::prelude::*;
use nf_bindings as bindings;

// Here and in `nulls` the atomics are those of `core`, which are inlined; the
// kernel crate's call C functions for each load. On the supported architectures
// they are the same instructions as C's.

/// The layout of an object in such a cache.
///
/// # Safety
///
/// - At these offsets are an `AtomicU32` (as C's `refcount_t` is), an
///   `AtomicU32` and a [`Node`], which nothing but this crate changes.
/// - They are valid, and the count 0, in an object that is free.
pub unsafe trait Object: Sized + Send + Sync + 'static {
    /// Offset of the reference count.
    const REFS: usize;
    /// Offset of the tag: what a reader without a reference compares, such as
    /// the hash.
    const TAG: usize;
    /// Offset of the list node.
    const NODE: usize;

    /// Frees an object that nobody has a reference to.
    ///
    /// # Safety
    ///
    /// The count is 0 and `this` is the only pointer to more than the three
    /// fields above.
    unsafe fn free(this: NonNull<Self>);
}

/// An object made of a body and what such an object needs before it.
#[repr(C)]
pub struct Entry<B: Cached> {
    refs: AtomicU32,
    tag: AtomicU32,
    node: Node,
    body: B,
}

/// What can be the body of an [`Entry`].
pub trait Cached: Sized + Send + Sync + 'static {
    /// The cache that its entries are in: a `static`.
    fn cache() -> &'static Cache<Entry<Self>>;
}

// SAFETY: The offsets are those of fields of these types, which are private, and
// `Cache::alloc` and `Ref` leave them so.
unsafe impl<B: Cached> Object for Entry<B> {
    const REFS: usize = offset_of!(Self, refs);
    const TAG: usize = offset_of!(Self, tag);
    const NODE: usize = offset_of!(Self, node);

    #[inline]
    unsafe fn free(this: NonNull<Self>) {
        // SAFETY: The caller is the only one who knows the body.
        unsafe { core::ptr::drop_in_place(&raw mut (*this.as_ptr()).body) };
        // SAFETY: It came from this cache, and nothing refers to it any more but
        // readers who bear that.
        unsafe { B::cache().free(this) };
    }
}

impl<B: Cached> Deref for Entry<B> {
    type Target = B;

    #[inline]
    fn deref(&self) -> &B {
        &self.body
    }
}

/// The tag of an object.
///
/// # Safety
///
/// `this` must be an object, perhaps a free one, of a cache, in an RCU read
/// section that began before it was freed, or with a reference.
#[inline]
pub(crate) unsafe fn tag<T: Object>(this: NonNull<T>) -> u32 {
    // SAFETY: By the requirements here and of `Object` it is a valid atomic.
    unsafe { this.byte_add(T::TAG).cast::<AtomicU32>().as_ref() }.load(Ordering::Relaxed)
}

#[inline]
fn refs<T: Object>(this: &NonNull<T>) -> &AtomicU32 {
    // SAFETY: Used below only on objects of a cache, perhaps free ones.
    unsafe { this.byte_add(T::REFS).cast::<AtomicU32>().as_ref() }
}

/// A counted reference to a published object.
///
/// # Invariants
///
/// The object's count is above 0, one of it ours.
pub struct Ref<T: Object>(NonNull<T>);

// SAFETY: It gives shared access to a `T: Send + Sync`, from any thread.
unsafe impl<T: Object> Send for Ref<T> {}
// SAFETY: As above.
unsafe impl<T: Object> Sync for Ref<T> {}

impl<T: Object> Ref<T> {
    /// Takes a reference to what a reader came by, unless it is free. Whether it
    /// is the object sought is to be looked at after.
    ///
    /// # Safety
    ///
    /// As for [`tag`].
    #[inline]
    pub(crate) unsafe fn try_get(this: NonNull<T>) -> Option<Self> {
        let count = refs(&this);
        let mut old = count.load(Ordering::Relaxed);
        // Zero is free; the upper half is saturated, as in C's refcount_t.
        while old != 0 && old < i32::MAX as u32 {
            // Acquire: what the maker wrote before publishing is seen after.
            match count.compare_exchange_weak(
                old,
                old.wrapping_add(1),
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                // INVARIANT: One of the count is ours now.
                Ok(_) => return Some(Self(this)),
                Err(now) => old = now,
            }
        }
        None
    }

    /// Takes over a reference that was let go of by `into_raw`.
    ///
    /// # Safety
    ///
    /// Such a reference must be there, and nobody else take it over.
    #[inline]
    pub unsafe fn from_raw(this: NonNull<T>) -> Self {
        // INVARIANT: By the safety requirement.
        Self(this)
    }

    /// Lets go of the reference without giving it back.
    #[inline]
    pub fn into_raw(self) -> NonNull<T> {
        core::mem::ManuallyDrop::new(self).0
    }

    /// Whether both are the same object.
    #[inline]
    pub fn same(&self, other: &T) -> bool {
        core::ptr::eq(self.0.as_ptr(), other)
    }
}

impl<T: Object> Deref for Ref<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: By the invariant it is neither free nor still in the making.
        unsafe { self.0.as_ref() }
    }
}

impl<T: Object> Drop for Ref<T> {
    #[inline]
    fn drop(&mut self) {
        if refs(&self.0).fetch_sub(1, Ordering::Release) == 1 {
            // All that others did with it happens before it is freed.
            fence(Ordering::Acquire);
            // SAFETY: The count is 0 now, so nobody can take a reference.
            unsafe { T::free(self.0) };
        }
    }
}

/// An object that is not published yet: its maker's alone.
///
/// # Invariants
///
/// Its count is 0, and it is in no list.
pub struct Fresh<T: Object>(NonNull<T>);

// SAFETY: It is the only owner of a `T: Send`.
unsafe impl<T: Object> Send for Fresh<T> {}

impl<T: Object> Fresh<T> {
    /// Takes over an object in the making.
    ///
    /// # Safety
    ///
    /// It must be allocated, complete, in no list, its count 0, and the
    /// caller's alone.
    #[inline]
    pub unsafe fn from_raw(this: NonNull<T>) -> Self {
        // INVARIANT: By the safety requirement.
        Self(this)
    }

    /// The address of its list node.
    #[inline]
    pub(crate) fn node(&self) -> NonNull<Node> {
        // SAFETY: By the requirements of `Object` it lies within it.
        unsafe { self.0.byte_add(T::NODE).cast() }
    }

    /// Its tag.
    #[inline]
    pub(crate) fn tag(&self) -> u32 {
        // SAFETY: It is an object of ours.
        unsafe { tag(self.0) }
    }

    /// Publishes it with two references, the list's and the one returned.
    #[inline]
    pub(crate) fn publish(self) -> Ref<T> {
        let this = core::mem::ManuallyDrop::new(self).0;
        // Release: pairs with the acquire in `try_get`.
        refs(&this).store(2, Ordering::Release);
        // INVARIANT: One of the two.
        Ref(this)
    }
}

impl<T: Object> Drop for Fresh<T> {
    fn drop(&mut self) {
        // SAFETY: By the invariant it is ours alone and its count is 0.
        unsafe { T::free(self.0) };
    }
}

impl<B: Cached> Deref for Fresh<Entry<B>> {
    type Target = B;

    #[inline]
    fn deref(&self) -> &B {
        // SAFETY: It is ours alone, and complete.
        unsafe { &(*self.0.as_ptr()).body }
    }
}

impl<B: Cached> DerefMut for Fresh<Entry<B>> {
    #[inline]
    fn deref_mut(&mut self) -> &mut B {
        // SAFETY: As above; readers with an old pointer do not look at the body.
        unsafe { &mut (*self.0.as_ptr()).body }
    }
}

/// How an allocation may go about it.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum Gfp {
    /// Without sleeping; any context (`GFP_ATOMIC`).
    Atomic = bindings::GFP_ATOMIC,
    /// It may sleep (`GFP_KERNEL`).
    Kernel = bindings::GFP_KERNEL,
}

/// A cache, in a `static`. There are objects only while its [`CacheGuard`]
/// lives.
pub struct Cache<T> {
    name: &'static CStr,
    raw: AtomicPtr<bindings::kmem_cache>,
    _objects: PhantomData<fn() -> T>,
}

impl<T: Object> Cache<T> {
    /// Not made yet; `name` is what `/proc/slabinfo` shows.
    pub const fn new(name: &'static CStr) -> Self {
        Self {
            name,
            raw: AtomicPtr::new(null_mut()),
            _objects: PhantomData,
        }
    }

    /// Makes it. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; `EBUSY` if it is made already.
    pub fn create(&'static self) -> Result<CacheGuard<T>> {
        let mut args = bindings::kmem_cache_args {
            align: core::mem::align_of::<T>() as u32,
            ..Default::default()
        };
        let flags = (1 << bindings::_slab_flag_bits__SLAB_TYPESAFE_BY_RCU)
            | (1 << bindings::_slab_flag_bits__SLAB_HWCACHE_ALIGN);
        // SAFETY: The name is static and the arguments are valid.
        let raw = unsafe {
            bindings::__kmem_cache_create_args(
                self.name.as_char_ptr(),
                core::mem::size_of::<T>() as u32,
                &mut args,
                flags,
            )
        };
        if raw.is_null() {
            return Err(ENOMEM);
        }
        let made = self
            .raw
            .compare_exchange(null_mut(), raw, Ordering::Release, Ordering::Relaxed);
        if made.is_err() {
            // SAFETY: Made just now, and empty.
            unsafe { bindings::kmem_cache_destroy(raw) };
            return Err(EBUSY);
        }
        Ok(CacheGuard(self))
    }

    /// Gives the memory of an object back.
    ///
    /// # Safety
    ///
    /// It must be from here, and nobody have a reference.
    #[inline]
    pub unsafe fn free(&self, object: NonNull<T>) {
        let raw = self.raw.load(Ordering::Acquire);
        // A cache with objects in it is not destroyed but leaked (with a warning),
        // and so are they.
        if !raw.is_null() {
            // SAFETY: As the caller guarantees.
            unsafe { bindings::kmem_cache_free(raw, object.as_ptr().cast()) };
        }
    }
}

impl<B: Cached> Cache<Entry<B>> {
    /// Allocates an object.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    #[inline]
    pub fn alloc(&self, tag: u32, body: B, gfp: Gfp) -> Result<Fresh<Entry<B>>> {
        let raw = self.raw.load(Ordering::Acquire);
        if raw.is_null() {
            return Err(ENOMEM);
        }
        // SAFETY: The cache exists while there is a guard, which whoever allocates
        // has to keep.
        let object = unsafe { bindings::kmem_cache_alloc_noprof(raw, gfp as bindings::gfp_t) };
        let object = NonNull::new(object.cast::<Entry<B>>()).ok_or(ENOMEM)?;
        let this = object.as_ptr();
        // SAFETY: Freshly allocated and of this size. Readers with an old pointer
        // may look at the first three fields: count and tag are written
        // atomically, the node (which a first use leaves undefined) only when the
        // object enters a list. The body is seen by nobody.
        unsafe {
            (*this).refs.store(0, Ordering::Relaxed);
            (*this).tag.store(tag, Ordering::Relaxed);
            (&raw mut (*this).body).write(body);
        }
        // INVARIANT: In no list, and its count is 0.
        Ok(Fresh(object))
    }
}

/// Keeps a [`Cache`] in existence; to be dropped after all its objects.
pub struct CacheGuard<T: Object>(&'static Cache<T>);

impl<T: Object> Drop for CacheGuard<T> {
    fn drop(&mut self) {
        // Objects whose last reference an RCU callback holds go first.
        crate::rcu::barrier();
        let raw = self.0.raw.swap(null_mut(), Ordering::AcqRel);
        // SAFETY: Made by `create`. The kernel waits for a grace period, and keeps
        // a cache that is not empty.
        unsafe { bindings::kmem_cache_destroy(raw) };
    }
}
