// SPDX-License-Identifier: GPL-2.0

//! What C code wants of hardware: tables that it is to have, and the actions of
//! flows that are routed.

use super::{bpf, core::code, flow::Flow, rule, table::Table};
use crate::offload;
use kernel::ffi::c_int;
use netfilter::{check_prototype, conntrack::Net};
use nf_bindings as bindings;
use nf_proto::tuple::Direction;

check_prototype!(
    nf_flow_rule_route_ipv4,
    nf_flow_rule_route_ipv6,
    nf_flow_table_offload_setup,
);

/// A device begins or ends to have a table. Drivers that leave it get to know
/// before that its flows are over.
///
/// # Safety
///
/// C: both are valid; may sleep. Who ends it has taken the device's hook away.
#[no_mangle]
pub unsafe extern "C" fn nf_flow_table_offload_setup(
    flowtable: *mut bindings::nf_flowtable,
    dev: *mut bindings::net_device,
    cmd: bindings::flow_block_command,
) -> c_int {
    // SAFETY: By the C contract.
    let table = unsafe { Table::from_raw(flowtable) };
    if !table.wants_hardware() {
        // SAFETY: By the C contract; nf_tables unbinds what it has bound.
        return code(unsafe { bpf::setup(table, dev, cmd) });
    }
    if cmd == bindings::flow_block_command_FLOW_BLOCK_UNBIND {
        offload::driver_leaves(table);
    }
    // SAFETY: By the C contract.
    unsafe { bindings::rustynat_flow_block(flowtable, dev, cmd) }
}

/// # Safety
///
/// C: all are valid, and the rule one of ours.
unsafe fn route(
    net: *mut bindings::net,
    flow: *mut bindings::flow_offload,
    dir: bindings::flow_offload_tuple_dir,
    flow_rule: *mut bindings::nf_flow_rule,
) -> c_int {
    let direction = match dir {
        0 => Direction::Original,
        _ => Direction::Reply,
    };
    // SAFETY: By the C contract.
    let result = unsafe {
        rule::route(
            Net::from_raw(net),
            Flow::from_raw(flow),
            direction,
            flow_rule,
        )
    };
    match result {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// # Safety
///
/// C: all are valid, and the rule one of ours.
#[no_mangle]
pub unsafe extern "C" fn nf_flow_rule_route_ipv4(
    net: *mut bindings::net,
    flow: *mut bindings::flow_offload,
    dir: bindings::flow_offload_tuple_dir,
    flow_rule: *mut bindings::nf_flow_rule,
) -> c_int {
    // SAFETY: By the C contract. The flow says of which family it is.
    unsafe { route(net, flow, dir, flow_rule) }
}

/// # Safety
///
/// C: all are valid, and the rule one of ours.
#[no_mangle]
pub unsafe extern "C" fn nf_flow_rule_route_ipv6(
    net: *mut bindings::net,
    flow: *mut bindings::flow_offload,
    dir: bindings::flow_offload_tuple_dir,
    flow_rule: *mut bindings::nf_flow_rule,
) -> c_int {
    // SAFETY: By the C contract. The flow says of which family it is.
    unsafe { route(net, flow, dir, flow_rule) }
}
