// SPDX-License-Identifier: GPL-2.0

//! NAT, as those ask for it who do not depend on it (`struct nf_nat_hook`).

use super::Conn;
use crate::nlattr::Attribute;
use core::ptr::null;
use kernel::{error::to_result, prelude::*};
use nf_bindings as bindings;

/// Which half of a packet is translated (`enum nf_nat_manip_type`).
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manip {
    /// The source.
    Source = bindings::nf_nat_manip_type_NF_NAT_MANIP_SRC as u32,
    /// The destination.
    Destination = bindings::nf_nat_manip_type_NF_NAT_MANIP_DST as u32,
}

/// NAT is loaded.
pub fn is_loaded() -> bool {
    // SAFETY: Only looks whether there is one.
    unsafe { bindings::nat_is_loaded() }
}

/// Sets up NAT of a new connection as `attribute` says (`CTA_NAT_SRC`,
/// `CTA_NAT_DST`), or that there is none.
///
/// # Errors
///
/// `EOPNOTSUPP` if NAT is not loaded, `EAGAIN` if a part of it is not, `EINVAL`
/// or `ERANGE` if the attribute is wrong.
pub fn set_up(conn: &Conn, manip: Manip, attribute: Option<Attribute<'_>>) -> Result {
    let attribute = attribute.map_or(null(), Attribute::as_ptr);
    // SAFETY: The connection is new and the caller's; the attribute is valid or
    // null.
    to_result(unsafe { bindings::nat_set_up(conn.as_ptr(), manip as u32, attribute) })
}
