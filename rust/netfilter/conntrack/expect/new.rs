// SPDX-License-Identifier: GPL-2.0

//! Making an expectation.

use super::{put, Expect, ExpectLock, Nat, CACHE};
use crate::conntrack::{
    conn,
    helper::{function_name, Helper, EXPECT_FUNCTIONS},
    hlist, Conn,
};
use core::{
    mem::ManuallyDrop,
    ops::Deref,
    ptr::{null_mut, NonNull},
    sync::atomic::Ordering,
};
use kernel::prelude::*;
use nf_bindings as bindings;
use nf_proto::{
    expect::Mask,
    tuple::{Address, Direction, Tuple},
};

/// An expectation in the making, or just made: it borrows its master.
///
/// # Invariants
///
/// It owns a reference to the expectation, whose master lives for `'m`.
pub struct NewExpect<'m>(NonNull<Expect>, &'m Conn);

impl<'m> NewExpect<'m> {
    /// A new expectation of `master`, all zero but for that and the time, which
    /// is now. None if memory is short.
    pub fn alloc(master: &'m Conn) -> Option<Self> {
        // SAFETY: The cache exists while the module runs.
        let exp = unsafe { bindings::expect_cache_zalloc(CACHE.load(Ordering::Relaxed)) };
        let exp = NonNull::new(exp)?;
        let exp = exp.cast::<bindings::nf_conntrack_expect>();
        // SAFETY: Just allocated.
        unsafe {
            (*exp.as_ptr()).timeout = conn::now();
            (*exp.as_ptr()).master = master.as_ptr();
            Expect::from_raw(exp.as_ptr()).uses().set(1);
        }
        Some(NewExpect(exp.cast(), master))
    }

    /// Borrows what C code is making.
    ///
    /// # Safety
    ///
    /// C holds references to the expectation and to its master for `'m`.
    #[inline]
    pub unsafe fn borrow_raw(exp: *mut bindings::nf_conntrack_expect) -> ManuallyDrop<Self> {
        // SAFETY: By the function's safety requirement.
        unsafe {
            ManuallyDrop::new(NewExpect(
                NonNull::new_unchecked(exp.cast()),
                Conn::from_raw((*exp).master),
            ))
        }
    }

    /// Hands it to C code.
    #[inline]
    pub fn into_raw(self) -> *mut bindings::nf_conntrack_expect {
        ManuallyDrop::new(self).0.as_ptr().cast()
    }

    /// Its master.
    #[inline]
    pub fn master(&self) -> &'m Conn {
        self.1
    }

    /// Says what is expected. Ignored if it is in the table: then it does not
    /// change any more.
    pub fn describe(&mut self, what: &Description<'_>) {
        let exp = self.as_ptr();
        // SAFETY: A reference is held. Only its maker, who is here, puts it
        // into the table; who still looks at it there under RCU after somebody
        // removed it sees single words change.
        unsafe {
            if hlist::is_linked(&raw const (*exp).hnode) {
                return;
            }
            (*exp).flags = what.flags;
            (*exp).class = what.class;
            (*exp).expectfn = None;
            (*exp).helper = what.helper.map_or(null_mut(), Helper::as_ptr);
            (*exp).assign_helper = null_mut();
            (*exp).net.net = self.1.net().as_ptr();
            (*exp).zone = self.1.zone().to_c();
            let original = self.1.tuple(Direction::Original);
            (&raw mut (*exp).master_tuple)
                .cast::<Tuple>()
                .write(*original);
            (&raw mut (*exp).tuple).cast::<Tuple>().write(what.tuple);
            (&raw mut (*exp).mask).cast::<Mask>().write(what.mask);
            (&raw mut (*exp).saved_addr).write_bytes(0, 1);
            (&raw mut (*exp).saved_proto).write_bytes(0, 1);
            (*exp).dir = Direction::Original as u32;
        }
    }
}

impl NewExpect<'_> {
    /// It is not in the table, where it would not change any more. Only its
    /// maker, who is here, puts it there.
    fn is_changeable(&self) -> bool {
        // SAFETY: A reference is held.
        unsafe { !hlist::is_linked(&raw const (*self.as_ptr()).hnode) }
    }

    /// Says what NAT is to do. After [`describe`](Self::describe); ignored if it
    /// is in the table.
    pub fn set_nat(&mut self, nat: Nat) {
        if self.is_changeable() {
            let raw = self.as_ptr();
            // SAFETY: A reference is held, and nobody else reads this yet;
            // layouts as asserted above.
            unsafe {
                (&raw mut (*raw).saved_addr)
                    .cast::<Address>()
                    .write(nat.address);
                (&raw mut (*raw).saved_proto)
                    .cast::<u16>()
                    .write(nat.id.raw());
                (*raw).dir = if nat.reply {
                    Direction::Reply as u32
                } else {
                    Direction::Original as u32
                };
            }
        }
    }

    /// Names the helper that the expected connection gets. With the lock, under
    /// which it goes into the table next, so that its removal cannot miss it.
    ///
    /// # Errors
    ///
    /// `ESHUTDOWN` if the helper is going.
    pub fn set_assigned(&self, lock: &ExpectLock, helper: &Helper) -> Result {
        if !helper.is_alive() {
            return Err(Error::from_errno(-(bindings::ESHUTDOWN as i32)));
        }
        if !self.is_linked(lock) {
            // SAFETY: A reference is held, and nobody else reads this yet.
            unsafe { (*self.as_ptr()).assign_helper = helper.as_ptr() };
        }
        Ok(())
    }

    /// Names the function that is called with the expected connection. With the
    /// lock, under which it goes into the table next, so that the function's
    /// removal cannot miss it.
    ///
    /// # Errors
    ///
    /// `EINVAL` if there is none of this name.
    pub fn set_function(&self, lock: &ExpectLock, name: &[u8]) -> Result {
        let found = EXPECT_FUNCTIONS
            .find(lock.rcu(), |entry| function_name(entry) == name)
            .ok_or(EINVAL)?;
        if !self.is_linked(lock) {
            // SAFETY: As above.
            unsafe { (*self.as_ptr()).expectfn = found.expectfn };
        }
        Ok(())
    }
}

/// What is expected.
pub struct Description<'h> {
    /// Class, of those of the master's helper.
    pub class: u32,
    /// [`flag`]s.
    pub flags: u32,
    /// The expected tuple.
    pub tuple: Tuple,
    /// Which bits of its source count.
    pub mask: Mask,
    /// The helper that expects: the master's, which stays as long as that.
    pub helper: Option<&'h Helper>,
}

impl Deref for NewExpect<'_> {
    type Target = Expect;

    #[inline]
    fn deref(&self) -> &Expect {
        // SAFETY: A reference is held, by the type invariant.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for NewExpect<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: The reference is this value's.
        unsafe { put(self.0.as_ptr().cast()) };
    }
}
