// SPDX-License-Identifier: GPL-2.0

//! NAT of connections that user space makes.

use crate::attr::*;
use kernel::prelude::*;
use netfilter::{
    conntrack::{
        helper::request_module,
        nat_hook::{self, Manip},
        Conn,
    },
    nfnetlink::{errno, Request},
};
use nf_bindings as bindings;

fn is_asked(request: &Request<'_>) -> bool {
    request.attributes().has_any(&[CTA_NAT_SRC, CTA_NAT_DST])
}

fn load(request: &Request<'_>, module: &[u8]) -> Result {
    request.unlocked(&crate::THIS_MODULE, || request_module(module))
}

/// Loads NAT if the request needs it. To be called first: what was looked up
/// before may have changed afterwards.
///
/// # Errors
///
/// `EAGAIN` if it was loaded, `EOPNOTSUPP` if there is none.
pub(crate) fn prepare(request: &Request<'_>) -> Result {
    if !is_asked(request) || nat_hook::is_loaded() {
        return Ok(());
    }
    load(request, b"nf-nat")?;
    if nat_hook::is_loaded() {
        return Err(EAGAIN);
    }
    let error = errno(bindings::EOPNOTSUPP);
    Err(request.extack().refuse(error, c"There is no NAT"))
}

/// Sets up what the request says, of both halves if of one.
///
/// # Errors
///
/// Those of NAT.
pub(crate) fn set_up(request: &Request<'_>, conn: &Conn) -> Result {
    if !is_asked(request) {
        return Ok(());
    }
    let attributes = request.attributes();
    for (manip, number) in [
        (Manip::Destination, CTA_NAT_DST),
        (Manip::Source, CTA_NAT_SRC),
    ] {
        nat_hook::set_up(conn, manip, attributes.get(number))?;
    }
    Ok(())
}
