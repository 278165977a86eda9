// SPDX-License-Identifier: GPL-2.0

//! Texts to be written in place of others, in the order of a payload.

use super::{text::Buffer, Span};

/// Up to `N` texts of up to `L` bytes.
#[derive(Clone)]
pub struct Edits<const N: usize, const L: usize> {
    edits: [Option<(Span, Buffer<L>)>; N],
    count: usize,
}

/// There is no room, or two texts would be in each other's way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DoNotFit;

impl<const N: usize, const L: usize> Edits<N, L> {
    /// None.
    #[inline]
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Edits {
            edits: [const { None }; N],
            count: 0,
        }
    }

    /// Adds a text, to be written in place of `span`. What is to be replaced
    /// already stays as it was first said.
    pub fn add(&mut self, span: Span, text: Buffer<L>) -> Result<(), DoNotFit> {
        let end = span.start.checked_add(span.len).ok_or(DoNotFit)?;
        let mut at = 0usize;
        for (there, _) in self.iter() {
            let there_end = there.start.saturating_add(there.len);
            if there == span {
                return Ok(());
            }
            if there.start < end && span.start < there_end {
                return Err(DoNotFit);
            }
            if there.start < span.start {
                at = at.saturating_add(1);
            }
        }
        // Whatever is behind moves on by one.
        let behind = self.edits.get_mut(at..).ok_or(DoNotFit)?;
        if self.count >= N {
            return Err(DoNotFit);
        }
        let mut next = Some((span, text));
        for slot in behind {
            core::mem::swap(slot, &mut next);
            if next.is_none() {
                break;
            }
        }
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Span, &[u8])> {
        self.edits
            .iter()
            .flatten()
            .map(|(span, text)| (*span, text.text()))
    }

    /// By how many bytes what is from `start` up to `end` grows.
    pub fn growth(&self, start: usize, end: usize) -> isize {
        self.iter()
            .filter(|(span, _)| (start..end).contains(&span.start))
            .fold(0isize, |sum, (span, text)| {
                sum.saturating_add_unsigned(text.len())
                    .saturating_sub_unsigned(span.len)
            })
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec::Vec;

    fn text(text: &[u8]) -> Buffer<4> {
        let mut buffer = Buffer::new();
        buffer.push(text).unwrap();
        buffer
    }

    #[test]
    fn order_is_that_of_the_payload() {
        let mut edits = Edits::<3, 4>::new();
        for (start, new) in [(20, b"b"), (10, b"a"), (30, b"c")] {
            assert_eq!(edits.add(Span { start, len: 3 }, text(new)), Ok(()));
        }
        let found: Vec<_> = edits
            .iter()
            .map(|(span, text)| (span.start, text))
            .collect();
        assert_eq!(found, [(10, &b"a"[..]), (20, b"b"), (30, b"c")]);
        assert_eq!(edits.growth(0, 100), -6);
        assert_eq!(edits.growth(15, 30), -2);
        assert_eq!(
            edits.add(Span { start: 40, len: 1 }, text(b"d")),
            Err(DoNotFit)
        );
    }

    #[test]
    fn first_word_counts_and_overlaps_are_refused() {
        let mut edits = Edits::<8, 4>::new();
        let span = Span { start: 10, len: 5 };
        assert_eq!(edits.add(span, text(b"one")), Ok(()));
        assert_eq!(edits.add(span, text(b"two")), Ok(()));
        assert_eq!(edits.iter().next(), Some((span, &b"one"[..])));
        for (start, len) in [(9, 2), (14, 1), (11, 1), (0, 100)] {
            assert_eq!(edits.add(Span { start, len }, text(b"x")), Err(DoNotFit));
        }
        assert_eq!(edits.add(Span { start: 15, len: 1 }, text(b"x")), Ok(()));
        let far = Span {
            start: usize::MAX,
            len: 2,
        };
        assert_eq!(edits.add(far, text(b"x")), Err(DoNotFit));
    }
}
