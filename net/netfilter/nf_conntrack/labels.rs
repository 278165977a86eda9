// SPDX-License-Identifier: GPL-2.0

//! Labels: 128 bits of a connection for rules to set and match.

use crate::ecache::{self, Event};
use core::sync::atomic::{AtomicU32, Ordering};
use netfilter::conntrack::{
    labels::{self as raw, BITS},
    Conn, Net,
};

pub use netfilter::conntrack::labels::{put, WORDS};

/// No such label.
pub struct OutOfRange;

/// The connection has no labels.
pub struct NoLabels;

/// A rule uses the label of number `bit`.
pub fn get(net: Net, bit: u32) -> Result<(), OutOfRange> {
    if bit >= BITS {
        return Err(OutOfRange);
    }
    raw::get(net);
    Ok(())
}

/// Replaces words of the labels: the bits of each `mask` are cleared, then
/// those of `data` inverted. Words beyond `changes` become zero.
pub fn replace(conn: &Conn, changes: impl Iterator<Item = Change>) -> Result<(), NoLabels> {
    let words = raw::words(conn).ok_or(NoLabels)?;
    let mut words = words.iter();
    let mut changed = false;
    // `words` is asked second: no word is passed over when the changes end.
    for (change, word) in changes.zip(words.by_ref()) {
        changed |= replace_word(word, change);
    }
    for word in words {
        replace_word(
            word,
            Change {
                mask: u32::MAX,
                data: 0,
            },
        );
    }
    if changed {
        ecache::cache(conn, Event::Label);
    }
    Ok(())
}

/// What is to become of a word.
#[derive(Clone, Copy)]
pub struct Change {
    /// Bits to clear.
    pub mask: u32,
    /// Bits to invert afterwards.
    pub data: u32,
}

fn replace_word(word: &AtomicU32, change: Change) -> bool {
    let next = |old: u32| {
        let new = (old & !change.mask) ^ change.data;
        (new != old).then_some(new)
    };
    word.fetch_update(Ordering::AcqRel, Ordering::Relaxed, next)
        .is_ok()
}
