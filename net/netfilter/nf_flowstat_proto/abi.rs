// SPDX-License-Identifier: GPL-2.0

//! What the type system cannot check.

use crate::sums::{State, OPS};
use kernel::prelude::*;
use netfilter::net::{Ops, PerNet, Scope};

// SAFETY: `State` is the file that its scope is given to, and nothing else is.
unsafe impl PerNet for State {
    type Context = ();

    fn ops() -> &'static Ops<Self> {
        &OPS
    }

    fn init(net: &Scope, _context: &()) -> Result<Self> {
        State::new(net)
    }
}
