// SPDX-License-Identifier: GPL-2.0

//! Texts to be written in place of others, in the order of a payload.

use super::Span;

/// Texts to be written: as many as there are slots, and as long as there is
/// room.
pub struct Edits<'r> {
    slots: &'r mut [Slot],
    count: usize,
    room: &'r mut [u8],
    used: usize,
}

/// Room for one of the [`Edits`].
#[derive(Clone, Copy, Default)]
pub struct Slot {
    /// What is replaced.
    start: u32,
    len: u32,
    /// Where the text is in the room for texts.
    text: u32,
    text_len: u32,
}

impl Slot {
    fn span(&self) -> Span {
        Span {
            start: self.start as usize,
            len: self.len as usize,
        }
    }

    fn text<'t>(&self, room: &'t [u8]) -> &'t [u8] {
        let from = room.get(self.text as usize..).unwrap_or(&[]);
        from.get(..self.text_len as usize).unwrap_or(&[])
    }
}

/// There is no room, or two texts would be in each other's way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DoNotFit;

impl<'r> Edits<'r> {
    /// None; to be kept in these slots and this room.
    #[inline]
    pub fn new(slots: &'r mut [Slot], room: &'r mut [u8]) -> Self {
        Edits {
            slots,
            count: 0,
            room,
            used: 0,
        }
    }

    /// Adds a text, to be written in place of `span`. What is to be replaced
    /// already stays as it was first said.
    pub fn add(&mut self, span: Span, text: &[u8]) -> Result<(), DoNotFit> {
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
        let number = |value: usize| u32::try_from(value).map_err(|_| DoNotFit);
        let used = self.used.checked_add(text.len()).ok_or(DoNotFit)?;
        let mut next = Slot {
            start: number(span.start)?,
            len: number(span.len)?,
            text: number(self.used)?,
            text_len: number(text.len())?,
        };
        number(end)?;
        let place = self.room.get_mut(self.used..used).ok_or(DoNotFit)?;
        let count = self.count.checked_add(1).ok_or(DoNotFit)?;
        let slots = self.slots.get_mut(..count).ok_or(DoNotFit)?;
        for (to, from) in place.iter_mut().zip(text) {
            *to = *from;
        }
        // Whatever is behind moves on by one.
        for slot in slots.iter_mut().skip(at) {
            core::mem::swap(slot, &mut next);
        }
        (self.count, self.used) = (count, used);
        Ok(())
    }

    /// How many there are.
    #[inline]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Span, &[u8])> {
        let room = &*self.room;
        let slots = self.slots.get(..self.count).unwrap_or(&[]);
        slots.iter().map(move |slot| (slot.span(), slot.text(room)))
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

    #[test]
    fn order_is_that_of_the_payload() {
        let (mut slots, mut room) = ([Slot::default(); 3], [0; 16]);
        let mut edits = Edits::new(&mut slots, &mut room);
        for (start, new) in [(20, b"b"), (10, b"a"), (30, b"c")] {
            assert_eq!(edits.add(Span { start, len: 3 }, new), Ok(()));
        }
        let found: Vec<_> = edits
            .iter()
            .map(|(span, text)| (span.start, text))
            .collect();
        assert_eq!(found, [(10, &b"a"[..]), (20, b"b"), (30, b"c")]);
        assert_eq!(edits.growth(0, 100), -6);
        assert_eq!(edits.growth(15, 30), -2);
        // No slot is left.
        let span = Span { start: 40, len: 1 };
        assert_eq!(edits.add(span, b"d"), Err(DoNotFit));
        assert_eq!(edits.count(), 3);
    }

    #[test]
    fn texts_have_so_much_room() {
        let (mut slots, mut room) = ([Slot::default(); 3], [0; 4]);
        let mut edits = Edits::new(&mut slots, &mut room);
        let at = |start| Span { start, len: 1 };
        assert_eq!(edits.add(at(1), b"abc"), Ok(()));
        assert_eq!(edits.add(at(3), b"de"), Err(DoNotFit));
        assert_eq!(edits.add(at(3), b"d"), Ok(()));
        assert_eq!(edits.add(at(5), b""), Ok(()));
        let texts: Vec<_> = edits.iter().map(|(_, text)| text).collect();
        assert_eq!(texts, [&b"abc"[..], b"d", b""]);
    }

    #[test]
    fn first_word_counts_and_overlaps_are_refused() {
        let (mut slots, mut room) = ([Slot::default(); 8], [0; 64]);
        let mut edits = Edits::new(&mut slots, &mut room);
        let span = Span { start: 10, len: 5 };
        assert_eq!(edits.add(span, b"one"), Ok(()));
        assert_eq!(edits.add(span, b"two"), Ok(()));
        assert_eq!(edits.iter().next(), Some((span, &b"one"[..])));
        for (start, len) in [(9, 2), (14, 1), (11, 1), (0, 100)] {
            assert_eq!(edits.add(Span { start, len }, b"x"), Err(DoNotFit));
        }
        assert_eq!(edits.add(Span { start: 15, len: 1 }, b"x"), Ok(()));
        for start in [usize::MAX, u32::MAX as usize] {
            assert_eq!(edits.add(Span { start, len: 2 }, b"x"), Err(DoNotFit));
        }
    }
}
