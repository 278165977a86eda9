// SPDX-License-Identifier: GPL-2.0

//! What NAT does for helpers: of connections whose addresses it changes, the
//! payload has to be changed as well.

use super::NAME_LEN;
use crate::conntrack::{expect::NewExpect, skb::Packet, Conn, Info, Status};
use core::{
    ptr::null_mut,
    sync::atomic::{AtomicPtr, Ordering},
};
use kernel::{ffi::c_char, prelude::*, sync::rcu};
use nf_bindings as bindings;
use nf_proto::{be::Be16, nat::edit::Edit, tuple::Direction};

/// What module nf_nat can do for helpers.
///
/// A struct of functions and no trait: it is found through a pointer that
/// changes under RCU.
pub struct Nat {
    /// Has the expected connection follow its master's translation: it comes in
    /// the direction given, and goes to `port` after translation.
    pub follow: fn(exp: &mut NewExpect<'_>, port: Be16, direction: Direction),

    /// Expects it, on the port that it has or one near it that is free: which,
    /// host order. None if all are in use.
    pub expect: fn(exp: &mut NewExpect<'_>) -> Option<u16>,

    /// Writes all edits into the payload, which begins behind the transport
    /// header `transport` bytes after the packet's data. They are in order and
    /// do not overlap. If it fails the packet must be dropped.
    pub edit: fn(
        packet: &mut Packet<'_>,
        conn: &Conn,
        info: Info,
        transport: u32,
        edits: &[Edit<'_>],
    ) -> Result,
}

/// Where a helper finds its NAT half, which is a module of its own: as long as
/// that is not loaded, payloads stay as they are.
///
/// `N` is what the helper needs of it.
pub struct NatHalf<N: 'static = Nat>(AtomicPtr<N>);

impl<N> NatHalf<N> {
    /// None is there.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        NatHalf(AtomicPtr::new(null_mut()))
    }

    /// What to call for a packet of `conn`; none if that is not translated.
    #[inline]
    pub fn of<'g>(&self, conn: &Conn, _rcu: &'g rcu::Guard) -> Option<&'g N> {
        if !conn.status().any(Status::NAT_MASK) {
            return None;
        }
        // SAFETY: Null or what `LoadedHalf::new` stored, which is valid until a
        // grace period after it is taken back.
        unsafe { self.0.load(Ordering::Acquire).as_ref() }
    }
}

/// The NAT half of a helper, until it is dropped: then nobody is in its
/// functions any more.
pub struct LoadedHalf<N: 'static = Nat> {
    place: &'static NatHalf<N>,
    /// Registered, by name.
    entry: *mut bindings::nf_conntrack_nat_helper,
}

// SAFETY: It belongs to no thread.
unsafe impl<N: Sync> Send for LoadedHalf<N> {}
// SAFETY: A shared reference is good for nothing.
unsafe impl<N: Sync> Sync for LoadedHalf<N> {}

impl<N> LoadedHalf<N> {
    /// Makes `nat` the NAT half of the helper that looks at `place`, and
    /// registers it as `name`, the alias by which the module is loaded. Sleeps.
    ///
    /// # Errors
    ///
    /// `EBUSY` if there is one already; `ENOMEM`.
    pub fn new(
        place: &'static NatHalf<N>,
        nat: &'static N,
        name: &'static CStr,
        module: &'static ThisModule,
    ) -> Result<Self> {
        let mut mod_name = [0; NAME_LEN];
        for (to, from) in mod_name.iter_mut().zip(name.to_bytes_with_nul()) {
            *to = *from as c_char;
        }
        let entry = KBox::new(
            bindings::nf_conntrack_nat_helper {
                list: bindings::list_head::default(),
                mod_name,
                module: module.as_ptr(),
            },
            GFP_KERNEL,
        )?;
        let new = core::ptr::from_ref(nat).cast_mut();
        place
            .0
            .compare_exchange(null_mut(), new, Ordering::AcqRel, Ordering::Relaxed)
            .map_err(|_| EBUSY)?;
        let entry = KBox::into_raw(entry);
        // SAFETY: It stays where it is until it is taken back.
        unsafe { bindings::nf_nat_helper_register(entry) };
        Ok(LoadedHalf { place, entry })
    }
}

impl<N> Drop for LoadedHalf<N> {
    fn drop(&mut self) {
        // SAFETY: Registered in `new`; once.
        unsafe { bindings::nf_nat_helper_unregister(self.entry) };
        self.place.0.store(null_mut(), Ordering::Release);
        super::synchronize();
        // SAFETY: From `KBox::into_raw`; who may have seen it under RCU has gone.
        drop(unsafe { KBox::from_raw(self.entry) });
    }
}
