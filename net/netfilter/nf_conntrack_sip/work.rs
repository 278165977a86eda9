// SPDX-License-Identifier: GPL-2.0

//! The messages of a packet: what they lead to, and what is written into them.
//! All of it happens, or the packet is dropped and nothing new is expected.

use crate::Nat;
use core::iter::repeat_n;
use kernel::prelude::*;
use netfilter::{
    array::Array,
    conntrack::{
        helper::{Help, Why},
        skb::Packet,
        Conn, Info,
    },
};
use nf_conntrack::made::Made;
use nf_proto::{
    alg::{
        edits::{Edits, Slot},
        sip::{
            message::Message,
            state::{self, State, Step},
            translate::{self, View, MOST, ROOM},
            Endpoint,
        },
    },
    be::Be16,
    l4::number,
    nat::edit::Edit,
    tuple::{Direction, Tuple},
};

/// The most expectations that a packet leads to: two messages with as many streams as
/// are looked at.
const MOST_EXPECTED: usize = 32;

/// Room for what is to be written.
pub(crate) struct Room {
    slots: Array<Slot>,
    texts: Array<u8>,
}

impl Room {
    /// Without NAT nothing is written.
    pub(crate) fn for_nat(wanted: bool) -> Result<Option<Self>, Why> {
        if !wanted {
            return Ok(None);
        }
        let new = || -> Result<Self> {
            Ok(Room {
                slots: Array::atomic(repeat_n(Slot::default(), MOST))?,
                texts: Array::atomic(repeat_n(0, ROOM))?,
            })
        };
        new().map(Some).map_err(|_| c"no memory")
    }
}

/// What is written into the payload.
pub(crate) struct Translation<'c, 'r> {
    pub(crate) nat: &'c Nat,
    pub(crate) changes: Edits<'r>,
}

/// What is known of the packet, and what its messages have led to so far.
pub(crate) struct Work<'p, 'a, 'c, 'r> {
    pub(crate) packet: &'p Packet<'a>,
    pub(crate) conn: &'c Conn,
    pub(crate) help: Help<'c>,
    pub(crate) direction: Direction,
    pub(crate) view: View,
    pub(crate) translation: Option<Translation<'c, 'r>>,
    pub(crate) made: Made<'c, MOST_EXPECTED>,
}

impl<'p, 'a, 'c, 'r> Work<'p, 'a, 'c, 'r> {
    /// Nothing yet.
    pub(crate) fn new(
        packet: &'p Packet<'a>,
        conn: &'c Conn,
        info: Info,
        nat: Option<&'c Nat>,
        room: Option<&'r mut Room>,
    ) -> Result<Self, Why> {
        let translation = nat.zip(room).map(|(nat, room)| Translation {
            nat,
            changes: Edits::new(&mut room.slots, &mut room.texts),
        });
        let direction = info.direction();
        Ok(Work {
            packet,
            conn,
            help: Help::of(conn).ok_or(c"connection without helper")?,
            direction,
            view: view(conn, direction),
            translation,
            made: Made::new(),
        })
    }

    /// The message that begins at `at` in a payload that ends with it; nothing
    /// if it is none.
    pub(crate) fn message(&mut self, payload: &[u8], at: usize) -> Result<(), Why> {
        let Ok(message) = Message::parse(payload, at) else {
            return Ok(());
        };
        let state = self.state(&message);
        match state::step(&message, &state).map_err(|_| c"cannot parse cseq")? {
            Step::Nothing => {}
            Step::Session => self.session(&message)?,
            Step::Call(number) => {
                self.end_media();
                self.session(&message)?;
                self.remember(|state| state.invite = number);
            }
            Step::EndMedia => self.end_media(),
            Step::Register(number) => self.register(&message, number, &state)?,
            Step::Registered => self.registered(&message)?,
            Step::Refused => self.end_signalling(),
        }
        if let Some(Translation { changes, .. }) = &mut self.translation {
            translate::headers(&message, &self.view, changes)
                .map_err(|_| c"cannot NAT SIP message")?;
            if let Some(body) = message.body() {
                translate::content_length(&message, body.start, changes)
                    .map_err(|_| c"cannot NAT SIP message")?;
            }
        }
        Ok(())
    }

    /// What the connection remembers, with what this message adds: some phones
    /// send requests from one port and want the answers at another one.
    fn state(&mut self, message: &Message<'_>) -> State {
        let port = match self.direction {
            Direction::Original if self.view.protocol == number::UDP => {
                state::forced_port(message, &self.view.source, self.view.family)
            }
            _ => None,
        };
        let state = self.help.remember(self.conn, |state: &mut State| {
            if let Some(port) = port {
                state.forced_port = port;
            }
            *state
        });
        if self.direction == Direction::Reply && state.forced_port.get() != 0 {
            self.view.called.port = state.forced_port;
        }
        state
    }

    pub(crate) fn remember(&self, change: impl FnOnce(&mut State)) {
        self.help.remember(self.conn, change);
    }

    /// All messages were seen.
    pub(crate) fn done(self) -> Done<'c, 'r> {
        let (called, usual) = (self.view.called.port, self.view.new_destination.port);
        Done {
            translation: self.translation,
            port: (called != usual).then_some(called),
            made: self.made,
        }
    }
}

fn view(conn: &Conn, direction: Direction) -> View {
    let (here, there) = (conn.tuple(direction), conn.tuple(direction.opposite()));
    let source = |tuple: &Tuple| Endpoint {
        address: tuple.src.address,
        port: tuple.src.id,
    };
    let destination = |tuple: &Tuple| Endpoint {
        address: tuple.dst.address,
        port: tuple.dst.id,
    };
    View {
        family: conn.family(),
        protocol: conn.protocol(),
        source: source(here),
        destination: destination(here),
        new_source: destination(there),
        new_destination: source(there),
        called: source(there),
    }
}

/// What remains to be done to the packet.
pub(crate) struct Done<'c, 'r> {
    translation: Option<Translation<'c, 'r>>,
    /// Where the datagram is to go.
    port: Option<Be16>,
    made: Made<'c, MOST_EXPECTED>,
}

impl Done<'_, '_> {
    /// Writes what has to be written.
    pub(crate) fn write(
        mut self,
        packet: &mut Packet<'_>,
        conn: &Conn,
        info: Info,
        transport: u32,
    ) -> Result<(), Why> {
        if let Some(Translation { nat, changes }) = &self.translation {
            if changes.count() != 0 || self.port.is_some() {
                let edits: Array<Edit<'_>> =
                    Array::atomic(changes.iter().map(|(span, text)| span.replaced(text)))
                        .map_err(|_| c"no memory")?;
                (nat.edit)(packet, conn, info, transport, &edits, self.port)
                    .map_err(|_| c"cannot mangle packet")?;
            }
        }
        self.made.keep();
        Ok(())
    }
}
