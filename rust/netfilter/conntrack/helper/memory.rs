// SPDX-License-Identifier: GPL-2.0

//! What a helper remembers of a connection.

use super::Help;
use crate::conntrack::Conn;
use core::mem::size_of;
use nf_bindings as bindings;
use nf_proto::alg::room::{self, Kept};

const _: () = assert!(room::SIZE == size_of::<[u8; 32]>());

impl Help<'_> {
    /// Lets `update` see and change what the connection's helper remembers,
    /// with the connection's lock held. `conn` is the connection whose part
    /// this is.
    pub fn remember<T: Kept, R>(self, conn: &Conn, update: impl FnOnce(&mut T) -> R) -> R {
        const { assert!(T::LEN <= room::SIZE) };
        let _lock = conn.lock();
        // SAFETY: The extension lives as long as the connection. Its private
        // bytes are initialised, of any value; as many as the helper keeps there
        // are accessed with the connection's lock held, and are no more than
        // there are.
        let room = unsafe {
            let bytes = (&raw mut (*self.as_ptr()).data).cast::<u8>();
            core::slice::from_raw_parts_mut(bytes, T::LEN)
        };
        let mut value = room::load(room);
        let result = update(&mut value);
        room::store(&value, room);
        result
    }
}

const _: () = {
    let data = core::mem::offset_of!(bindings::nf_conn_help, data);
    assert!(size_of::<bindings::nf_conn_help>() >= data + room::SIZE);
};
