// SPDX-License-Identifier: GPL-2.0

//! What translation keeps in an expectation: where the expected connection
//! would go without it.

use super::{hlist, Expect, ExpectFn, NewExpect};
use nf_bindings as bindings;
use nf_proto::{
    be::Be16,
    tuple::{Address, Direction},
};

impl Expect {
    /// The direction of the master's packet that told of it.
    pub fn direction(&self) -> Direction {
        // SAFETY: Constant while others can reach it, by the type invariant.
        match unsafe { (*self.as_ptr()).dir } {
            0 => Direction::Original,
            _ => Direction::Reply,
        }
    }

    /// The port to which the expected connection goes after translation.
    pub fn saved_id(&self) -> Be16 {
        // SAFETY: Constant while others can reach it; all members of the union
        // are such words.
        Be16::from_raw(unsafe { *(*self.as_ptr()).saved_proto.all.as_ref() })
    }

    /// The address to which it goes.
    pub fn saved_address(&self) -> Address {
        // SAFETY: Constant while others can reach it; sixteen bytes, of which
        // every pattern is an address.
        unsafe {
            (&raw const (*self.as_ptr()).saved_addr)
                .cast::<Address>()
                .read()
        }
    }
}

impl NewExpect<'_> {
    /// Sets the port that is expected. Ignored if it is in the table: then it
    /// does not change any more.
    pub fn set_port(&mut self, port: Be16) {
        let exp: *mut bindings::nf_conntrack_expect = self.as_ptr();
        // SAFETY: A reference is held, and only its maker, who is here, puts it
        // into the table.
        unsafe {
            if !hlist::is_linked(&raw const (*exp).hnode) {
                *(*exp).tuple.dst.u.all.as_mut() = port.raw();
            }
        }
    }

    /// Sets the address to which it is expected to go. As
    /// [`NewExpect::set_port`].
    pub fn set_destination(&mut self, address: Address) {
        let exp: *mut bindings::nf_conntrack_expect = self.as_ptr();
        // SAFETY: As above; an address is sixteen bytes.
        unsafe {
            if !hlist::is_linked(&raw const (*exp).hnode) {
                (&raw mut (*exp).tuple.dst.u3)
                    .cast::<Address>()
                    .write(address);
            }
        }
    }

    /// Sets where the expected connection goes after translation, and the
    /// direction of the packet that told of it. As [`NewExpect::set_port`].
    pub fn set_saved(&mut self, address: Address, id: Be16, direction: Direction) {
        let exp: *mut bindings::nf_conntrack_expect = self.as_ptr();
        // SAFETY: As above; an address is sixteen bytes.
        unsafe {
            if !hlist::is_linked(&raw const (*exp).hnode) {
                (&raw mut (*exp).saved_addr)
                    .cast::<Address>()
                    .write(address);
                *(*exp).saved_proto.all.as_mut() = id.raw();
                (*exp).dir = direction as u32;
            }
        }
    }

    /// Sets what is called with the expected connection. As
    /// [`NewExpect::set_port`].
    ///
    /// # Safety
    ///
    /// Whoever provides the function removes the expectations that call it, and
    /// waits for a grace period, before it goes.
    pub unsafe fn set_callback(&mut self, function: ExpectFn) {
        let exp: *mut bindings::nf_conntrack_expect = self.as_ptr();
        // SAFETY: As above.
        unsafe {
            if !hlist::is_linked(&raw const (*exp).hnode) {
                (*exp).expectfn = Some(function);
            }
        }
    }
}
