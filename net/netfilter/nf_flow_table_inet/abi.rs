// SPDX-License-Identifier: GPL-2.0

//! The types of flowtables, which nf_tables keeps in a list.

use core::{cell::UnsafeCell, mem::zeroed};
use kernel::{ffi::c_int, prelude::*};
use nf_bindings as bindings;
use nf_flow_table::abi::{
    core::{nf_flow_table_free, nf_flow_table_init},
    hooks,
    offload::{nf_flow_rule_route_ipv4, nf_flow_rule_route_ipv6, nf_flow_table_offload_setup},
};

struct Static(UnsafeCell<bindings::nf_flowtable_type>);

// SAFETY: Written before it is registered, and C's own then.
unsafe impl Sync for Static {}

/// A table's hook.
type Hook = unsafe extern "C" fn(
    *mut kernel::ffi::c_void,
    *mut bindings::sk_buff,
    *const bindings::nf_hook_state,
) -> u32;

/// What hardware is told of a flow.
type Action = unsafe extern "C" fn(
    *mut bindings::net,
    *mut bindings::flow_offload,
    bindings::flow_offload_tuple_dir,
    *mut bindings::nf_flow_rule,
) -> c_int;

const fn kind(family: u32, hook: Hook, action: Action) -> Static {
    // SAFETY: All of its fields may be zero.
    let mut kind: bindings::nf_flowtable_type = unsafe { zeroed() };
    kind.family = family as c_int;
    kind.init = Some(nf_flow_table_init);
    kind.setup = Some(nf_flow_table_offload_setup);
    kind.action = Some(action);
    kind.free = Some(nf_flow_table_free);
    kind.hook = Some(hook);
    Static(UnsafeCell::new(kind))
}

/// What hardware is told of a flow of either family.
///
/// # Safety
///
/// C: all are valid.
unsafe extern "C" fn route_inet(
    net: *mut bindings::net,
    flow: *mut bindings::flow_offload,
    dir: bindings::flow_offload_tuple_dir,
    rule: *mut bindings::nf_flow_rule,
) -> c_int {
    // SAFETY: By the C contract. It looks at the flow for its family.
    unsafe { nf_flow_rule_route_ipv4(net, flow, dir, rule) }
}

static KINDS: [Static; 3] = [
    kind(
        bindings::NFPROTO_IPV4,
        hooks::nf_flow_offload_ip_hook,
        nf_flow_rule_route_ipv4,
    ),
    kind(
        bindings::NFPROTO_IPV6,
        hooks::nf_flow_offload_ipv6_hook,
        nf_flow_rule_route_ipv6,
    ),
    kind(bindings::NFPROTO_INET, hooks::inet, route_inet),
];

/// The types are registered.
pub struct Types(());

impl Types {
    /// Registers them for `module`, once.
    pub fn register(module: &'static ThisModule) -> Self {
        for kind in &KINDS {
            // SAFETY: Nobody uses the type yet; it is taken back when the value is
            // dropped. Who uses it holds the module.
            unsafe {
                (*kind.0.get()).owner = module.as_ptr();
                bindings::nft_register_flowtable_type(kind.0.get());
            }
        }
        Types(())
    }
}

impl Drop for Types {
    fn drop(&mut self) {
        for kind in &KINDS {
            // SAFETY: Registered when the value was made.
            unsafe { bindings::nft_unregister_flowtable_type(kind.0.get()) };
        }
    }
}
