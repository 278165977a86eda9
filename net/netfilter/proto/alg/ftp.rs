// SPDX-License-Identifier: GPL-2.0

//! FTP (RFC 959, RFC 2428): where the data connection of a transfer goes.
//!
//! The client says so with PORT and EPRT, the server in its replies 227 (to
//! PASV) and 229 (to EPSV).

use super::{
    text::{Buffer, Cursor, Full, Stop},
    Span,
};
use crate::tuple::{Address, Direction, Family};

/// The forms in which an endpoint is announced (`enum nf_ct_ftp_type`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `PORT h1,h2,h3,h4,p1,p2`
    Port,
    /// `227 ... h1,h2,h3,h4,p1,p2 ...`
    Pasv,
    /// `EPRT |family|address|port|`
    Eprt,
    /// `229 ... (|||port|)`
    Epsv,
}

impl Kind {
    /// What a line begins with.
    const fn pattern(self) -> &'static [u8] {
        match self {
            Kind::Port => b"PORT",
            Kind::Pasv => b"227 ",
            Kind::Eprt => b"EPRT",
            Kind::Epsv => b"229 ",
        }
    }

    /// Its name, as a person knows it.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Port => "PORT",
            Kind::Pasv => "227",
            Kind::Eprt => "EPRT",
            Kind::Epsv => "229",
        }
    }
}

/// An announced endpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Announcement {
    /// How it is announced.
    pub kind: Kind,
    /// What of the payload announces it: the numbers, with EPRT's and EPSV's
    /// delimiters.
    pub span: Span,
    /// The address; none for that of the sender.
    pub address: Option<Address>,
    /// The TCP port, host order; not 0.
    pub port: u16,
}

/// What a segment that begins with a line has to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reading {
    /// Nothing of interest.
    Other,
    /// It is about an endpoint, but cannot be understood, or ends too early.
    /// It must not get through: the endpoint would be reached, or the rest be
    /// read, by nobody but the peer.
    Unclear(Kind),
    /// An endpoint.
    Announced(Announcement),
}

/// The longest text that [`write`] gives.
pub const LONGEST: usize = "|2||65535|".len() + 45;

/// Reads the payload of a segment of `direction` of a control connection of
/// `family`.
pub fn read(payload: &[u8], direction: Direction, family: Family) -> Reading {
    let kinds = match direction {
        Direction::Original => [Kind::Port, Kind::Eprt],
        Direction::Reply => [Kind::Pasv, Kind::Epsv],
    };
    for kind in kinds {
        let mut cursor = Cursor::new(payload);
        match cursor.tag_nocase(kind.pattern()) {
            Err(Stop::Wrong) => {}
            // "PO" could become "PORT".
            Err(Stop::Short) => return Reading::Unclear(kind),
            Ok(()) => {
                return match announcement(cursor, kind, family) {
                    Ok(announcement) => Reading::Announced(announcement),
                    Err(_) => Reading::Unclear(kind),
                }
            }
        }
    }
    Reading::Other
}

fn announcement(mut cursor: Cursor<'_>, kind: Kind, family: Family) -> Result<Announcement, Stop> {
    match kind {
        Kind::Port | Kind::Eprt => {
            cursor.until(b' ')?;
        }
        // RFC 1123, section 4.1.2.6: the parentheses may be missing.
        Kind::Pasv => {
            cursor.take_while(|byte| !byte.is_ascii_digit());
        }
        Kind::Epsv => {
            cursor.until(b'(')?;
        }
    }
    let start = cursor.position();
    let (address, port) = match kind {
        Kind::Port | Kind::Pasv => numbers(&mut cursor)?,
        Kind::Eprt => extended(&mut cursor, family)?,
        Kind::Epsv => (None, port_only(&mut cursor)?),
    };
    let span = Span::between(start, cursor.position());
    if kind == Kind::Port {
        cursor.pass(b'\r')?;
    }
    if port == 0 || (family == Family::Ipv6 && matches!(kind, Kind::Port | Kind::Pasv)) {
        return Err(Stop::Wrong);
    }
    Ok(Announcement {
        kind,
        span,
        address,
        port,
    })
}

fn numbers(cursor: &mut Cursor<'_>) -> Result<(Option<Address>, u16), Stop> {
    let [a, b, c, d, high, low] = cursor.bytes(b',')?;
    let address = Address::v4(crate::be::Be32::from_bytes([a, b, c, d]));
    Ok((Some(address), u16::from_be_bytes([high, low])))
}

/// `|family|address|port|`
fn extended(cursor: &mut Cursor<'_>, family: Family) -> Result<(Option<Address>, u16), Stop> {
    let delimiter = delimiter(cursor)?;
    cursor.pass(protocol(family))?;
    cursor.pass(delimiter)?;
    let address = cursor.address(family)?;
    cursor.pass(delimiter)?;
    Ok((Some(address), port(cursor, delimiter)?))
}

/// `|||port|`
fn port_only(cursor: &mut Cursor<'_>) -> Result<u16, Stop> {
    let delimiter = delimiter(cursor)?;
    cursor.pass(delimiter)?;
    cursor.pass(delimiter)?;
    port(cursor, delimiter)
}

/// RFC 2428, section 2: an ASCII character from 33 to 126. A digit would be
/// ambiguous, and so would be what stands in addresses.
fn delimiter(cursor: &mut Cursor<'_>) -> Result<u8, Stop> {
    match cursor.byte()? {
        byte @ 33..=126 if !byte.is_ascii_digit() => Ok(byte),
        _ => Err(Stop::Wrong),
    }
}

fn port(cursor: &mut Cursor<'_>, delimiter: u8) -> Result<u16, Stop> {
    let port = cursor.decimal(u16::MAX.into())? as u16;
    cursor.pass(delimiter)?;
    Ok(port)
}

/// RFC 2428, section 2: address family numbers.
const fn protocol(family: Family) -> u8 {
    match family {
        Family::Ipv4 => b'1',
        Family::Ipv6 => b'2',
    }
}

/// What announces another endpoint in place of one of `kind`: what to write in
/// place of [`Announcement::span`].
pub fn write(
    kind: Kind,
    address: &Address,
    family: Family,
    port: u16,
) -> Result<Buffer<LONGEST>, Full> {
    let mut text = Buffer::new();
    match kind {
        Kind::Port | Kind::Pasv => {
            let Address([word, ..]) = address;
            let [a, b, c, d] = word.to_bytes();
            let [high, low] = port.to_be_bytes();
            text.bytes(&[a, b, c, d, high, low], b',')?;
        }
        Kind::Eprt => {
            text.push(&[b'|', protocol(family), b'|'])?;
            match family {
                Family::Ipv4 => text.address(address, family)?,
                // Stock's way, which peers have learned to read.
                Family::Ipv6 => text.ipv6_in_full(address)?,
            }
            text.push(b"|")?;
            text.decimal(port.into())?;
            text.push(b"|")?;
        }
        Kind::Epsv => {
            text.push(b"|||")?;
            text.decimal(port.into())?;
            text.push(b"|")?;
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
