// SPDX-License-Identifier: GPL-2.0

//! What helpers do with the connections that a packet announces: expect them,
//! and under NAT announce others instead. All of it happens, or nothing and the
//! packet is dropped.

use crate::expect::{self, Wanted};
use kernel::prelude::*;
use netfilter::conntrack::{
    expect::NewExpect,
    helper::{Nat, Why},
    skb::Packet,
    Conn, Info,
};
use nf_proto::{
    alg::{text::Buffer, Span},
    nat::edit::Edit,
    tuple::Direction,
};

/// Expectations in the making, at most `N`, with texts of at most `L` bytes.
///
/// What is dropped without [`finish`](Self::finish) is withdrawn.
pub struct Announcements<'c, const N: usize, const L: usize> {
    conn: &'c Conn,
    nat: Option<&'c Nat>,
    made: [Option<Made<'c, L>>; N],
    count: usize,
}

struct Made<'c, const L: usize> {
    exp: NewExpect<'c>,
    edit: Option<(Span, Buffer<L>)>,
}

impl<'c, const N: usize, const L: usize> Announcements<'c, N, L> {
    /// None yet, of a packet of `conn`.
    pub fn new(conn: &'c Conn, nat: Option<&'c Nat>) -> Self {
        Announcements {
            conn,
            nat,
            made: [const { None }; N],
            count: 0,
        }
    }

    /// Expects a connection. If the connection at hand is translated, the
    /// expected one comes in direction `direction` of it, and `write` writes
    /// what is to be announced instead, for the port that it gets, in place of
    /// `span`.
    pub fn announce(
        &mut self,
        wanted: &Wanted<'_>,
        direction: Direction,
        span: Span,
        write: impl FnOnce(u16) -> Option<Buffer<L>>,
    ) -> Result<(), Why> {
        let slot = self
            .made
            .get_mut(self.count)
            .ok_or(c"too many announcements")?;
        let mut exp = NewExpect::alloc(self.conn).ok_or(c"cannot alloc expectation")?;
        expect::describe(&mut exp, wanted);
        let edit = match self.nat {
            None => {
                expect::related(&exp, 0, 0, 0).map_err(|_| c"cannot add expectation")?;
                None
            }
            Some(nat) => {
                (nat.follow)(&mut exp, wanted.port, direction);
                let port = (nat.expect)(&mut exp).ok_or(c"all ports in use")?;
                match write(port) {
                    Some(text) => Some((span, text)),
                    None => {
                        expect::withdraw(&exp);
                        return Err(c"cannot mangle packet");
                    }
                }
            }
        };
        *slot = Some(Made { exp, edit });
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// Writes what has to be announced instead into the packet, at `transport`
    /// bytes after its data. If it fails nothing is expected any more.
    pub fn finish(
        mut self,
        packet: &mut Packet<'_>,
        info: Info,
        transport: u32,
    ) -> Result<(), Why> {
        if let Some(nat) = self.nat {
            let nothing = Edit {
                offset: 0,
                old_len: 0,
                new: &[],
            };
            let mut edits = [nothing; N];
            let mut count = 0usize;
            let wanted = self
                .made
                .iter()
                .flatten()
                .filter_map(|made| made.edit.as_ref());
            for (edit, (span, text)) in edits.iter_mut().zip(wanted) {
                *edit = span.replaced(text.text());
                count = count.saturating_add(1);
            }
            let edits = edits.get(..count).unwrap_or(&[]);
            if !edits.is_empty() {
                (nat.edit)(packet, self.conn, info, transport, edits)
                    .map_err(|_| c"cannot mangle packet")?;
            }
        }
        // From here on they stay.
        self.made = [const { None }; N];
        Ok(())
    }
}

impl<const N: usize, const L: usize> Drop for Announcements<'_, N, L> {
    fn drop(&mut self) {
        for made in self.made.iter().flatten() {
            expect::withdraw(&made.exp);
        }
    }
}
