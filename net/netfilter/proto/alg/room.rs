// SPDX-License-Identifier: GPL-2.0

//! What a helper remembers of a connection: the few bytes that the connection
//! has room for (`nf_conn_help.data`), all zero at first.

use crate::be::Be16;

/// How many bytes there are.
pub const SIZE: usize = 32;

/// The bytes.
pub type Room = [u8; SIZE];

/// Something that is kept in a connection's [`Room`]. Whatever bytes are there
/// mean something; zeros mean the default.
pub trait Kept: Default {
    /// How many bytes it has, from the room's start on. The others are left
    /// alone, and not looked at: they may be somebody else's.
    const LEN: usize = SIZE;

    /// What the bytes mean.
    fn load(reader: &mut Reader<'_>) -> Self;

    /// Writes the bytes that mean this.
    fn store(&self, writer: &mut Writer<'_>);
}

/// Reads what `room` keeps.
#[inline]
pub fn load<T: Kept>(room: &[u8]) -> T {
    T::load(&mut Reader(room))
}

/// Keeps `value` in `room`.
#[inline]
pub fn store<T: Kept>(value: &T, room: &mut [u8]) {
    value.store(&mut Writer(room));
}

/// Reads numbers from a room, one after the other.
pub struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    #[inline]
    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk() {
            Some((bytes, rest)) => {
                self.0 = rest;
                *bytes
            }
            None => [0; N],
        }
    }

    /// A byte.
    #[inline]
    pub fn byte(&mut self) -> u8 {
        let [byte] = self.take();
        byte
    }

    /// A 16-bit number.
    #[inline]
    pub fn short(&mut self) -> u16 {
        u16::from_ne_bytes(self.take())
    }

    /// A 32-bit number.
    #[inline]
    pub fn word(&mut self) -> u32 {
        u32::from_ne_bytes(self.take())
    }

    /// A 16-bit number in network byte order.
    #[inline]
    pub fn be16(&mut self) -> Be16 {
        Be16::from_bytes(self.take())
    }
}

/// Writes numbers into a room, one after the other.
pub struct Writer<'a>(&'a mut [u8]);

impl Writer<'_> {
    #[inline]
    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        if let Some((to, rest)) = core::mem::take(&mut self.0).split_first_chunk_mut() {
            *to = bytes;
            self.0 = rest;
        }
    }

    /// A byte.
    #[inline]
    pub fn byte(&mut self, value: u8) {
        self.put([value]);
    }

    /// A 16-bit number.
    #[inline]
    pub fn short(&mut self, value: u16) {
        self.put(value.to_ne_bytes());
    }

    /// A 32-bit number.
    #[inline]
    pub fn word(&mut self, value: u32) {
        self.put(value.to_ne_bytes());
    }

    /// A 16-bit number in network byte order.
    #[inline]
    pub fn be16(&mut self, value: Be16) {
        self.put(value.to_bytes());
    }
}

/// For both directions.
impl<T: Kept> Kept for [T; 2] {
    #[inline]
    fn load(reader: &mut Reader<'_>) -> Self {
        [T::load(reader), T::load(reader)]
    }

    #[inline]
    fn store(&self, writer: &mut Writer<'_>) {
        let [first, second] = self;
        first.store(writer);
        second.store(writer);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What is kept is found again, there is room for it, zeros are the default.
    #[track_caller]
    pub(in super::super) fn is_kept<T: Kept + PartialEq + core::fmt::Debug>(value: T) {
        let mut whole = [0; SIZE];
        let room = &mut whole[..T::LEN];
        assert_eq!(load::<T>(room), T::default());
        store(&value, room);
        assert_eq!(load::<T>(room), value);
    }
}
