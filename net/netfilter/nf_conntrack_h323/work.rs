// SPDX-License-Identifier: GPL-2.0

//! What a packet's messages lead to, and what is written into them. All of it
//! happens, or the packet is dropped and nothing new is expected.

use crate::Nat;
use kernel::prelude::*;
use netfilter::conntrack::{
    helper::{Help, Why},
    skb::Packet,
    Conn, Info,
};
use nf_conntrack::made::Made;
use nf_proto::{
    alg::h323::{
        state::State,
        translate::{self, Ends, Full, Rewrites, Side},
        Found, Role,
    },
    be::Be16,
    nat::edit::Edit,
    tuple::{Address, Direction, Family},
};

/// The most expectations that a packet leads to: more than a
/// connection can have at once.
const MOST_EXPECTED: usize = 24;

/// How many pairs of ports of streams a packet may have.
const PAIRS: usize = 12;

/// What is known of a packet, and what its messages have led to so far.
pub(crate) struct Work<'c> {
    pub(crate) conn: &'c Conn,
    pub(crate) help: Help<'c>,
    pub(crate) direction: Direction,
    pub(crate) family: Family,
    pub(crate) ends: Ends,
    /// There if the connection is translated.
    pub(crate) nat: Option<&'c Nat>,
    /// As it was, or as it is to be.
    pub(crate) state: State,
    pub(crate) before: State,
    pub(crate) made: Made<'c, MOST_EXPECTED>,
    pub(crate) rewrites: Rewrites,
    /// Pairs of ports that the packet has told of, and where they are expected.
    pub(crate) pairs: [(u16, u16); PAIRS],
}

pub(crate) fn full(_: Full) -> Why {
    c"too many addresses"
}

impl<'c> Work<'c> {
    /// Nothing yet.
    pub(crate) fn new(
        conn: &'c Conn,
        help: Help<'c>,
        direction: Direction,
        state: State,
        nat: Option<&'c Nat>,
    ) -> Self {
        Work {
            conn,
            help,
            direction,
            family: conn.family(),
            ends: Ends::new(conn.tuple(direction), conn.tuple(direction.opposite())),
            nat,
            state,
            before: state,
            made: Made::new(),
            rewrites: Rewrites::new(),
            pairs: [(0, 0); PAIRS],
        }
    }

    /// What NAT does, if the sender's address is translated.
    pub(crate) fn source_nat(&self) -> Option<&'c Nat> {
        self.nat
            .filter(|_| self.ends.source.address != self.ends.new_source.address)
    }

    /// A message of call signalling or control.
    pub(crate) fn call(&mut self, payload: &[u8], found: &Found) -> Result<(), Why> {
        for place in found.places() {
            let Some(endpoint) = place.endpoint(payload) else {
                continue;
            };
            match place.role {
                Role::H245 => self.control(place, endpoint)?,
                Role::Media => self.media(place, endpoint)?,
                Role::Data => self.data(place, endpoint)?,
                Role::Alternative => self.forwarded(place, endpoint)?,
                Role::Ras | Role::CallSignal | Role::Destination | Role::Source => {}
            }
        }
        if self.nat.is_some() {
            translate::setup(found, payload, &self.ends, &mut self.rewrites).map_err(full)?;
        }
        Ok(())
    }

    /// Writes what there is to write, and remembers.
    pub(crate) fn finish(
        mut self,
        packet: &mut Packet<'_>,
        info: Info,
        transport: u32,
    ) -> Result<(), Why> {
        if let Some(nat) = self.nat {
            self.write(nat, packet, info, transport)?;
        }
        if self.state != self.before {
            let new = self.state;
            self.help.remember(self.conn, |state: &mut State| {
                state.signal = new.signal;
                state.seconds = new.seconds;
            });
        }
        self.made.keep();
        Ok(())
    }

    /// No length changes. A packet of which a part is written and then no more
    /// is dropped.
    fn write(
        &mut self,
        nat: &Nat,
        packet: &mut Packet<'_>,
        info: Info,
        transport: u32,
    ) -> Result<(), Why> {
        const AT_ONCE: usize = 8;
        let ends = self.ends;
        let len = match self.family {
            Family::Ipv4 => 6,
            Family::Ipv6 => 18,
        };
        for some in self.rewrites.sorted().chunks(AT_ONCE) {
            let mut texts = [[0; 18]; AT_ONCE];
            for (text, rewrite) in texts.iter_mut().zip(some) {
                let address = match rewrite.side {
                    Side::Source => &ends.new_source.address,
                    Side::Destination => &ends.new_destination.address,
                };
                *text = encoded(address, self.family, rewrite.port);
            }
            let nothing = Edit {
                offset: 0,
                old_len: 0,
                new: &[],
            };
            let mut edits = [nothing; AT_ONCE];
            for ((edit, rewrite), text) in edits.iter_mut().zip(some).zip(&texts) {
                *edit = Edit {
                    offset: rewrite.at.into(),
                    old_len: len,
                    new: text.get(..len as usize).unwrap_or(&[]),
                };
            }
            let edits = edits.get(..some.len()).unwrap_or(&[]);
            (nat.edit)(packet, self.conn, info, transport, edits)
                .map_err(|_| c"cannot mangle packet")?;
        }
        Ok(())
    }
}

/// An address and a port, as they stand in messages.
fn encoded(address: &Address, family: Family, port: Be16) -> [u8; 18] {
    let [a, b, c, d] = address.0.map(|word| u128::from(word.get()));
    let port = u128::from(port.get());
    let (high, low) = match family {
        Family::Ipv4 => ((a << 96) | (port << 80), 0),
        Family::Ipv6 => ((a << 96) | (b << 64) | (c << 32) | d, port as u16),
    };
    let mut text = [0; 18];
    let bytes = Iterator::chain(high.to_be_bytes().into_iter(), low.to_be_bytes());
    for (to, from) in text.iter_mut().zip(bytes) {
        *to = from;
    }
    text
}
