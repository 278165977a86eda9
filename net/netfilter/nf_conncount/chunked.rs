// SPDX-License-Identifier: GPL-2.0

//! A long array in short allocations.

use core::mem::replace;
use kernel::{
    alloc::{flags::__GFP_NOWARN, AllocError, Flags},
    prelude::*,
};
use netfilter::vector::Vector;

/// In a hook: no sleep, and no complaint, as there is a way to go on.
const GFP: Flags = GFP_ATOMIC;

/// `CHUNK` elements, a power of two, are an allocation. The first chunk grows to
/// that size, the others have it: no element of theirs is ever copied.
pub struct Chunked<T, const CHUNK: u32> {
    chunks: Vector<Vector<T>>,
    len: u32,
}

impl<T, const CHUNK: u32> Chunked<T, CHUNK> {
    /// Nothing; does not allocate.
    #[allow(clippy::new_without_default)] // a constant
    pub const fn new() -> Self {
        const { assert!(CHUNK.is_power_of_two()) };
        Self {
            chunks: Vector::new(),
            len: 0,
        }
    }

    /// The number of elements.
    #[inline]
    pub fn len(&self) -> u32 {
        self.len
    }

    /// There is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// An element.
    #[inline]
    pub fn get(&self, position: u32) -> Option<&T> {
        let chunk = self.chunks.get((position / CHUNK) as usize)?;
        chunk.get((position % CHUNK) as usize)
    }

    /// An element.
    #[inline]
    pub fn get_mut(&mut self, position: u32) -> Option<&mut T> {
        let chunk = self.chunks.get_mut((position / CHUNK) as usize)?;
        chunk.get_mut((position % CHUNK) as usize)
    }

    /// Adds an element at the end. Does not sleep.
    ///
    /// # Errors
    ///
    /// `AllocError`; the element is dropped.
    pub fn push(&mut self, element: T) -> Result<(), AllocError> {
        let len = self.len.checked_add(1).ok_or(AllocError)?;
        let index = (self.len / CHUNK) as usize;
        if index >= self.chunks.len() {
            let mut chunk = Vector::new();
            if index > 0 {
                chunk.reserve(CHUNK as usize, GFP | __GFP_NOWARN)?;
            }
            self.chunks.push(chunk, GFP | __GFP_NOWARN)?;
        }
        let chunk = self.chunks.get_mut(index).ok_or(AllocError)?;
        chunk.push(element, GFP | __GFP_NOWARN)?;
        self.len = len;
        Ok(())
    }

    /// Removes the last element. An empty chunk stays until the one before it is
    /// empty too, lest it come and go.
    pub fn pop(&mut self) -> Option<T> {
        let last = self.len.checked_sub(1)?;
        let index = (last / CHUNK) as usize;
        let element = self.chunks.get_mut(index)?.pop()?;
        self.len = last;
        if self.chunks.len() > index.saturating_add(2) {
            self.chunks.pop();
        }
        Some(element)
    }

    /// Removes an element, whose place the last one takes.
    pub fn swap_remove(&mut self, position: u32) -> Option<T> {
        let last = self.pop()?;
        if position == self.len {
            return Some(last);
        }
        self.get_mut(position).map(|element| replace(element, last))
    }
}
