// SPDX-License-Identifier: GPL-2.0

//! The messages of the control connection (RFC 2637, chapter 2).

use crate::be::Be16;

/// Message types, in the order of RFC 2637, section 1.4.
mod kind {
    pub(super) const START_REQUEST: u16 = 1;
    pub(super) const START_REPLY: u16 = 2;
    pub(super) const STOP_REQUEST: u16 = 3;
    pub(super) const STOP_REPLY: u16 = 4;
    pub(super) const ECHO_REQUEST: u16 = 5;
    pub(super) const ECHO_REPLY: u16 = 6;
    pub(super) const OUT_CALL_REQUEST: u16 = 7;
    pub(super) const OUT_CALL_REPLY: u16 = 8;
    pub(super) const IN_CALL_REQUEST: u16 = 9;
    pub(super) const IN_CALL_REPLY: u16 = 10;
    pub(super) const IN_CALL_CONNECT: u16 = 11;
    pub(super) const CALL_CLEAR: u16 = 12;
    pub(super) const DISCONNECT: u16 = 13;
    pub(super) const WAN_ERROR: u16 = 14;
    pub(super) const SET_LINK: u16 = 15;
}

const MAGIC: u32 = 0x1a2b_3c4d;
const CONTROL: u16 = 1;
/// Length, message type, magic cookie, control message type, reserved.
const HEADER: usize = 12;
/// The length of the longest message, an incoming call's request.
const LONGEST: usize = 220;

/// A control message, as far as it matters. Ids are in network byte order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // Named as in the RFC; `pns` and `pac` say whose id it is.
pub enum Message {
    StartRequest,
    StartReply {
        ok: bool,
    },
    StopRequest,
    StopReply {
        ok: bool,
    },
    Echo,
    OutCallRequest {
        pns: Be16,
    },
    OutCallReply {
        pac: Be16,
        pns: Be16,
        connected: bool,
    },
    InCallRequest {
        pac: Be16,
    },
    InCallReply {
        pns: Be16,
        pac: Be16,
        accepted: bool,
    },
    InCallConnect {
        pns: Be16,
    },
    CallClear {
        pns: Be16,
    },
    Disconnect {
        pac: Be16,
    },
    WanError {
        pns: Be16,
    },
    SetLink {
        id: Be16,
    },
    Unknown,
}

/// A message, and where it has the PNS's id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Placed {
    /// The message.
    pub message: Message,
    /// Where the id of the PNS is, in bytes from the payload's start; in
    /// [`Message::SetLink`], the id of who gets the message.
    pub pns_at: Option<usize>,
}

/// The whole messages of a segment that begins with one.
pub const fn messages(payload: &[u8]) -> Messages<'_> {
    Messages {
        rest: payload,
        at: 0,
    }
}

/// See [`messages`].
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    rest: &'a [u8],
    at: usize,
}

impl Iterator for Messages<'_> {
    type Item = Placed;

    fn next(&mut self) -> Option<Placed> {
        let [length_high, length_low, type_high, type_low, a, b, c, d, kind_high, kind_low, _, _, ..] =
            *self.rest
        else {
            return None;
        };
        let length = usize::from(u16::from_be_bytes([length_high, length_low]));
        if u16::from_be_bytes([type_high, type_low]) != CONTROL
            || u32::from_be_bytes([a, b, c, d]) != MAGIC
            || !(HEADER..=LONGEST).contains(&length)
        {
            self.rest = &[];
            return None;
        }
        let body = self.rest.get(HEADER..length)?;
        let kind = u16::from_be_bytes([kind_high, kind_low]);
        let at = self.at.saturating_add(HEADER);
        let placed = parse(kind, body, at);
        self.rest = self.rest.get(length..).unwrap_or(&[]);
        self.at = self.at.saturating_add(length);
        if placed.is_none() {
            self.rest = &[];
        }
        placed
    }
}

/// A message of this kind whose body is `body`, `at` bytes from the payload's
/// start; none if the body is too short for its kind.
fn parse(kind: u16, body: &[u8], at: usize) -> Option<Placed> {
    if body.len() < shortest(kind) {
        return None;
    }
    let id = |offset: usize| {
        let bytes = body.get(offset..)?.first_chunk()?;
        Some(Be16::from_bytes(*bytes))
    };
    let is_one = |offset: usize| body.get(offset) == Some(&1);
    let (message, pns_at) = match kind {
        kind::START_REQUEST => (Message::StartRequest, None),
        kind::START_REPLY => (Message::StartReply { ok: is_one(2) }, None),
        kind::STOP_REQUEST => (Message::StopRequest, None),
        kind::STOP_REPLY => (Message::StopReply { ok: is_one(0) }, None),
        kind::ECHO_REQUEST | kind::ECHO_REPLY => (Message::Echo, None),
        kind::OUT_CALL_REQUEST => (Message::OutCallRequest { pns: id(0)? }, Some(0)),
        kind::OUT_CALL_REPLY => {
            let (pac, pns, connected) = (id(0)?, id(2)?, is_one(4));
            (
                Message::OutCallReply {
                    pac,
                    pns,
                    connected,
                },
                Some(2),
            )
        }
        kind::IN_CALL_REQUEST => (Message::InCallRequest { pac: id(0)? }, None),
        kind::IN_CALL_REPLY => {
            let (pns, pac, accepted) = (id(0)?, id(2)?, is_one(4));
            (Message::InCallReply { pns, pac, accepted }, Some(0))
        }
        kind::IN_CALL_CONNECT => (Message::InCallConnect { pns: id(0)? }, Some(0)),
        kind::CALL_CLEAR => (Message::CallClear { pns: id(0)? }, Some(0)),
        kind::DISCONNECT => (Message::Disconnect { pac: id(0)? }, None),
        kind::WAN_ERROR => (Message::WanError { pns: id(0)? }, Some(0)),
        kind::SET_LINK => (Message::SetLink { id: id(0)? }, Some(0)),
        _ => (Message::Unknown, None),
    };
    let pns_at = pns_at.and_then(|offset| at.checked_add(offset));
    Some(Placed { message, pns_at })
}

/// How long the body of a message of this kind is at least.
const fn shortest(kind: u16) -> usize {
    match kind {
        kind::START_REQUEST | kind::START_REPLY => 144,
        kind::STOP_REQUEST | kind::STOP_REPLY | kind::CALL_CLEAR | kind::ECHO_REQUEST => 4,
        kind::ECHO_REPLY => 8,
        kind::OUT_CALL_REQUEST => 156,
        kind::OUT_CALL_REPLY => 20,
        kind::IN_CALL_REQUEST => 208,
        kind::IN_CALL_REPLY | kind::SET_LINK => 12,
        kind::IN_CALL_CONNECT => 16,
        kind::DISCONNECT => 136,
        kind::WAN_ERROR => 28,
        _ => 0,
    }
}
