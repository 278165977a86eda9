// SPDX-License-Identifier: GPL-2.0

//! What the module keeps for a namespace: its policies.
//!
//! Messages are handled one at a time (by nfnetlink's lock of the subsystem),
//! so what one of them finds stays until it is done. The list's own lock is for
//! listings and rules, which come at any time.

use crate::{
    list::{Entry, List},
    name::Name,
};
use kernel::{c_str, prelude::*, static_lock_class, sync::Arc};
use netfilter::{
    conntrack::{timeout::Policy, Net},
    net::Ops,
    spinlock::SpinLockBh,
};
use nf_conntrack::timeout::untimeout;

/// Where the policies of each namespace are found.
pub static OPS: Ops<State> = Ops::new();

/// What the module keeps for a namespace.
pub struct State {
    policies: Arc<Policies>,
    net: Net,
}

impl State {
    /// For a new namespace, which outlives the value.
    ///
    /// # Errors
    ///
    /// `ENOMEM`
    pub fn new(net: Net) -> Result<Self> {
        Ok(State {
            policies: Arc::pin_init(Policies::new(), GFP_KERNEL)?,
            net,
        })
    }

    /// The policies.
    pub fn policies(&self) -> Arc<Policies> {
        self.policies.clone()
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // The namespace goes, or the module, which no policy outlives.
        self.policies.clear(self.net);
    }
}

/// The policies of a namespace.
#[pin_data]
pub struct Policies {
    #[pin]
    list: SpinLockBh<List>,
}

impl Policies {
    fn new() -> impl PinInit<Self> {
        pin_init!(Policies {
            list <- SpinLockBh::new(
                List::new(),
                c_str!("nfnetlink_cttimeout"),
                static_lock_class!(),
            ),
        })
    }

    /// The policy of a name.
    pub fn find(&self, name: &Name) -> Option<Policy> {
        self.list.lock().find(name).map(Policy::get)
    }

    /// Adds a policy whose name nobody has.
    pub fn add(&self, entry: KBox<Entry>) {
        self.list.lock().add(entry);
    }

    /// Shows all policies from a position on, in their order, until `show` has
    /// no room for one: then says where to go on. `show` must not sleep.
    pub fn show(&self, from: u64, mut show: impl FnMut(&Entry) -> Result) -> Option<u64> {
        let list = self.list.lock();
        let mut rest = list.iter().filter(|entry| entry.position() >= from);
        rest.find(|entry| show(entry).is_err()).map(Entry::position)
    }

    /// Forgets the first policy that `choose` picks, and takes it away from the
    /// namespace's connections; false if it picks none. Rules keep theirs.
    /// Sleeps.
    pub fn remove(&self, net: Net, choose: impl FnMut(&Entry) -> bool) -> bool {
        let removed = self.list.lock().take(choose);
        let Some(entry) = removed else { return false };
        // Out of the list it has no new users; alone, no old ones either.
        if entry.policy().uses() > 1 {
            untimeout(net, entry.policy().as_ptr());
        }
        true
    }

    /// Forgets all policies. Sleeps.
    pub fn clear(&self, net: Net) {
        while self.remove(net, |_| true) {}
    }
}
