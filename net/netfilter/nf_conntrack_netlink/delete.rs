// SPDX-License-Identifier: GPL-2.0

//! Deleting connections: one by its tuple, or those that a filter is about.

use crate::{attr, attr::*, filter, filter::Filter, get};
use core::sync::atomic::Ordering;
use kernel::prelude::*;
use netfilter::{
    conntrack::{
        table::{Visit, Walk},
        Net,
    },
    nfnetlink::{Command, Request},
    nlattr::Table,
};
use nf_conntrack::{change, delete::delete, store};
use nf_proto::{be::Be32, tuple::Direction};

/// `IPCTNL_MSG_CT_DELETE`
pub(crate) struct Delete;

impl Command for Delete {
    const POLICY: Table = attr::POLICY.table();

    fn call(request: &Request<'_>) -> Result {
        let attributes = request.attributes();
        let has_filter = attributes.has(CTA_FILTER);
        let one = if has_filter {
            None
        } else {
            get::wanted(request, attributes)?
        };
        let Some((zone, tuple)) = one else {
            // Old programs set a family, and mean all.
            let family = if request.version() != 0 || has_filter {
                request.family()
            } else {
                0
            };
            let filter = Filter::of(attributes, family, request.extack())?;
            delete_all(request, filter.as_ref());
            return Ok(());
        };
        let conn = get::find(request, zone, &tuple).ok_or(ENOENT)?;
        if let Some(id) = attributes.be32(CTA_ID).map(Be32::raw) {
            if id != store::id(&conn) {
                return Err(ENOENT);
            }
        }
        delete(&conn, request.portid(), request.wants_report().into());
        Ok(())
    }
}

/// Deletes by reply tuples, under which every connection is found.
fn delete_all(request: &Request<'_>, filter: Option<&Filter>) {
    let net: Net = request.net();
    let (portid, report) = (request.portid(), request.wants_report().into());
    if net.connections().load(Ordering::Acquire) == 0 {
        return;
    }
    change::walk(
        &mut Walk::new(Direction::Reply),
        |conn| filter::matches(filter, conn, net),
        |conn| {
            delete(conn, portid, report);
            Visit::Continue
        },
    );
}
