// SPDX-License-Identifier: GPL-2.0

//! The module's life.

use super::{
    bpf,
    core::HOOK,
    register::{AREA, ID},
};
use crate::{
    bysource::{self, SOURCES},
    masquerade,
    stat::Statistics,
};
use core::{cell::UnsafeCell, mem::zeroed, ptr::null};
use kernel::{error::to_result, ffi::c_int, prelude::*};
use netfilter::conntrack::{proc, Net, Status};
use nf_bindings as bindings;

const FILE: &CStr = c"nf_nat";

struct Static<T>(UnsafeCell<T>);

// SAFETY: C's own to write, once it is registered.
unsafe impl<T> Sync for Static<T> {}

static NAMESPACES: Static<bindings::pernet_operations> = Static(UnsafeCell::new({
    // SAFETY: All of its fields may be zero.
    let mut operations: bindings::pernet_operations = unsafe { zeroed() };
    operations.init = Some(init_net);
    operations.exit = Some(exit_net);
    operations.id = ID.0.get();
    operations.size = AREA;
    operations
}));

#[allow(clippy::disallowed_methods)] // The other one is not for constants.
static FOLLOW_MASTER: Static<bindings::nf_ct_helper_expectfn> = Static(UnsafeCell::new({
    // SAFETY: All of its fields may be zero.
    let mut function: bindings::nf_ct_helper_expectfn = unsafe { zeroed() };
    function.name = c"nat-follow-master".as_ptr().cast();
    function.expectfn = Some(super::helper::nf_nat_follow_master);
    function
}));

/// Sets the module up.
///
/// # Errors
///
/// `ENOMEM`, or what the kernel thinks of the module's BTF.
pub fn start() -> Result {
    bysource::start()?;
    // SAFETY: The operations are static.
    let result = to_result(unsafe { bindings::register_pernet_subsys(NAMESPACES.0.get()) });
    if result.is_err() {
        // SAFETY: Nobody has used it.
        unsafe { SOURCES.stop() };
        return result;
    }
    if let Err(error) = bpf::start() {
        // SAFETY: Registered above; nobody has used either.
        unsafe {
            bindings::unregister_pernet_subsys(NAMESPACES.0.get());
            SOURCES.stop();
        }
        return Err(error);
    }
    masquerade::start();
    // SAFETY: Both are static, and taken back in `stop`.
    unsafe {
        bindings::nf_ct_helper_expectfn_register(FOLLOW_MASTER.0.get());
        bindings::nat_set_hook(&raw const HOOK.0);
    }
    Ok(())
}

/// Takes it down. There is no chain any more, as nobody uses the module.
pub fn stop() {
    masquerade::stop();
    // Connections that are translated cannot go on without us.
    nf_conntrack::abi::core::destroy_all(|conn| conn.status().any(Status::NAT_MASK));
    // SAFETY: Registered in `start`.
    unsafe { bindings::nf_ct_helper_expectfn_unregister(FOLLOW_MASTER.0.get()) };
    // While those that are freed still tell us: some may be held elsewhere.
    SOURCES.close();
    // SAFETY: Taken back here, once; the first waits for its users.
    unsafe {
        bindings::nat_set_hook(null());
        bindings::nf_ct_helper_expectfn_destroy(FOLLOW_MASTER.0.get());
        bindings::unregister_pernet_subsys(NAMESPACES.0.get());
        SOURCES.stop();
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
