// SPDX-License-Identifier: GPL-2.0

//! What C calls: `nf_ct_timeout_hook`, for rules that name a policy.

use crate::{
    name::Name,
    namespace::{Policies, State, OPS},
    THIS_MODULE,
};
use core::{
    ptr::null_mut,
    sync::atomic::{AtomicPtr, Ordering},
};
use kernel::{ffi::c_char, prelude::*, sync::Arc};
use netfilter::{
    conntrack::{self, helper::string, timeout::Policy},
    module::{self, ModuleRef},
    net::{Net, Ops, PerNet, Scope},
    rcu,
};
use nf_bindings as bindings;

// SAFETY: No clone of the scope is made.
unsafe impl PerNet for State {
    type Context = ();

    fn ops() -> &'static Ops<Self> {
        &OPS
    }

    fn init(net: &Scope, _context: &()) -> Result<Self> {
        // SAFETY: It is alive until after the state is dropped.
        State::new(unsafe { conntrack::Net::from_raw(net.as_raw()) })
    }
}

/// The policies of a namespace.
///
/// # Errors
///
/// `ENOENT` if the namespace, or the module, is going.
pub(crate) fn policies(net: conntrack::Net) -> Result<Arc<Policies>> {
    // SAFETY: It is alive.
    let net = unsafe { Net::from_raw(net.as_ptr()) };
    rcu::read(|guard| OPS.get(net, guard).map(State::policies)).ok_or(ENOENT)
}

static HOOKS: bindings::nf_ct_timeout_hooks = bindings::nf_ct_timeout_hooks {
    timeout_find_get: Some(find_get),
    timeout_put: Some(put),
};

/// Rules find policies while it exists.
pub(crate) struct Hook(());

impl Hook {
    pub(crate) fn publish() -> Self {
        place().store((&raw const HOOKS).cast_mut(), Ordering::Release);
        Hook(())
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        place().store(null_mut(), Ordering::Release);
        rcu::synchronize();
    }
}

fn place() -> &'static AtomicPtr<bindings::nf_ct_timeout_hooks> {
    // SAFETY: An aligned pointer of nf_conntrack's, which is there as long as
    // this module, and is only accessed atomically.
    unsafe { AtomicPtr::from_ptr((&raw mut bindings::nf_ct_timeout_hook).cast()) }
}

/// A policy by its name, with a reference, and the module kept: both until
/// [`put`].
///
/// # Safety
///
/// C: a live namespace, a terminated name; under RCU.
unsafe extern "C" fn find_get(
    net: *mut bindings::net,
    name: *const c_char,
) -> *mut bindings::nf_ct_timeout {
    // SAFETY: By the C contract.
    let (net, name) = unsafe { (conntrack::Net::from_raw(net), Name::new(string(name))) };
    let found = name.and_then(|name| policies(net).ok()?.find(&name));
    let Some((policy, module)) = found.zip(ModuleRef::try_get(&THIS_MODULE)) else {
        return null_mut();
    };
    module.forget();
    policy.into_raw()
}

/// # Safety
///
/// C: a policy from [`find_get`], whose reference is given back, and the module's.
unsafe extern "C" fn put(timeout: *mut bindings::nf_ct_timeout) {
    // SAFETY: By the C contract.
    unsafe {
        drop(Policy::from_raw(timeout));
        module::put(&THIS_MODULE);
    }
}
