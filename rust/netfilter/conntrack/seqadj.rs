// SPDX-License-Identifier: GPL-2.0

//! Sequence adjustment of a connection (`struct nf_conn_seqadj`), and changing
//! a packet's TCP header by it.

use super::{skb::Packet, Conn, Status};
use core::{
    mem::{align_of, offset_of, size_of},
    ptr::NonNull,
    slice,
};
use nf_bindings as bindings;
use nf_proto::{
    seqadj::{self, Edit, SeqAdj},
    tuple::Direction,
};

const _: () = {
    type C = bindings::nf_ct_seqadj;
    assert!(size_of::<SeqAdj>() == size_of::<C>() && align_of::<SeqAdj>() == align_of::<C>());
    assert!(offset_of!(SeqAdj, correction_pos) == offset_of!(C, correction_pos));
    assert!(offset_of!(SeqAdj, offset_before) == offset_of!(C, offset_before));
    assert!(offset_of!(SeqAdj, offset_after) == offset_of!(C, offset_after));
};

const _: () = assert!(size_of::<[SeqAdj; 2]>() == size_of::<bindings::nf_conn_seqadj>());

#[inline]
fn ext(conn: &Conn) -> Option<NonNull<[SeqAdj; 2]>> {
    conn.ext::<bindings::nf_conn_seqadj>().map(NonNull::cast)
}

/// Calls `f` with the adjustments of both directions, the connection's lock
/// held; nothing if it has none.
#[inline]
pub fn with<R>(conn: &Conn, f: impl FnOnce(&mut [SeqAdj; 2]) -> R) -> Option<R> {
    let mut ext = ext(conn)?;
    let _locked = conn.lock();
    // SAFETY: The extension lives as long as the connection and has this
    // layout (asserted above); it is changed only with the lock held.
    Some(f(unsafe { ext.as_mut() }))
}

/// Marks the connection as one whose packets are to be adjusted.
#[inline]
pub fn mark(conn: &Conn) {
    conn.set_status(Status::SEQ_ADJUST);
}

/// How much the sequence number `seq` of one direction is shifted. For those
/// who hold the connection's lock already, or can do with a value that is just
/// being changed.
#[inline]
pub fn offset(conn: &Conn, direction: Direction, seq: u32) -> i32 {
    let Some(ext) = ext(conn) else { return 0 };
    // SAFETY: The extension lives as long as the connection. Its words are
    // aligned and may be written meanwhile, hence volatile.
    let adjustment = unsafe {
        match direction {
            Direction::Original => (&raw const (*ext.as_ptr())[0]).read_volatile(),
            Direction::Reply => (&raw const (*ext.as_ptr())[1]).read_volatile(),
        }
    };
    adjustment.offset(seq)
}

/// Where a header or its part cannot be made writable, or is malformed.
pub struct Failed;

/// The fixed part of a TCP header, bytes.
const FIXED: u32 = 20;

/// Where the checksum is in a TCP header.
const CHECKSUM: u32 = 16;

/// Where the data offset is in a TCP header.
const DATA_OFFSET: u32 = 12;

/// Adjusts the TCP header at `protoff` (from the packet's data): `this` is the
/// packet's own direction, `other` that which it acknowledges.
///
/// The header is made writable first; pointers into the packet are invalid
/// afterwards.
///
/// # Errors
///
/// The packet must not go on.
pub fn adjust(
    packet: &mut Packet<'_>,
    protoff: u32,
    this: &SeqAdj,
    other: &SeqAdj,
) -> Result<(), Failed> {
    let fixed = writable(packet, protoff, FIXED)?;
    let words = fixed.get(DATA_OFFSET as usize).map_or(0, |byte| byte >> 4);
    // A packet that is too short for its options may still have no use of them;
    // `seqadj::adjust` knows.
    let length = (u32::from(words) * 4).max(FIXED);
    let available = packet.len().saturating_sub(protoff);
    let header = writable(packet, protoff, length.min(available))?;
    let edits = seqadj::adjust(header, this, other).map_err(|_| Failed)?;
    write(header, edits.as_slice())?;
    // SAFETY: The header was made writable above.
    unsafe { add_up(packet, protoff, edits.as_slice()) };
    Ok(())
}

/// Changes words of the TCP header of `length` bytes at `protoff` (from the packet's
/// data), and the checksum with them.
///
/// The header is made writable first; pointers into the packet are invalid
/// afterwards.
///
/// # Errors
///
/// The packet must not go on.
pub fn apply(
    packet: &mut Packet<'_>,
    protoff: u32,
    length: u32,
    edits: &[Edit],
) -> Result<(), Failed> {
    // The checksum is in the fixed part.
    let header = writable(packet, protoff, length.max(FIXED))?;
    write(header, edits)?;
    // SAFETY: The header was made writable above.
    unsafe { add_up(packet, protoff, edits) };
    Ok(())
}

#[inline]
fn write(header: &mut [u8], edits: &[Edit]) -> Result<(), Failed> {
    for edit in edits {
        let at = header
            .get_mut(edit.offset..)
            .and_then(<[u8]>::first_chunk_mut);
        *at.ok_or(Failed)? = edit.new.get().to_be_bytes();
    }
    Ok(())
}

/// Brings the checksum up to date.
///
/// # Safety
///
/// The fixed part of the header at `protoff` was made writable.
#[inline]
unsafe fn add_up(packet: &mut Packet<'_>, protoff: u32, edits: &[Edit]) {
    for edit in edits {
        let (old, new) = edit.summands();
        // SAFETY: The packet is valid and this CPU's own; the checksum is in the
        // fixed part, by the safety requirement; no borrow of the packet's bytes
        // is used any more.
        unsafe {
            bindings::tcp_csum_replace4(
                packet.as_ptr(),
                protoff.wrapping_add(CHECKSUM),
                old.raw(),
                new.raw(),
            );
        }
    }
}

/// The `length` bytes at `protoff`, writable and in the packet's linear part.
fn writable<'p>(
    packet: &'p mut Packet<'_>,
    protoff: u32,
    length: u32,
) -> Result<&'p mut [u8], Failed> {
    let end = protoff.checked_add(length).ok_or(Failed)?;
    // SAFETY: The packet is valid and this CPU's own; the call makes the first
    // `end` bytes writable and linear, or fails; while the slice is used the
    // packet is borrowed.
    unsafe {
        let skb = packet.as_ptr();
        if bindings::skb_ensure_writable(skb, end) != 0 {
            return Err(Failed);
        }
        Ok(slice::from_raw_parts_mut(
            (*skb).data.add(protoff as usize),
            length as usize,
        ))
    }
}

/// The sequence number of a TCP packet whose network header is set, host byte
/// order; nothing if it is cut off, or a later fragment.
pub fn sequence_number(packet: &Packet<'_>, family: u8) -> Option<u32> {
    let mut seq = 0;
    // SAFETY: The packet is valid; it is only read.
    unsafe { bindings::tcp_seq(packet.as_ptr(), family, &mut seq) }.then_some(seq)
}
