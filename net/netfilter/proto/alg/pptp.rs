// SPDX-License-Identifier: GPL-2.0

//! PPTP's control connection (RFC 2637): a call's two ids, which identify the
//! two directions of its GRE packets.
//!
//! The PNS is the client that opens the control connection, the PAC is the
//! server. Each gives a call an id, by which the other one addresses it.

mod message;

pub use message::{messages, Message, Messages, Placed};

use super::room::{Kept, Reader, Writer};
use crate::{
    be::Be16,
    l4::number,
    tuple::{Direction, Tuple},
};

/// How far the control connection is (`enum pptp_ctrlsess_state`).
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Session {
    #[default]
    None,
    Failed,
    Stopping,
    Requested,
    Confirmed,
}

/// How far the call is (`enum pptp_ctrlcall_state`).
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Call {
    #[default]
    None,
    /// The PNS calls.
    OutRequested = 2,
    OutConfirmed,
    /// The PAC calls.
    InRequested,
    InReplied,
    InConfirmed,
    Clearing,
}

/// A control connection, with its last call.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Control {
    session: Session,
    call: Call,
    ids: Ids,
}

/// The ids of a call.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Ids {
    /// The PAC's.
    pub pac: Be16,
    /// The PNS's, as itself knows it.
    pub pns: Be16,
    /// The PNS's, as the PAC knows it: the same without NAT.
    pub pns_outside: Be16,
}

/// What follows from a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Nothing.
    Nothing,
    /// It does not belong here. It is let through, as it is.
    Invalid,
    /// GRE packets of a call with these ids come.
    Expect(Ids),
    /// The call is over, with its GRE connections.
    Over,
}

/// What follows, and what has to be written in the message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// What follows.
    pub step: Step,
    /// Under NAT: where in the payload another id belongs, and which.
    pub edit: Option<(usize, Be16)>,
}

impl Control {
    /// Takes a message of `direction`. `outside` is the id by which the PAC
    /// shall know the PNS's end of calls, if the connection is translated.
    pub fn update(
        &mut self,
        direction: Direction,
        placed: &Placed,
        outside: Option<Be16>,
    ) -> Outcome {
        let step = match direction {
            Direction::Original => self.by_pns(&placed.message, outside),
            Direction::Reply => self.by_pac(&placed.message),
        };
        let id = match (direction, placed.message) {
            (
                Direction::Original,
                Message::OutCallRequest { .. }
                | Message::InCallReply { .. }
                | Message::CallClear { .. },
            ) => Some(self.ids.pns_outside),
            (
                Direction::Reply,
                Message::OutCallReply { .. }
                | Message::InCallConnect { .. }
                | Message::WanError { .. }
                | Message::SetLink { .. },
            ) => Some(self.ids.pns),
            _ => None,
        };
        let edit = match (outside, step) {
            (None, _) | (_, Step::Invalid) => None,
            (Some(_), _) => placed.pns_at.zip(id),
        };
        Outcome { step, edit }
    }

    /// The ids of its call.
    #[inline]
    pub const fn ids(&self) -> Ids {
        self.ids
    }

    fn by_pns(&mut self, message: &Message, outside: Option<Be16>) -> Step {
        match *message {
            Message::StartRequest if self.session == Session::None => {
                self.session = Session::Requested;
            }
            Message::StopRequest => self.session = Session::Stopping,
            Message::OutCallRequest { pns } if self.session == Session::Confirmed => {
                self.call = Call::OutRequested;
                self.name_pns(pns, outside);
            }
            Message::InCallReply { pns, pac, accepted }
                if matches!(self.call, Call::InRequested | Call::InReplied)
                    && pac == self.ids.pac =>
            {
                self.call = if accepted {
                    self.name_pns(pns, outside);
                    Call::InReplied
                } else {
                    Call::None
                };
            }
            Message::CallClear { pns }
                if self.session == Session::Confirmed && pns == self.ids.pns =>
            {
                self.call = Call::Clearing;
            }
            Message::SetLink { .. } | Message::Echo => {}
            _ => return Step::Invalid,
        }
        Step::Nothing
    }

    fn by_pac(&mut self, message: &Message) -> Step {
        match *message {
            Message::StartReply { ok }
                if matches!(self.session, Session::Requested | Session::Confirmed) =>
            {
                self.session = if ok {
                    Session::Confirmed
                } else {
                    Session::Failed
                };
            }
            Message::StopReply { ok }
                if matches!(
                    self.session,
                    Session::None | Session::Failed | Session::Stopping
                ) =>
            {
                self.session = if ok { Session::None } else { Session::Failed };
                self.call = Call::None;
                // RFC 2637, section 2.3: all calls are cleared with it.
                return Step::Over;
            }
            Message::OutCallReply {
                pac,
                pns,
                connected,
            } if self.session == Session::Confirmed
                && matches!(self.call, Call::OutRequested | Call::OutConfirmed)
                && pns == self.ids.pns_outside =>
            {
                if connected {
                    self.call = Call::OutConfirmed;
                    self.ids.pac = pac;
                    return Step::Expect(self.ids);
                }
                self.call = Call::None;
            }
            Message::InCallRequest { pac } if self.session == Session::Confirmed => {
                self.call = Call::InRequested;
                self.ids.pac = pac;
            }
            Message::InCallConnect { pns }
                if self.session == Session::Confirmed
                    && matches!(self.call, Call::InReplied | Call::InConfirmed)
                    && pns == self.ids.pns_outside =>
            {
                self.call = Call::InConfirmed;
                return Step::Expect(self.ids);
            }
            Message::Disconnect { .. } => {
                self.call = Call::None;
                return Step::Over;
            }
            Message::WanError { pns } | Message::SetLink { id: pns }
                if pns == self.ids.pns_outside => {}
            Message::Echo => {}
            _ => return Step::Invalid,
        }
        Step::Nothing
    }

    fn name_pns(&mut self, pns: Be16, outside: Option<Be16>) {
        self.ids.pns = pns;
        self.ids.pns_outside = outside.unwrap_or(pns);
    }
}

/// The tuples of a call's packets as they come: in the direction of the PNS's,
/// and in that of the PAC's, of a control connection with these tuples.
pub fn tunnel(control: [&Tuple; 2], ids: Ids) -> [Tuple; 2] {
    let [original, reply] = control;
    let packets = |tuple: &Tuple, from, to| {
        let mut packets = *tuple;
        packets.src.id = from;
        packets.dst.id = to;
        packets.dst.protocol = number::GRE;
        packets.dst.direction = 0;
        packets
    };
    [
        packets(original, ids.pns, ids.pac),
        packets(reply, ids.pac, ids.pns_outside),
    ]
}

/// The ids of a call, one of whose [`tunnel`] tuples is `tuple`, that of
/// `direction`; `other` is the PNS's id that is not in it.
pub const fn ids_of(tuple: &Tuple, direction: Direction, other: Be16) -> Ids {
    match direction {
        Direction::Original => Ids {
            pac: tuple.dst.id,
            pns: tuple.src.id,
            pns_outside: other,
        },
        Direction::Reply => Ids {
            pac: tuple.src.id,
            pns: other,
            pns_outside: tuple.dst.id,
        },
    }
}

/// Begins as `struct nf_ct_pptp_master` does. The pointers behind that are not
/// the helper's: they change under another lock.
impl Kept for Control {
    const LEN: usize = 14;

    fn load(reader: &mut Reader<'_>) -> Self {
        let session = match reader.word() {
            1 => Session::Failed,
            2 => Session::Stopping,
            3 => Session::Requested,
            4 => Session::Confirmed,
            _ => Session::None,
        };
        let call = match reader.word() {
            2 => Call::OutRequested,
            3 => Call::OutConfirmed,
            4 => Call::InRequested,
            5 => Call::InReplied,
            6 => Call::InConfirmed,
            7 => Call::Clearing,
            _ => Call::None,
        };
        let ids = Ids {
            pac: reader.be16(),
            pns_outside: reader.be16(),
            pns: reader.be16(),
        };
        Control { session, call, ids }
    }

    fn store(&self, writer: &mut Writer<'_>) {
        writer.word(self.session as u32);
        writer.word(self.call as u32);
        writer.be16(self.ids.pac);
        writer.be16(self.ids.pns_outside);
        writer.be16(self.ids.pns);
    }
}

#[cfg(test)]
mod tests;
