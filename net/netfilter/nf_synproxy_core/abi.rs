// SPDX-License-Identifier: GPL-2.0

//! What C calls: include/net/netfilter/nf_synproxy.h. Each function converts, calls,
//! and converts back.

pub mod extension;
pub mod net;
pub mod wire;

use crate::proxy;
use kernel::ffi::c_uint;
use net::Namespace;
use netfilter::conntrack::{skb::Packet, Net};
use nf_bindings as bindings;
use nf_conntrack::check_prototype;
use nf_proto::{
    synproxy::{self, options::flag, options::Options},
    tuple::Family,
};
use wire::Wire;

check_prototype!(
    synproxy_init_timestamp_cookie,
    synproxy_parse_options,
    synproxy_recv_client_ack,
    synproxy_recv_client_ack_ipv6,
    synproxy_send_client_synack,
    synproxy_send_client_synack_ipv6,
);

fn from_c(options: &bindings::synproxy_options) -> Options {
    Options {
        present: options.options,
        wscale: options.wscale,
        mss: options.mss_option,
        tsval: options.tsval,
        tsecr: options.tsecr,
    }
}

fn to_c(options: &Options, to: &mut bindings::synproxy_options) {
    to.options = options.present;
    to.wscale = options.wscale;
    to.mss_option = options.mss;
    to.tsval = options.tsval;
    to.tsecr = options.tsecr;
}

/// # Safety
///
/// `th` is a TCP header.
unsafe fn header<'a>(th: *const bindings::tcphdr) -> &'a [u8; 20] {
    const { assert!(size_of::<bindings::tcphdr>() == 20) };
    // SAFETY: By the safety requirement; any bytes are bytes.
    unsafe { &*th.cast() }
}

/// # Safety
///
/// C: `skb` and `opts` are valid, `th` is the fixed part of the header at `doff`.
#[no_mangle]
pub unsafe extern "C" fn synproxy_parse_options(
    skb: *const bindings::sk_buff,
    doff: c_uint,
    th: *const bindings::tcphdr,
    opts: *mut bindings::synproxy_options,
) -> bool {
    // SAFETY: By the C contract; the packet is only read.
    let (packet, header) = unsafe { (Packet::from_raw(skb.cast_mut()), header(th)) };
    match proxy::options_of(&packet, doff, header, Options::read) {
        Some(options) => {
            // SAFETY: By the C contract.
            to_c(&options, unsafe { &mut *opts });
            true
        }
        None => false,
    }
}

/// # Safety
///
/// C: both are valid.
#[no_mangle]
pub unsafe extern "C" fn synproxy_init_timestamp_cookie(
    info: *const bindings::nf_synproxy_info,
    opts: *mut bindings::synproxy_options,
) {
    // SAFETY: By the C contract.
    let (info, opts) = unsafe { (&*info, &mut *opts) };
    let mut options = from_c(opts);
    let cookie = synproxy::encode(wire::clock(), &options);
    options.tsecr = options.tsval;
    options.tsval = cookie;
    if options.has(flag::WSCALE) {
        // The server's, as the rule says.
        options.wscale = info.wscale;
    }
    to_c(&options, opts);
}

/// # Safety
///
/// `net`, `skb`, `th` and `opts` are valid, the packet is one of `family` at its
/// network header; under RCU.
unsafe fn send_synack(
    net: *mut bindings::net,
    family: Family,
    skb: *const bindings::sk_buff,
    th: *const bindings::tcphdr,
    opts: *const bindings::synproxy_options,
) {
    // SAFETY: By the safety requirement; the packet is only read.
    let (net, packet, header, opts) = unsafe {
        let packet = Packet::from_raw(skb.cast_mut());
        (Net::from_raw(net), packet, header(th), &*opts)
    };
    if let Some(wire) = Wire::new(net, family, &packet, header) {
        proxy::syn_ack(&wire, &from_c(opts), opts.mss_encode);
    }
}

/// # Safety
///
/// As for `send_synack`.
unsafe fn recv_ack(
    net: *mut bindings::net,
    family: Family,
    skb: *const bindings::sk_buff,
    th: *const bindings::tcphdr,
    opts: *mut bindings::synproxy_options,
    recv_seq: u32,
) -> bool {
    // SAFETY: As in `send_synack`.
    let (net, packet, header, opts) = unsafe {
        let packet = Packet::from_raw(skb.cast_mut());
        (Net::from_raw(net), packet, header(th), &mut *opts)
    };
    let Some(wire) = Wire::new(net, family, &packet, header) else {
        return false;
    };
    let mut options = from_c(opts);
    let valid = proxy::client_ack(Namespace::of(net), &wire, &mut options, recv_seq);
    to_c(&options, opts);
    valid
}

macro_rules! for_family {
    ($family:ident, $synack:ident, $ack:ident) => {
        /// # Safety
        ///
        /// C: all are valid, `th` is the packet's; under RCU.
        #[no_mangle]
        pub unsafe extern "C" fn $synack(
            net: *mut bindings::net,
            skb: *const bindings::sk_buff,
            th: *const bindings::tcphdr,
            opts: *const bindings::synproxy_options,
        ) {
            // SAFETY: By the C contract.
            unsafe { send_synack(net, Family::$family, skb, th, opts) }
        }

        /// # Safety
        ///
        /// C: all are valid, `th` is the packet's; under RCU.
        #[no_mangle]
        pub unsafe extern "C" fn $ack(
            net: *mut bindings::net,
            skb: *const bindings::sk_buff,
            th: *const bindings::tcphdr,
            opts: *mut bindings::synproxy_options,
            recv_seq: u32,
        ) -> bool {
            // SAFETY: By the C contract.
            unsafe { recv_ack(net, Family::$family, skb, th, opts, recv_seq) }
        }
    };
}

for_family!(Ipv4, synproxy_send_client_synack, synproxy_recv_client_ack);
for_family!(
    Ipv6,
    synproxy_send_client_synack_ipv6,
    synproxy_recv_client_ack_ipv6
);
