// SPDX-License-Identifier: GPL-2.0

//! `struct nf_conntrack_l4proto`: what netlink code asks of a protocol. The
//! tables that differ are data; the functions are the same for all.

mod timeouts;

use crate::check_prototype;
use core::mem::zeroed;
use kernel::{
    error::code::EINVAL,
    ffi::{c_int, c_uint},
};
use netfilter::conntrack::{tuple, Conn};
use nf_bindings as bindings;
use nf_proto::{
    be::Be16,
    l4::{icmp, icmpv6, number},
    tuple::Tuple,
};

check_prototype!(
    nf_ct_l4proto_find,
    nf_ct_port_nlattr_to_tuple,
    nf_ct_port_nlattr_tuple_size,
    nf_ct_port_tuple_to_nlattr,
);

type Attributes = *mut *mut bindings::nlattr;

/// A C structure that is constant.
#[repr(transparent)]
pub struct Constant<T>(T);

// SAFETY: It is never written.
unsafe impl<T> Sync for Constant<T> {}

const PROTO_MAX: usize = bindings::ctattr_l4proto___CTA_PROTO_MAX as usize;

type Policy<const N: usize> = Constant<[bindings::nla_policy; N]>;

/// A policy table: for each of `entries` the attribute, its type, its largest
/// value (0: any).
const fn policy<const N: usize>(entries: &[(u32, u32, i16)]) -> Policy<N> {
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

const U8: u32 = bindings::NLA_U8;
const U16: u32 = bindings::NLA_U16;
const U32: u32 = bindings::NLA_U32;

/// Ports, as attributes.
#[no_mangle]
pub static nf_ct_port_nla_policy: Policy<PROTO_MAX> = policy(&[
    (bindings::ctattr_l4proto_CTA_PROTO_SRC_PORT, U16, 0),
    (bindings::ctattr_l4proto_CTA_PROTO_DST_PORT, U16, 0),
]);

static ICMP_POLICY: Policy<PROTO_MAX> = policy(&[
    (bindings::ctattr_l4proto_CTA_PROTO_ICMP_ID, U16, 0),
    (bindings::ctattr_l4proto_CTA_PROTO_ICMP_TYPE, U8, 0),
    (bindings::ctattr_l4proto_CTA_PROTO_ICMP_CODE, U8, 0),
]);

static ICMPV6_POLICY: Policy<PROTO_MAX> = policy(&[
    (bindings::ctattr_l4proto_CTA_PROTO_ICMPV6_ID, U16, 0),
    (bindings::ctattr_l4proto_CTA_PROTO_ICMPV6_TYPE, U8, 0),
    (bindings::ctattr_l4proto_CTA_PROTO_ICMPV6_CODE, U8, 0),
]);

/// # Safety
///
/// `skb` is a netlink message under construction.
unsafe fn put<const N: usize>(skb: *mut bindings::sk_buff, attribute: u32, bytes: [u8; N]) -> bool {
    // SAFETY: By the caller's contract.
    unsafe { bindings::nla_put(skb, attribute as c_int, N as c_int, bytes.as_ptr().cast()) == 0 }
}

/// The value of an attribute, if it is there and as long.
///
/// # Safety
///
/// `tb` is a parsed table with room for `attribute`.
unsafe fn value<const N: usize>(tb: Attributes, attribute: u32) -> Option<[u8; N]> {
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

const fn wanted(flags: u32, attribute: u32) -> bool {
    flags & (1 << attribute) != 0
}

/// # Safety
///
/// C: a netlink message, and a valid tuple.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_port_tuple_to_nlattr(
    skb: *mut bindings::sk_buff,
    tuple: *const bindings::nf_conntrack_tuple,
) -> c_int {
    // SAFETY: By the C contract.
    unsafe {
        let tuple = tuple::from_c(&*tuple);
        let done = put(
            skb,
            bindings::ctattr_l4proto_CTA_PROTO_SRC_PORT,
            tuple.src.id.to_bytes(),
        ) && put(
            skb,
            bindings::ctattr_l4proto_CTA_PROTO_DST_PORT,
            tuple.dst.id.to_bytes(),
        );
        if done {
            0
        } else {
            -1
        }
    }
}

/// # Safety
///
/// C: a table parsed by `nf_ct_port_nla_policy`, and a valid tuple.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_port_nlattr_to_tuple(
    tb: Attributes,
    t: *mut bindings::nf_conntrack_tuple,
    flags: u32,
) -> c_int {
    // SAFETY: By the C contract.
    unsafe {
        let tuple: &mut Tuple = &mut *t.cast();
        if wanted(flags, bindings::ctattr_l4proto_CTA_PROTO_SRC_PORT) {
            match value(tb, bindings::ctattr_l4proto_CTA_PROTO_SRC_PORT) {
                Some(port) => tuple.src.id = Be16::from_bytes(port),
                None => return EINVAL.to_errno(),
            }
        }
        if wanted(flags, bindings::ctattr_l4proto_CTA_PROTO_DST_PORT) {
            match value(tb, bindings::ctattr_l4proto_CTA_PROTO_DST_PORT) {
                Some(port) => tuple.dst.id = Be16::from_bytes(port),
                None => return EINVAL.to_errno(),
            }
        }
    }
    0
}

/// Two attributes of two bytes.
///
/// # Safety
///
/// None is needed.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_port_nlattr_tuple_size() -> c_uint {
    16
}

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
unsafe extern "C" fn icmp_put(
    skb: *mut bindings::sk_buff,
    t: *const bindings::nf_conntrack_tuple,
) -> c_int {
    // SAFETY: By the C contract.
    unsafe { ICMP.put(skb, t) }
}

/// # Safety
///
/// C: a netlink message, and a valid tuple.
unsafe extern "C" fn icmpv6_put(
    skb: *mut bindings::sk_buff,
    t: *const bindings::nf_conntrack_tuple,
) -> c_int {
    // SAFETY: By the C contract.
    unsafe { ICMPV6.put(skb, t) }
}

/// # Safety
///
/// C: a parsed table, and a valid tuple.
unsafe extern "C" fn icmp_get(
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
unsafe extern "C" fn icmpv6_get(
    tb: Attributes,
    t: *mut bindings::nf_conntrack_tuple,
    flags: u32,
) -> c_int {
    // SAFETY: By the C contract.
    unsafe { ICMPV6.get(tb, t, flags, icmpv6::invert) }
}

// TCP's and SCTP's states as attributes.

static TCP_INFO_POLICY: Policy<
    { bindings::ctattr_protoinfo_tcp___CTA_PROTOINFO_TCP_MAX as usize },
> = policy(&[
    (
        bindings::ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_STATE,
        U8,
        bindings::tcp_conntrack_TCP_CONNTRACK_LISTEN as i16,
    ),
    (
        bindings::ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_WSCALE_ORIGINAL,
        U8,
        14,
    ),
    (
        bindings::ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_WSCALE_REPLY,
        U8,
        14,
    ),
]);

/// # Safety
///
/// C: a netlink message and a valid connection.
unsafe extern "C" fn tcp_put(
    skb: *mut bindings::sk_buff,
    _nla: *mut bindings::nlattr,
    ct: *mut bindings::nf_conn,
    destroy: bool,
) -> c_int {
    use bindings::*;
    // SAFETY: By the C contract.
    unsafe {
        let tcp = {
            let _locked = Conn::from_raw(ct).lock();
            (&raw const (*ct).proto).cast::<ip_ct_tcp>().read()
        };
        let nest = nla_nest(skb, ctattr_protoinfo_CTA_PROTOINFO_TCP as c_int);
        if nest.is_null() {
            return -1;
        }
        let [original, reply] = tcp.seen;
        let done = put(
            skb,
            ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_STATE,
            [tcp.state],
        ) && (destroy
            || (put(
                skb,
                ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_WSCALE_ORIGINAL,
                [original.td_scale],
            ) && put(
                skb,
                ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_WSCALE_REPLY,
                [reply.td_scale],
            ) && put(
                skb,
                ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_FLAGS_ORIGINAL,
                [original.flags, 0],
            ) && put(
                skb,
                ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_FLAGS_REPLY,
                [reply.flags, 0],
            )));
        if !done {
            return -1;
        }
        nla_nest_close(skb, nest);
        0
    }
}

/// # Safety
///
/// C: a parsed table, and a valid connection.
unsafe extern "C" fn tcp_get(tb: Attributes, ct: *mut bindings::nf_conn) -> c_int {
    use bindings::*;
    const N: usize = ctattr_protoinfo_tcp___CTA_PROTOINFO_TCP_MAX as usize;
    // SAFETY: By the C contract.
    unsafe {
        let nest = *tb.add(ctattr_protoinfo_CTA_PROTOINFO_TCP as usize);
        if nest.is_null() {
            return 0;
        }
        let mut inner = [core::ptr::null_mut::<nlattr>(); N];
        let policy = TCP_INFO_POLICY.0.as_ptr();
        let error = nla_parse_nest(inner.as_mut_ptr(), (N - 1) as c_int, nest, policy.cast());
        if error < 0 {
            return error;
        }
        let tb = inner.as_mut_ptr();
        let _locked = Conn::from_raw(ct).lock();
        let tcp = &mut *(&raw mut (*ct).proto).cast::<ip_ct_tcp>();
        if let Some([state]) = value(tb, ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_STATE) {
            tcp.state = state;
        }
        let [original, reply] = &mut tcp.seen;
        for (seen, attribute) in [
            (
                &mut *original,
                ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_FLAGS_ORIGINAL,
            ),
            (
                &mut *reply,
                ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_FLAGS_REPLY,
            ),
        ] {
            if let Some([flags, mask]) = value(tb, attribute) {
                seen.flags = (seen.flags & !mask) | (flags & mask);
            }
        }
        let scales = (
            value::<1>(tb, ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_WSCALE_ORIGINAL),
            value::<1>(tb, ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_WSCALE_REPLY),
        );
        let scaled = original.flags & reply.flags & IP_CT_TCP_FLAG_WINDOW_SCALE as u8 != 0;
        if let (Some([a]), Some([b]), true) = (scales.0, scales.1, scaled) {
            original.td_scale = a;
            reply.td_scale = b;
        }
        0
    }
}

static SCTP_INFO_POLICY: Policy<
    { bindings::ctattr_protoinfo_sctp___CTA_PROTOINFO_SCTP_MAX as usize },
> = policy(&[
    (
        bindings::ctattr_protoinfo_sctp_CTA_PROTOINFO_SCTP_STATE,
        U8,
        bindings::sctp_conntrack_SCTP_CONNTRACK_HEARTBEAT_SENT as i16,
    ),
    (
        bindings::ctattr_protoinfo_sctp_CTA_PROTOINFO_SCTP_VTAG_ORIGINAL,
        U32,
        0,
    ),
    (
        bindings::ctattr_protoinfo_sctp_CTA_PROTOINFO_SCTP_VTAG_REPLY,
        U32,
        0,
    ),
]);

/// # Safety
///
/// C: a netlink message and a valid connection.
unsafe extern "C" fn sctp_put(
    skb: *mut bindings::sk_buff,
    _nla: *mut bindings::nlattr,
    ct: *mut bindings::nf_conn,
    destroy: bool,
) -> c_int {
    use bindings::*;
    // SAFETY: By the C contract.
    unsafe {
        let sctp = {
            let _locked = Conn::from_raw(ct).lock();
            (&raw const (*ct).proto).cast::<ip_ct_sctp>().read()
        };
        let nest = nla_nest(skb, ctattr_protoinfo_CTA_PROTOINFO_SCTP as c_int);
        if nest.is_null() {
            return -1;
        }
        let [original, reply] = sctp.vtag;
        let done = put(
            skb,
            ctattr_protoinfo_sctp_CTA_PROTOINFO_SCTP_STATE,
            [sctp.state as u8],
        ) && (destroy
            || (put(
                skb,
                ctattr_protoinfo_sctp_CTA_PROTOINFO_SCTP_VTAG_ORIGINAL,
                original.to_ne_bytes(),
            ) && put(
                skb,
                ctattr_protoinfo_sctp_CTA_PROTOINFO_SCTP_VTAG_REPLY,
                reply.to_ne_bytes(),
            )));
        if !done {
            return -1;
        }
        nla_nest_close(skb, nest);
        0
    }
}

/// # Safety
///
/// C: a parsed table, and a valid connection.
unsafe extern "C" fn sctp_get(tb: Attributes, ct: *mut bindings::nf_conn) -> c_int {
    use bindings::*;
    const N: usize = ctattr_protoinfo_sctp___CTA_PROTOINFO_SCTP_MAX as usize;
    // SAFETY: By the C contract.
    unsafe {
        let nest = *tb.add(ctattr_protoinfo_CTA_PROTOINFO_SCTP as usize);
        if nest.is_null() {
            return 0;
        }
        let mut inner = [core::ptr::null_mut::<nlattr>(); N];
        let policy = SCTP_INFO_POLICY.0.as_ptr();
        let error = nla_parse_nest(inner.as_mut_ptr(), (N - 1) as c_int, nest, policy.cast());
        if error < 0 {
            return error;
        }
        let tb = inner.as_mut_ptr();
        let given = (
            value::<1>(tb, ctattr_protoinfo_sctp_CTA_PROTOINFO_SCTP_STATE),
            value::<4>(tb, ctattr_protoinfo_sctp_CTA_PROTOINFO_SCTP_VTAG_ORIGINAL),
            value::<4>(tb, ctattr_protoinfo_sctp_CTA_PROTOINFO_SCTP_VTAG_REPLY),
        );
        let (Some([state]), Some(original), Some(reply)) = given else {
            return -(EINVAL as c_int);
        };
        let _locked = Conn::from_raw(ct).lock();
        let sctp = &mut *(&raw mut (*ct).proto).cast::<ip_ct_sctp>();
        sctp.state = state.into();
        sctp.vtag = [u32::from_ne_bytes(original), u32::from_ne_bytes(reply)];
        0
    }
}

// The structures themselves.

const fn blank(protocol: u8, clash: bool) -> bindings::nf_conntrack_l4proto {
    // SAFETY: All of its fields may be zero.
    let mut l4: bindings::nf_conntrack_l4proto = unsafe { zeroed() };
    l4.l4proto = protocol;
    l4.allow_clash = clash;
    l4
}

const fn with_ports(mut l4: bindings::nf_conntrack_l4proto) -> bindings::nf_conntrack_l4proto {
    l4.tuple_to_nlattr = Some(nf_ct_port_tuple_to_nlattr);
    l4.nlattr_to_tuple = Some(nf_ct_port_nlattr_to_tuple);
    l4.nlattr_tuple_size = Some(nf_ct_port_nlattr_tuple_size);
    l4.nla_policy = (&raw const nf_ct_port_nla_policy).cast();
    l4
}

/// Attributes of two bytes, one, one.
///
/// # Safety
///
/// None is needed.
unsafe extern "C" fn icmp_attr_size() -> c_uint {
    24
}

type L4 = Constant<bindings::nf_conntrack_l4proto>;

static TCP_L4: L4 = Constant({
    let mut l4 = with_ports(timeouts::tcp::describe(blank(number::TCP, false)));
    l4.to_nlattr = Some(tcp_put);
    l4.from_nlattr = Some(tcp_get);
    // Four attributes of one or two bytes.
    l4.nlattr_size = 32;
    l4
});

static UDP_L4: L4 = Constant(with_ports(timeouts::udp::describe(blank(
    number::UDP,
    true,
))));

static SCTP_L4: L4 = Constant({
    let mut l4 = with_ports(timeouts::sctp::describe(blank(number::SCTP, false)));
    l4.to_nlattr = Some(sctp_put);
    l4.from_nlattr = Some(sctp_get);
    // Three attributes of up to four bytes.
    l4.nlattr_size = 24;
    l4
});

static GRE_L4: L4 = Constant(with_ports(timeouts::gre::describe(blank(
    number::GRE,
    true,
))));

static ICMP_L4: L4 = Constant({
    let mut l4 = timeouts::icmp::describe(blank(number::ICMP, true));
    l4.tuple_to_nlattr = Some(icmp_put);
    l4.nlattr_to_tuple = Some(icmp_get);
    l4.nlattr_tuple_size = Some(icmp_attr_size);
    l4.nla_policy = ICMP_POLICY.0.as_ptr();
    l4
});

static ICMPV6_L4: L4 = Constant({
    let mut l4 = timeouts::icmpv6::describe(blank(number::ICMPV6, true));
    l4.tuple_to_nlattr = Some(icmpv6_put);
    l4.nlattr_to_tuple = Some(icmpv6_get);
    l4.nlattr_tuple_size = Some(icmp_attr_size);
    l4.nla_policy = ICMPV6_POLICY.0.as_ptr();
    l4
});

static GENERIC_L4: L4 = Constant(timeouts::generic::describe(blank(255, true)));

/// The protocol by its number; never null.
///
/// # Safety
///
/// None is needed.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_l4proto_find(l4proto: u8) -> *const bindings::nf_conntrack_l4proto {
    let l4 = match l4proto {
        number::TCP => &TCP_L4,
        number::UDP => &UDP_L4,
        number::SCTP => &SCTP_L4,
        number::GRE => &GRE_L4,
        number::ICMP => &ICMP_L4,
        number::ICMPV6 => &ICMPV6_L4,
        _ => &GENERIC_L4,
    };
    core::ptr::from_ref(l4).cast()
}
