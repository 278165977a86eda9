// SPDX-License-Identifier: GPL-2.0

//! Programs at XDP, which look flows up by the device that their packet came in by:
//! bpf.c and xdp.c, include/net/netfilter/rustynat_flow_bpf.h.

use super::table::Table;
use kernel::error::{to_result, Result};
use nf_bindings as bindings;

/// Registers the function that programs may call. It goes with the module's BTF.
///
/// # Errors
///
/// `ENOMEM`, or what the kernel thinks of the module's BTF.
pub fn start() -> Result {
    // SAFETY: From the module's init function, once; what has begun is ended in
    // `stop`, or here.
    unsafe {
        to_result(bindings::rustynat_flow_xdp_init())?;
        let result = to_result(bindings::rustynat_flow_bpf_register());
        if result.is_err() {
            bindings::rustynat_flow_xdp_exit();
        }
        result
    }
}

/// Forgets which tables devices have had.
pub fn stop() {
    // SAFETY: There is no table any more, so no device has one; begun in `start`.
    unsafe { bindings::rustynat_flow_xdp_exit() };
}

/// A device begins (`FLOW_BLOCK_BIND`) or ends to have a table. Sleeps.
///
/// # Errors
///
/// `ENOMEM`
///
/// # Safety
///
/// The device is valid, and no more bound to the table than unbound from it when
/// either ends.
pub unsafe fn setup(
    table: Table<'_>,
    device: *mut bindings::net_device,
    command: bindings::flow_block_command,
) -> Result {
    // SAFETY: By the function's safety requirement; the device is a key only.
    to_result(unsafe { bindings::nf_flow_offload_xdp_setup(table.as_ptr(), device, command) })
}
