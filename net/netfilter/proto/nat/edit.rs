// SPDX-License-Identifier: GPL-2.0

//! Changes of a payload: what a helper replaces in what it has read, such as
//! an address in FTP's PORT command.
//!
//! A list of edits is checked as a whole, before anything is changed.

use core::cell::Cell;

/// Replaces bytes of a payload by others, fewer, as many, or more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Edit<'a> {
    /// Where, in bytes from the payload's start.
    pub offset: u32,
    /// How many are replaced. If none, `new` is put in before them.
    pub old_len: u32,
    /// By what.
    pub new: &'a [u8],
}

/// The edits cannot be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bad {
    /// They are not in the order of their offsets, overlap, or reach beyond
    /// the payload.
    Misplaced,
    /// The packet would be longer than may be.
    TooLong,
}

/// A list of edits that fit a payload.
#[derive(Clone, Copy, Debug)]
pub struct Edits<'a> {
    list: &'a [Edit<'a>],
    old_len: u32,
    new_len: u32,
}

impl<'a> Edits<'a> {
    /// Checks edits of a payload of `len` bytes, which may become up to
    /// `most` bytes long.
    ///
    /// # Errors
    ///
    /// See [`Bad`].
    pub fn new(list: &'a [Edit<'a>], len: u32, most: u32) -> Result<Self, Bad> {
        let mut end = 0;
        let mut new_len = len;
        for edit in list {
            if edit.offset < end {
                return Err(Bad::Misplaced);
            }
            end = edit
                .offset
                .checked_add(edit.old_len)
                .ok_or(Bad::Misplaced)?;
            let added = u32::try_from(edit.new.len()).map_err(|_| Bad::TooLong)?;
            new_len = new_len
                .checked_sub(edit.old_len)
                .ok_or(Bad::Misplaced)?
                .checked_add(added)
                .ok_or(Bad::TooLong)?;
        }
        if end > len {
            return Err(Bad::Misplaced);
        }
        // One that shrinks may be as long as it is.
        if new_len > most && new_len > len {
            return Err(Bad::TooLong);
        }
        Ok(Self {
            list,
            old_len: len,
            new_len,
        })
    }

    /// The payload's length afterwards, bytes.
    #[inline]
    pub const fn new_len(&self) -> u32 {
        self.new_len
    }

    /// By how much the payload grows, bytes; negative if it shrinks. Lengths of
    /// packets fit.
    #[inline]
    pub const fn growth(&self) -> i32 {
        self.new_len.wrapping_sub(self.old_len) as i32
    }

    /// Makes them. `buffer` holds the payload, and has room for it afterwards.
    /// False, and nothing has been changed, if it does not.
    ///
    /// What stays of the payload is moved once, whatever the number of edits.
    #[must_use]
    pub fn apply(&self, buffer: &mut [u8]) -> bool {
        if buffer.len() < self.old_len.max(self.new_len) as usize {
            return false;
        }
        // What moves towards the start first, from the start on; then what
        // moves towards the end, from the end on: nothing is overwritten that
        // has not moved.
        let forwards = |(i, _): (usize, &Edit<'_>)| self.stretch(i);
        for stretch in self.list.iter().enumerate().map(forwards) {
            if stretch.to < stretch.from {
                stretch.carry(buffer);
            }
        }
        for stretch in self.list.iter().enumerate().map(forwards).rev() {
            if stretch.to > stretch.from {
                stretch.carry(buffer);
            }
        }
        let mut shift = 0i32;
        for edit in self.list {
            let at = edit.offset.wrapping_add_signed(shift) as usize;
            let place = buffer.get_mut(at..).unwrap_or_default();
            for (old, new) in place.iter_mut().zip(edit.new) {
                *old = *new;
            }
            shift = shift.wrapping_add(edit.growth());
        }
        true
    }

    /// What stays behind an edit, up to the next one.
    fn stretch(&self, i: usize) -> Stretch {
        let mut shift = 0i32;
        let mut from = 0;
        for edit in self.list.iter().take(i.wrapping_add(1)) {
            shift = shift.wrapping_add(edit.growth());
            from = edit.offset.wrapping_add(edit.old_len);
        }
        let end = match self.list.get(i.wrapping_add(1)) {
            Some(next) => next.offset,
            None => self.old_len,
        };
        Stretch {
            from,
            len: end.wrapping_sub(from),
            to: from.wrapping_add_signed(shift),
        }
    }
}

impl Edit<'_> {
    const fn growth(&self) -> i32 {
        (self.new.len() as u32).wrapping_sub(self.old_len) as i32
    }
}

/// Bytes that move.
struct Stretch {
    from: u32,
    len: u32,
    to: u32,
}

impl Stretch {
    fn carry(&self, buffer: &mut [u8]) {
        let (from, to, len) = (self.from as usize, self.to as usize, self.len as usize);
        let (low, high) = if from < to { (from, to) } else { (to, from) };
        let Some(both) = buffer.get_mut(low..high.saturating_add(len)) else {
            return;
        };
        let both = Cell::from_mut(both).as_slice_of_cells();
        let apart = high.wrapping_sub(low);
        let (front, back) = match (both.get(..len), both.get(apart..)) {
            (Some(front), Some(back)) => (front, back),
            _ => return,
        };
        // Each in its turn, so that none is overwritten before it has moved.
        if from < to {
            for (old, new) in front.iter().zip(back).rev() {
                new.set(old.get());
            }
        } else {
            for (old, new) in back.iter().zip(front) {
                new.set(old.get());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec::Vec;

    /// Edits one after the other in a vector.
    fn plainly(payload: &[u8], list: &[Edit<'_>]) -> Vec<u8> {
        let mut result = payload.to_vec();
        for edit in list.iter().rev() {
            let (start, len) = (edit.offset as usize, edit.old_len as usize);
            result.splice(start..start + len, edit.new.iter().copied());
        }
        result
    }

    fn edit(offset: u32, old_len: u32, new: &[u8]) -> Edit<'_> {
        Edit {
            offset,
            old_len,
            new,
        }
    }

    fn check(payload: &[u8], list: &[Edit<'_>]) {
        let edits = Edits::new(list, payload.len() as u32, 1000).unwrap();
        let expected = plainly(payload, list);
        assert_eq!(edits.new_len() as usize, expected.len());
        assert_eq!(edits.growth(), expected.len() as i32 - payload.len() as i32);
        let mut buffer = payload.to_vec();
        buffer.resize(payload.len().max(expected.len()), 0xee);
        assert!(edits.apply(&mut buffer));
        assert_eq!(&buffer[..expected.len()], &expected[..]);
    }

    #[test]
    fn grows_and_shrinks() {
        let payload = b"PORT 10,0,0,1,4,1\r\nPORT 10,0,0,1,4,2\r\n";
        check(payload, &[]);
        check(payload, &[edit(5, 8, b"192,168,100,200")]);
        check(payload, &[edit(5, 8, b"1")]);
        check(payload, &[edit(5, 8, b"8,8,8,8,"), edit(24, 8, b"")]);
        // The first grows and the second shrinks, and the other way round.
        check(
            payload,
            &[edit(5, 8, b"255,255,255,255"), edit(24, 8, b"x")],
        );
        check(
            payload,
            &[edit(5, 8, b"x"), edit(24, 8, b"255,255,255,255")],
        );
        // At the ends, put in, next to each other.
        check(payload, &[edit(0, 0, b"abc"), edit(38, 0, b"xyz")]);
        check(payload, &[edit(0, 38, b"")]);
        check(
            payload,
            &[edit(3, 2, b"123456"), edit(5, 4, b""), edit(9, 0, b"+")],
        );
        check(b"", &[edit(0, 0, b"new")]);
    }

    #[test]
    fn what_cannot_be() {
        let bad = |list: &[Edit<'_>]| Edits::new(list, 10, 12).err();
        assert_eq!(bad(&[edit(8, 3, b"")]), Some(Bad::Misplaced));
        assert_eq!(bad(&[edit(11, 0, b"")]), Some(Bad::Misplaced));
        assert_eq!(bad(&[edit(5, u32::MAX, b"")]), Some(Bad::Misplaced));
        assert_eq!(bad(&[edit(u32::MAX, 2, b"")]), Some(Bad::Misplaced));
        assert_eq!(
            bad(&[edit(4, 4, b""), edit(7, 1, b"")]),
            Some(Bad::Misplaced)
        );
        assert_eq!(
            bad(&[edit(4, 4, b""), edit(2, 1, b"")]),
            Some(Bad::Misplaced)
        );
        assert_eq!(bad(&[edit(0, 0, b"abc")]), Some(Bad::TooLong));
        assert_eq!(bad(&[edit(0, 1, b"abc")]), None);
        // It was too long before.
        assert!(Edits::new(&[edit(0, 2, b"a")], 100, 12).is_ok());
    }

    #[test]
    fn without_room_nothing_is_changed() {
        let list = [edit(0, 1, b"xyz")];
        let edits = Edits::new(&list, 4, 100).unwrap();
        let mut buffer = *b"abcde";
        assert!(!edits.apply(&mut buffer));
        assert_eq!(&buffer, b"abcde");
    }
}
