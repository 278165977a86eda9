// SPDX-License-Identifier: GPL-2.0

//! What a helper tells user space of a connection, and is told (`CTA_HELP_INFO`).

use super::Helper;
use crate::{
    conntrack::Conn,
    nlattr::{Attribute, Writer},
};
use core::ptr::null_mut;

impl Helper {
    /// Writes what it keeps about a connection, if it has something to tell.
    /// Under RCU.
    pub fn write_info(&self, writer: &mut Writer<'_>, conn: &Conn) {
        // SAFETY: Null or a function, written as one word.
        let to_nlattr = unsafe { (&raw const (*self.as_ptr()).to_nlattr).read_volatile() };
        if let (Some(to_nlattr), true) = (to_nlattr, self.is_alive()) {
            // What it says about the room is not heard by stock either: without
            // room the attribute is missing.
            writer.foreign(|skb| {
                // SAFETY: All is valid for the call; its module waits for a
                // grace period before it goes.
                unsafe { to_nlattr(skb, conn.as_ptr()) };
                true
            });
        }
    }

    /// Tells it what to keep about a connection, of which it is the helper, if
    /// it wants to know. Under RCU.
    pub fn read_info(&self, info: Option<Attribute<'_>>, conn: &Conn) {
        // SAFETY: Null or a function, written as one word.
        let from_nlattr = unsafe { (&raw const (*self.as_ptr()).from_nlattr).read_volatile() };
        if let (Some(from_nlattr), true) = (from_nlattr, self.is_alive()) {
            let info = info.map_or(null_mut(), |info| info.as_ptr().cast_mut());
            // SAFETY: As above.
            unsafe { from_nlattr(info, conn.as_ptr()) };
        }
    }
}
