// SPDX-License-Identifier: GPL-2.0

//! Netlink attributes: reading what a [`Policy`] has checked, and writing.
//!
//! The kernel's own parser checks types, lengths and ranges once, by a policy
//! that is a constant of the module; what it refuses is never seen here, and
//! its complaint is in the extended acknowledgement already. Accessors give
//! `None` for an attribute that is missing.
//!
//! ```ignore
//! static POLICY: Policy<{ CTA_TUPLE_MAX as usize + 1 }> = Policy::new(&[
//!     (CTA_TUPLE_IP, Rule::Nested),
//!     (CTA_TUPLE_ZONE, Rule::U16),
//! ]);
//!
//! let parsed = attribute.nested(&POLICY, request.extack())?;
//! let zone = parsed.attributes().be16(CTA_TUPLE_ZONE).map(Be16::get);
//! ```
//!
//! Writing is in [`Writer`]: `writer.be32(CTA_MARK, Be32::new(mark))`; whether
//! all had room is asked once, in the end.
//!
//! C header: [`include/net/netlink.h`](srctree/include/net/netlink.h)

mod write;

pub use write::{Buffer, Full, Header, Writer};

use core::{
    marker::PhantomData,
    mem::{size_of, zeroed},
    ptr::{null, NonNull},
};
use kernel::{error::to_result, ffi::c_int, prelude::*};
use nf_bindings as bindings;
use nf_proto::be::{Be16, Be32};

/// What an attribute must be like.
#[derive(Clone, Copy)]
pub enum Rule {
    /// One byte.
    U8,
    /// One byte, at most so much.
    U8Max(u8),
    /// Two bytes, in any byte order.
    U16,
    /// Four bytes, in any byte order.
    U32,
    /// Eight bytes, in any byte order.
    U64,
    /// Four bytes in host order, with no other bits than these.
    U32Bits(u32),
    /// Four bytes in network order, with no other bits than these.
    Be32Bits(u32),
    /// Four bytes in network order, at most so much.
    Be32Max(u16),
    /// Attributes.
    Nested,
    /// At most so many bytes.
    Bytes(u16),
    /// At least so many bytes.
    AtLeast(u16),
    /// A text of at most so many bytes, and a zero byte.
    Text(u16),
    /// A text of any length, and a zero byte.
    AnyText,
    /// The attribute is for messages from the kernel only.
    Refused,
}

/// What each attribute of a kind of message or nest must be like, by its
/// number: `N` is the largest number plus one. Attributes without a rule may be
/// anything; larger ones are passed over.
#[repr(transparent)]
pub struct Policy<const N: usize>([bindings::nla_policy; N]);

// SAFETY: It is never written.
unsafe impl<const N: usize> Sync for Policy<N> {}

impl<const N: usize> Policy<N> {
    /// A policy; for statics and constants.
    pub const fn new(rules: &[(u32, Rule)]) -> Self {
        // SAFETY: All of its fields may be zero.
        let mut table = unsafe { zeroed::<[bindings::nla_policy; N]>() };
        let mut i = 0;
        while i < rules.len() {
            let (attribute, rule) = rules[i];
            table[attribute as usize] = rule.entry();
            i += 1;
        }
        Policy(table)
    }

    /// The policy as what commands are described by.
    pub const fn table(&'static self) -> Table {
        Table {
            first: self.0.as_ptr(),
            max: (N - 1) as u16,
        }
    }
}

/// A [`Policy`] of some length.
#[derive(Clone, Copy)]
pub struct Table {
    pub(crate) first: *const bindings::nla_policy,
    /// The largest attribute.
    pub(crate) max: u16,
}

impl Table {
    /// No attributes.
    pub const NONE: Table = Table {
        first: null(),
        max: 0,
    };
}

impl Rule {
    const fn entry(self) -> bindings::nla_policy {
        // SAFETY: All of its fields may be zero.
        let mut entry = unsafe { zeroed::<bindings::nla_policy>() };
        let (kind, len) = match self {
            Rule::U8 | Rule::U8Max(_) => (bindings::NLA_U8, 0),
            Rule::U16 => (bindings::NLA_U16, 0),
            Rule::U32 | Rule::U32Bits(_) => (bindings::NLA_U32, 0),
            Rule::Be32Bits(_) | Rule::Be32Max(_) => (bindings::NLA_BE32, 0),
            Rule::U64 => (bindings::NLA_U64, 0),
            Rule::Nested => (bindings::NLA_NESTED, 0),
            Rule::Bytes(most) => (bindings::NLA_BINARY, most),
            Rule::AtLeast(least) => (bindings::NLA_UNSPEC, least),
            Rule::Text(most) => (bindings::NLA_NUL_STRING, most),
            Rule::AnyText => (bindings::NLA_NUL_STRING, 0),
            Rule::Refused => (bindings::NLA_REJECT, 0),
        };
        entry.type_ = kind as u8;
        entry.len = len;
        let most = match self {
            Rule::U8Max(most) => most as i16,
            Rule::Be32Max(most) => most as i16,
            _ => 0,
        };
        match self {
            Rule::U8Max(_) | Rule::Be32Max(_) => {
                entry.validation_type = bindings::nla_policy_validation_NLA_VALIDATE_MAX as u8;
                // SAFETY: The two values of a range, of which the second is the
                // largest.
                unsafe {
                    (&raw mut entry.__bindgen_anon_1)
                        .cast::<[i16; 2]>()
                        .write([0, most]);
                }
            }
            Rule::U32Bits(bits) | Rule::Be32Bits(bits) => {
                entry.validation_type = bindings::nla_policy_validation_NLA_VALIDATE_MASK as u8;
                // SAFETY: A plain integer of the union.
                unsafe {
                    (&raw mut entry.__bindgen_anon_1).cast::<u32>().write(bits);
                }
            }
            _ => {}
        }
        entry
    }
}

/// Where a complaint about a message goes (`struct netlink_ext_ack`): a text,
/// and which attribute it is about.
#[derive(Clone, Copy)]
pub struct Extack<'a>(*mut bindings::netlink_ext_ack, PhantomData<&'a ()>);

impl<'a> Extack<'a> {
    /// Nobody is interested.
    pub const NONE: Extack<'static> = Extack(core::ptr::null_mut(), PhantomData);

    /// From a C pointer.
    ///
    /// # Safety
    ///
    /// `ptr` is null or valid during `'a`.
    #[inline]
    pub unsafe fn from_raw(ptr: *mut bindings::netlink_ext_ack) -> Self {
        Extack(ptr, PhantomData)
    }

    /// Says why a message is refused; returns `error`.
    #[cold]
    pub fn refuse(self, error: Error, text: &'static CStr) -> Error {
        if !self.0.is_null() {
            // SAFETY: Valid by the safety requirement; the text is static.
            unsafe { (*self.0)._msg = text.as_char_ptr() };
        }
        error
    }

    /// [`refuse`](Self::refuse), because of one of its attributes.
    #[cold]
    pub fn refuse_attribute(
        self,
        error: Error,
        text: &'static CStr,
        attribute: Attribute<'_>,
    ) -> Error {
        if !self.0.is_null() {
            // SAFETY: Valid by the safety requirement; the attribute is part of
            // the message, which outlives its acknowledgement.
            unsafe { (*self.0).bad_attr = attribute.as_ptr() };
        }
        self.refuse(error, text)
    }
}

/// An attribute whose length has been checked (`struct nlattr`).
///
/// # Invariants
///
/// As many bytes as it says are there during `'a`, and do not change.
#[derive(Clone, Copy)]
pub struct Attribute<'a>(NonNull<bindings::nlattr>, PhantomData<&'a [u8]>);

const HEADER: usize = size_of::<bindings::nlattr>();

impl<'a> Attribute<'a> {
    /// From a C pointer; none if null.
    ///
    /// # Safety
    ///
    /// `ptr` is null or the type invariant holds.
    #[inline]
    pub unsafe fn from_raw(ptr: *const bindings::nlattr) -> Option<Self> {
        // INVARIANT: By the function's safety requirement.
        NonNull::new(ptr.cast_mut()).map(|raw| Attribute(raw, PhantomData))
    }

    /// The C pointer.
    #[inline]
    pub fn as_ptr(self) -> *const bindings::nlattr {
        self.0.as_ptr()
    }

    /// What is in it.
    #[inline]
    pub fn payload(self) -> &'a [u8] {
        // SAFETY: By the type invariant.
        unsafe {
            let length = usize::from((*self.0.as_ptr()).nla_len).saturating_sub(HEADER);
            core::slice::from_raw_parts(self.0.as_ptr().add(1).cast(), length)
        }
    }

    /// The text in it, without its zero byte.
    #[inline]
    pub fn text(self) -> &'a [u8] {
        self.payload()
            .split(|byte| *byte == 0)
            .next()
            .unwrap_or(&[])
    }

    /// The attributes in it, not as strictly as new ones are checked: what is
    /// unknown or too long is let through, as it always was.
    ///
    /// # Errors
    ///
    /// They are not as the policy says (`EINVAL`, `ERANGE`).
    #[inline]
    pub fn nested<const N: usize>(
        self,
        policy: &'static Policy<N>,
        extack: Extack<'_>,
    ) -> Result<Parsed<'a, N>> {
        self.parse(policy, N, extack, bindings::nla_parse_nest_extack)
    }

    /// As [`nested`](Self::nested), but attributes from number `end` on are not
    /// looked at.
    ///
    /// # Errors
    ///
    /// As [`nested`](Self::nested).
    #[inline]
    pub fn nested_below<const N: usize>(
        self,
        policy: &'static Policy<N>,
        end: usize,
        extack: Extack<'_>,
    ) -> Result<Parsed<'a, N>> {
        self.parse(policy, end, extack, bindings::nla_parse_nest_extack)
    }

    /// The attributes in it, which must all be known, of exactly the right
    /// length, and marked as a nest (`NLA_F_NESTED`).
    ///
    /// # Errors
    ///
    /// They are not as the policy says (`EINVAL`, `ERANGE`).
    #[inline]
    pub fn nested_strict<const N: usize>(
        self,
        policy: &'static Policy<N>,
        extack: Extack<'_>,
    ) -> Result<Parsed<'a, N>> {
        self.parse(policy, N, extack, bindings::nla_parse_nest_strict)
    }

    #[inline]
    fn parse<const N: usize>(
        self,
        policy: &'static Policy<N>,
        end: usize,
        extack: Extack<'_>,
        parse: unsafe extern "C" fn(
            *mut *mut bindings::nlattr,
            c_int,
            *const bindings::nlattr,
            *const bindings::nla_policy,
            *mut bindings::netlink_ext_ack,
        ) -> c_int,
    ) -> Result<Parsed<'a, N>> {
        let mut table = [core::ptr::null_mut(); N];
        let max = end.min(N).saturating_sub(1) as c_int;
        // SAFETY: The table and the policy have room for `max`; the attribute is
        // valid by its invariant.
        to_result(unsafe {
            parse(
                table.as_mut_ptr(),
                max,
                self.as_ptr(),
                policy.0.as_ptr(),
                extack.0,
            )
        })?;
        Ok(Parsed(table, PhantomData))
    }
}

/// The attributes of a nest.
///
/// # Invariants
///
/// Null pointers or valid attributes during `'a`.
pub struct Parsed<'a, const N: usize>([*mut bindings::nlattr; N], PhantomData<&'a [u8]>);

impl<const N: usize> Parsed<'_, N> {
    /// The attributes.
    #[inline]
    pub fn attributes(&self) -> Attributes<'_> {
        Attributes(&self.0)
    }
}

/// The attributes of a message or a nest, each found by its number, without
/// order or repetition (of repeated ones the last counts).
///
/// # Invariants
///
/// Null pointers or valid attributes during `'a`.
#[derive(Clone, Copy)]
pub struct Attributes<'a>(&'a [*mut bindings::nlattr]);

impl<'a> Attributes<'a> {
    /// From C's table of pointers.
    ///
    /// # Safety
    ///
    /// `table` has `length` entries, for which the type invariant holds.
    #[inline]
    pub unsafe fn from_raw(table: *const *const bindings::nlattr, length: usize) -> Self {
        // SAFETY: By the function's safety requirement.
        Attributes(unsafe { core::slice::from_raw_parts(table.cast(), length) })
    }

    /// C's table of pointers.
    #[inline]
    pub fn as_ptr(self) -> *mut *mut bindings::nlattr {
        self.0.as_ptr().cast_mut()
    }

    /// An attribute.
    #[inline]
    pub fn get(self, number: u32) -> Option<Attribute<'a>> {
        let raw = NonNull::new(*self.0.get(number as usize)?)?;
        // INVARIANT: By the type's invariant.
        Some(Attribute(raw, PhantomData))
    }

    /// An attribute is there.
    #[inline]
    pub fn has(self, number: u32) -> bool {
        self.get(number).is_some()
    }

    /// Any of these is there.
    #[inline]
    pub fn has_any(self, numbers: &[u32]) -> bool {
        numbers.iter().any(|number| self.has(*number))
    }

    /// What is in an attribute.
    #[inline]
    pub fn bytes(self, number: u32) -> Option<&'a [u8]> {
        self.get(number).map(Attribute::payload)
    }

    /// The text in an attribute, without its zero byte.
    #[inline]
    pub fn text(self, number: u32) -> Option<&'a [u8]> {
        self.get(number).map(Attribute::text)
    }

    /// The first bytes of an attribute; its rule says that it has so many.
    #[inline]
    pub fn array<const L: usize>(self, number: u32) -> Option<[u8; L]> {
        self.bytes(number)?.first_chunk().copied()
    }

    /// A byte.
    #[inline]
    pub fn u8(self, number: u32) -> Option<u8> {
        self.array(number).map(|[byte]| byte)
    }

    /// Two bytes in network order.
    #[inline]
    pub fn be16(self, number: u32) -> Option<Be16> {
        self.array(number).map(Be16::from_bytes)
    }

    /// Four bytes in network order.
    #[inline]
    pub fn be32(self, number: u32) -> Option<Be32> {
        self.array(number).map(Be32::from_bytes)
    }

    /// Eight bytes in network order, as a number.
    #[inline]
    pub fn be64(self, number: u32) -> Option<u64> {
        self.array(number).map(u64::from_be_bytes)
    }

    /// Four bytes in host order.
    #[inline]
    pub fn u32(self, number: u32) -> Option<u32> {
        self.array(number).map(u32::from_ne_bytes)
    }
}
