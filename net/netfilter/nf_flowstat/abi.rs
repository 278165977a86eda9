// SPDX-License-Identifier: GPL-2.0

//! What C calls: see `include/net/netfilter/nf_flowstat.h`.

use crate::state::{self, State};
use kernel::ffi::c_uint;
use kernel::prelude::*;
use netfilter::net::{Net, PerNet, Scope};
use netfilter::rcu;
use nf_bindings as bindings;

netfilter::check_prototype!(nf_flowstat_count);

/// The number of flows in a namespace's table.
///
/// # Safety
///
/// `net` must be a live namespace.
#[no_mangle]
pub unsafe extern "C" fn nf_flowstat_count(net: *const bindings::net) -> c_uint {
    // SAFETY: As the caller guarantees.
    let net = unsafe { Net::from_raw(net) };
    rcu::read(|guard| state::of(net, guard).map_or(0, |namespace| namespace.count()))
}

// SAFETY: `State` owns all that is made with its scope: `State::new` hands it to
// registrations that are fields of the state and of what these own.
unsafe impl PerNet for State {
    type Context = state::Context;

    fn ops() -> &'static netfilter::net::Ops<Self> {
        &state::OPS
    }

    fn init(net: &Scope, context: &Self::Context) -> Result<Self> {
        State::new(net, context)
    }
}
