// SPDX-License-Identifier: GPL-2.0

//! For helpers: changing what a packet says, and finding a way for the
//! connections that it tells of.

use crate::setup;
use kernel::prelude::*;
use netfilter::{
    conntrack::{
        expect::{Expect, NewExpect},
        skb::Packet,
        Conn, Info,
    },
    random,
};
use nf_bindings as bindings;
use nf_conntrack::{expect, seqadj};
use nf_proto::{
    be::Be16,
    nat::{
        edit::{Edit, Edits},
        ids::{Effort, Ids, Trial},
        range::Range,
        rewrite::{Form, Layout},
        settle::{self, LONGEST},
        Manip,
    },
    tuple::Direction,
};

/// Why a packet was not changed. It says what it said before, and must not go
/// on if that would tell of an address that is not to be seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotMangled;

/// Whether a helper tells of a change of length itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Adjust {
    /// The sequence numbers that follow are shifted.
    Yes,
    /// The helper does so, when it has made all changes of the packet.
    No,
}

/// Makes changes in the payload of a TCP segment or UDP datagram, whose transport
/// header is `transport` bytes from the network header: all of them, or none.
/// Lengths and checksum are right afterwards, and pointers into the packet
/// invalid.
///
/// The sequence numbers of a TCP connection are adjusted for all of the changes
/// of a segment together: it is to be called once a segment, or with
/// [`Adjust::No`]. The connection's lock is taken for that; it must not be held.
///
/// # Errors
///
/// [`NotMangled`]: the edits are not within the payload, the packet would become
/// too long, memory is short, or it is another kind of packet.
pub fn mangle(
    packet: &mut Packet<'_>,
    conn: &Conn,
    info: Info,
    transport: u32,
    edits: &[Edit<'_>],
    adjust: Adjust,
) -> Result<(), NotMangled> {
    let family = crate::translate::family(conn).ok_or(NotMangled)?;
    let old_len = packet.network_len();
    let layout = Layout {
        family,
        protocol: conn.protocol(),
        transport,
        len: old_len,
    };
    let partial = packet.is_partial();
    // Of a tunnel's packet, whose inside is to be completed, nothing is changed.
    if partial && packet.form(transport) != Form::Pseudo {
        return Err(NotMangled);
    }
    let grown: u32 = edits
        .iter()
        .map(|edit| u32::try_from(edit.new.len()).unwrap_or(LONGEST))
        .fold(0, u32::saturating_add);
    if grown > LONGEST {
        return Err(NotMangled);
    }
    let mut roomy = packet.make_room(grown).ok_or(NotMangled)?;

    let bytes = roomy.bytes();
    let start = settle::payload(bytes, &layout).map_err(|_| NotMangled)?;
    let seq = settle::sequence_number(bytes, &layout);
    let old_payload = old_len.checked_sub(start).ok_or(NotMangled)?;
    let most = LONGEST.saturating_sub(start);
    let edits = Edits::new(edits, old_payload, most).map_err(|_| NotMangled)?;

    // From here on nothing fails.
    let growth = edits.growth();
    if growth > 0 && !roomy.lengthen(growth.unsigned_abs()) {
        return Err(NotMangled);
    }
    let payload = roomy.bytes().get_mut(start as usize..).unwrap_or_default();
    let applied = edits.apply(payload);
    let unwanted = if applied {
        growth.min(0)
    } else {
        growth.max(0)
    };
    if unwanted != 0 && !roomy.shorten(unwanted.unsigned_abs()) {
        return Err(NotMangled);
    }
    if !applied {
        return Err(NotMangled);
    }
    match settle::settle(roomy.bytes(), &layout, partial) {
        Ok(Some(sum)) => roomy.set_partial(sum),
        Ok(None) => {}
        Err(_) => return Err(NotMangled),
    }
    if let (Some(seq), Adjust::Yes) = (seq, adjust) {
        seqadj::set(conn, info, seq, growth);
    }
    Ok(())
}

/// Lets `change` change bytes of a payload in place, as [`mangle`] does: if it
/// says that it has, the checksum is right afterwards. It gets the transport
/// header, and the payload behind it.
///
/// # Errors
///
/// [`NotMangled`]: memory is short, or it is another kind of packet; `E` if
/// `change` says so.
pub fn rewrite<E: From<NotMangled>>(
    packet: &mut Packet<'_>,
    conn: &Conn,
    transport: u32,
    change: impl FnOnce(&mut [u8], &mut [u8]) -> Result<bool, E>,
) -> Result<(), E> {
    let layout = Layout {
        family: crate::translate::family(conn).ok_or(NotMangled)?,
        protocol: conn.protocol(),
        transport,
        len: packet.network_len(),
    };
    let partial = packet.is_partial();
    if partial && packet.form(transport) != Form::Pseudo {
        return Err(NotMangled.into());
    }
    let mut roomy = packet.make_room(0).ok_or(NotMangled)?;
    let bytes = roomy.bytes();
    let start = settle::payload(bytes, &layout).map_err(|_| NotMangled)?;
    let header = start.saturating_sub(transport) as usize;
    let (header, payload) = bytes
        .get_mut(transport as usize..)
        .and_then(|segment| segment.split_at_mut_checked(header))
        .ok_or(NotMangled)?;
    if change(header, payload)? {
        let settled = settle::settle(roomy.bytes(), &layout, partial).map_err(|_| NotMangled)?;
        if let Some(sum) = settled {
            roomy.set_partial(sum);
        }
    }
    Ok(())
}

/// Lets an expected connection go where its master goes: from where the master
/// goes to, to where it comes from, at the port that was told before it was
/// changed (`nf_nat_follow_master`). A function of expectations; under RCU.
///
/// If there is no such way, the connection is dropped when it is confirmed.
pub fn follow_master(conn: &Conn, exp: &Expect) {
    let Some(master) = conn.master() else { return };
    let other: Direction = exp.direction().opposite();
    let (source, destination) = {
        let tuple = master.tuple(other);
        (tuple.dst.address, tuple.src.address)
    };
    let _ = setup::setup(conn, &Range::to(source), Manip::Source);
    let there = Range::exactly(destination, exp.saved_id());
    let _ = setup::setup(conn, &there, Manip::Destination);
}

/// Expects at `port`, or if that is others', at one above it (`nf_nat_exp_find_port`).
/// The port, host order; none if there is none or it cannot be expected.
pub fn expect_at_port(exp: &mut NewExpect<'_>, port: u16) -> Option<u16> {
    let mut attempt = Attempt { exp, failed: false };
    if !attempt.taken(port, Effort::Gentle) {
        return Some(port).filter(|_| !attempt.failed);
    }
    let found = Ids::new(port, u16::MAX).search(&mut attempt);
    found.filter(|_| !attempt.failed)
}

/// Expects two, one at an even port and one at the next, both of them or none: at
/// `port`, or at a pair above it. The even port, host order; none if there is
/// none or they cannot be expected.
///
/// What somebody else expects in the very same way is in the way as well: both
/// could not be told apart.
pub fn expect_at_pair(pair: [&mut NewExpect<'_>; 2], port: u16) -> Option<u16> {
    let mut attempt = PairAttempt {
        pair,
        failed: false,
    };
    // The next ones first, as phones have a range that they go through.
    let pairs = Ids::new(port >> 1, u16::MAX >> 1);
    let found = pairs
        .ascend(&mut attempt)
        .or_else(|| pairs.search(&mut attempt));
    found.filter(|_| !attempt.failed).map(|number| number << 1)
}

/// Ids are those of pairs: half of the even port.
struct PairAttempt<'e, 'm> {
    pair: [&'e mut NewExpect<'m>; 2],
    failed: bool,
}

impl Trial for PairAttempt<'_, '_> {
    fn random(&mut self) -> u32 {
        random::u64() as u32
    }

    fn taken(&mut self, id: u16, _effort: Effort) -> bool {
        let [even, odd] = &mut self.pair;
        let port = id << 1;
        even.set_port(Be16::new(port));
        odd.set_port(Be16::new(port | 1));
        match expect::related_pair([&**even, &**odd], bindings::NF_CT_EXP_F_SKIP_MASTER) {
            Ok(()) => false,
            Err(error) if error == EBUSY => true,
            Err(error) if error.to_errno() == -(bindings::EALREADY as i32) => true,
            Err(_) => {
                self.failed = true;
                false
            }
        }
    }
}

struct Attempt<'e, 'm> {
    exp: &'e mut NewExpect<'m>,
    failed: bool,
}

impl Trial for Attempt<'_, '_> {
    fn random(&mut self) -> u32 {
        random::u64() as u32
    }

    /// An error other than that somebody has the port ends the search.
    fn taken(&mut self, id: u16, _effort: Effort) -> bool {
        self.exp.set_port(Be16::new(id));
        match expect::related(self.exp, 0, 0, 0) {
            Ok(()) => false,
            Err(error) if error == EBUSY => true,
            Err(_) => {
                self.failed = true;
                false
            }
        }
    }
}
