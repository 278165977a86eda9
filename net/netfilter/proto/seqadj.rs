// SPDX-License-Identifier: GPL-2.0

//! TCP sequence number adjustment.
//!
//! When a helper has changed the length of a payload, everything that its
//! sender sends later stands at other sequence numbers for its peer. The
//! sender's sequence numbers are shifted on the way there ([`SeqAdj::forward`])
//! and what the peer acknowledges is shifted back ([`SeqAdj::backward`]).
//!
//! All arithmetic is modulo 2^32 (RFC 9293 section 3.4).

use crate::be::Be32;

/// How one direction of a connection is shifted (`struct nf_ct_seqadj`).
///
/// It remembers the last change of length only; what is still under way from
/// before the change before that is shifted wrongly, then repeated by TCP.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SeqAdj {
    /// The sender's sequence number of the segment whose length was changed
    /// last, host order.
    pub correction_pos: u32,
    /// The shift of this segment's start and of all before it.
    pub offset_before: i32,
    /// The shift of all that follows this segment's start.
    pub offset_after: i32,
}

impl SeqAdj {
    /// The whole direction is shifted by `offset`, as by SYNPROXY.
    #[inline]
    pub const fn whole(offset: i32) -> Self {
        Self {
            correction_pos: 0,
            offset_before: offset,
            offset_after: offset,
        }
    }

    /// The payload of the segment at `seq` (the sender's number, host order)
    /// has grown by `by` bytes, or shrunk if `by` is negative.
    ///
    /// A segment at or before the last one changed is a retransmission, whose
    /// change is counted already.
    pub fn set(&mut self, seq: u32, by: i32) {
        if by == 0 {
            return;
        }
        if self.offset_before == self.offset_after || is_after(seq, self.correction_pos) {
            self.correction_pos = seq;
            self.offset_before = self.offset_after;
            self.offset_after = self.offset_after.wrapping_add(by);
        }
    }

    /// How much a sequence number of the sender is shifted.
    #[inline]
    pub const fn offset(&self, seq: u32) -> i32 {
        if is_after(seq, self.correction_pos) {
            self.offset_after
        } else {
            self.offset_before
        }
    }

    /// A sequence number of the sender, as its peer knows it.
    #[inline]
    pub const fn forward(&self, seq: u32) -> u32 {
        seq.wrapping_add_signed(self.offset(seq))
    }

    /// A sequence number of the sender that its peer writes (an
    /// acknowledgment, an edge of a SACK block), as the sender knows it.
    ///
    /// It is never behind the start of the segment that was changed last if
    /// the peer has all that stands before it.
    #[inline]
    pub const fn backward(&self, ack: u32) -> u32 {
        let before = ack.wrapping_sub(self.offset_before as u32);
        if !is_after(before, self.correction_pos) {
            return before;
        }
        let after = ack.wrapping_sub(self.offset_after as u32);
        if is_after(after, self.correction_pos) {
            after
        } else {
            // In the middle of a segment that has grown.
            self.correction_pos
        }
    }
}

/// Whether sequence number `a` comes after `b`.
#[inline]
const fn is_after(a: u32, b: u32) -> bool {
    (b.wrapping_sub(a) as i32) < 0
}

/// A change of 32 bits in a header, to be applied to the checksum as well.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Edit {
    /// Where, in bytes from the start of the TCP header. An odd offset, which
    /// a SACK option may have, shifts the words in the checksum by a byte.
    pub offset: usize,
    /// What stands there.
    pub old: Be32,
    /// What must stand there.
    pub new: Be32,
}

impl Edit {
    /// The old and the new value as the checksum has them: at an odd offset
    /// each byte is in the other half of its 16-bit word.
    #[inline]
    pub const fn summands(&self) -> (Be32, Be32) {
        if self.offset & 1 == 0 {
            return (self.old, self.new);
        }
        (
            Be32::new(self.old.get().rotate_left(8)),
            Be32::new(self.new.get().rotate_left(8)),
        )
    }
}

/// Sequence number, acknowledgment number, and in 40 bytes of options at most
/// four SACK blocks of two edges.
const MAX_EDITS: usize = 10;

/// The edits of one TCP header, in the order of their offsets. Where nothing
/// changes there is no edit.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Edits {
    list: [Edit; MAX_EDITS],
    number: usize,
}

impl Edits {
    /// The edits.
    #[inline]
    pub fn as_slice(&self) -> &[Edit] {
        self.list.get(..self.number).unwrap_or_default()
    }

    fn add(&mut self, offset: usize, old: u32, new: u32) -> Result<(), Malformed> {
        if old != new {
            *self.list.get_mut(self.number).ok_or(Malformed)? = Edit {
                offset,
                old: Be32::new(old),
                new: Be32::new(new),
            };
            self.number = self.number.wrapping_add(1);
        }
        Ok(())
    }
}

/// A header that is cut off, or options that cannot be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

const TCP_HEADER: usize = 20;
const FLAG_ACK: u8 = 0x10;
const OPTION_END: u8 = 0;
const OPTION_NOP: u8 = 1;
/// RFC 2018.
const OPTION_SACK: u8 = 5;

/// The edits that adjust the TCP header at the start of `header`, which must
/// hold its options too. `this` is the shift of the packet's own direction,
/// `other` that of the direction it acknowledges.
///
/// # Errors
///
/// [`Malformed`]: the packet is to be dropped, as nothing can be said about
/// what it acknowledges.
pub fn adjust(header: &[u8], this: &SeqAdj, other: &SeqAdj) -> Result<Edits, Malformed> {
    let mut edits = Edits::default();
    let (fixed, _) = header.split_first_chunk::<TCP_HEADER>().ok_or(Malformed)?;
    let [_, _, _, _, s0, s1, s2, s3, a0, a1, a2, a3, data_offset, flags, ..] = *fixed;

    let seq = u32::from_be_bytes([s0, s1, s2, s3]);
    edits.add(4, seq, this.forward(seq))?;
    if flags & FLAG_ACK == 0 {
        return Ok(edits);
    }
    let ack = u32::from_be_bytes([a0, a1, a2, a3]);
    edits.add(8, ack, other.backward(ack))?;

    // No longer than 60 bytes, so nothing below can wrap.
    let end = usize::from(data_offset >> 4).wrapping_mul(4);
    let mut at = TCP_HEADER;
    let mut options = header.get(TCP_HEADER..end).ok_or(Malformed)?;
    loop {
        let length = match *options {
            [] | [OPTION_END, ..] => return Ok(edits),
            [OPTION_NOP, ..] => 1,
            [_, length, ..] if length >= 2 => usize::from(length),
            _ => return Err(Malformed),
        };
        let (option, rest) = options.split_at_checked(length).ok_or(Malformed)?;
        if let [OPTION_SACK, _, blocks @ ..] = option {
            sack(&mut edits, at.wrapping_add(2), blocks, other)?;
        }
        at = at.wrapping_add(length);
        options = rest;
    }
}

/// Adjusts the blocks of a SACK option, which start at `at`. An option of
/// another length than a number of whole blocks is none, as for the receiver.
fn sack(edits: &mut Edits, at: usize, blocks: &[u8], other: &SeqAdj) -> Result<(), Malformed> {
    if blocks.len() % 8 != 0 {
        return Ok(());
    }
    for (i, edge) in blocks.chunks_exact(4).enumerate() {
        let Ok(edge) = edge.try_into() else { break };
        let edge = u32::from_be_bytes(edge);
        let offset = at.wrapping_add(i.wrapping_mul(4));
        edits.add(offset, edge, other.backward(edge))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec::Vec;

    #[test]
    fn layout_of_nf_ct_seqadj() {
        assert_eq!(core::mem::size_of::<SeqAdj>(), 12);
        assert_eq!(core::mem::offset_of!(SeqAdj, offset_before), 4);
        assert_eq!(core::mem::offset_of!(SeqAdj, offset_after), 8);
    }

    /// What is set: position and growth; then sequence numbers and their shifts.
    type Row = (u32, i32, &'static [(u32, i32)]);

    #[test]
    fn set_and_offset() {
        // Near the wrap.
        let mut adj = SeqAdj::default();
        let rows: &[Row] = &[
            (100, 0, &[(99, 0), (101, 0)]),
            (
                u32::MAX - 9,
                5,
                &[(u32::MAX - 9, 0), (u32::MAX - 8, 5), (3, 5)],
            ),
            // Again: a retransmission, and one of an older segment.
            (u32::MAX - 9, 5, &[(3, 5)]),
            (u32::MAX - 50, 5, &[(3, 5)]),
            (20, -12, &[(20, 5), (21, -7), (u32::MAX, 5)]),
            (40, 7, &[(40, -7), (41, 0)]),
        ];
        for (seq, by, offsets) in rows {
            adj.set(*seq, *by);
            for (seq, offset) in *offsets {
                assert_eq!(adj.offset(*seq), *offset, "after {adj:?}, {seq}");
            }
        }
    }

    #[test]
    fn partial_acknowledgment_of_a_grown_segment() {
        let mut adj = SeqAdj::default();
        adj.set(1000, 5);
        let rows = [
            (999, 999),
            (1000, 1000),
            (1001, 1000),
            (1005, 1000),
            (1006, 1001),
            (1025, 1020),
        ];
        for (ack, expected) in rows {
            assert_eq!(adj.backward(ack), expected);
        }
    }

    #[test]
    fn whole_direction() {
        for offset in [i32::MIN, -1, 1, i32::MAX] {
            let adj = SeqAdj::whole(offset);
            for seq in [0, 1, 1 << 31, u32::MAX] {
                assert_eq!(adj.backward(adj.forward(seq)), seq);
            }
        }
    }

    /// A TCP header of sequence number 100, acknowledgment number 200.
    fn header(flags: u8, options: &[u8]) -> Vec<u8> {
        let words = (TCP_HEADER + options.len()) / 4;
        let mut header = std::vec![0, 1, 0, 2, 0, 0, 0, 100, 0, 0, 0, 200];
        header.extend([(words as u8) << 4, flags, 0, 0, 0, 0, 0, 0]);
        header.extend(options);
        header
    }

    fn edits(header: &[u8]) -> Result<Vec<(usize, u32, u32)>, Malformed> {
        let edits = adjust(header, &SeqAdj::whole(1), &SeqAdj::whole(2))?;
        let edit = |edit: &Edit| (edit.offset, edit.old.get(), edit.new.get());
        Ok(edits.as_slice().iter().map(edit).collect())
    }

    #[test]
    fn headers() {
        let both = [(4, 100, 101), (8, 200, 198)];
        assert_eq!(edits(&header(0x02, &[])).unwrap(), both[..1]);
        assert_eq!(edits(&header(0x10, &[])).unwrap(), both);

        let block = [OPTION_NOP, OPTION_SACK, 10, 0, 0, 0, 9, 0, 0, 1, 0, 1];
        let mut expected = both.to_vec();
        expected.extend([(23, 9, 7), (27, 256, 254)]);
        assert_eq!(edits(&header(0x10, &block)).unwrap(), expected);
        assert_eq!(edits(&header(0x02, &block)).unwrap(), both[..1]);

        let mut full = std::vec![OPTION_NOP, OPTION_NOP, OPTION_SACK, 34];
        full.extend([0; 32]);
        assert_eq!(edits(&header(0x10, &full)).unwrap().len(), 10);
        let four = [OPTION_SACK, 10, 0, 0, 0, 9, 0, 0, 1, 0].repeat(4);
        assert_eq!(edits(&header(0x10, &four)).unwrap().len(), 10);
        let odd = [OPTION_SACK, 8, 0, 0, 0, 9, 0, 0];
        assert_eq!(edits(&header(0x10, &odd)).unwrap(), both);
        let end = [OPTION_END, OPTION_SACK, 77, 0];
        assert_eq!(edits(&header(0x10, &end)).unwrap(), both);
    }

    /// Replacing the summands in the checksum is the same as a new checksum.
    #[test]
    fn checksum() {
        use crate::checksum::{internet, update};

        let block = [OPTION_NOP, OPTION_SACK, 10, 0, 0, 1, 9, 0xff, 0xff, 1, 0, 1];
        let mut bytes = header(0x10, &block);
        let mut sum = internet(&bytes);
        let edits = adjust(&bytes, &SeqAdj::whole(-300), &SeqAdj::whole(70_000)).unwrap();
        assert_eq!(edits.as_slice().len(), 4);
        for edit in edits.as_slice() {
            let (old, new) = edit.summands();
            for shift in [0, 16] {
                let half = |word: Be32| (word.get() >> shift) as u16;
                sum = update(sum, half(old), half(new));
            }
            bytes[edit.offset..][..4].copy_from_slice(&edit.new.get().to_be_bytes());
        }
        assert_eq!(sum, internet(&bytes));
    }

    #[test]
    fn malformed_headers() {
        assert_eq!(edits(&[]), Err(Malformed));
        assert_eq!(edits(&header(0x10, &[])[..19]), Err(Malformed));
        // Cut off, or with a data offset below the fixed part.
        assert_eq!(edits(&header(0x10, &[1; 8])[..27]), Err(Malformed));
        let mut short = header(0x10, &[]);
        short[12] = 4 << 4;
        assert_eq!(edits(&short), Err(Malformed));

        for options in [[1, 1, 1, 5], [1, 1, 5, 3], [8, 0, 1, 1], [8, 1, 1, 1]] {
            assert_eq!(edits(&header(0x10, &options)), Err(Malformed));
        }
    }

    #[test]
    fn without_a_shift_there_is_no_edit() {
        let edits = adjust(
            &header(0x10, &[1, 1, 1, 1]),
            &SeqAdj::default(),
            &SeqAdj::default(),
        );
        assert_eq!(edits.unwrap().as_slice(), []);
    }
}
