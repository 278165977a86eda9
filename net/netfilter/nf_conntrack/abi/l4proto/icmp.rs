// SPDX-License-Identifier: GPL-2.0

//! Tuples of ICMP and ICMPv6 as attributes.

use super::attributes::{policy, put, value, wanted, Attributes, Policy, PROTO_MAX, U16, U8};
use kernel::{
    error::code::EINVAL,
    ffi::{c_int, c_uint},
};
use netfilter::conntrack::tuple;
use nf_bindings as bindings;
use nf_proto::{
    be::Be16,
    l4::{icmp, icmpv6},
    tuple::Tuple,
};

/// Identifier, type and code.
pub(super) static ICMP_POLICY: Policy<PROTO_MAX> = policy(&[
    (bindings::ctattr_l4proto_CTA_PROTO_ICMP_ID, U16, 0),
    (bindings::ctattr_l4proto_CTA_PROTO_ICMP_TYPE, U8, 0),
    (bindings::ctattr_l4proto_CTA_PROTO_ICMP_CODE, U8, 0),
]);

/// The same for ICMPv6.
pub(super) static ICMPV6_POLICY: Policy<PROTO_MAX> = policy(&[
    (bindings::ctattr_l4proto_CTA_PROTO_ICMPV6_ID, U16, 0),
    (bindings::ctattr_l4proto_CTA_PROTO_ICMPV6_TYPE, U8, 0),
    (bindings::ctattr_l4proto_CTA_PROTO_ICMPV6_CODE, U8, 0),
]);

struct IcmpAttributes {
    id: u32,
    kind: u32,
    code: u32,
}

const ICMP: IcmpAttributes = IcmpAttributes {
    id: bindings::ctattr_l4proto_CTA_PROTO_ICMP_ID,
    kind: bindings::ctattr_l4proto_CTA_PROTO_ICMP_TYPE,
    code: bindings::ctattr_l4proto_CTA_PROTO_ICMP_CODE,
};

const ICMPV6: IcmpAttributes = IcmpAttributes {
    id: bindings::ctattr_l4proto_CTA_PROTO_ICMPV6_ID,
    kind: bindings::ctattr_l4proto_CTA_PROTO_ICMPV6_TYPE,
    code: bindings::ctattr_l4proto_CTA_PROTO_ICMPV6_CODE,
};

impl IcmpAttributes {
    /// # Safety
    ///
    /// C: a netlink message or a parsed table, and a valid tuple.
    unsafe fn put(
        &self,
        skb: *mut bindings::sk_buff,
        tuple: *const bindings::nf_conntrack_tuple,
    ) -> c_int {
        // SAFETY: By the C contract of the callers.
        unsafe {
            let tuple = tuple::from_c(&*tuple);
            let [kind, code] = tuple.dst.id.to_bytes();
            let done = put(skb, self.id, tuple.src.id.to_bytes())
                && put(skb, self.kind, [kind])
                && put(skb, self.code, [code]);
            if done {
                0
            } else {
                -1
            }
        }
    }

    /// # Safety
    ///
    /// C: a netlink message or a parsed table, and a valid tuple.
    unsafe fn get(
        &self,
        tb: Attributes,
        t: *mut bindings::nf_conntrack_tuple,
        flags: u32,
        invert: fn(u8) -> Option<u8>,
    ) -> c_int {
        // SAFETY: By the C contract of the callers.
        unsafe {
            let tuple: &mut Tuple = &mut *t.cast();
            let [mut kind, mut code] = tuple.dst.id.to_bytes();
            if wanted(flags, self.kind) {
                match value::<1>(tb, self.kind) {
                    // Only of types that are answered there are connections.
                    Some([given]) if invert(given).is_some() => kind = given,
                    _ => return EINVAL.to_errno(),
                }
            }
            if wanted(flags, self.code) {
                match value::<1>(tb, self.code) {
                    Some([given]) => code = given,
                    None => return EINVAL.to_errno(),
                }
            }
            if wanted(flags, self.id) {
                match value(tb, self.id) {
                    Some(id) => tuple.src.id = Be16::from_bytes(id),
                    None => return EINVAL.to_errno(),
                }
            }
            tuple.dst.id = Be16::from_bytes([kind, code]);
        }
        0
    }
}

/// # Safety
///
/// C: a netlink message, and a valid tuple.
pub(super) unsafe extern "C" fn icmp_put(
    skb: *mut bindings::sk_buff,
    t: *const bindings::nf_conntrack_tuple,
) -> c_int {
    // SAFETY: By the C contract.
    unsafe { ICMP.put(skb, t) }
}

/// # Safety
///
/// C: a netlink message, and a valid tuple.
pub(super) unsafe extern "C" fn icmpv6_put(
    skb: *mut bindings::sk_buff,
    t: *const bindings::nf_conntrack_tuple,
) -> c_int {
    // SAFETY: By the C contract.
    unsafe { ICMPV6.put(skb, t) }
}

/// # Safety
///
/// C: a parsed table, and a valid tuple.
pub(super) unsafe extern "C" fn icmp_get(
    tb: Attributes,
    t: *mut bindings::nf_conntrack_tuple,
    flags: u32,
) -> c_int {
    // SAFETY: By the C contract.
    unsafe { ICMP.get(tb, t, flags, icmp::invert) }
}

/// # Safety
///
/// C: a parsed table, and a valid tuple.
pub(super) unsafe extern "C" fn icmpv6_get(
    tb: Attributes,
    t: *mut bindings::nf_conntrack_tuple,
    flags: u32,
) -> c_int {
    // SAFETY: By the C contract.
    unsafe { ICMPV6.get(tb, t, flags, icmpv6::invert) }
}

/// Attributes of two bytes, one, one.
///
/// # Safety
///
/// None is needed.
pub(super) unsafe extern "C" fn icmp_attr_size() -> c_uint {
    24
}
