// SPDX-License-Identifier: GPL-2.0

//! The module's life.

use super::{bpf, table::choose_secret};
use crate::proc::Statistics;
use core::{
    cell::UnsafeCell,
    mem::{size_of, zeroed},
};
use kernel::{error::to_result, ffi::c_int, prelude::*};
use netfilter::conntrack::{proc, Net};
use nf_bindings as bindings;

const FILE: &CStr = c"nf_flowtable";

struct Static<T>(UnsafeCell<T>);

// SAFETY: C's own to write, once it is registered.
unsafe impl<T> Sync for Static<T> {}

static NAMESPACES: Static<bindings::pernet_operations> = Static(UnsafeCell::new({
    // SAFETY: All of its fields may be zero.
    let mut operations: bindings::pernet_operations = unsafe { zeroed() };
    operations.init = Some(init_net);
    operations.pre_exit = Some(end_net);
    operations.exit = Some(exit_net);
    operations.id = &raw mut bindings::rustynat_flow_net_id;
    operations.size = size_of::<bindings::rustynat_flow_net>();
    operations
}));

/// Sets the module up.
///
/// # Errors
///
/// `ENOMEM`, or what the kernel thinks of the module's BTF.
pub fn start() -> Result {
    // SAFETY: There is no table yet. The cache is taken back below or in `stop`; the
    // operations are static.
    unsafe {
        choose_secret();
        to_result(bindings::rustynat_flow_cache_init())?;
        let result = bpf::start().and_then(|()| {
            let result = start_queues();
            if result.is_err() {
                bpf::stop();
            }
            result
        });
        if result.is_err() {
            bindings::rustynat_flow_cache_exit();
        }
        result
    }
}

/// Work queues, then what uses them.
///
/// # Safety
///
/// Once; taken back in `stop`.
unsafe fn start_queues() -> Result {
    // SAFETY: By the function's safety requirement.
    unsafe {
        to_result(bindings::rustynat_flow_hardware_init())?;
        let result = register();
        if result.is_err() {
            bindings::rustynat_flow_hardware_exit();
        }
        result
    }
}

/// Namespaces and devices.
///
/// # Safety
///
/// Once; taken back in `stop`. All else is set up.
unsafe fn register() -> Result {
    // SAFETY: By the function's safety requirement; the operations are static.
    unsafe {
        to_result(bindings::register_pernet_subsys(NAMESPACES.0.get()))?;
        let result = to_result(bindings::rustynat_flow_notifier_register());
        if result.is_err() {
            bindings::unregister_pernet_subsys(NAMESPACES.0.get());
        }
        result
    }
}

/// Takes it down. There is no table any more, as each has a user of the module.
pub fn stop() {
    // SAFETY: Taken back once; flows that wait for a grace period are waited for.
    unsafe {
        bindings::rustynat_flow_notifier_unregister();
        bindings::unregister_pernet_subsys(NAMESPACES.0.get());
        bindings::rustynat_flow_hardware_exit();
        bpf::stop();
        bindings::rustynat_flow_cache_exit();
    }
}

/// # Safety
///
/// C: a namespace that begins.
unsafe extern "C" fn init_net(net: *mut bindings::net) -> c_int {
    // SAFETY: By the C contract. The counters are freed here or in `exit_net`.
    unsafe {
        let code = bindings::rustynat_flow_counts_init(net);
        if code != 0 {
            return code;
        }
        match proc::create_stat::<Statistics>(Net::from_raw(net), FILE) {
            Ok(()) => 0,
            Err(error) => {
                end_net(net);
                bindings::rustynat_flow_counts_exit(net);
                error.to_errno()
            }
        }
    }
}

/// # Safety
///
/// C: a namespace that begins to end.
unsafe extern "C" fn end_net(net: *mut bindings::net) {
    // SAFETY: By the C contract.
    unsafe { bindings::rustynat_flow_counts_end(net) };
}

/// # Safety
///
/// C: a namespace that ends.
unsafe extern "C" fn exit_net(net: *mut bindings::net) {
    // SAFETY: By the C contract. Nobody reads the file any more, and a grace period has
    // passed since nobody counts.
    unsafe {
        proc::remove_stat(Net::from_raw(net), FILE);
        bindings::rustynat_flow_counts_exit(net);
    }
}
