// SPDX-License-Identifier: GPL-2.0

//! Helpers' protocols: what connections a message announces.
//!
//! A parser reads the payload of a packet and yields what is to be expected,
//! and where in the payload that stands, so that NAT can write other addresses
//! there. It allocates nothing, and its time is linear in the payload. The
//! kernel side makes expectations and edits out of it.

pub mod amanda;
pub mod ber;
pub mod edits;
pub mod ftp;
pub mod h323;
pub mod irc;
pub mod lines;
pub mod pptp;
pub mod room;
pub mod sane;
pub mod sip;
pub mod snmp;
pub mod text;
pub mod tftp;

use crate::nat::edit::Edit;

/// Where something stands in a payload, in bytes from its start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// How many bytes.
    pub len: usize,
}

impl Span {
    /// From the byte at `start` to before that at `end`.
    #[inline]
    pub const fn between(start: usize, end: usize) -> Self {
        Span {
            start,
            len: end.saturating_sub(start),
        }
    }

    /// Puts a text in its place.
    #[inline]
    pub fn replaced<'t>(&self, text: &'t [u8]) -> Edit<'t> {
        // A payload is shorter than that.
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        Edit {
            offset: number(self.start),
            old_len: number(self.len),
            new: text,
        }
    }

    /// What stands there.
    #[inline]
    pub fn of<'a>(&self, payload: &'a [u8]) -> Option<&'a [u8]> {
        payload.get(self.start..)?.get(..self.len)
    }
}
