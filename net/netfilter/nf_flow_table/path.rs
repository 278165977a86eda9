// SPDX-License-Identifier: GPL-2.0

//! Where a new flow's packets go: its routes both ways, and the devices below
//! them, down to those that have the table.

use crate::abi::route::{Builder, Rule};
use kernel::error::{code::ENOENT, Result};
use nf_proto::{
    flow::ingress::{IP6IP6, IPIP},
    tuple::{Direction, Family},
};

/// Finds the routes of a connection whose packet, of `direction`, met `rule`, and
/// fills them in.
///
/// # Errors
///
/// `ENOENT`: there is no way that the fast path could take. Nothing is filled in
/// then.
pub fn find(rule: &Rule<'_>, direction: Direction, builder: &mut Builder<'_>) -> Result {
    let routes = [direction, direction.opposite()];
    builder.set_default(direction, rule.route_of_packet()?);
    builder.set_default(direction.opposite(), rule.route_back(direction)?);
    let result = routes.into_iter().try_for_each(|direction| {
        if builder.is_ipsec(direction) {
            return Ok(());
        }
        below(rule, direction, builder)
    });
    if result.is_err() {
        builder.forget();
    }
    result
}

/// The way down from a direction's route.
fn below(rule: &Rule<'_>, direction: Direction, builder: &mut Builder<'_>) -> Result {
    let path = builder.path(rule, direction)?;
    if !rule.has_device(path.device) {
        return Err(ENOENT);
    }
    if let Some(tunnel) = path.tunnel {
        // What the tunnel carries must be what it is made of.
        let carries = match rule.family() {
            Family::Ipv4 => IPIP,
            Family::Ipv6 => IP6IP6,
        };
        if tunnel.protocol != carries {
            return Err(ENOENT);
        }
        builder.replace(direction, rule.route_of_tunnel(&tunnel)?);
    }
    builder.fill(direction, &path);
    Ok(())
}
