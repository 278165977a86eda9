// SPDX-License-Identifier: GPL-2.0

//! The policies of a namespace, by name, in the order in which they were made.

use crate::name::Name;
use kernel::prelude::*;
use netfilter::{conntrack::timeout::Policy, module::ModuleRef};

type Link = Option<KBox<Entry>>;

/// A policy that has a name.
pub struct Entry {
    name: Name,
    policy: Policy,
    /// Where in the order it is: higher than all that were there before.
    position: u64,
    next: Link,
    /// Names need the module that knows them.
    _module: ModuleRef,
}

impl Entry {
    /// One to be added to a list. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`
    pub fn new(name: Name, policy: Policy, module: ModuleRef) -> Result<KBox<Self>> {
        let entry = Entry {
            name,
            policy,
            position: 0,
            next: None,
            _module: module,
        };
        Ok(KBox::new(entry, GFP_KERNEL)?)
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Where a listing goes on that ended before this entry; it stays right
    /// when entries come and go.
    pub fn position(&self) -> u64 {
        self.position
    }
}

/// A list of named policies.
pub struct List {
    first: Link,
    next_position: u64,
}

impl List {
    /// Without any.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        List {
            first: None,
            next_position: 1,
        }
    }

    /// All of them, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        core::iter::successors(self.first.as_deref(), |entry| entry.next.as_deref())
    }

    /// The policy of a name.
    pub fn find(&self, name: &Name) -> Option<&Policy> {
        self.iter()
            .find(|entry| entry.name == *name)
            .map(Entry::policy)
    }

    /// Adds one at the end, whose name is not in the list.
    pub fn add(&mut self, mut entry: KBox<Entry>) {
        entry.position = self.next_position;
        self.next_position = self.next_position.saturating_add(1);
        let mut at = &mut self.first;
        while let Some(entry) = at {
            at = &mut entry.next;
        }
        *at = Some(entry);
    }

    /// Takes out the first that `choose` picks.
    pub fn take(&mut self, mut choose: impl FnMut(&Entry) -> bool) -> Link {
        let mut at = &mut self.first;
        while at.as_ref().is_some_and(|entry| !choose(entry)) {
            at = &mut at.as_mut()?.next;
        }
        let mut found = at.take()?;
        *at = found.next.take();
        Some(found)
    }
}

impl Drop for List {
    fn drop(&mut self) {
        // One by one: the stack is short.
        while self.take(|_| true).is_some() {}
    }
}
