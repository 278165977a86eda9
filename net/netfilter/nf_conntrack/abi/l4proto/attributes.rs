// SPDX-License-Identifier: GPL-2.0

//! Netlink attributes as protocols have them: their policies, reading, writing.

use super::Constant;
use core::mem::zeroed;
use kernel::ffi::c_int;
use nf_bindings as bindings;

/// A parsed table of attributes.
pub(super) type Attributes = *mut *mut bindings::nlattr;

/// As many attributes as a protocol's tuple can have.
pub(super) const PROTO_MAX: usize = bindings::ctattr_l4proto___CTA_PROTO_MAX as usize;

/// A policy table.
pub(super) type Policy<const N: usize> = Constant<[bindings::nla_policy; N]>;

/// A policy table: for each of `entries` the attribute, its type, its largest
/// value (0: any).
pub(super) const fn policy<const N: usize>(entries: &[(u32, u32, i16)]) -> Policy<N> {
    // SAFETY: All of its fields may be zero, in a constant too.
    let mut table = unsafe { zeroed::<[bindings::nla_policy; N]>() };
    let mut i = 0;
    while i < entries.len() {
        let (attribute, kind, max) = entries[i];
        table[attribute as usize].type_ = kind as u8;
        if max != 0 {
            table[attribute as usize].validation_type =
                bindings::nla_policy_validation_NLA_VALIDATE_MAX as u8;
            // SAFETY: The two values of a range, of which the second is the largest.
            unsafe {
                (&raw mut table[attribute as usize].__bindgen_anon_1)
                    .cast::<[i16; 2]>()
                    .write([0, max])
            };
        }
        i += 1;
    }
    Constant(table)
}

/// The type of an attribute.
pub(super) const U8: u32 = bindings::NLA_U8;
/// The type of an attribute.
pub(super) const U16: u32 = bindings::NLA_U16;
/// The type of an attribute.
pub(super) const U32: u32 = bindings::NLA_U32;

/// Adds an attribute; false if there is no room.
///
/// # Safety
///
/// `skb` is a netlink message under construction.
pub(super) unsafe fn put<const N: usize>(
    skb: *mut bindings::sk_buff,
    attribute: u32,
    bytes: [u8; N],
) -> bool {
    // SAFETY: By the caller's contract.
    unsafe { bindings::nla_put(skb, attribute as c_int, N as c_int, bytes.as_ptr().cast()) == 0 }
}

/// The value of an attribute, if it is there and as long.
///
/// # Safety
///
/// `tb` is a parsed table with room for `attribute`.
pub(super) unsafe fn value<const N: usize>(tb: Attributes, attribute: u32) -> Option<[u8; N]> {
    // SAFETY: By the caller's contract; the length was checked by the policy,
    // and is again.
    unsafe {
        let attribute = *tb.add(attribute as usize);
        if attribute.is_null()
            || usize::from((*attribute).nla_len) < size_of::<bindings::nlattr>() + N
        {
            return None;
        }
        Some(attribute.add(1).cast::<[u8; N]>().read_unaligned())
    }
}

/// Whether the flags of a filter have this attribute.
pub(super) const fn wanted(flags: u32, attribute: u32) -> bool {
    flags & (1 << attribute) != 0
}
