// SPDX-License-Identifier: GPL-2.0

//! The core: include/net/netfilter/nf_conntrack.h and nf_conntrack_core.h.

use crate::{
    alloc, check_prototype,
    confirm::{self, Confirmed},
    ecache, expect, helper, iterate, packet,
    store::{self, CACHE},
    timeout,
};
use core::{ptr::null_mut, ptr::NonNull, sync::atomic::Ordering};
use kernel::ffi::{c_int, c_uint, c_void};
use netfilter::conntrack::{
    conn,
    skb::{Carried, Hook, Packet},
    tuple, Conn, ConnRef, Net, Status, Zone,
};
use nf_bindings as bindings;
use nf_proto::tuple::Direction;

const ACCEPT: c_uint = bindings::NF_ACCEPT;
const DROP: c_uint = bindings::NF_DROP;

check_prototype!(
    __nf_conntrack_confirm,
    nf_confirm,
    nf_conntrack_alloc,
    nf_conntrack_count,
    nf_conntrack_find_get,
    nf_conntrack_free,
    nf_conntrack_hash_check_insert,
    nf_conntrack_in,
    nf_conntrack_lock,
    nf_conntrack_tuple_taken,
    nf_ct_alloc_hashtable,
    nf_ct_destroy,
    nf_ct_get_id,
    nf_ct_get_tuplepr,
    nf_ct_invert_tuple,
    nf_ct_iterate_cleanup_net,
    nf_ct_iterate_destroy,
    nf_ct_tmpl_alloc,
    nf_ct_tmpl_free,
);

/// # Safety
///
/// C: `skb` is valid with its network header set, `state` is its hook's.
#[no_mangle]
pub unsafe extern "C" fn nf_conntrack_in(
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: By the C contract.
    let (packet, hook) = unsafe { (Packet::from_raw(skb), Hook::from_raw(state)) };
    packet::track(packet, hook)
}

/// # Safety
///
/// C: `skb` is valid and carries a connection.
#[no_mangle]
pub unsafe extern "C" fn __nf_conntrack_confirm(skb: *mut bindings::sk_buff) -> c_int {
    // SAFETY: By the C contract.
    let mut packet = unsafe { Packet::from_raw(skb) };
    confirm_packet(&mut packet) as c_int
}

fn confirm_packet(packet: &mut Packet<'_>) -> c_uint {
    let Carried::Connection(conn, info) = packet.carried() else {
        return ACCEPT;
    };
    match confirm::confirm(conn, info) {
        Confirmed::Yes => ACCEPT,
        Confirmed::Merged(winner) => {
            packet.replace(winner, info);
            ACCEPT
        }
        Confirmed::No => DROP,
    }
}

/// `nf_conntrack_confirm` of the C header: confirms if that is due, and
/// delivers the packet's events.
pub fn confirm_and_deliver(packet: &mut Packet<'_>) -> c_uint {
    let Carried::Connection(conn, _) = packet.carried() else {
        return ACCEPT;
    };
    let mut verdict = ACCEPT;
    if !conn.is_confirmed() {
        verdict = confirm_packet(packet);
    }
    if verdict == ACCEPT {
        if let Carried::Connection(conn, _) = packet.carried() {
            if ecache::exists(conn) {
                ecache::deliver(conn);
            }
        }
    }
    verdict
}

/// The hook function at LOCAL_IN and POST_ROUTING.
///
/// # Safety
///
/// C: a hook's arguments.
#[no_mangle]
pub unsafe extern "C" fn nf_confirm(
    _priv: *mut c_void,
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: By the C contract.
    let (packet, hook) = unsafe { (Packet::from_raw(skb), Hook::from_raw(state)) };
    packet::leave(packet, hook)
}

/// # Safety
///
/// C: `net`, `zone` and `tuple` are valid.
#[no_mangle]
pub unsafe extern "C" fn nf_conntrack_find_get(
    net: *mut bindings::net,
    zone: *const bindings::nf_conntrack_zone,
    tuple: *const bindings::nf_conntrack_tuple,
) -> *mut bindings::nf_conntrack_tuple_hash {
    // SAFETY: By the C contract.
    let (net, zone, tuple) = unsafe {
        (
            Net::from_raw(net),
            Zone::from_c(&*zone),
            tuple::from_c(&*tuple),
        )
    };
    let _rcu = kernel::sync::rcu::read_lock();
    match packet::find(net, zone, tuple) {
        // SAFETY: The connection is valid; the caller gives the reference back.
        Some((conn, direction)) => unsafe {
            let raw = conn.into_raw();
            direction.of_mut(&mut (*raw).tuplehash)
        },
        None => null_mut(),
    }
}

/// # Safety
///
/// C: the tuples are valid.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_invert_tuple(
    inverse: *mut bindings::nf_conntrack_tuple,
    orig: *const bindings::nf_conntrack_tuple,
) -> bool {
    // SAFETY: By the C contract.
    match unsafe { tuple::from_c(&*orig) }.invert() {
        Some(inverted) => {
            // SAFETY: By the C contract.
            unsafe { inverse.write(tuple::to_c(&inverted)) };
            true
        }
        None => false,
    }
}

/// # Safety
///
/// C: `skb` and `tuple` are valid, `nhoff` is where a network header is.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_get_tuplepr(
    skb: *const bindings::sk_buff,
    nhoff: c_uint,
    l3num: u16,
    net: *mut bindings::net,
    tuple: *mut bindings::nf_conntrack_tuple,
) -> bool {
    // SAFETY: By the C contract; only read.
    let (packet, net) = unsafe { (Packet::from_raw(skb.cast_mut()), Net::from_raw(net)) };
    match packet::tuple_at(&packet, nhoff, l3num, net) {
        Some(found) => {
            // SAFETY: By the C contract.
            unsafe { tuple.write(tuple::to_c(&found)) };
            true
        }
        None => false,
    }
}

/// # Safety
///
/// C: all pointers are valid.
#[no_mangle]
pub unsafe extern "C" fn nf_conntrack_tuple_taken(
    tuple: *const bindings::nf_conntrack_tuple,
    ignored_conntrack: *const bindings::nf_conn,
) -> c_int {
    // SAFETY: By the C contract.
    let (tuple, conn) = unsafe { (tuple::from_c(&*tuple), Conn::from_raw(ignored_conntrack)) };
    let _rcu = kernel::sync::rcu::read_lock();
    confirm::is_taken(tuple, conn).into()
}

/// # Safety
///
/// C: all pointers are valid.
#[no_mangle]
pub unsafe extern "C" fn nf_conntrack_alloc(
    net: *mut bindings::net,
    zone: *const bindings::nf_conntrack_zone,
    orig: *const bindings::nf_conntrack_tuple,
    repl: *const bindings::nf_conntrack_tuple,
    gfp: bindings::gfp_t,
) -> *mut bindings::nf_conn {
    // SAFETY: By the C contract.
    let (net, zone, orig, repl) = unsafe {
        (
            Net::from_raw(net),
            Zone::from_c(&*zone),
            tuple::from_c(&*orig),
            tuple::from_c(&*repl),
        )
    };
    let hash = store::hash_of(orig, net, zone, Direction::Original);
    match alloc::allocate(net, zone, orig, repl, gfp, hash) {
        Ok(fresh) => fresh.into_raw(),
        Err(alloc::NoRoom) => (ENOMEM.to_errno() as isize) as *mut bindings::nf_conn,
    }
}

use kernel::error::code::ENOMEM;

/// # Safety
///
/// C: `ct` is a connection whose count is zero, in no list.
#[no_mangle]
pub unsafe extern "C" fn nf_conntrack_free(ct: *mut bindings::nf_conn) {
    // SAFETY: By the C contract.
    unsafe { free(ct) }
}

/// # Safety
///
/// `ct` is a connection whose count is zero, in no list.
unsafe fn free(ct: *mut bindings::nf_conn) {
    // SAFETY: By the caller's contract: valid until freed below.
    let conn = unsafe { Conn::from_raw(ct) };
    let net = conn.net();
    if conn.status().has(Status::SRC_NAT_DONE) {
        // SAFETY: Under RCU inside; the connection is valid until freed below.
        unsafe { bindings::ct_nat_forget(ct) };
    }
    helper::put(conn);
    timeout::put(conn);
    // SAFETY: The count is zero and no list has it.
    unsafe {
        crate::ext::free(conn);
        CACHE.free(NonNull::from(conn));
    }
    // Release: whoever sees the count fall sees the object freed.
    net.connections().fetch_sub(1, Ordering::Release);
}

/// # Safety
///
/// C: the last reference to `nfct` was given back.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_destroy(nfct: *mut bindings::nf_conntrack) {
    let ct = nfct.cast::<bindings::nf_conn>();
    // SAFETY: By the C contract nobody else uses it.
    let conn = unsafe { Conn::from_raw(ct) };
    if conn.is_template() {
        // SAFETY: A template without references.
        unsafe { nf_ct_tmpl_free(ct) };
        return;
    }
    crate::gre::forget(conn);
    // A helper may have made expectations before the connection was confirmed;
    // those of a confirmed one went when it left the table.
    expect::remove_all(conn);
    // SAFETY: The connection owned a reference to its master.
    unsafe {
        let master = (*ct).master;
        if !master.is_null() {
            drop(ConnRef::from_raw(master));
        }
        free(ct);
    }
}

/// # Safety
///
/// C: `ct` is not in the table, and the caller has its only reference.
#[no_mangle]
pub unsafe extern "C" fn nf_conntrack_hash_check_insert(ct: *mut bindings::nf_conn) -> c_int {
    // SAFETY: By the C contract.
    let conn = unsafe { Conn::from_raw(ct) };
    let _rcu = kernel::sync::rcu::read_lock();
    match confirm::insert(conn) {
        Ok(()) => 0,
        Err(confirm::NotInserted::Exists) => kernel::error::code::EEXIST.to_errno(),
        Err(confirm::NotInserted::ChainTooLong) => kernel::error::code::ENOSPC.to_errno(),
    }
}

/// # Safety
///
/// C: `net` is valid.
#[no_mangle]
pub unsafe extern "C" fn nf_conntrack_count(net: *const bindings::net) -> u32 {
    // SAFETY: By the C contract.
    unsafe { Net::from_raw(net.cast_mut()) }
        .connections()
        .load(Ordering::Relaxed) as u32
}

/// # Safety
///
/// C: `lock` is one of `nf_conntrack_locks`, bottom halves are off.
#[no_mangle]
pub unsafe extern "C" fn nf_conntrack_lock(lock: *mut bindings::spinlock_t) {
    // SAFETY: By the C contract.
    unsafe { bindings::_raw_spin_lock(lock.cast()) }
}

/// # Safety
///
/// C: `net` and `zone` are valid.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_tmpl_alloc(
    net: *mut bindings::net,
    zone: *const bindings::nf_conntrack_zone,
    flags: bindings::gfp_t,
) -> *mut bindings::nf_conn {
    // SAFETY: By the C contract.
    unsafe { conn::template_alloc(Net::from_raw(net), Zone::from_c(&*zone), flags) }
}

/// # Safety
///
/// C: `tmpl` is a template that nobody uses.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_tmpl_free(tmpl: *mut bindings::nf_conn) {
    // SAFETY: By the C contract.
    unsafe {
        crate::ext::free(Conn::from_raw(tmpl));
        bindings::kfree(tmpl.cast());
    }
}

/// # Safety
///
/// C: `ct` is valid.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_get_id(ct: *const bindings::nf_conn) -> u32 {
    // SAFETY: By the C contract.
    store::id(unsafe { Conn::from_raw(ct) })
}

type Iterator = Option<unsafe extern "C" fn(i: *mut bindings::nf_conn, data: *mut c_void) -> c_int>;

/// # Safety
///
/// C: `iter` and `iter_data` are valid; may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_iterate_cleanup_net(
    iter: Iterator,
    iter_data: *const bindings::nf_ct_iter_data,
) {
    let Some(iter) = iter else { return };
    // SAFETY: By the C contract.
    let (net, data, portid, report) = unsafe {
        let data = &*iter_data;
        (Net::from_raw(data.net), data.data, data.portid, data.report)
    };
    if net.connections().load(Ordering::Relaxed) == 0 {
        return;
    }
    iterate::remove(Some(net), portid, report, |conn| {
        // SAFETY: By the C contract; the connection is valid under the lock.
        unsafe { iter(conn.as_ptr(), data) != 0 }
    });
}

/// # Safety
///
/// C: as above; only from a module's exit.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_iterate_destroy(iter: Iterator, data: *mut c_void) {
    let Some(iter) = iter else { return };
    destroy_all(|conn| {
        // SAFETY: By the C contract; the connection is valid under the lock.
        unsafe { iter(conn.as_ptr(), data) != 0 }
    });
}

/// Removes all connections that `choose` picks, of all namespaces, those of packets
/// in queues included; for a module that goes. May sleep.
pub fn destroy_all(choose: impl FnMut(&Conn) -> bool) {
    // Packets with unconfirmed connections wait in queues of user space: they
    // are dropped, and those on their way come through, before the walk.
    // SAFETY: Process context.
    unsafe { bindings::ct_drop_queued() };
    iterate::remove(None, 0, 0, choose);
    // SAFETY: Process context. What `choose` took away is unused afterwards.
    unsafe { bindings::synchronize_rcu() };
}

/// # Safety
///
/// C: `sizep` is valid; may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_alloc_hashtable(sizep: *mut c_uint, nulls: c_int) -> *mut c_void {
    // SAFETY: By the C contract.
    unsafe { bindings::ct_alloc_hashtable(sizep, nulls) }
}
