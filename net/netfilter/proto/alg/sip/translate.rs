// SPDX-License-Identifier: GPL-2.0

//! What NAT has to write into a message's headers.

use super::{
    super::{
        edits::{DoNotFit, Edits},
        text::Full,
        Span,
    },
    bracketed,
    message::{Message, Name, Start},
    number, plain,
    sdp::{Media, Session},
    uri, Endpoint, Text,
};
use crate::tuple::{Address, Family};

/// The most places of a packet in which something is written, and the room for
/// the texts, bytes: for an INVITE over IPv6 ten places and 400 bytes are
/// usual.
pub const MOST: usize = 128;
/// See [`MOST`].
pub const ROOM: usize = 4096;

/// How the packet that a message came in is translated.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// The family of its addresses.
    pub family: Family,
    /// Its protocol (`IPPROTO_*`).
    pub protocol: u8,
    /// Where it comes from, as its sender knows it.
    pub source: Endpoint,
    /// Where it goes, as its sender knows it.
    pub destination: Endpoint,
    /// Where it comes from, as its receiver will know it.
    pub new_source: Endpoint,
    /// Where it goes, as its receiver knows it.
    pub new_destination: Endpoint,
    /// As [`new_destination`](Self::new_destination), with the port at which the
    /// receiver wants to be called.
    pub called: Endpoint,
}

impl View {
    /// What an endpoint becomes, if it is one of the connection's and changes.
    pub fn map(&self, endpoint: &Endpoint) -> Option<Endpoint> {
        let new = if *endpoint == self.source {
            self.new_source
        } else if *endpoint == self.destination {
            self.called
        } else {
            return None;
        };
        (new != *endpoint).then_some(new)
    }
}

/// Adds what has to change in the headers: the Request-URI, the topmost Via,
/// Contact, Route, Record-Route, From and To.
pub fn headers(
    message: &Message<'_>,
    view: &View,
    changes: &mut Edits<'_>,
) -> Result<(), DoNotFit> {
    let map = |found: &uri::Found, changes: &mut Edits<'_>| match view.map(&found.endpoint) {
        Some(new) => write(changes, found.span, new.text(view.family)),
        None => Ok(()),
    };
    if let Start::Request { uri, .. } = message.start {
        if let Some(found) = uri::in_uri(message, uri, view.family) {
            map(&found, changes)?;
        }
    }
    let mut topmost = true;
    for header in message.headers() {
        match header.name {
            Name::Via => {
                if core::mem::take(&mut topmost) {
                    via(message, header.value, view, changes)?;
                }
            }
            Name::Contact | Name::Route | Name::RecordRoute | Name::From | Name::To => {
                for found in uri::in_values(message, header.value, view.family) {
                    map(&found, changes)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The topmost Via, with its parameters, if it is about this connection: that of
/// a request names who sends it, that of a response who gets it.
fn via(
    message: &Message<'_>,
    value: Span,
    view: &View,
    changes: &mut Edits<'_>,
) -> Result<(), DoNotFit> {
    let Some(found) = uri::in_via(message, value, view.protocol, view.family) else {
        return Ok(());
    };
    let own = match message.start {
        Start::Request { .. } => view.source,
        Start::Response { .. } => view.destination,
    };
    if found.endpoint != own {
        return Ok(());
    }
    if let Some(new) = view.map(&found.endpoint) {
        write(changes, found.span, new.text(view.family))?;
    }
    let family = view.family;
    // Where to answer (RFC 3261, section 18.2.2).
    if let Some((address, span)) = uri::address(message, found.params, b"maddr", family) {
        let new = view.new_source.address;
        if address == view.source.address && new != address {
            write(changes, span, bracketed(&new, family))?;
        }
    }
    // Where the request came from, as the server saw it (18.2.1, RFC 3581).
    if let Some((address, span)) = uri::address(message, found.params, b"received", family) {
        let new = view.new_destination.address;
        if address == view.destination.address && new != address {
            write(changes, span, plain(&new, family))?;
        }
    }
    if let Ok(Some((port, span))) = uri::number(message, found.params, b"rport") {
        let new = u32::from(view.new_destination.port.get());
        if port == u32::from(view.destination.port.get()) && new != port {
            write(changes, span, number(new))?;
        }
    }
    Ok(())
}

/// Adds where a client is to be called instead, at its binding's place.
pub fn binding(
    span: Span,
    new: &Endpoint,
    family: Family,
    changes: &mut Edits<'_>,
) -> Result<(), DoNotFit> {
    write(changes, span, new.text(family))
}

/// Adds where a stream goes instead. Its port counts by pairs: what is given is
/// the first one of the pair, and which of the two it is stays.
pub fn stream(
    media: &Media,
    new: &Endpoint,
    family: Family,
    changes: &mut Edits<'_>,
) -> Result<(), DoNotFit> {
    let port = new.port.get() | media.port & 1;
    if port != media.port {
        write(changes, media.port_span, number(port.into()))?;
    }
    match media.connection {
        Some((old, span)) if old != new.address => {
            write(changes, span, plain(&new.address, family))
        }
        _ => Ok(()),
    }
}

/// Adds the addresses of a session: where its streams go that do not say so
/// themselves, and of who made it. `map` says what they become.
pub fn session(
    session: &Session<'_>,
    map: impl Fn(&Address) -> Option<Address>,
    view: &View,
    changes: &mut Edits<'_>,
) -> Result<(), DoNotFit> {
    let places = [session.owner(), session.connection()];
    for (old, span) in places.into_iter().flatten() {
        match map(&old) {
            Some(new) if new != old => write(changes, span, plain(&new, view.family))?,
            _ => {}
        }
    }
    Ok(())
}

fn write(changes: &mut Edits<'_>, span: Span, text: Result<Text, Full>) -> Result<(), DoNotFit> {
    changes.add(span, text.map_err(|_| DoNotFit)?.text())
}

/// Adds the new Content-Length, if the body that begins at `body` changes its
/// length.
pub fn content_length(
    message: &Message<'_>,
    body: usize,
    changes: &mut Edits<'_>,
) -> Result<(), DoNotFit> {
    let end = message.payload().len();
    let growth = changes.growth(body, end);
    let Some(value) = message.header(Name::ContentLength).filter(|_| growth != 0) else {
        return Ok(());
    };
    let old = end.saturating_sub(body);
    let new = old.checked_add_signed(growth).ok_or(DoNotFit)?;
    let new = u32::try_from(new).map_err(|_| DoNotFit)?;
    write(changes, value, number(new))
}
