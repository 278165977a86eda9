// SPDX-License-Identifier: GPL-2.0

//! Expectations as user space sees and changes them, one at a time.

use super::{chain, is_for, Expect, ExpectLock, Net, Tuple, Zone};
use core::sync::atomic::{AtomicU64, Ordering};
use netfilter::conntrack::conn::now;
use nf_proto::hash::{self, Key};

/// Users see what is made with it, and must not learn the table's key from that.
pub(super) static ID_KEY: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// A number for an expectation that tells it from others, those that are gone
/// included, and says nothing about where it is kept.
pub fn id(exp: &Expect) -> u32 {
    let [a, b] = &ID_KEY;
    let key = Key::new([a.load(Ordering::Relaxed), b.load(Ordering::Relaxed)]);
    hash::hash_array(&key, [exp.serial()])
}

/// Calls `f` with the expectation that a connection of this tuple would fulfil,
/// if there is one, and with the lock.
pub fn with_found<R>(
    net: Net,
    zone: Zone,
    tuple: &Tuple,
    f: impl FnOnce(&ExpectLock, &Expect) -> R,
) -> Option<R> {
    let lock = ExpectLock::take();
    let now = now();
    let exp = lock
        .walk(chain(net, tuple))
        .find(|exp| !exp.is_over(now) && is_for(exp, net, zone, tuple))?;
    Some(f(&lock, exp))
}
