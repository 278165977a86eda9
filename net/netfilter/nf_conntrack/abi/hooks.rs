// SPDX-License-Identifier: GPL-2.0

//! The hooks: registered in a namespace while somebody there wants connections
//! tracked.

use super::core::nf_confirm;
use crate::{check_prototype, iterate, packet};
use core::sync::atomic::{AtomicPtr, Ordering};
use core::{mem::zeroed, ptr::null_mut};
use kernel::ffi::{c_int, c_uint, c_void};
use netfilter::conntrack::{
    skb::{Hook, Packet},
    state,
    work::ProtoLock,
    Conn, Net,
};
use nf_bindings as bindings;
use nf_proto::{l4::number, l4::tcp};

check_prototype!(
    nf_ct_netns_get,
    nf_ct_netns_put,
    nf_ct_bridge_register,
    nf_ct_bridge_unregister,
);

const IPV4: u8 = bindings::NFPROTO_IPV4 as u8;
const IPV6: u8 = bindings::NFPROTO_IPV6 as u8;
const INET: u8 = bindings::NFPROTO_INET as u8;
const BRIDGE: u8 = bindings::NFPROTO_BRIDGE as u8;

type HookFn = unsafe extern "C" fn(
    *mut c_void,
    *mut bindings::sk_buff,
    *const bindings::nf_hook_state,
) -> c_uint;

struct Ops([bindings::nf_hook_ops; 4]);

// SAFETY: The operations are constant; the kernel only reads them.
unsafe impl Sync for Ops {}

const fn op(hook: HookFn, family: u8, number: u32, priority: i32) -> bindings::nf_hook_ops {
    // SAFETY: All of its fields may be zero.
    let mut op: bindings::nf_hook_ops = unsafe { zeroed() };
    op.hook = Some(hook);
    op.pf = family;
    op.hooknum = number;
    op.priority = priority;
    op
}

const PRE_ROUTING: u32 = bindings::nf_inet_hooks_NF_INET_PRE_ROUTING;
const LOCAL_IN: u32 = bindings::nf_inet_hooks_NF_INET_LOCAL_IN;
const LOCAL_OUT: u32 = bindings::nf_inet_hooks_NF_INET_LOCAL_OUT;
const POST_ROUTING: u32 = bindings::nf_inet_hooks_NF_INET_POST_ROUTING;

// Tracking is the first thing that happens to a packet (after defragmentation
// and the raw table), confirmation the last.
static IPV4_OPS: Ops = Ops([
    op(
        ipv4_conntrack_in,
        IPV4,
        PRE_ROUTING,
        bindings::nf_ip_hook_priorities_NF_IP_PRI_CONNTRACK,
    ),
    op(
        ipv4_conntrack_local,
        IPV4,
        LOCAL_OUT,
        bindings::nf_ip_hook_priorities_NF_IP_PRI_CONNTRACK,
    ),
    op(
        nf_confirm,
        IPV4,
        POST_ROUTING,
        bindings::nf_ip_hook_priorities_NF_IP_PRI_CONNTRACK_CONFIRM,
    ),
    op(
        nf_confirm,
        IPV4,
        LOCAL_IN,
        bindings::nf_ip_hook_priorities_NF_IP_PRI_CONNTRACK_CONFIRM,
    ),
]);

static IPV6_OPS: Ops = Ops([
    op(
        ipv6_conntrack_in,
        IPV6,
        PRE_ROUTING,
        bindings::nf_ip6_hook_priorities_NF_IP6_PRI_CONNTRACK,
    ),
    op(
        ipv6_conntrack_local,
        IPV6,
        LOCAL_OUT,
        bindings::nf_ip6_hook_priorities_NF_IP6_PRI_CONNTRACK,
    ),
    op(
        nf_confirm,
        IPV6,
        POST_ROUTING,
        bindings::nf_ip6_hook_priorities_NF_IP6_PRI_LAST,
    ),
    op(
        nf_confirm,
        IPV6,
        LOCAL_IN,
        bindings::nf_ip6_hook_priorities_NF_IP6_PRI_LAST - 1,
    ),
]);

/// The hooks' names are what `nft list hooks` shows: those of stock. In sections
/// of their own, as otherwise the compiler makes one function of those alike.
macro_rules! tracking_hooks {
    ($($name:ident = $track:ident;)*) => {$(
        /// # Safety
        ///
        /// C: a hook's arguments.
        #[no_mangle]
        #[link_section = concat!(".text.", stringify!($name))]
        unsafe extern "C" fn $name(
            _priv: *mut c_void,
            skb: *mut bindings::sk_buff,
            state: *const bindings::nf_hook_state,
        ) -> c_uint {
            // SAFETY: A hook's arguments.
            let (packet, hook) = unsafe { (Packet::from_raw(skb), Hook::from_raw(state)) };
            packet::$track(packet, hook)
        }
    )*};
}
tracking_hooks! {
    ipv4_conntrack_in = track_ipv4;
    ipv6_conntrack_in = track_ipv6;
    ipv6_conntrack_local = track_ipv6;
}

/// Output may come in fragments, by a socket that asked for no defragmentation:
/// those are not tracked.
///
/// # Safety
///
/// C: a hook's arguments.
#[no_mangle]
unsafe extern "C" fn ipv4_conntrack_local(
    _priv: *mut c_void,
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: A hook's arguments.
    let (mut packet, hook) = unsafe { (Packet::from_raw(skb), Hook::from_raw(state)) };
    if packet.is_ipv4_fragment() {
        // A template would make later rules believe in a connection.
        drop(packet.take_template());
        return bindings::NF_ACCEPT;
    }
    packet::track_ipv4(packet, hook)
}

static BRIDGE_INFO: AtomicPtr<bindings::nf_ct_bridge_info> = AtomicPtr::new(null_mut());

/// # Safety
///
/// C: `net` is valid; may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_netns_get(net: *mut bindings::net, nfproto: u8) -> c_int {
    // SAFETY: By the C contract.
    let net = unsafe { Net::from_raw(net) };
    let families = families(nfproto);
    if families.is_empty() {
        return -(bindings::EPROTO as c_int);
    }
    for (i, family) in families.iter().enumerate() {
        let error = get(net, *family);
        if error < 0 {
            for taken in families.iter().take(i) {
                put(net, *taken);
            }
            return error;
        }
    }
    0
}

/// # Safety
///
/// C: `net` is valid, and `nf_ct_netns_get` was called with the same arguments;
/// may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_netns_put(net: *mut bindings::net, nfproto: u8) {
    // SAFETY: By the C contract.
    let net = unsafe { Net::from_raw(net) };
    for family in families(nfproto) {
        put(net, *family);
    }
}

/// The families whose hooks tracking in `nfproto` needs; none if there is no
/// tracking in it.
fn families(nfproto: u8) -> &'static [u8] {
    match nfproto {
        INET => &[IPV4, IPV6],
        BRIDGE => &[BRIDGE, IPV4, IPV6],
        IPV4 => &[IPV4],
        IPV6 => &[IPV6],
        _ => &[],
    }
}

fn users(net: Net, family: u8) -> *mut c_uint {
    let area = net.area().as_ptr();
    // SAFETY: The area is the namespace's; the counts are changed under the
    // lock that all callers hold.
    unsafe {
        match family {
            IPV4 => &raw mut (*area).users4,
            IPV6 => &raw mut (*area).users6,
            _ => &raw mut (*area).users_bridge,
        }
    }
}

fn get(net: Net, family: u8) -> c_int {
    if family == BRIDGE && BRIDGE_INFO.load(Ordering::Acquire).is_null() {
        // SAFETY: Process context, no lock held.
        unsafe { bindings::ct_request_bridge() };
    }
    let error = {
        let _lock = ProtoLock::take();
        // SAFETY: The lock is held; see `users`.
        let users = unsafe { &mut *users(net, family) };
        if family == BRIDGE {
            let info = BRIDGE_INFO.load(Ordering::Acquire);
            // SAFETY: Whoever registered the information takes it back under
            // the lock before it goes.
            if info.is_null() || !unsafe { bindings::try_module_get((*info).me) } {
                return -(bindings::EPROTO as c_int);
            }
        }
        *users = users.saturating_add(1);
        if *users > 1 {
            return 0;
        }
        // SAFETY: The namespace is valid, the operations live as long as the
        // module.
        let error = unsafe { register(net.as_ptr(), family) };
        if error < 0 {
            *users = 0;
            if family == BRIDGE {
                // SAFETY: Taken above.
                unsafe { bindings::module_put((*BRIDGE_INFO.load(Ordering::Acquire)).me) };
            }
        }
        error
    };
    if error >= 0 {
        forget_windows(net, family);
    }
    error
}

/// # Safety
///
/// `net` is valid.
unsafe fn register(net: *mut bindings::net, family: u8) -> c_int {
    // SAFETY: By the caller's contract.
    unsafe {
        match family {
            IPV4 => {
                let error = bindings::nf_defrag_ipv4_enable(net);
                if error < 0 {
                    return error;
                }
                let error = bindings::nf_register_net_hooks(net, IPV4_OPS.0.as_ptr(), 4);
                if error < 0 {
                    bindings::nf_defrag_ipv4_disable(net);
                }
                error
            }
            IPV6 => {
                let error = bindings::nf_defrag_ipv6_enable(net);
                if error < 0 {
                    return error;
                }
                let error = bindings::nf_register_net_hooks(net, IPV6_OPS.0.as_ptr(), 4);
                if error < 0 {
                    bindings::nf_defrag_ipv6_disable(net);
                }
                error
            }
            _ => {
                let info = BRIDGE_INFO.load(Ordering::Acquire);
                bindings::nf_register_net_hooks(net, (*info).ops, (*info).ops_size)
            }
        }
    }
}

fn put(net: Net, family: u8) {
    let _lock = ProtoLock::take();
    // SAFETY: The lock is held; see `users`.
    let users = unsafe { &mut *users(net, family) };
    let last = *users == 1;
    *users = users.saturating_sub(1);
    let net = net.as_ptr();
    // SAFETY: What was registered in `register` is taken back, once.
    unsafe {
        match family {
            IPV4 if last => {
                bindings::nf_unregister_net_hooks(net, IPV4_OPS.0.as_ptr(), 4);
                bindings::nf_defrag_ipv4_disable(net);
            }
            IPV6 if last => {
                bindings::nf_unregister_net_hooks(net, IPV6_OPS.0.as_ptr(), 4);
                bindings::nf_defrag_ipv6_disable(net);
            }
            BRIDGE => {
                let info = BRIDGE_INFO.load(Ordering::Acquire);
                if info.is_null() {
                    return;
                }
                if last {
                    bindings::nf_unregister_net_hooks(net, (*info).ops, (*info).ops_size);
                }
                bindings::module_put((*info).me);
            }
            _ => {}
        }
    }
}

/// While nobody looked, connections went on: their windows are learned anew.
fn forget_windows(net: Net, family: u8) {
    iterate::remove(Some(net), 0, 0, |conn: &Conn| {
        if conn.l3num() == u16::from(family) && conn.protocol() == number::TCP {
            let mut locked = conn.lock();
            state::of::<tcp::State>(&mut locked).lose_track();
        }
        false
    });
}

/// # Safety
///
/// C: `info` stays valid until it is unregistered.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_bridge_register(info: *mut bindings::nf_ct_bridge_info) {
    let _lock = ProtoLock::take();
    BRIDGE_INFO.store(info, Ordering::Release);
}

/// # Safety
///
/// C: `info` was registered.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_bridge_unregister(_info: *mut bindings::nf_ct_bridge_info) {
    let _lock = ProtoLock::take();
    BRIDGE_INFO.store(null_mut(), Ordering::Release);
}
