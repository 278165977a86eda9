// SPDX-License-Identifier: GPL-2.0

//! Writing messages and attributes.

use core::{marker::PhantomData, mem::ManuallyDrop, ptr::NonNull, slice};
use kernel::{
    error::code::{EMSGSIZE, ENOMEM},
    ffi::c_uint,
    prelude::*,
};
use nf_bindings as bindings;
use nf_proto::be::{Be16, Be32};

/// There was no room for all of it: nothing of it was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

impl From<Full> for Error {
    fn from(_: Full) -> Error {
        EMSGSIZE
    }
}

/// A socket buffer for messages, which nobody has seen yet.
pub struct Buffer(NonNull<bindings::sk_buff>);

// SAFETY: It belongs to no thread.
unsafe impl Send for Buffer {}

impl Buffer {
    /// Room for one answer of usual size (`NLMSG_GOODSIZE` and its header).
    pub const USUAL: usize = 3 * 1024;

    /// An empty one with room for a message with `payload` bytes after its
    /// `struct nlmsghdr`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`
    pub fn new(payload: usize, gfp: bindings::gfp_t) -> Result<Self> {
        // SAFETY: An allocation, in a context that `gfp` is for.
        let skb = unsafe { bindings::nlmsg_new(payload, gfp) };
        NonNull::new(skb).map(Buffer).ok_or(ENOMEM)
    }

    /// Begins a message.
    #[inline]
    pub fn message(&mut self, header: Header) -> Writer<'_> {
        // SAFETY: Nobody else uses the buffer while it is borrowed.
        unsafe { Writer::message(self.0, header) }
    }

    /// Hands the buffer over to C code.
    #[inline]
    pub fn into_raw(self) -> *mut bindings::sk_buff {
        ManuallyDrop::new(self).0.as_ptr()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: It was not handed over, and so is ours.
        unsafe { bindings::nlmsg_free(self.0.as_ptr()) };
    }
}

/// How an nfnetlink message begins (`struct nlmsghdr`, `struct nfgenmsg`).
#[derive(Clone, Copy)]
pub struct Header {
    /// The netlink port that it answers, or 0.
    pub portid: u32,
    /// The sequence number that it answers, or 0.
    pub seq: u32,
    /// Of which subsystem it is (`NFNL_SUBSYS_*`).
    pub subsystem: u8,
    /// The message's number within its subsystem.
    pub message: u8,
    /// `NLM_F_*`
    pub flags: u16,
    /// `NFPROTO_*`
    pub family: u8,
    /// `res_id`: a number that the subsystem gives a meaning.
    pub resource: u16,
}

const ATTRIBUTE_HEADER: usize = 4;

/// Writes attributes, of a message or after what a message has already.
///
/// Nothing of it is part of the buffer before [`finish`](Writer::finish):
/// dropping a writer undoes what it wrote. What has no room is noted, and said
/// in the end.
///
/// # Invariants
///
/// `room` bytes from `base` on are this writer's own: the unused rest of the
/// linear buffer of `skb`, which ended at `base`. `used <= room`, and of the
/// used ones the buffer has `counted` in its length already.
pub struct Writer<'s> {
    skb: NonNull<bindings::sk_buff>,
    base: NonNull<u8>,
    room: usize,
    used: usize,
    counted: usize,
    is_full: bool,
    is_message: bool,
    _skb: PhantomData<&'s mut Buffer>,
}

impl<'s> Writer<'s> {
    /// Begins a message at the end of a buffer.
    ///
    /// # Safety
    ///
    /// `skb` is linear, and used by nobody else during `'s`.
    #[inline]
    pub unsafe fn message(skb: NonNull<bindings::sk_buff>, header: Header) -> Self {
        // SAFETY: By the function's safety requirement.
        let mut writer = unsafe { Self::attributes(skb) };
        writer.is_message = true;
        let [t0, t1] = u16::from_be_bytes([header.subsystem, header.message]).to_ne_bytes();
        let [f0, f1] = header.flags.to_ne_bytes();
        let [s0, s1, s2, s3] = header.seq.to_ne_bytes();
        let [p0, p1, p2, p3] = header.portid.to_ne_bytes();
        let [r0, r1] = header.resource.to_be_bytes();
        writer.raw([
            0,
            0,
            0,
            0, // the length, when it is known
            t0,
            t1,
            f0,
            f1,
            s0,
            s1,
            s2,
            s3,
            p0,
            p1,
            p2,
            p3, // nlmsghdr
            header.family,
            bindings::NFNETLINK_V0 as u8,
            r0,
            r1, // nfgenmsg
        ]);
        writer
    }

    /// Begins attributes at the end of a buffer.
    ///
    /// # Safety
    ///
    /// `skb` is linear, and used by nobody else during `'s`.
    #[inline]
    pub unsafe fn attributes(skb: NonNull<bindings::sk_buff>) -> Self {
        // SAFETY: A valid buffer; its data ends at `tail`, the memory at `end`,
        // both from `head` on.
        let (base, room) = unsafe {
            let raw = skb.as_ptr();
            let (tail, end) = ((*raw).tail, (*raw).end);
            (
                NonNull::new_unchecked((*raw).head.add(tail as usize)),
                end.saturating_sub(tail) as usize,
            )
        };
        // INVARIANT: Nothing is used yet.
        Writer {
            skb,
            base,
            room,
            used: 0,
            counted: 0,
            is_full: false,
            is_message: false,
            _skb: PhantomData,
        }
    }

    /// What is not used yet.
    #[inline]
    fn rest(&mut self) -> &mut [u8] {
        // SAFETY: By the type invariant; the slice borrows the writer. Whatever
        // the bytes are, they were written or are about to be: the allocator
        // does not hand out memory that may not be looked at.
        unsafe {
            slice::from_raw_parts_mut(
                self.base.as_ptr().add(self.used),
                self.room.saturating_sub(self.used),
            )
        }
    }

    #[inline]
    fn raw<const N: usize>(&mut self, bytes: [u8; N]) {
        match self.rest().first_chunk_mut::<N>() {
            Some(to) => {
                *to = bytes;
                // INVARIANT: There was room for so many.
                self.used = self.used.wrapping_add(N);
            }
            None => self.is_full = true,
        }
    }

    /// The header of an attribute with `length` bytes.
    #[inline]
    fn header(number: u32, length: u16) -> [u8; ATTRIBUTE_HEADER] {
        let [l0, l1] = length.wrapping_add(ATTRIBUTE_HEADER as u16).to_ne_bytes();
        let [n0, n1] = (number as u16).to_ne_bytes();
        [l0, l1, n0, n1]
    }

    /// A byte.
    #[inline]
    pub fn u8(&mut self, number: u32, value: u8) -> &mut Self {
        let [a, b, c, d] = Self::header(number, 1);
        self.raw([a, b, c, d, value, 0, 0, 0]);
        self
    }

    /// Two bytes in network order.
    #[inline]
    pub fn be16(&mut self, number: u32, value: Be16) -> &mut Self {
        let [a, b, c, d] = Self::header(number, 2);
        let [e, f] = value.to_bytes();
        self.raw([a, b, c, d, e, f, 0, 0]);
        self
    }

    /// Two bytes as they are.
    #[inline]
    pub fn pair(&mut self, number: u32, [e, f]: [u8; 2]) -> &mut Self {
        let [a, b, c, d] = Self::header(number, 2);
        self.raw([a, b, c, d, e, f, 0, 0]);
        self
    }

    /// Four bytes in network order.
    #[inline]
    pub fn be32(&mut self, number: u32, value: Be32) -> &mut Self {
        let [a, b, c, d] = Self::header(number, 4);
        let [e, f, g, h] = value.to_bytes();
        self.raw([a, b, c, d, e, f, g, h]);
        self
    }

    /// A number, as four bytes in network order.
    #[inline]
    pub fn number(&mut self, number: u32, value: u32) -> &mut Self {
        self.be32(number, Be32::new(value))
    }

    /// Four bytes in host order.
    #[inline]
    pub fn u32(&mut self, number: u32, value: u32) -> &mut Self {
        self.be32(number, Be32::from_raw(value))
    }

    /// A number, as eight bytes in network order. (Where unaligned access is
    /// cheap, as here, the kernel does not pad such attributes.)
    #[inline]
    pub fn be64(&mut self, number: u32, value: u64) -> &mut Self {
        let [a, b, c, d] = Self::header(number, 8);
        let [e, f, g, h, i, j, k, l] = value.to_be_bytes();
        self.raw([a, b, c, d, e, f, g, h, i, j, k, l]);
        self
    }

    /// An IPv6 address.
    pub fn address(&mut self, number: u32, words: [Be32; 4]) -> &mut Self {
        let [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]] = words.map(Be32::to_bytes);
        self.raw(Self::header(number, 16));
        self.raw([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]);
        self
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, number: u32, value: &[u8]) -> &mut Self {
        self.fill(number, |room| {
            for (to, from) in room.iter_mut().zip(value) {
                *to = *from;
            }
            Some(value.len())
        })
    }

    /// A text, and a zero byte.
    pub fn text(&mut self, number: u32, value: &[u8]) -> &mut Self {
        self.fill(number, |room| {
            let zero = core::iter::once(&0);
            for (to, from) in room.iter_mut().zip(Iterator::chain(value.iter(), zero)) {
                *to = *from;
            }
            value.len().checked_add(1)
        })
    }

    /// What `f` writes into the room it gets: it says how long that is, which is
    /// more than the room if it was too small, or nothing for no attribute.
    pub fn fill(&mut self, number: u32, f: impl FnOnce(&mut [u8]) -> Option<usize>) -> &mut Self {
        let Some((header, room)) = self.rest().split_first_chunk_mut::<ATTRIBUTE_HEADER>() else {
            self.is_full = true;
            return self;
        };
        let Some(length) = f(room) else { return self };
        // Attributes begin at multiples of four.
        let padded = length.checked_next_multiple_of(4);
        let all = padded.and_then(|padded| padded.checked_add(ATTRIBUTE_HEADER));
        let padding = padded.and_then(|padded| room.get_mut(length..padded));
        match (padding, all, u16::try_from(length)) {
            (Some(padding), Some(all), Ok(length)) if length <= LONGEST => {
                padding.fill(0);
                *header = Self::header(number, length);
                // INVARIANT: Header, value and padding were within the rest.
                self.used = self.used.wrapping_add(all);
            }
            _ => self.is_full = true,
        }
        self
    }

    /// What `f` writes, as a nest.
    #[inline]
    pub fn nest(&mut self, number: u32, f: impl FnOnce(&mut Self)) -> &mut Self {
        let start = self.used;
        self.raw(Self::header(number | bindings::NLA_F_NESTED, 0));
        f(self);
        let length = u16::try_from(self.used.wrapping_sub(start));
        // SAFETY: By the type invariant; `start` is not beyond what is used.
        let written = unsafe {
            slice::from_raw_parts_mut(
                self.base.as_ptr().add(start),
                self.used.saturating_sub(start),
            )
        };
        match (length, written.first_chunk_mut::<2>()) {
            (Ok(length), Some(to)) => *to = length.to_ne_bytes(),
            _ => self.is_full = true,
        }
        self
    }

    /// The text of a security mark as attribute `inner` of the nest `number`, if
    /// a security module knows it.
    pub fn security_context(&mut self, number: u32, inner: u32, mark: u32) -> &mut Self {
        let (start, was_full) = (self.used, self.is_full);
        let mut is_known = true;
        self.nest(number, |writer| {
            writer.fill(inner, |room| {
                // SAFETY: There is as much room.
                let length =
                    unsafe { bindings::secctx(mark, room.as_mut_ptr().cast(), room.len()) };
                let Ok(length) = usize::try_from(length) else {
                    is_known = false;
                    return None;
                };
                if let Some(end) = room.get_mut(length) {
                    *end = 0;
                }
                length.checked_add(1)
            });
        });
        if !is_known {
            // INVARIANT: As much was used before.
            (self.used, self.is_full) = (start, was_full);
        }
        self
    }

    /// What C code writes, by the buffer, whose length is up to date meanwhile.
    /// `f` is false if it had no room; it only appends.
    pub fn foreign(&mut self, f: impl FnOnce(*mut bindings::sk_buff) -> bool) -> &mut Self {
        if self.is_full {
            return self;
        }
        self.count();
        let skb = self.skb.as_ptr();
        let done = f(skb);
        // SAFETY: The buffer is valid, and only became longer.
        let end = unsafe { (*skb).head.add((*skb).tail as usize) } as usize;
        let used = end.wrapping_sub(self.base.as_ptr() as usize);
        // INVARIANT: What C appended is counted, and within the buffer.
        self.used = used.min(self.room);
        self.counted = self.used;
        self.is_full |= !done;
        self
    }

    /// All had room so far.
    #[inline]
    pub fn is_ok(&self) -> bool {
        !self.is_full
    }

    /// Makes what was written part of the buffer.
    ///
    /// # Errors
    ///
    /// Not all had room; nothing was written.
    #[inline]
    pub fn finish(mut self) -> Result<(), Full> {
        if self.is_full {
            return Err(Full);
        }
        if self.is_message {
            let length = (self.used as u32).to_ne_bytes();
            // SAFETY: By the type invariant.
            let written = unsafe { slice::from_raw_parts_mut(self.base.as_ptr(), self.used) };
            match written.first_chunk_mut::<4>() {
                Some(to) => *to = length,
                None => return Err(Full),
            }
        }
        self.count();
        // Nothing is to be undone.
        self.counted = 0;
        Ok(())
    }

    /// Brings the buffer's length up to date.
    #[inline]
    fn count(&mut self) {
        let more = self.used.saturating_sub(self.counted);
        if more != 0 {
            // SAFETY: By the type invariant the buffer has room for as many.
            unsafe { bindings::skb_put(self.skb.as_ptr(), more as c_uint) };
        }
        self.counted = self.used;
    }
}

/// The longest value of an attribute.
const LONGEST: u16 = u16::MAX - ATTRIBUTE_HEADER as u16;

// As written by `Writer::message`.
const _: () = assert!(size_of::<bindings::nlmsghdr>() + size_of::<bindings::nfgenmsg>() == 20);

impl Drop for Writer<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.counted != 0 {
            let skb = self.skb.as_ptr();
            // SAFETY: The buffer is as much longer as it was when the writer
            // began.
            unsafe { bindings::skb_trim(skb, (*skb).len.saturating_sub(self.counted as c_uint)) };
        }
    }
}
