// SPDX-License-Identifier: GPL-2.0

//! Listing connections that are not in the table: those whose end a listener
//! has not heard of yet. (Unconfirmed ones are in no list any more.)

use crate::{attr, message::Shown};
use kernel::prelude::*;
use netfilter::{
    conntrack::{attributes, Conn},
    nfnetlink::{errno, Command, Dump, Output, Progress, Request},
    nlattr::Full,
};
use nf_bindings as bindings;

/// `IPCTNL_MSG_CT_GET_DYING`
pub(crate) struct Get;

impl Command for Get {
    fn call(request: &Request<'_>) -> Result {
        only_dumps(request)?;
        let list = Dying {
            after: 0,
            family: request.family().into(),
        };
        request.dump(&crate::THIS_MODULE, list)
    }
}

/// `IPCTNL_MSG_CT_GET_UNCONFIRMED`
pub(crate) struct GetUnconfirmed;

impl Command for GetUnconfirmed {
    fn call(request: &Request<'_>) -> Result {
        only_dumps(request)?;
        request.dump(&crate::THIS_MODULE, Nothing)
    }
}

fn only_dumps(request: &Request<'_>) -> Result {
    if request.is_dump() {
        return Ok(());
    }
    let error = errno(bindings::EOPNOTSUPP);
    Err(request.extack().refuse(error, c"This is only listed"))
}

struct Nothing;

impl Dump for Nothing {
    fn step(&mut self, _out: &mut Output<'_>) -> Result<Progress> {
        Ok(Progress::Finished)
    }
}

struct Dying {
    /// The address of the one shown last; a number, not a reference.
    after: usize,
    /// `NFPROTO_*`, or 0 for all.
    family: u16,
}

impl Dump for Dying {
    fn step(&mut self, out: &mut Output<'_>) -> Result<Progress> {
        loop {
            let batch = attributes::dying_after(out.net(), self.after);
            let mut is_last = true;
            for conn in batch.into_iter().flatten() {
                is_last = false;
                if self.family == 0 || self.family == conn.l3num() {
                    if let Err(Full) = show(out, &conn) {
                        return Ok(Progress::More);
                    }
                }
                self.after = conn.as_ptr() as usize;
            }
            if is_last {
                return Ok(Progress::Finished);
            }
        }
    }
}

fn show(out: &mut Output<'_>, conn: &Conn) -> Result<(), Full> {
    let family = conn.l3num() as u8;
    let header = out.header(attr::CONNECTIONS, attr::MSG_NEW, 0, family);
    let mut writer = out.message(header);
    Shown::new(conn).all(&mut writer, 1);
    writer.finish()
}
