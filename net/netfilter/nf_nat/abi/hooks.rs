// SPDX-License-Identifier: GPL-2.0

//! The hook functions, and the registration of nat chains
//! (include/net/netfilter/nf_nat.h).

use super::register::{self, Chains, HOOKS};
use crate::hook;
use core::mem::zeroed;
use kernel::{
    error::{code::*, Result},
    ffi::{c_int, c_uint, c_void},
};
use netfilter::conntrack::{
    skb::{self, Packet},
    Net,
};
use nf_bindings as bindings;
use nf_conntrack::check_prototype;
use nf_proto::tuple::Family;

check_prototype!(
    nf_nat_inet_fn,
    nf_nat_inet_register_fn,
    nf_nat_inet_unregister_fn,
    nf_nat_ipv4_register_fn,
    nf_nat_ipv4_unregister_fn,
    nf_nat_ipv6_register_fn,
    nf_nat_ipv6_unregister_fn,
);

/// The operations of a family.
pub struct Ops(pub [bindings::nf_hook_ops; HOOKS]);

// SAFETY: The operations are constant, and copied before they are used.
unsafe impl Sync for Ops {}

type HookFn = unsafe extern "C" fn(
    *mut c_void,
    *mut bindings::sk_buff,
    *const bindings::nf_hook_state,
) -> c_uint;

const fn op(hook: HookFn, family: u32, number: u32, priority: i32) -> bindings::nf_hook_ops {
    // SAFETY: All of its fields may be zero.
    let mut op: bindings::nf_hook_ops = unsafe { zeroed() };
    op.hook = Some(hook);
    op.pf = family as u8;
    op.hooknum = number;
    op.priority = priority;
    op
}

const PRE_ROUTING: u32 = bindings::nf_inet_hooks_NF_INET_PRE_ROUTING;
const LOCAL_IN: u32 = bindings::nf_inet_hooks_NF_INET_LOCAL_IN;
const LOCAL_OUT: u32 = bindings::nf_inet_hooks_NF_INET_LOCAL_OUT;
const POST_ROUTING: u32 = bindings::nf_inet_hooks_NF_INET_POST_ROUTING;

// The destination changes before packets are filtered, the source after: rules of
// filters see the real ends.
macro_rules! ops {
    ($family:ident, $dst:ident, $src:ident: $pre:ident, $post:ident, $out:ident, $in:ident) => {
        Ops([
            op($pre, bindings::$family, PRE_ROUTING, bindings::$dst),
            op($post, bindings::$family, POST_ROUTING, bindings::$src),
            op($out, bindings::$family, LOCAL_OUT, bindings::$dst),
            op($in, bindings::$family, LOCAL_IN, bindings::$src),
        ])
    };
}

/// IPv4's.
pub static IPV4_OPS: Ops = ops!(
    NFPROTO_IPV4, nf_ip_hook_priorities_NF_IP_PRI_NAT_DST, nf_ip_hook_priorities_NF_IP_PRI_NAT_SRC:
    nf_nat_ipv4_pre_routing, nf_nat_ipv4_out, nf_nat_ipv4_local_fn, nf_nat_ipv4_local_in
);

/// IPv6's.
pub static IPV6_OPS: Ops = ops!(
    NFPROTO_IPV6, nf_ip6_hook_priorities_NF_IP6_PRI_NAT_DST,
    nf_ip6_hook_priorities_NF_IP6_PRI_NAT_SRC:
    nf_nat_ipv6_in, nf_nat_ipv6_out, nf_nat_ipv6_local_fn, nf_nat_ipv6_local_in
);

/// The hooks' names are what `nft list hooks` shows: those of stock. In sections of
/// their own, as otherwise the compiler makes one function of those alike.
macro_rules! nat_hooks {
    ($($name:ident = $function:ident($family:ident);)*) => {$(
        /// # Safety
        ///
        /// C: a hook's arguments.
        #[no_mangle]
        #[link_section = concat!(".text.", stringify!($name))]
        unsafe extern "C" fn $name(
            chains: *mut c_void,
            skb: *mut bindings::sk_buff,
            state: *const bindings::nf_hook_state,
        ) -> c_uint {
            // SAFETY: A hook's arguments, the first as it was registered.
            unsafe {
                hook::$function(
                    Packet::from_raw(skb),
                    skb::Hook::from_raw(state),
                    Chains::from_raw(chains),
                    Family::$family,
                )
            }
        }
    )*};
}
nat_hooks! {
    nf_nat_ipv4_pre_routing = pre_routing(Ipv4);
    nf_nat_ipv4_out = post_routing(Ipv4);
    nf_nat_ipv4_local_fn = local_out(Ipv4);
    nf_nat_ipv4_local_in = local_in(Ipv4);
    nf_nat_ipv6_in = pre_routing(Ipv6);
    nf_nat_ipv6_out = post_routing(Ipv6);
    nf_nat_ipv6_local_fn = local_out(Ipv6);
    nf_nat_ipv6_local_in = local_in(Ipv6);
}

/// # Safety
///
/// C: a hook's arguments, `chains` as it was registered by us.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_inet_fn(
    chains: *mut c_void,
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: By the C contract.
    unsafe {
        hook::inet(
            Packet::from_raw(skb),
            skb::Hook::from_raw(state),
            Chains::from_raw(chains),
        )
    }
}

fn code(result: Result) -> c_int {
    match result {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// # Safety
///
/// C: `net` is valid, `ops` until it is unregistered; may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_ipv4_register_fn(
    net: *mut bindings::net,
    ops: *const bindings::nf_hook_ops,
) -> c_int {
    // SAFETY: By the C contract.
    code(unsafe { register::register(Net::from_raw(net), Family::Ipv4, ops) })
}

/// # Safety
///
/// C: `ops` was registered there; may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_ipv4_unregister_fn(
    net: *mut bindings::net,
    ops: *const bindings::nf_hook_ops,
) {
    // SAFETY: By the C contract.
    unsafe { register::unregister(Net::from_raw(net), Family::Ipv4, ops) }
}

/// # Safety
///
/// C: `net` is valid, `ops` until it is unregistered; may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_ipv6_register_fn(
    net: *mut bindings::net,
    ops: *const bindings::nf_hook_ops,
) -> c_int {
    // SAFETY: By the C contract.
    code(unsafe { register::register(Net::from_raw(net), Family::Ipv6, ops) })
}

/// # Safety
///
/// C: `ops` was registered there; may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_ipv6_unregister_fn(
    net: *mut bindings::net,
    ops: *const bindings::nf_hook_ops,
) {
    // SAFETY: By the C contract.
    unsafe { register::unregister(Net::from_raw(net), Family::Ipv6, ops) }
}

/// # Safety
///
/// C: `net` is valid, `ops` until it is unregistered; may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_inet_register_fn(
    net: *mut bindings::net,
    ops: *const bindings::nf_hook_ops,
) -> c_int {
    // SAFETY: By the C contract.
    code(unsafe { register_both(Net::from_raw(net), ops) })
}

/// # Safety
///
/// As [`register::register`].
unsafe fn register_both(net: Net, ops: *const bindings::nf_hook_ops) -> Result {
    // SAFETY: By the function's safety requirement.
    unsafe {
        if u32::from((*ops).pf) != bindings::NFPROTO_INET {
            return Err(EINVAL);
        }
        register::register(net, Family::Ipv6, ops)?;
        let made = register::register(net, Family::Ipv4, ops);
        if made.is_err() {
            register::unregister(net, Family::Ipv6, ops);
        }
        made
    }
}

/// # Safety
///
/// C: `ops` was registered there; may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_inet_unregister_fn(
    net: *mut bindings::net,
    ops: *const bindings::nf_hook_ops,
) {
    // SAFETY: By the C contract.
    unsafe {
        let net = Net::from_raw(net);
        register::unregister(net, Family::Ipv4, ops);
        register::unregister(net, Family::Ipv6, ops);
    }
}
