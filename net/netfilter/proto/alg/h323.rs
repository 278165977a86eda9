// SPDX-License-Identifier: GPL-2.0

//! H.323: RAS between endpoints and their gatekeeper (H.225.0, over UDP), call
//! signalling (H.225.0 in Q.931, over TCP), and control of a call's streams
//! (H.245, over TCP or within call signalling).
//!
//! Messages are encoded by aligned PER. Their addresses have a fixed length: the
//! decoder says where they stand, and they are rewritten in place.

mod found;
mod per;
pub mod q931;
pub mod state;
mod tables;
pub mod tpkt;
pub mod translate;

pub use found::{Endpoint, Found, Kind, Place, Role, MOST};
pub use per::Bad;

use crate::tuple::Family;

/// Reads a RAS message (H.225.0, `RasMessage`), which begins `base` octets after
/// the payload's start, and finds addresses of `family`.
///
/// # Errors
///
/// See [`Bad`]; nothing of it is to be believed then.
pub fn ras(message: &[u8], base: u16, family: Family, found: &mut Found) -> Result<(), Bad> {
    found.clear(base, family);
    per::walk(message, &tables::ras::RAS, found)
}

/// Reads a call signalling message: Q.931, and in it H.225.0's
/// `H323-UserInformation`. As [`ras`].
///
/// # Errors
///
/// See [`Bad`].
pub fn call(message: &[u8], base: u16, family: Family, found: &mut Found) -> Result<(), Bad> {
    let (at, inside) = q931::user_information(message).ok_or(Bad::Short)?;
    let at = u16::try_from(at).map_err(|_| Bad::Range)?;
    found.clear(base.checked_add(at).ok_or(Bad::Range)?, family);
    per::walk(inside, &tables::call::CALL, found)
}

/// Reads a control message (H.245, `MultimediaSystemControlMessage`). As [`ras`].
///
/// # Errors
///
/// See [`Bad`].
pub fn control(message: &[u8], base: u16, family: Family, found: &mut Found) -> Result<(), Bad> {
    found.clear(base, family);
    per::walk(message, &tables::control::CONTROL, found)
}

#[cfg(test)]
mod tests;
