// SPDX-License-Identifier: GPL-2.0

//! The module's life.

use super::{bpf, table::choose_secret};
use crate::proc::Statistics;
use core::{cell::UnsafeCell, mem::zeroed};
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
    operations.exit = Some(exit_net);
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
            let result = start_registrations();
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

/// Registers what the module is told by.
///
/// # Safety
///
/// All else is set up.
unsafe fn start_registrations() -> Result {
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
        bpf::stop();
        bindings::rustynat_flow_cache_exit();
    }
}

/// # Safety
///
/// C: a namespace that begins.
unsafe extern "C" fn init_net(net: *mut bindings::net) -> c_int {
    // SAFETY: By the C contract.
    let net = unsafe { Net::from_raw(net) };
    match proc::create_stat::<Statistics>(net, FILE) {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// # Safety
///
/// C: a namespace that ends.
unsafe extern "C" fn exit_net(net: *mut bindings::net) {
    // SAFETY: By the C contract.
    proc::remove_stat(unsafe { Net::from_raw(net) }, FILE);
}
