// SPDX-License-Identifier: GPL-2.0

//! What becomes of connections that could not have what they asked for:
//! `/proc/net/stat/nf_nat`, a line a reason that occurred, with its number.

use crate::abi::register::counters;
use core::sync::atomic::Ordering;
use netfilter::conntrack::{
    proc::{Content, Output},
    Net,
};

/// Why a connection was dropped, or did not get the port it would have had.
#[derive(Clone, Copy)]
pub enum Reason {
    /// All that was tried of the rule's addresses and ports is taken: dropped.
    Exhausted,
    /// Memory was short: dropped.
    Memory,
    /// A service of this host has the port: another one was tried.
    Shadowing,
    /// A closed connection was ended for it.
    Evicted,
}

/// How many reasons there are.
pub const REASONS: usize = 4;

const TEXTS: [&[u8]; REASONS] = [
    b"no free port: dropped\n",
    b"no memory: dropped\n",
    b"port of a local service passed over\n",
    b"closed connection ended for its port\n",
];

/// Counts one more. Any context.
pub fn count(net: Net, reason: Reason) {
    if let Some(counter) = counters(net).get(reason as usize) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// The file.
pub struct Statistics;

impl Content for Statistics {
    fn positions() -> u32 {
        REASONS as u32
    }

    fn show(position: u32, net: Net, out: &mut Output) {
        let counter = counters(net).get(position as usize);
        let (Some(counter), Some(text)) = (counter, TEXTS.get(position as usize)) else {
            return;
        };
        let count = counter.load(Ordering::Relaxed);
        if count != 0 {
            out.big_number(count).text(b" ").text(text);
        }
    }
}
