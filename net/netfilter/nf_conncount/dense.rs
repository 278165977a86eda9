// SPDX-License-Identifier: GPL-2.0

//! A hash table that can also be walked by position, a bit at a time.
//!
//! Items lie side by side in chunks, without gaps: removing one moves the last
//! to its place. Small tables are one short allocation and are searched from end
//! to end; larger ones have an index of chains by hash.

use kernel::{
    alloc::{flags::__GFP_NOWARN, AllocError},
    prelude::*,
};

/// Items in a chunk; a power of two.
const CHUNK: u32 = 64;

/// Up to so many items there is no index.
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
    chunks: KVec<KVec<Slot<T>>>,
    /// Position of the first item of each chain; a power of two of them, or none.
    heads: KVec<u32>,
    len: u32,
}

impl<T> Dense<T> {
    /// Nothing; does not allocate.
    pub const fn new() -> Self {
        Self {
            chunks: KVec::new(),
            heads: KVec::new(),
            len: 0,
        }
    }

    /// The number of items; positions are below it.
    #[inline]
    pub fn len(&self) -> u32 {
        self.len
    }

    #[inline]
    fn slot(&self, position: u32) -> Option<&Slot<T>> {
        let chunk = self.chunks.get((position / CHUNK) as usize)?;
        chunk.get((position % CHUNK) as usize)
    }

    #[inline]
    fn slot_mut(&mut self, position: u32) -> Option<&mut Slot<T>> {
        let chunk = self.chunks.get_mut((position / CHUNK) as usize)?;
        chunk.get_mut((position % CHUNK) as usize)
    }

    /// The hash and the item at a position.
    #[inline]
    pub fn get(&self, position: u32) -> Option<(u32, &T)> {
        self.slot(position).map(|slot| (slot.hash, &slot.item))
    }

    /// The item at a position.
    #[inline]
    pub fn get_mut(&mut self, position: u32) -> Option<&mut T> {
        self.slot_mut(position).map(|slot| &mut slot.item)
    }

    #[inline]
    fn head(&self, hash: u32) -> usize {
        // Never used as a position without looking: no heads, no index.
        (hash as usize) & self.heads.len().wrapping_sub(1)
    }

    /// The position of the item with this hash that `is` says it is.
    #[inline]
    pub fn find(&self, hash: u32, is: impl Fn(&T) -> bool) -> Option<u32> {
        if self.heads.is_empty() {
            return (0..self.len).find(|position| {
                self.slot(*position)
                    .is_some_and(|slot| slot.hash == hash && is(&slot.item))
            });
        }
        let mut position = *self.heads.get(self.head(hash))?;
        while let Some(slot) = self.slot(position) {
            if slot.hash == hash && is(&slot.item) {
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
        let position = self.len;
        let index = (position / CHUNK) as usize;
        if index >= self.chunks.len() {
            self.chunks.push(KVec::new(), GFP_ATOMIC)?;
        }
        let len = position.checked_add(1).filter(|len| *len != NONE);
        let len = len.ok_or(AllocError)?;
        let chunk = self.chunks.get_mut(index).ok_or(AllocError)?;
        let slot = Slot {
            hash,
            next: NONE,
            item,
        };
        chunk.push(slot, GFP_ATOMIC)?;
        self.len = len;
        if len > SMALL && len as usize > self.heads.len() {
            // With the new item; if memory is short, chains get longer.
            if self.index() {
                return Ok(position);
            }
        }
        self.link(position);
        Ok(position)
    }

    /// Makes an index for twice as many items as there are.
    fn index(&mut self) -> bool {
        let size = (self.len as usize)
            .checked_next_power_of_two()
            .and_then(|size| size.checked_mul(2));
        let Some(size) = size else { return false };
        let mut heads = KVec::new();
        if heads
            .extend_with(size, NONE, GFP_ATOMIC | __GFP_NOWARN)
            .is_err()
        {
            return false;
        }
        self.heads = heads;
        for position in 0..self.len {
            self.link(position);
        }
        true
    }

    fn link(&mut self, position: u32) {
        let Some(hash) = self.slot(position).map(|slot| slot.hash) else {
            return;
        };
        let at = self.head(hash);
        let Some(head) = self.heads.get_mut(at) else {
            return;
        };
        let next = core::mem::replace(head, position);
        if let Some(slot) = self.slot_mut(position) {
            slot.next = next;
        }
    }

    /// Lets the link that leads to `from`, in the chain of `hash`, lead to `to`.
    fn relink(&mut self, hash: u32, from: u32, to: u32) {
        let at = self.head(hash);
        let Some(head) = self.heads.get_mut(at) else {
            return;
        };
        if *head == from {
            *head = to;
            return;
        }
        let mut position = *head;
        while let Some(slot) = self.slot_mut(position) {
            if slot.next == from {
                slot.next = to;
                return;
            }
            position = slot.next;
        }
    }

    /// Removes the item at a position; the last one takes its place.
    pub fn remove(&mut self, position: u32) -> Option<T> {
        let (hash, next) = self.slot(position).map(|slot| (slot.hash, slot.next))?;
        self.relink(hash, position, next);
        let last = self.len.checked_sub(1)?;
        let chunk = self.chunks.get_mut((last / CHUNK) as usize)?;
        let moved = chunk.pop()?;
        let emptied = chunk.is_empty();
        self.len = last;
        if emptied {
            self.chunks.pop();
        }
        if position == last {
            return Some(moved.item);
        }
        self.relink(moved.hash, last, position);
        let slot = self.slot_mut(position)?;
        Some(core::mem::replace(slot, moved).item)
    }
}
