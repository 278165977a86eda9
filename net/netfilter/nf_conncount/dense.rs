// SPDX-License-Identifier: GPL-2.0

//! A hash table that can also be walked by position, a bit at a time.
//!
//! Items lie side by side, without gaps: removing one moves the last to its
//! place. A few are searched from end to end; for more there is an index of
//! chains by hash, which grows with the table, chain by chain with the items
//! (linear hashing), so that no packet pays for all.

use crate::chunked::Chunked;
use kernel::alloc::AllocError;

/// Up to so many items there is no index; a power of two.
const SMALL: u32 = 16;

/// No item.
const NONE: u32 = u32::MAX;

struct Slot<T> {
    hash: u32,
    /// Position of the next item in the index's chain.
    next: u32,
    item: T,
}

/// The table. Whoever has it has its lock.
pub struct Dense<T> {
    slots: Chunked<Slot<T>, 64>,
    /// Position of the first item of each chain.
    heads: Chunked<u32, 1024>,
}

impl<T> Dense<T> {
    /// Nothing; does not allocate.
    pub const fn new() -> Self {
        Self {
            slots: Chunked::new(),
            heads: Chunked::new(),
        }
    }

    /// The number of items; positions are below it.
    #[inline]
    pub fn len(&self) -> u32 {
        self.slots.len()
    }

    /// There is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The hash and the item at a position.
    #[inline]
    pub fn get(&self, position: u32) -> Option<(u32, &T)> {
        self.slots.get(position).map(|slot| (slot.hash, &slot.item))
    }

    /// The item at a position.
    #[inline]
    pub fn get_mut(&mut self, position: u32) -> Option<&mut T> {
        self.slots.get_mut(position).map(|slot| &mut slot.item)
    }

    /// The position of the item with this hash that `is` says it is.
    #[inline]
    pub fn find(&self, hash: u32, is: impl Fn(&T) -> bool) -> Option<u32> {
        let is = |slot: &Slot<T>| slot.hash == hash && is(&slot.item);
        if self.heads.is_empty() {
            return (0..self.len()).find(|position| self.slots.get(*position).is_some_and(is));
        }
        let mut position = *self.heads.get(self.chain_of(hash))?;
        while let Some(slot) = self.slots.get(position) {
            if is(slot) {
                return Some(position);
            }
            position = slot.next;
        }
        None
    }

    /// Adds an item, and returns its position: the last.
    ///
    /// # Errors
    ///
    /// `AllocError`, or as many items as there can be.
    pub fn push(&mut self, hash: u32, item: T) -> Result<u32, AllocError> {
        let position = self.len();
        if position == NONE {
            return Err(AllocError);
        }
        self.slots.push(Slot {
            hash,
            next: NONE,
            item,
        })?;
        if position < SMALL {
            return Ok(position);
        }
        if self.heads.is_empty() {
            self.index();
        } else {
            self.link(position);
            // Two, to catch up where memory was short.
            self.split();
            self.split();
        }
        Ok(position)
    }

    /// Removes the item at a position; the last one takes its place.
    pub fn remove(&mut self, position: u32) -> Option<T> {
        let (hash, next) = self
            .slots
            .get(position)
            .map(|slot| (slot.hash, slot.next))?;
        self.relink(hash, position, next);
        let removed = self.slots.swap_remove(position)?;
        let last = self.len();
        if let Some(hash) = self.slots.get(position).map(|moved| moved.hash) {
            self.relink(hash, last, position);
        }
        Some(removed.item)
    }

    /// The chain of a hash: its low bits, one more for the chains that have been
    /// split. There is an index.
    #[inline]
    fn chain_of(&self, hash: u32) -> u32 {
        let heads = self.heads.len();
        let top = 31 & !heads.leading_zeros();
        let wide = hash & (2u32 << top).wrapping_sub(1);
        if wide < heads {
            wide
        } else {
            wide & (1u32 << top).wrapping_sub(1)
        }
    }

    /// Begins the index, or does without if memory is short.
    fn index(&mut self) {
        for _ in 0..SMALL {
            if self.heads.push(NONE).is_err() {
                self.heads = Chunked::new();
                return;
            }
        }
        for position in 0..self.len() {
            self.link(position);
        }
    }

    /// Splits a chain in two, if there are more items than chains. If memory is
    /// short, chains get longer.
    fn split(&mut self) {
        let new = self.heads.len();
        if new >= self.len() || self.heads.push(NONE).is_err() {
            return;
        }
        // The new chain has the hashes of one of half as many bits.
        let top = 31 & !new.leading_zeros();
        let Some(old) = self.heads.get_mut(new ^ (1 << top)) else {
            return;
        };
        let mut position = core::mem::replace(old, NONE);
        while let Some(next) = self.slots.get(position).map(|slot| slot.next) {
            self.link(position);
            position = next;
        }
    }

    fn link(&mut self, position: u32) {
        let Some(hash) = self.slots.get(position).map(|slot| slot.hash) else {
            return;
        };
        let chain = self.chain_of(hash);
        let Some(head) = self.heads.get_mut(chain) else {
            return;
        };
        let next = core::mem::replace(head, position);
        if let Some(slot) = self.slots.get_mut(position) {
            slot.next = next;
        }
    }

    /// Lets the link that leads to `from`, in the chain of `hash`, lead to `to`.
    fn relink(&mut self, hash: u32, from: u32, to: u32) {
        let chain = self.chain_of(hash);
        let Some(head) = self.heads.get_mut(chain) else {
            return;
        };
        if *head == from {
            *head = to;
            return;
        }
        let mut position = *head;
        while let Some(slot) = self.slots.get_mut(position) {
            if slot.next == from {
                slot.next = to;
                return;
            }
            position = slot.next;
        }
    }
}
