// SPDX-License-Identifier: GPL-2.0

//! Expectations that a packet leads to, all of them or none.

use crate::expect;
use netfilter::conntrack::{expect::NewExpect, helper::Why};

/// Expectations that were made, at most `N`. What is dropped without
/// [`keep`](Self::keep) is withdrawn.
pub struct Made<'c, const N: usize> {
    made: [Option<NewExpect<'c>>; N],
    count: usize,
}

impl<'c, const N: usize> Made<'c, N> {
    /// None yet.
    pub fn new() -> Self {
        Made {
            made: [const { None }; N],
            count: 0,
        }
    }

    /// One more.
    ///
    /// # Errors
    ///
    /// There are `N`; it is withdrawn.
    pub fn add(&mut self, exp: NewExpect<'c>) -> Result<(), Why> {
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
    pub fn keep(&mut self) {
        for slot in self.made.iter_mut().take(self.count) {
            *slot = None;
        }
        self.count = 0;
    }
}

impl<const N: usize> Default for Made<'_, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Drop for Made<'_, N> {
    fn drop(&mut self) {
        for exp in self.made.iter().take(self.count).flatten() {
            expect::withdraw(exp);
        }
    }
}
