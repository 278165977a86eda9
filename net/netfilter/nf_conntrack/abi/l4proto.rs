// SPDX-License-Identifier: GPL-2.0

//! `struct nf_conntrack_l4proto`: what netlink code asks of a protocol. The
//! tables that differ are data; the functions are the same for all.

mod attributes;
mod icmp;
mod info;
mod timeouts;

use crate::check_prototype;
use attributes::{policy, put, value, wanted, Attributes, Policy, PROTO_MAX, U16};
use core::mem::zeroed;
use kernel::{
    error::code::EINVAL,
    ffi::{c_int, c_uint},
};
use netfilter::conntrack::tuple;
use nf_bindings as bindings;
use nf_proto::{be::Be16, l4::number, tuple::Tuple};

check_prototype!(
    nf_ct_l4proto_find,
    nf_ct_port_nlattr_to_tuple,
    nf_ct_port_nlattr_tuple_size,
    nf_ct_port_tuple_to_nlattr,
);

/// A C structure that is constant.
#[repr(transparent)]
pub struct Constant<T>(T);

// SAFETY: It is never written.
unsafe impl<T> Sync for Constant<T> {}

/// Ports, as attributes.
#[no_mangle]
pub static nf_ct_port_nla_policy: Policy<PROTO_MAX> = policy(&[
    (bindings::ctattr_l4proto_CTA_PROTO_SRC_PORT, U16, 0),
    (bindings::ctattr_l4proto_CTA_PROTO_DST_PORT, U16, 0),
]);

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

type L4 = Constant<bindings::nf_conntrack_l4proto>;

static TCP_L4: L4 = Constant({
    let mut l4 = with_ports(timeouts::tcp::describe(blank(number::TCP, false)));
    l4.to_nlattr = Some(info::tcp_put);
    l4.from_nlattr = Some(info::tcp_get);
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
    l4.to_nlattr = Some(info::sctp_put);
    l4.from_nlattr = Some(info::sctp_get);
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
    l4.tuple_to_nlattr = Some(icmp::icmp_put);
    l4.nlattr_to_tuple = Some(icmp::icmp_get);
    l4.nlattr_tuple_size = Some(icmp::icmp_attr_size);
    l4.nla_policy = icmp::ICMP_POLICY.0.as_ptr();
    l4
});

static ICMPV6_L4: L4 = Constant({
    let mut l4 = timeouts::icmpv6::describe(blank(number::ICMPV6, true));
    l4.tuple_to_nlattr = Some(icmp::icmpv6_put);
    l4.nlattr_to_tuple = Some(icmp::icmpv6_get);
    l4.nlattr_tuple_size = Some(icmp::icmp_attr_size);
    l4.nla_policy = icmp::ICMPV6_POLICY.0.as_ptr();
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
