// SPDX-License-Identifier: GPL-2.0

//! The expectations that a packet leads to.

use netfilter::conntrack::expect::NewExpect;
use nf_conntrack::{announce::Why, expect};

/// The most that a packet leads to: more than a connection can have at once.
const MOST: usize = 24;

/// Expectations that were made. What is dropped without [`keep`](Self::keep) is
/// withdrawn.
pub(crate) struct Made<'c> {
    made: [Option<NewExpect<'c>>; MOST],
    count: usize,
}

impl<'c> Made<'c> {
    /// None yet.
    pub(crate) fn new() -> Self {
        Made {
            made: [const { None }; MOST],
            count: 0,
        }
    }

    /// One more.
    pub(crate) fn add(&mut self, exp: NewExpect<'c>) -> Result<(), Why> {
        match self.made.get_mut(self.count) {
            Some(slot) => {
                *slot = Some(exp);
                self.count = self.count.saturating_add(1);
                Ok(())
            }
            None => {
                expect::withdraw(&exp);
                Err(c"too many announcements")
            }
        }
    }

    /// They stay.
    pub(crate) fn keep(&mut self) {
        for slot in self.made.iter_mut().take(self.count) {
            *slot = None;
        }
        self.count = 0;
    }
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        for exp in self.made.iter().take(self.count).flatten() {
            expect::withdraw(exp);
        }
    }
}
