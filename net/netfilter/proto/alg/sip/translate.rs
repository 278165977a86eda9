// SPDX-License-Identifier: GPL-2.0

//! What NAT has to write into a message's headers.

use super::{
    super::edits::{DoNotFit, Edits},
    bracketed,
    message::{Message, Name, Start},
    number, plain, uri, Endpoint, LONGEST,
};
use crate::tuple::Family;

/// The most places of a message in which something is written.
pub const MOST: usize = 40;

/// What is to be written.
pub type Changes = Edits<MOST, LONGEST>;

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
pub fn headers(message: &Message<'_>, view: &View, changes: &mut Changes) -> Result<(), DoNotFit> {
    let map = |found: &uri::Found, changes: &mut Changes| match view.map(&found.endpoint) {
        Some(new) => {
            let text = new.text(view.family).map_err(|_| DoNotFit)?;
            changes.add(found.span, text)
        }
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
    value: super::super::Span,
    view: &View,
    changes: &mut Changes,
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
        changes.add(found.span, new.text(view.family).map_err(|_| DoNotFit)?)?;
    }
    let family = view.family;
    // Where to answer (RFC 3261, section 18.2.2).
    if let Some((address, span)) = uri::address(message, found.params, b"maddr", family) {
        let new = view.new_source.address;
        if address == view.source.address && new != address {
            changes.add(span, bracketed(&new, family).map_err(|_| DoNotFit)?)?;
        }
    }
    // Where the request came from, as the server saw it (18.2.1, RFC 3581).
    if let Some((address, span)) = uri::address(message, found.params, b"received", family) {
        let new = view.new_destination.address;
        if address == view.destination.address && new != address {
            changes.add(span, plain(&new, family).map_err(|_| DoNotFit)?)?;
        }
    }
    if let Ok(Some((port, span))) = uri::number(message, found.params, b"rport") {
        let new = u32::from(view.new_destination.port.get());
        if port == u32::from(view.destination.port.get()) && new != port {
            changes.add(span, number(new).map_err(|_| DoNotFit)?)?;
        }
    }
    Ok(())
}

/// Adds the new Content-Length, if the body that begins at `body` changes its
/// length.
pub fn content_length(
    message: &Message<'_>,
    body: usize,
    changes: &mut Changes,
) -> Result<(), DoNotFit> {
    let end = message.payload().len();
    let growth = changes.growth(body, end);
    let Some(value) = message.header(Name::ContentLength).filter(|_| growth != 0) else {
        return Ok(());
    };
    let old = end.saturating_sub(body);
    let new = old.checked_add_signed(growth).ok_or(DoNotFit)?;
    let new = u32::try_from(new).map_err(|_| DoNotFit)?;
    changes.add(value, number(new).map_err(|_| DoNotFit)?)
}
