// SPDX-License-Identifier: GPL-2.0

//! What a message has that matters.

use super::per::{Bad, Listener};
use crate::{
    be::{Be16, Be32},
    tuple::{Address, Family},
};

/// How many addresses a message may have: fast start offers several codecs, each
/// with two or three.
pub const MOST: usize = 96;

/// What tables mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mark {
    /// Nothing.
    None,
    /// `OpenLogicalChannel`
    Channel,
    /// `OpenLogicalChannelAck`
    ChannelAck,
    /// A channel for T.120 with its own stack.
    T120,
    /// `mediaChannel`
    Media,
    /// `mediaControlChannel`
    MediaControl,
    /// `separateStack`
    SeparateStack,
    /// `h245Address`
    H245Address,
    /// `destCallSignalAddress`
    Destination,
    /// `sourceCallSignalAddress`, `srcCallSignalAddress`
    Source,
    /// `alternativeAddress`
    Alternative,
    /// The call is forwarded.
    Forwarded,
    /// Control messages within call signalling.
    Tunnel,
    /// `rasAddress`, `replyAddress`
    RasAddress,
    /// `callSignalAddress`
    CallSignal,
    /// GRQ
    GatekeeperRequest,
    /// GCF
    GatekeeperConfirm,
    /// RRQ
    RegistrationRequest,
    /// RCF
    RegistrationConfirm,
    /// URQ
    UnregistrationRequest,
    /// ARQ
    AdmissionRequest,
    /// ACF
    AdmissionConfirm,
    /// LRQ
    LocationRequest,
    /// LCF
    LocationConfirm,
    /// IRR
    InfoRequestResponse,
}

/// What RAS message it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// None that matters, or no RAS message.
    Other,
    /// GRQ
    GatekeeperRequest,
    /// GCF
    GatekeeperConfirm,
    /// RRQ
    RegistrationRequest,
    /// RCF
    RegistrationConfirm,
    /// URQ
    UnregistrationRequest,
    /// ARQ
    AdmissionRequest,
    /// ACF
    AdmissionConfirm,
    /// LRQ
    LocationRequest,
    /// LCF
    LocationConfirm,
    /// IRR
    InfoRequestResponse,
}

/// What an address is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// RAS messages to the sender.
    Ras,
    /// Calls to the sender, or as a gatekeeper says.
    CallSignal,
    /// The connection with the call's control messages.
    H245,
    /// Where a call goes to.
    Destination,
    /// Where a call comes from.
    Source,
    /// Where a call is forwarded to.
    Alternative,
    /// A stream (RTP), or what controls it (RTCP): at the next port.
    Media,
    /// T.120 connections.
    Data,
}

/// Where an address and a port can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Endpoint {
    /// The address.
    pub address: Address,
    /// The port.
    pub port: Be16,
}

/// Where an address stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// In octets from the payload's start. The port, of two octets, follows.
    pub at: u16,
    /// What it is for.
    pub role: Role,
    /// Its family.
    pub family: Family,
    /// It is in a control message within call signalling.
    pub tunnelled: bool,
}

impl Place {
    /// What stands there.
    pub fn endpoint(&self, payload: &[u8]) -> Option<Endpoint> {
        let bytes = payload.get(usize::from(self.at)..)?;
        let (address, rest) = match self.family {
            Family::Ipv4 => {
                let (address, rest) = bytes.split_first_chunk()?;
                (Address::v4(Be32::from_bytes(*address)), rest)
            }
            Family::Ipv6 => {
                let mut words = [Be32::new(0); 4];
                let mut rest = bytes;
                for word in &mut words {
                    let (bytes, behind) = rest.split_first_chunk()?;
                    *word = Be32::from_bytes(*bytes);
                    rest = behind;
                }
                (Address(words), rest)
            }
        };
        let port = Be16::from_bytes(*rest.first_chunk()?);
        Some(Endpoint { address, port })
    }
}

/// What was found in a message.
pub struct Found {
    base: u16,
    family: Family,
    kind: Kind,
    seconds: Option<u32>,
    forwarded: bool,
    tunnelled: bool,
    /// What the next address is for.
    role: Option<Role>,
    /// T.120 connections of this channel come here.
    data: bool,
    places: [Place; MOST],
    count: usize,
}

impl Found {
    /// Room for what is found.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        const NOWHERE: Place = Place {
            at: 0,
            role: Role::Ras,
            family: Family::Ipv4,
            tunnelled: false,
        };
        Found {
            base: 0,
            family: Family::Ipv4,
            kind: Kind::Other,
            seconds: None,
            forwarded: false,
            tunnelled: false,
            role: None,
            data: false,
            places: [NOWHERE; MOST],
            count: 0,
        }
    }

    /// Nothing is found yet in a message that begins `base` octets after the
    /// payload's start. Only addresses of `family` are looked for.
    pub(super) fn clear(&mut self, base: u16, family: Family) {
        self.base = base;
        self.family = family;
        self.kind = Kind::Other;
        self.seconds = None;
        self.forwarded = false;
        self.tunnelled = false;
        self.role = None;
        self.data = false;
        self.count = 0;
    }

    /// What RAS message it is.
    #[inline]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// For how long a registration is good, seconds, if it says so.
    #[inline]
    pub fn seconds(&self) -> Option<u32> {
        self.seconds
    }

    /// The addresses that count, in the message's order. Of a call that is
    /// forwarded only where it goes counts, and control messages within.
    pub fn places(&self) -> impl Iterator<Item = &Place> + Clone {
        let forwarded = self.forwarded;
        let all = self.places.get(..self.count).unwrap_or(&[]);
        all.iter().filter(move |place| {
            let alternative = place.role == Role::Alternative;
            place.tunnelled || alternative == forwarded
        })
    }

    /// The addresses for something.
    pub fn of(&self, role: Role) -> impl Iterator<Item = &Place> + Clone {
        self.places().filter(move |place| place.role == role)
    }
}

impl Listener for Found {
    fn at(&mut self, mark: Mark) {
        match mark {
            Mark::None => {}
            Mark::Channel => self.data = false,
            Mark::ChannelAck | Mark::T120 => self.data = true,
            Mark::Media | Mark::MediaControl => self.role = Some(Role::Media),
            Mark::SeparateStack => self.role = self.data.then_some(Role::Data),
            Mark::H245Address => self.role = Some(Role::H245),
            Mark::Destination => self.role = Some(Role::Destination),
            Mark::Source => self.role = Some(Role::Source),
            Mark::Alternative => self.role = Some(Role::Alternative),
            Mark::Forwarded => self.forwarded = true,
            Mark::Tunnel => self.tunnelled = true,
            Mark::RasAddress => self.role = Some(Role::Ras),
            Mark::CallSignal => self.role = Some(Role::CallSignal),
            Mark::GatekeeperRequest => self.kind = Kind::GatekeeperRequest,
            Mark::GatekeeperConfirm => self.kind = Kind::GatekeeperConfirm,
            Mark::RegistrationRequest => self.kind = Kind::RegistrationRequest,
            Mark::RegistrationConfirm => self.kind = Kind::RegistrationConfirm,
            Mark::UnregistrationRequest => self.kind = Kind::UnregistrationRequest,
            Mark::AdmissionRequest => self.kind = Kind::AdmissionRequest,
            Mark::AdmissionConfirm => self.kind = Kind::AdmissionConfirm,
            Mark::LocationRequest => self.kind = Kind::LocationRequest,
            Mark::LocationConfirm => self.kind = Kind::LocationConfirm,
            Mark::InfoRequestResponse => self.kind = Kind::InfoRequestResponse,
        }
    }

    fn address(&mut self, family: Family, at: u16) -> Result<(), Bad> {
        let Some(role) = self.role.filter(|_| family == self.family) else {
            return Ok(());
        };
        let at = self.base.checked_add(at).ok_or(Bad::Range)?;
        *self.places.get_mut(self.count).ok_or(Bad::Much)? = Place {
            at,
            role,
            family,
            tunnelled: self.tunnelled,
        };
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    fn seconds(&mut self, seconds: u32) {
        self.seconds = Some(seconds);
    }
}
