// SPDX-License-Identifier: GPL-2.0

//! Integers in network byte order, as they stand in headers and tuples.

/// A 16-bit value in network byte order.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Be16(u16);

impl Be16 {
    /// From a value in host order.
    #[inline]
    pub const fn new(host: u16) -> Self {
        Self(host.to_be())
    }

    /// From two bytes as they stand in the packet.
    #[inline]
    pub const fn from_bytes(bytes: [u8; 2]) -> Self {
        Self(u16::from_ne_bytes(bytes))
    }

    /// The bytes as they stand in the packet.
    #[inline]
    pub const fn to_bytes(self) -> [u8; 2] {
        self.0.to_ne_bytes()
    }

    /// The value in host order.
    #[inline]
    pub const fn get(self) -> u16 {
        u16::from_be(self.0)
    }

    /// The raw memory word, for hashing and for C fields of type `__be16`.
    #[inline]
    pub const fn raw(self) -> u16 {
        self.0
    }

    /// From a raw C field of type `__be16`.
    #[inline]
    pub const fn from_raw(raw: u16) -> Self {
        Self(raw)
    }
}

/// A 32-bit value in network byte order.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Be32(u32);

impl Be32 {
    /// From a value in host order.
    #[inline]
    pub const fn new(host: u32) -> Self {
        Self(host.to_be())
    }

    /// From four bytes as they stand in the packet.
    #[inline]
    pub const fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(u32::from_ne_bytes(bytes))
    }

    /// The bytes as they stand in the packet.
    #[inline]
    pub const fn to_bytes(self) -> [u8; 4] {
        self.0.to_ne_bytes()
    }

    /// The value in host order.
    #[inline]
    pub const fn get(self) -> u32 {
        u32::from_be(self.0)
    }

    /// The raw memory word, for hashing and for C fields of type `__be32`.
    #[inline]
    pub const fn raw(self) -> u32 {
        self.0
    }

    /// From a raw C field of type `__be32`.
    #[inline]
    pub const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }
}
