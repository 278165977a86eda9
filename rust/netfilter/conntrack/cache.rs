// SPDX-License-Identifier: GPL-2.0

//! The slab cache of connections.

use super::{
    conn::{Conn, Fresh, SIZE},
    Net, Zone,
};
use core::{
    ptr::{null_mut, NonNull},
    sync::atomic::{AtomicPtr, Ordering},
};
use kernel::prelude::*;
use nf_bindings as bindings;
use nf_proto::tuple::Tuple;

/// A cache of connections: type-stable memory under RCU
/// (`SLAB_TYPESAFE_BY_RCU`).
pub struct Cache(AtomicPtr<bindings::kmem_cache>);

impl Cache {
    /// No cache yet.
    #[allow(clippy::new_without_default)] // For statics only.
    pub const fn new() -> Self {
        Cache(AtomicPtr::new(null_mut()))
    }

    /// Creates it. May sleep.
    pub fn start(&self) -> Result {
        // SAFETY: May sleep; the size is that of the objects.
        let cache = unsafe { bindings::conn_cache_create(SIZE as u32) };
        if cache.is_null() {
            return Err(ENOMEM);
        }
        self.0.store(cache, Ordering::Release);
        Ok(())
    }

    /// Destroys it. May sleep.
    ///
    /// # Safety
    ///
    /// Every object has been freed.
    pub unsafe fn stop(&self) {
        // SAFETY: Nothing of it is in use, by the safety requirement;
        // destruction waits for the grace period of freed objects itself.
        unsafe { bindings::kmem_cache_destroy(self.0.swap(null_mut(), Ordering::AcqRel)) };
    }

    /// A new connection, or nothing if memory is short.
    #[inline]
    pub fn allocate(
        &self,
        gfp: bindings::gfp_t,
        net: Net,
        zone: Zone,
        original: &Tuple,
        reply: &Tuple,
    ) -> Option<Fresh> {
        // SAFETY: The cache exists while the module runs.
        let memory = NonNull::new(unsafe {
            bindings::conn_cache_alloc(self.0.load(Ordering::Relaxed), gfp)
        })?;
        // SAFETY: Just allocated; what was freed had a count of zero.
        Some(unsafe { Fresh::init(memory.cast(), net, zone, original, reply) })
    }

    /// Frees a connection's memory. Readers under RCU may still look at it.
    ///
    /// # Safety
    ///
    /// It is from this cache, its reference count is zero, and it is in no
    /// list.
    #[inline]
    pub unsafe fn free(&self, conn: NonNull<Conn>) {
        // SAFETY: By the function's safety requirement.
        unsafe {
            bindings::kmem_cache_free(self.0.load(Ordering::Relaxed), conn.as_ptr().cast());
        }
    }
}
