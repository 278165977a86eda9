// SPDX-License-Identifier: GPL-2.0

//! Sequence numbers: their order is modulo 2^32, RFC 9293 section 3.4.

/// `a` comes before `b`.
#[inline]
pub(super) const fn before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

/// `a` comes after `b`.
#[inline]
pub(super) const fn after(a: u32, b: u32) -> bool {
    before(b, a)
}
