// SPDX-License-Identifier: GPL-2.0

//! Addresses and parameters in header values (RFC 3261, sections 19.1 and
//! 20.10).

use super::{
    super::{
        text::{Cursor, Stop},
        Span,
    },
    message::{is_space, is_token, Message},
    Endpoint, PORT,
};
use crate::{
    be::Be16,
    l4,
    tuple::{Address, Family},
};

/// An address in a header, written as numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// Address and port, [`PORT`] if none is written.
    pub endpoint: Endpoint,
    /// Where they stand: brackets, address and port.
    pub span: Span,
    /// What stands behind them in the same value: parameters.
    pub params: Span,
}

/// The address of a URI at a place; none if it is not a SIP URI with an address
/// of this family as numbers.
pub fn in_uri(message: &Message<'_>, uri: Span, family: Family) -> Option<Found> {
    let mut cursor = Cursor::new(message.at(uri));
    scheme(&mut cursor).ok()?;
    skip_user(&mut cursor);
    host(&cursor, uri.start, family).ok()
}

/// The addresses of a header's values, of which there may be several with commas
/// between them. Values without an address as numbers are passed over.
pub fn in_values<'a>(message: &Message<'a>, value: Span, family: Family) -> Values<'a> {
    Values {
        cursor: Cursor::new(message.at(value)),
        at: value.start,
        family,
    }
}

/// See [`in_values`].
#[derive(Clone, Debug)]
pub struct Values<'a> {
    cursor: Cursor<'a>,
    at: usize,
    family: Family,
}

impl Iterator for Values<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        while !self.cursor.rest().is_empty() {
            let start = self.cursor.position();
            let value = next_value(&mut self.cursor);
            let at = self.at.saturating_add(start);
            if let Some(found) = in_value(value, at, self.family) {
                return Some(found);
            }
        }
        None
    }
}

/// Reads up to the comma that ends a value, and passes over that.
fn next_value<'a>(cursor: &mut Cursor<'a>) -> &'a [u8] {
    let text = cursor.rest();
    let start = cursor.position();
    let (mut quoted, mut angle) = (false, false);
    while let Ok(byte) = cursor.byte() {
        match byte {
            b'\\' if quoted => cursor.skip(1),
            b'"' => quoted = !quoted,
            b'<' if !quoted => angle = true,
            b'>' if !quoted => angle = false,
            b',' if !quoted && !angle => break,
            _ => {}
        }
    }
    let len = cursor.position().saturating_sub(start);
    text.get(..len).unwrap_or(text)
}

/// `"name" <uri>;params`, or `uri;params`.
fn in_value(value: &[u8], at: usize, family: Family) -> Option<Found> {
    let mut cursor = Cursor::new(value);
    cursor.take_while(is_space);
    if cursor.pass(b'"').is_ok() {
        while let Ok(byte) = cursor.byte() {
            match byte {
                b'\\' => cursor.skip(1),
                b'"' => break,
                _ => {}
            }
        }
    }
    // In angle brackets if there are some.
    let mut inside = cursor;
    if inside.until(b'<').is_ok() {
        cursor = inside;
    }
    scheme(&mut cursor).ok()?;
    skip_user(&mut cursor);
    host(&cursor, at, family).ok()
}

/// The address of a Via value (RFC 3261, section 20.42), `SIP/2.0/UDP
/// host:port;params`; none unless it is by this protocol.
pub fn in_via(message: &Message<'_>, value: Span, protocol: u8, family: Family) -> Option<Found> {
    let mut all = Cursor::new(message.at(value));
    let value_at = value.start;
    // The topmost one.
    let topmost = next_value(&mut all);
    let mut cursor = Cursor::new(topmost);
    let slash = |cursor: &mut Cursor<'_>| {
        cursor.take_while(is_space);
        cursor.pass(b'/').ok()?;
        cursor.take_while(is_space);
        Some(())
    };
    cursor.tag_nocase(b"SIP").ok()?;
    slash(&mut cursor)?;
    cursor.tag(b"2.0").ok()?;
    slash(&mut cursor)?;
    let transport: &[u8] = match protocol {
        l4::number::TCP => b"TCP",
        _ => b"UDP",
    };
    if !cursor.take_while(is_token).eq_ignore_ascii_case(transport) {
        return None;
    }
    if cursor.take_while(is_space).is_empty() {
        return None;
    }
    host(&cursor, value_at, family).ok()
}

fn scheme(cursor: &mut Cursor<'_>) -> Result<(), Stop> {
    cursor.take_while(is_space);
    cursor.tag_nocase(b"sip:")
}

/// Passes over `user:password@`, if it is there.
fn skip_user(cursor: &mut Cursor<'_>) {
    let mut ahead = *cursor;
    ahead.take_while(|byte| !matches!(byte, b'@' | b'>' | b'<' | b'"') && !is_space(byte));
    if ahead.pass(b'@').is_ok() {
        *cursor = ahead;
    }
}

/// Reads `host:port` where the cursor is; `at` is where its text begins.
fn host(cursor: &Cursor<'_>, at: usize, family: Family) -> Result<Found, Stop> {
    let mut cursor = *cursor;
    let start = cursor.position();
    let address = literal(&mut cursor, family)?;
    // What could belong to a name ends no address.
    if matches!(cursor.rest().first(), Some(byte) if is_token(*byte)) {
        return Err(Stop::Wrong);
    }
    let mut port = PORT;
    let mut behind = cursor;
    if behind.pass(b':').is_ok() {
        port = behind.decimal_at_end(u16::MAX.into())? as u16;
        // RFC 3261 knows no reserved ports, but nobody serves SIP there.
        if port < 1024 {
            return Err(Stop::Wrong);
        }
        cursor = behind;
    }
    let end = cursor.position();
    let params = Span {
        start: at.saturating_add(end),
        len: cursor.rest().len(),
    };
    Ok(Found {
        endpoint: Endpoint {
            address,
            port: Be16::new(port),
        },
        span: Span {
            start: at.saturating_add(start),
            len: end.saturating_sub(start),
        },
        params,
    })
}

/// An address as numbers; it may end with the text.
fn literal(cursor: &mut Cursor<'_>, family: Family) -> Result<Address, Stop> {
    match family {
        Family::Ipv4 => cursor.ipv4_at_end(),
        Family::Ipv6 => {
            if cursor.pass(b'[').is_ok() {
                let address = cursor.ipv6()?;
                cursor.pass(b']')?;
                Ok(address)
            } else {
                cursor.ipv6()
            }
        }
    }
}

/// A parameter `;name=value` behind an address: where its value is.
pub fn param(message: &Message<'_>, params: Span, name: &[u8]) -> Option<Span> {
    let mut cursor = Cursor::new(message.at(params));
    loop {
        // Up to the next value of the header there are parameters of this one,
        // of the URI first, then behind the bracket.
        cursor.take_while(|byte| byte != b';' && byte != b',');
        if cursor.pass(b';').is_err() {
            return None;
        }
        cursor.take_while(is_space);
        let found = cursor.take_while(is_token);
        if !found.eq_ignore_ascii_case(name) {
            continue;
        }
        cursor.take_while(is_space);
        if cursor.pass(b'=').is_err() {
            continue;
        }
        cursor.take_while(is_space);
        let start = cursor.position();
        cursor.take_while(|byte| is_token(byte) || matches!(byte, b':' | b'[' | b']'));
        let start_at = params.start.saturating_add(start);
        return Some(Span {
            start: start_at,
            len: cursor.position().saturating_sub(start),
        });
    }
}

/// A parameter that is a number, and where it stands. An error if it is there
/// and is none.
pub fn number(
    message: &Message<'_>,
    params: Span,
    name: &[u8],
) -> Result<Option<(u32, Span)>, Stop> {
    let Some(span) = param(message, params, name) else {
        return Ok(None);
    };
    let mut cursor = Cursor::new(message.at(span));
    let value = cursor.decimal_at_end(u32::MAX)?;
    cursor.end()?;
    Ok(Some((value, span)))
}

/// A parameter that is an address, with or without brackets, and where it
/// stands.
pub fn address(
    message: &Message<'_>,
    params: Span,
    name: &[u8],
    family: Family,
) -> Option<(Address, Span)> {
    let span = param(message, params, name)?;
    let mut cursor = Cursor::new(message.at(span));
    let address = match family {
        Family::Ipv4 => cursor.ipv4_at_end().ok()?,
        Family::Ipv6 => cursor.ipv6_at_end().ok()?,
    };
    cursor.end().ok()?;
    Some((address, span))
}

/// The protocol that a URI's parameter `transport` asks for, else `usual`; none
/// if it is no protocol of ours.
pub fn transport(message: &Message<'_>, params: Span, usual: u8) -> Option<u8> {
    let Some(span) = param(message, params, b"transport") else {
        return Some(usual);
    };
    let name = message.at(span);
    if name.eq_ignore_ascii_case(b"TCP") {
        Some(l4::number::TCP)
    } else if name.eq_ignore_ascii_case(b"UDP") {
        Some(l4::number::UDP)
    } else {
        None
    }
}
