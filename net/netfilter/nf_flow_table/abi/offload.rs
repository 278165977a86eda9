// SPDX-License-Identifier: GPL-2.0

//! What hardware takes part in: nothing. Tables that want it are refused.

use super::{bpf, core::code, table::Table};
use kernel::ffi::c_int;
use netfilter::check_prototype;
use nf_bindings as bindings;

check_prototype!(
    nf_flow_rule_route_ipv4,
    nf_flow_rule_route_ipv6,
    nf_flow_table_offload_setup,
);

/// `-EOPNOTSUPP`
const NOT_SUPPORTED: c_int = -(bindings::EOPNOTSUPP as c_int);

/// A device begins or ends to have a table.
///
/// # Safety
///
/// C: both are valid.
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
    if cmd == bindings::flow_block_command_FLOW_BLOCK_BIND {
        return NOT_SUPPORTED;
    }
    0
}

/// # Safety
///
/// None.
#[no_mangle]
pub unsafe extern "C" fn nf_flow_rule_route_ipv4(
    _net: *mut bindings::net,
    _flow: *mut bindings::flow_offload,
    _dir: bindings::flow_offload_tuple_dir,
    _flow_rule: *mut bindings::nf_flow_rule,
) -> c_int {
    NOT_SUPPORTED
}

/// # Safety
///
/// None.
#[no_mangle]
pub unsafe extern "C" fn nf_flow_rule_route_ipv6(
    _net: *mut bindings::net,
    _flow: *mut bindings::flow_offload,
    _dir: bindings::flow_offload_tuple_dir,
    _flow_rule: *mut bindings::nf_flow_rule,
) -> c_int {
    NOT_SUPPORTED
}
