// SPDX-License-Identifier: GPL-2.0

//! The connections that are counted together.

use crate::dense::Dense;
use core::mem::take;
use kernel::{cpu::CpuId, error::code::ENOMEM, prelude::*};
use netfilter::{
    conntrack::{
        skb::{Carried, Packet},
        state,
        table::same_tuple,
        Conn, ConnRef, Net, Status, Zone,
    },
    time,
};
use nf_conntrack::{packet, store};
use nf_proto::{
    conncount::{Budget, Noted, Seen},
    l4::{number, tcp},
    tuple::{Direction, Tuple},
};

/// The connection of a packet, as it is to be counted.
pub struct Candidate {
    /// Of the connection's original direction.
    tuple: Tuple,
    zone: Zone,
    /// It is in the table and has seen both directions: it was counted when it
    /// began.
    pub assured: bool,
}

impl Candidate {
    /// What a packet carries or, before tracking has seen it, belongs to. `None`
    /// if it cannot be read. Under RCU.
    pub fn of(net: Net, packet: &Packet<'_>, l3num: u16) -> Option<Self> {
        let zone = match packet.carried() {
            Carried::Connection(conn, _) => return Some(Self::known(conn)),
            Carried::Template(template) => template.zone(),
            Carried::Nothing | Carried::Untracked => Zone::DEFAULT,
        };
        let tuple = packet::tuple_at(packet, packet.network_offset(), l3num, net)?;
        if let Some((conn, _)) = packet::find(net, zone, &tuple) {
            // A reply counts for the connection that it answers.
            return Some(Self::known(&conn));
        }
        Some(Self {
            tuple,
            zone,
            assured: false,
        })
    }

    #[inline]
    fn known(conn: &Conn) -> Self {
        Self {
            tuple: *conn.tuple(Direction::Original),
            zone: conn.zone(),
            assured: conn.status().has(Status::CONFIRMED | Status::ASSURED),
        }
    }
}

/// A connection that was noted.
struct Entry {
    tuple: Tuple,
    zone: Zone,
    noted: Noted,
}

impl Entry {
    /// The connection in the table: that which has this tuple in its original
    /// direction. The reply of another, in another zone, is not it.
    #[inline]
    fn find(&self, net: Net, hash: u32) -> Option<ConnRef> {
        match packet::find_hashed(net, self.zone, &self.tuple, hash) {
            Some((conn, Direction::Original)) => Some(conn),
            _ => None,
        }
    }

    #[inline]
    fn seen(&self, net: Net, hash: u32) -> Seen {
        match self.find(net, hash) {
            None => Seen::Absent,
            Some(conn) if conn.protocol() == number::TCP => {
                Seen::tcp(state::peek::<tcp::State>(&conn).state())
            }
            Some(_) => Seen::Open,
        }
    }
}

/// Connections counted together. Whoever has it has its lock.
pub struct Connections {
    entries: Dense<Entry>,
    /// Where the last look has ended.
    cursor: u32,
    /// When counts were last made exact, in jiffies.
    tidied: u32,
}

impl Connections {
    /// None.
    #[allow(clippy::new_without_default)] // the time is now
    pub fn new() -> Self {
        Self {
            entries: Dense::new(),
            cursor: 0,
            tidied: time::now().wrapping_sub(1),
        }
    }

    /// How many there are.
    #[inline]
    pub fn count(&self) -> u32 {
        self.entries.len()
    }

    /// Notes a connection, if it is not noted yet, and forgets some that are
    /// gone. Under RCU.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn add(&mut self, net: Net, candidate: &Candidate) -> Result {
        let now = here();
        let (tuple, zone) = (&candidate.tuple, candidate.zone);
        // First: the candidate's own entry, if it has one, may be in the way of
        // the look, and positions change.
        if !self.tidy_at(net, now) {
            self.look(net, now, Budget::ADD);
        }
        let hash = store::hash(tuple, net, zone.id(Direction::Original));
        let known = self.entries.find(hash, |entry| {
            same_tuple(&entry.tuple, tuple) && entry.zone.same_id(zone, Direction::Original)
        });
        if let Some(entry) = known.and_then(|position| self.entries.get_mut(position)) {
            // Perhaps begun anew, where an old one was in TIME_WAIT.
            entry.noted = now;
            entry.zone = zone;
            return Ok(());
        }
        let entry = Entry {
            tuple: *tuple,
            zone,
            noted: now,
        };
        let added = self.entries.push(hash, entry);
        added.map(drop).map_err(|_| ENOMEM)
    }

    /// Forgets what is gone, once in a jiffy: all of it if there are few or they
    /// are mostly gone. Under RCU.
    pub fn tidy(&mut self, net: Net) {
        self.tidy_at(net, here());
    }

    fn tidy_at(&mut self, net: Net, now: Noted) -> bool {
        if self.tidied == now.at {
            return false;
        }
        self.tidied = now.at;
        self.look(net, now, Budget::JIFFY);
        true
    }

    /// Forgets what is gone, among as many as a budget allows. Under RCU.
    pub fn sweep(&mut self, net: Net, budget: Budget) {
        self.look(net, here(), budget);
    }

    fn look(&mut self, net: Net, now: Noted, mut budget: Budget) {
        // Once round is enough.
        let mut rest = self.entries.len();
        while rest > 0 && budget.take() {
            rest = rest.wrapping_sub(1);
            if self.cursor >= self.entries.len() {
                self.cursor = 0;
            }
            let Some((hash, entry)) = self.entries.get(self.cursor) else {
                return;
            };
            if entry.noted.counts(entry.seen(net, hash), now) {
                self.cursor = self.cursor.wrapping_add(1);
            } else {
                // Another one has its place now.
                self.entries.remove(self.cursor);
                budget.gain();
            }
        }
        if self.entries.is_empty() {
            drop(take(&mut self.entries));
        }
    }
}

impl<T> Default for Dense<T> {
    fn default() -> Self {
        Dense::new()
    }
}

#[inline]
fn here() -> Noted {
    Noted {
        cpu: CpuId::current().as_u32(),
        at: time::now(),
    }
}
