// SPDX-License-Identifier: GPL-2.0

//! Flows and tables, as C code has them (include/net/netfilter/nf_flow_table.h).

use super::{
    flow::{Draft, Flags, Flow},
    frame,
    table::{self, Table},
};
use crate::{gc, life};
use core::ptr::{null_mut, NonNull};
use kernel::{
    error::Result,
    ffi::{c_int, c_uint},
};
use netfilter::{
    check_prototype,
    conntrack::{Conn, ConnRef, Status},
};
use nf_bindings as bindings;
use nf_proto::{
    be::Be16,
    flow::key::{Encap, Parts, Tunnel, ENCAPS},
    tuple::Direction,
};

check_prototype!(
    flow_offload_add,
    flow_offload_alloc,
    flow_offload_free,
    flow_offload_lookup,
    flow_offload_refresh,
    flow_offload_route_init,
    flow_offload_teardown,
    nf_flow_dnat_port,
    nf_flow_snat_port,
    nf_flow_table_cleanup,
    nf_flow_table_free,
    nf_flow_table_init,
    rustynat_flow_mtu_changed,
    rustynat_flow_put_conn,
    rustynat_flow_table_gc,
);

/// What C calls expect.
pub fn code(result: Result) -> c_int {
    match result {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// # Safety
///
/// C: `ct` is valid.
#[no_mangle]
pub unsafe extern "C" fn flow_offload_alloc(
    ct: *mut bindings::nf_conn,
) -> *mut bindings::flow_offload {
    // SAFETY: By the C contract.
    let conn = unsafe { Conn::from_raw(ct) };
    if conn.is_dying() {
        return null_mut();
    }
    let flow = table::allocate();
    if flow.is_null() {
        return flow;
    }
    // SAFETY: The flow is ours, and all zeroes. The reference is given back when
    // it is freed.
    unsafe {
        (*flow).ct = conn.get().into_raw();
        for direction in [Direction::Original, Direction::Reply] {
            let from = conn.tuple(direction);
            let to = &mut direction.of_mut(&mut (*flow).tuplehash).tuple;
            to.set_dir(direction as u16);
            let ports = match life::has_ports(from.dst.protocol) {
                true => [from.src.id, from.dst.id],
                false => [Be16::new(0); 2],
            };
            Draft(to).set_key(&Parts {
                family: conn.family(),
                protocol: from.dst.protocol,
                source: from.src.address,
                destination: from.dst.address,
                ports,
                device: 0,
                encaps: [Encap::default(); ENCAPS],
                tunnel: Tunnel::default(),
            });
        }
        let status = conn.status();
        let mut flags = 0;
        if status.has(Status::SRC_NAT) {
            flags |= Flags::SNAT.0;
        }
        if status.has(Status::DST_NAT) {
            flags |= Flags::DNAT.0;
        }
        (*flow).flags = flags as usize;
    }
    flow
}

/// # Safety
///
/// C: `flow` is one of `flow_offload_alloc`, and in no table.
#[no_mangle]
pub unsafe extern "C" fn flow_offload_free(flow: *mut bindings::flow_offload) {
    // SAFETY: By the C contract.
    unsafe { Flow::from_raw(flow).free() };
}

/// # Safety
///
/// C: `flow` is not in a table yet; `route` is filled, and its routes become the
/// flow's.
#[no_mangle]
pub unsafe extern "C" fn flow_offload_route_init(
    flow: *mut bindings::flow_offload,
    route: *mut bindings::nf_flow_route,
) {
    // SAFETY: By the C contract.
    unsafe {
        super::route::fill(&mut *flow, &mut *route);
        (*flow).type_ = bindings::flow_offload_type_NF_FLOW_OFFLOAD_ROUTE as u16;
    }
}

/// # Safety
///
/// C: both are valid, the flow in no table.
#[no_mangle]
pub unsafe extern "C" fn flow_offload_add(
    flow_table: *mut bindings::nf_flowtable,
    flow: *mut bindings::flow_offload,
) -> c_int {
    // SAFETY: By the C contract.
    unsafe { code(life::add(Table::from_raw(flow_table), Flow::from_raw(flow))) }
}

/// # Safety
///
/// C: both are valid; under RCU.
#[no_mangle]
pub unsafe extern "C" fn flow_offload_refresh(
    flow_table: *mut bindings::nf_flowtable,
    flow: *mut bindings::flow_offload,
    force: bool,
) {
    // SAFETY: By the C contract.
    let (table, flow) = unsafe { (Table::from_raw(flow_table), Flow::from_raw(flow)) };
    life::refresh(table, flow, force);
}

/// # Safety
///
/// C: `flow` is valid.
#[no_mangle]
pub unsafe extern "C" fn flow_offload_teardown(flow: *mut bindings::flow_offload) {
    // SAFETY: By the C contract.
    life::teardown(unsafe { Flow::from_raw(flow) });
}

/// # Safety
///
/// C: both are valid, what of the tuple is unused being zero; under RCU.
#[no_mangle]
pub unsafe extern "C" fn flow_offload_lookup(
    flow_table: *mut bindings::nf_flowtable,
    tuple: *mut bindings::flow_offload_tuple,
) -> *mut bindings::flow_offload_tuple_rhash {
    // SAFETY: By the C contract; the tuple begins with a key.
    let found = unsafe { Table::from_raw(flow_table).find(&*tuple.cast()) };
    match found {
        Some((flow, direction)) if life::is_alive(flow) => flow.entry(direction),
        _ => null_mut(),
    }
}

/// # Safety
///
/// C: the table's type is set, and all else zero.
#[no_mangle]
pub unsafe extern "C" fn nf_flow_table_init(flow_table: *mut bindings::nf_flowtable) -> c_int {
    // SAFETY: By the C contract.
    unsafe { code(Table::from_raw(flow_table).start()) }
}

/// # Safety
///
/// C: nobody uses the table any more; may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_flow_table_free(flow_table: *mut bindings::nf_flowtable) {
    // SAFETY: By the C contract.
    unsafe {
        let table = Table::from_raw(flow_table);
        table.stop();
        gc::end(table);
        table.destroy();
    }
}

/// # Safety
///
/// C: null or a valid device; may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_flow_table_cleanup(dev: *mut bindings::net_device) {
    // SAFETY: By the C contract.
    unsafe { table::clean_all(dev) };
}

/// # Safety
///
/// C: a valid device; may sleep.
#[no_mangle]
pub unsafe extern "C" fn rustynat_flow_mtu_changed(dev: *mut bindings::net_device) {
    // SAFETY: By the C contract.
    unsafe { table::clean_all(dev) };
}

/// # Safety
///
/// C: the work of a table.
#[no_mangle]
pub unsafe extern "C" fn rustynat_flow_table_gc(table: *mut bindings::nf_flowtable) {
    // SAFETY: By the C contract.
    gc::run(unsafe { Table::from_raw(table) });
}

/// # Safety
///
/// C: a flow's reference, which ends with it.
#[no_mangle]
pub unsafe extern "C" fn rustynat_flow_put_conn(ct: *mut bindings::nf_conn) {
    if !ct.is_null() {
        // SAFETY: By the C contract.
        drop(unsafe { ConnRef::from_raw(ct) });
    }
}

/// # Safety
///
/// C: both are valid, `thoff` is the transport header's offset from the network
/// header.
unsafe fn set_port(
    flow: *const bindings::flow_offload,
    skb: *mut bindings::sk_buff,
    thoff: c_uint,
    protocol: u8,
    dir: bindings::flow_offload_tuple_dir,
    source_nat: bool,
) {
    let (Some(skb), true) = (NonNull::new(skb), life::has_ports(protocol)) else {
        return;
    };
    let direction = if dir == 0 {
        Direction::Original
    } else {
        Direction::Reply
    };
    // SAFETY: By the C contract.
    let flow = unsafe { Flow::from_raw(flow) };
    let [source, destination] = flow.side(direction.opposite()).key().ports();
    // The source of one direction is the other's destination.
    let at_source = source_nat == (direction == Direction::Original);
    let port = if at_source { destination } else { source };
    // SAFETY: By the C contract.
    unsafe { frame::set_port(skb, thoff, protocol, at_source, port) };
}

/// # Safety
///
/// C: both are valid, the packet's headers linear and writable.
#[no_mangle]
pub unsafe extern "C" fn nf_flow_snat_port(
    flow: *const bindings::flow_offload,
    skb: *mut bindings::sk_buff,
    thoff: c_uint,
    protocol: u8,
    dir: bindings::flow_offload_tuple_dir,
) {
    // SAFETY: By the C contract.
    unsafe { set_port(flow, skb, thoff, protocol, dir, true) };
}

/// # Safety
///
/// C: both are valid, the packet's headers linear and writable.
#[no_mangle]
pub unsafe extern "C" fn nf_flow_dnat_port(
    flow: *const bindings::flow_offload,
    skb: *mut bindings::sk_buff,
    thoff: c_uint,
    protocol: u8,
    dir: bindings::flow_offload_tuple_dir,
) {
    // SAFETY: By the C contract.
    unsafe { set_port(flow, skb, thoff, protocol, dir, false) };
}
