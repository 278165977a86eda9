// SPDX-License-Identifier: GPL-2.0

//! What NAT writes in place of addresses.

use super::{
    found::{Endpoint, Found, Kind, Place, Role, MOST},
    state::State,
};
use crate::{
    be::Be16,
    tuple::{Direction, Family, Tuple},
};

/// The two ends of a connection, as the sender of a packet knows them and as its
/// receiver does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ends {
    /// The sender.
    pub source: Endpoint,
    /// The receiver.
    pub destination: Endpoint,
    /// The sender, as the receiver knows it.
    pub new_source: Endpoint,
    /// The receiver, as it knows itself.
    pub new_destination: Endpoint,
}

impl Ends {
    /// From the tuple of the packet's direction and that of the other one.
    pub fn new(tuple: &Tuple, other: &Tuple) -> Self {
        let source = |tuple: &Tuple| Endpoint {
            address: tuple.src.address,
            port: tuple.src.id,
        };
        let destination = |tuple: &Tuple| Endpoint {
            address: tuple.dst.address,
            port: tuple.dst.id,
        };
        Ends {
            source: source(tuple),
            destination: destination(tuple),
            new_source: destination(other),
            new_destination: source(other),
        }
    }
}

/// Whose address it becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The sender's, as the receiver knows it.
    Source,
    /// The receiver's, as it knows itself.
    Destination,
}

/// An address that is written over another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rewrite {
    /// Where, in octets from the payload's start.
    pub at: u16,
    /// Which address.
    pub side: Side,
    /// Which port.
    pub port: Be16,
}

/// What is written into a payload.
pub struct Rewrites {
    list: [Rewrite; MOST],
    count: usize,
}

/// There is no room for more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

impl Rewrites {
    /// Nothing yet.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        const NOWHERE: Rewrite = Rewrite {
            at: 0,
            side: Side::Source,
            port: Be16::new(0),
        };
        Rewrites {
            list: [NOWHERE; MOST],
            count: 0,
        }
    }

    /// One more.
    ///
    /// # Errors
    ///
    /// [`Full`]
    pub fn add(&mut self, at: u16, side: Side, port: Be16) -> Result<(), Full> {
        *self.list.get_mut(self.count).ok_or(Full)? = Rewrite { at, side, port };
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// All of them, as they were added.
    pub fn list(&self) -> &[Rewrite] {
        self.list.get(..self.count).unwrap_or(&[])
    }

    /// All of them, in the order of their places. Where one is written twice, the
    /// last one counts.
    pub fn sorted(&mut self) -> &[Rewrite] {
        let list = self.list.get_mut(..self.count).unwrap_or_default();
        // The messages' order is nearly theirs.
        let mut kept = 0usize;
        let mut last = None;
        insertion_sort(list);
        for i in 0..list.len() {
            let Some(rewrite) = list.get(i).copied() else {
                break;
            };
            if last == Some(rewrite.at) {
                kept = kept.saturating_sub(1);
            }
            last = Some(rewrite.at);
            if let Some(slot) = list.get_mut(kept) {
                *slot = rewrite;
            }
            kept = kept.saturating_add(1);
        }
        self.count = kept;
        self.list()
    }
}

/// Sorts by place, and leaves those of one place in their order.
fn insertion_sort(list: &mut [Rewrite]) {
    for end in 1..list.len() {
        for i in (1..=end).rev() {
            let Some([a, b]) = list
                .get_mut(i.wrapping_sub(1)..)
                .and_then(|rest| rest.first_chunk_mut())
            else {
                break;
            };
            if a.at <= b.at {
                break;
            }
            core::mem::swap(a, b);
        }
    }
}

/// Some phones put this machine's own address first.
fn is_loopback(place: &Place, payload: &[u8]) -> bool {
    place.family == Family::Ipv4
        && place.endpoint(payload).is_some_and(|endpoint| {
            let [first, ..] = endpoint.address.0;
            first.get() >> 24 == 127
        })
}

/// Writes `port` of `side` over all addresses for `role` that `which` picks, and
/// with them over a first one that is the sender's loopback address.
///
/// # Errors
///
/// [`Full`]
pub fn signal(
    found: &Found,
    payload: &[u8],
    role: Role,
    side: Side,
    port: Be16,
    which: impl Fn(&Endpoint) -> bool,
    rewrites: &mut Rewrites,
) -> Result<(), Full> {
    let mut any = false;
    for place in found.of(role) {
        if place
            .endpoint(payload)
            .is_some_and(|endpoint| which(&endpoint))
        {
            rewrites.add(place.at, side, port)?;
            any = true;
        }
    }
    match found.of(role).next() {
        Some(first) if any && is_loopback(first, payload) => rewrites.add(first.at, side, port),
        _ => Ok(()),
    }
}

/// Writes what a RAS message says about the port of calls as the other side
/// knows it.
fn known_signal(
    found: &Found,
    payload: &[u8],
    role: Role,
    ends: &Ends,
    [said, known]: [Be16; 2],
    rewrites: &mut Rewrites,
) -> Result<(), Full> {
    if said.get() == 0 {
        return Ok(());
    }
    let source = |at: &Endpoint| at.address == ends.source.address && at.port == said;
    let destination =
        |at: &Endpoint| !source(at) && at.address == ends.destination.address && at.port == said;
    signal(found, payload, role, Side::Source, known, source, rewrites)?;
    signal(
        found,
        payload,
        role,
        Side::Destination,
        known,
        destination,
        rewrites,
    )
}

/// Writes the sender's own RAS address as the receiver knows it.
fn own(found: &Found, payload: &[u8], ends: &Ends, rewrites: &mut Rewrites) -> Result<(), Full> {
    for place in found.of(Role::Ras) {
        if place.endpoint(payload) == Some(ends.source) {
            rewrites.add(place.at, Side::Source, ends.new_source.port)?;
        }
    }
    Ok(())
}

/// What is written into a RAS message that is sent in a direction, beside the
/// address of calls of a registration.
///
/// # Errors
///
/// [`Full`]
pub fn ras(
    found: &Found,
    payload: &[u8],
    ends: &Ends,
    state: &State,
    direction: Direction,
    rewrites: &mut Rewrites,
) -> Result<(), Full> {
    let ports = [
        *direction.of(&state.signal),
        *direction.opposite().of(&state.signal),
    ];
    match found.kind() {
        Kind::GatekeeperRequest | Kind::RegistrationRequest | Kind::LocationRequest => {
            own(found, payload, ends, rewrites)
        }
        Kind::RegistrationConfirm | Kind::UnregistrationRequest => {
            known_signal(found, payload, Role::CallSignal, ends, ports, rewrites)
        }
        Kind::InfoRequestResponse => {
            own(found, payload, ends, rewrites)?;
            known_signal(found, payload, Role::CallSignal, ends, ports, rewrites)
        }
        Kind::AdmissionRequest => admission(found, payload, ends, ports, rewrites),
        Kind::AdmissionConfirm if is_answer(found, payload, ends) => {
            known_signal(found, payload, Role::Destination, ends, ports, rewrites)
        }
        _ => Ok(()),
    }
}

/// An admission is confirmed to who is called: the receiver.
pub fn is_answer(found: &Found, payload: &[u8], ends: &Ends) -> bool {
    found
        .of(Role::Destination)
        .filter_map(|place| place.endpoint(payload))
        .any(|endpoint| endpoint.address == ends.destination.address)
}

/// Who is called asks with its own address as the destination, who calls with it
/// as the source.
fn admission(
    found: &Found,
    payload: &[u8],
    ends: &Ends,
    [said, known]: [Be16; 2],
    rewrites: &mut Rewrites,
) -> Result<(), Full> {
    for place in found.of(Role::Destination) {
        let Some(endpoint) = place.endpoint(payload) else {
            continue;
        };
        if endpoint.address == ends.source.address && endpoint.port == said && said.get() != 0 {
            return rewrites.add(place.at, Side::Source, known);
        }
    }
    for place in found.of(Role::Source) {
        let Some(endpoint) = place.endpoint(payload) else {
            continue;
        };
        if endpoint.address == ends.source.address {
            rewrites.add(place.at, Side::Source, endpoint.port)?;
        }
    }
    Ok(())
}

/// What is written into the set-up of a call: its ends, as the receiver knows
/// them.
///
/// # Errors
///
/// [`Full`]
pub fn setup(
    found: &Found,
    payload: &[u8],
    ends: &Ends,
    rewrites: &mut Rewrites,
) -> Result<(), Full> {
    for (role, side, end) in [
        (Role::Destination, Side::Destination, &ends.new_destination),
        (Role::Source, Side::Source, &ends.new_source),
    ] {
        for place in found.of(role) {
            let endpoint = place.endpoint(payload);
            if endpoint.is_some_and(|endpoint| endpoint.address != end.address) {
                rewrites.add(place.at, side, end.port)?;
            }
        }
    }
    Ok(())
}
