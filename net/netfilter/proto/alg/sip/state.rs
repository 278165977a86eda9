// SPDX-License-Identifier: GPL-2.0

//! What a signalling connection remembers, and what follows from a message.

use super::{
    super::{
        room::{Kept, Reader, Writer},
        text::Stop,
        Span,
    },
    message::{Header, Headers, Message, Method, Name, Start},
    stream::Open,
    uri::{self, Found, Values},
    Endpoint,
};
use crate::{
    be::Be16,
    l4,
    tuple::{Address, Family},
};

/// What is remembered (`struct nf_ct_sip_master`).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct State {
    /// The sequence number of the last REGISTER.
    pub register: u32,
    /// The sequence number of the last INVITE.
    pub invite: u32,
    /// The port to which answers go, where that is not the one from which
    /// requests come; 0 if it is.
    pub forced_port: Be16,
    /// Of a TCP connection, for each direction.
    pub open: [Open; 2],
}

impl Kept for State {
    fn load(reader: &mut Reader<'_>) -> Self {
        State {
            register: reader.word(),
            invite: reader.word(),
            forced_port: reader.be16(),
            open: Kept::load(reader),
        }
    }

    fn store(&self, writer: &mut Writer<'_>) {
        writer.word(self.register);
        writer.word(self.invite);
        writer.be16(self.forced_port);
        self.open.store(writer);
    }
}

/// What follows from a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Nothing.
    Nothing,
    /// The description of a session that it has counts.
    Session,
    /// A new call: what was expected of the one before is over, then as
    /// [`Step::Session`]. If all is well this is the last INVITE.
    Call(u32),
    /// What media were expected is over.
    EndMedia,
    /// A REGISTER with this number.
    Register(u32),
    /// The answer to the last REGISTER: it is accepted.
    Registered,
    /// The answer to the last REGISTER: it is refused.
    Refused,
}

/// A message that should have a CSeq has none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoSequence;

/// What follows from a message of a connection with this state.
pub fn step(message: &Message<'_>, state: &State) -> Result<Step, NoSequence> {
    match message.start {
        Start::Request { method, .. } => {
            if matches!(method, Method::Cancel | Method::Other) {
                return Ok(Step::Nothing);
            }
            let (number, _) = message.sequence().ok_or(NoSequence)?;
            Ok(match method {
                Method::Invite => Step::Call(number),
                Method::Update | Method::Ack | Method::Prack => Step::Session,
                Method::Bye => Step::EndMedia,
                Method::Register => Step::Register(number),
                Method::Cancel | Method::Other => Step::Nothing,
            })
        }
        Start::Response { code } => {
            let (number, method) = message.sequence().ok_or(NoSequence)?;
            Ok(match (method, code) {
                (Method::Invite | Method::Update | Method::Prack, 100..=299) => Step::Session,
                (Method::Invite | Method::Update | Method::Prack, _) if number == state.invite => {
                    Step::EndMedia
                }
                (Method::Register, 200..=299) if number == state.register => Step::Registered,
                (Method::Register, 300..) if number == state.register => Step::Refused,
                _ => Step::Nothing,
            })
        }
    }
}

/// The port to which a client that sends from `source` wants its answers, if
/// that is another one (its topmost Via says so): some phones do that.
pub fn forced_port(message: &Message<'_>, source: &Endpoint, family: Family) -> Option<Be16> {
    if !matches!(message.start, Start::Request { .. }) {
        return None;
    }
    let value = message.header(Name::Via)?;
    let via = uri::in_via(message, value, l4::number::UDP, family)?.endpoint;
    (via.address == source.address && via.port != source.port).then_some(via.port)
}

/// A binding that a client asks for, or a server confirms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Binding {
    /// Where the client wants to be called.
    pub endpoint: Endpoint,
    /// Where that stands.
    pub span: Span,
    /// For how long, seconds.
    pub expires: u32,
}

/// The bindings of `own`, the client's address, by `protocol`, that of the
/// connection, among a message's contacts. An error if one cannot be read.
pub fn bindings<'a>(
    message: &'a Message<'a>,
    own: Address,
    protocol: u8,
    family: Family,
) -> Bindings<'a> {
    Bindings {
        message,
        own,
        protocol,
        family,
        headers: message.headers(),
        values: None,
        expires: message.number(Name::Expires).unwrap_or(0),
    }
}

/// See [`bindings`].
#[derive(Clone, Debug)]
pub struct Bindings<'a> {
    message: &'a Message<'a>,
    own: Address,
    protocol: u8,
    family: Family,
    headers: Headers<'a>,
    /// Those of the header at hand.
    values: Option<Values<'a>>,
    /// Where a contact does not say it itself.
    expires: u32,
}

impl Bindings<'_> {
    /// The next contact of the client.
    fn contact(&mut self) -> Option<Found> {
        loop {
            if let Some(values) = &mut self.values {
                for found in values {
                    if found.endpoint.address == self.own {
                        return Some(found);
                    }
                }
            }
            let contact = |header: &Header| header.name == Name::Contact;
            let header = self.headers.find(contact)?;
            self.values = Some(uri::in_values(self.message, header.value, self.family));
        }
    }
}

impl Iterator for Bindings<'_> {
    type Item = Result<Binding, Stop>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let found = self.contact()?;
            let protocol = uri::transport(self.message, found.params, self.protocol);
            if protocol != Some(self.protocol) {
                continue;
            }
            let given = uri::number(self.message, found.params, b"expires");
            return Some(given.map(|given| Binding {
                endpoint: found.endpoint,
                span: found.span,
                expires: given.map_or(self.expires, |(expires, _)| expires),
            }));
        }
    }
}
