// SPDX-License-Identifier: GPL-2.0

//! SIP (RFC 3261) with SDP (RFC 8866): calls, and where their media go.
//!
//! [`message`] takes a message apart, [`uri`] reads addresses and parameters in
//! header values, [`sdp`] reads the description of a session, [`streams`] goes
//! through it, and [`translate`] says what NAT has to write. [`find`] is for others than the helper. All positions are in bytes from
//! the start of the payload that the message is in.

pub mod find;
pub mod message;
pub mod sdp;
pub mod state;
pub mod stream;
pub mod streams;
pub mod translate;
pub mod uri;

use super::text::{Buffer, Full};
use crate::{
    be::Be16,
    tuple::{Address, Family},
};

/// The port of SIP, where none is given (RFC 3261, section 19.1.2).
pub const PORT: u16 = 5060;

/// An address and a port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// The address.
    pub address: Address,
    /// The port.
    pub port: Be16,
}

/// The longest text of an [`Endpoint`], `[address]:port`.
pub const LONGEST: usize = 45 + "[]:65535".len();

/// A text that replaces an address, a port or a number.
pub type Text = Buffer<LONGEST>;

impl Endpoint {
    /// As it stands in a URI: `192.0.2.1:5060` or `[2001:db8::1]:5060`.
    pub fn text(&self, family: Family) -> Result<Text, Full> {
        let mut text = bracketed(&self.address, family)?;
        text.push(b":")?;
        text.decimal(self.port.get().into())?;
        Ok(text)
    }
}

/// An address as it stands in a URI: an IPv6 one in brackets.
pub fn bracketed(address: &Address, family: Family) -> Result<Text, Full> {
    let mut text = Text::new();
    match family {
        Family::Ipv4 => text.address(address, family)?,
        Family::Ipv6 => {
            text.push(b"[")?;
            text.address(address, family)?;
            text.push(b"]")?;
        }
    }
    Ok(text)
}

/// An address as it stands in SDP and in Via's `received`.
pub fn plain(address: &Address, family: Family) -> Result<Text, Full> {
    let mut text = Text::new();
    text.address(address, family)?;
    Ok(text)
}

/// A number.
pub fn number(value: u32) -> Result<Text, Full> {
    let mut text = Text::new();
    text.decimal(value)?;
    Ok(text)
}

#[cfg(test)]
mod tests;
