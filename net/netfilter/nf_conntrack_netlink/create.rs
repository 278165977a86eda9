// SPDX-License-Identifier: GPL-2.0

//! Making a connection: what fails half-way is undone by what goes out of
//! scope.

use crate::{attr::*, nat, protoinfo, tuple, update};
use kernel::{prelude::*, sync::rcu};
use netfilter::{
    conntrack::{
        account,
        attributes::Draft,
        ext,
        helper::{request_helper, Help},
        Conn, ConnRef, Status, Zone, HZ,
    },
    nfnetlink::{errno, Request},
};
use nf_bindings as bindings;
use nf_conntrack::{
    alloc, change,
    confirm::{self, NotInserted},
    ecache, helper, packet, store,
};
use nf_proto::{
    be::Be32,
    tuple::{Direction, Tuple},
};

/// Makes a connection as a request says, and puts it into the table.
///
/// # Errors
///
/// `EINVAL` if something is missing or wrong, `ENOMEM` if the table is full,
/// `EEXIST` if there is one of the same tuples, `ENOENT` if its master is not
/// there; `EAGAIN` if a module was loaded for it; those of NAT.
pub(crate) fn create(
    request: &Request<'_>,
    zone: Zone,
    original: &Tuple,
    reply: &Tuple,
) -> Result<ConnRef> {
    let (attributes, extack) = (request.attributes(), request.extack());
    let seconds = attributes
        .be32(CTA_TIMEOUT)
        .map(Be32::get)
        .ok_or_else(|| extack.refuse(EINVAL, c"A new connection has a timeout"))?;
    let protocol = original.dst.protocol;
    let wanted_helper = attributes
        .get(CTA_HELP)
        .map(|nest| update::WantedHelper::read(nest, extack))
        .transpose()?;
    if let Some(wanted) = &wanted_helper {
        load_helper(request, wanted.name(), original.src.l3num, protocol)?;
    }

    let net = request.net();
    let hash = store::hash_of(original, net, zone, Direction::Original);
    let fresh = {
        // Where the table is full, others are looked at that may be dropped.
        let _rcu = rcu::read_lock();
        alloc::allocate(net, zone, original, reply, bindings::GFP_ATOMIC, hash)
    };
    let mut draft = Draft::new(fresh.map_err(|_| ENOMEM)?);
    let conn = draft.conn();
    if let Some(wanted) = &wanted_helper {
        let rcu = rcu::read_lock();
        let found = helper::find(&rcu, wanted.name(), conn.l3num(), protocol).ok_or(ENOENT)?;
        let help = Help::add(conn, bindings::GFP_ATOMIC).ok_or(ENOMEM)?;
        help.set_helper(Some(found.try_get().ok_or(ENOENT)?));
        found.read_info(wanted.info(), conn);
    }
    nat::set_up(request, conn)?;
    add_extensions(conn);
    conn.set_status(Status::CONFIRMED);
    change::set_timeout(conn, u64::from(seconds).saturating_mul(HZ.into()));
    if let Some(status) = attributes.be32(CTA_STATUS) {
        update::status(conn, status, extack)?;
    }
    update::sequence_adjustment(attributes, conn, extack)?;
    if let Some(nest) = attributes.get(CTA_PROTOINFO) {
        protoinfo::set(conn, nest, extack)?;
    }
    update::synproxy(attributes, conn, extack)?;
    update::mark(attributes, conn);
    if let Some(attribute) = attributes.get(CTA_TUPLE_MASTER) {
        let family = request.family();
        let tuple = tuple::read(attribute, family, Direction::Original, None, extack)?;
        let master = {
            let _rcu = rcu::read_lock();
            packet::find(net, zone, &tuple)
        };
        let (master, _) = master.ok_or_else(|| {
            extack.refuse_attribute(ENOENT, c"There is no such master", attribute)
        })?;
        draft.set_master(master);
    }
    account::started(draft.conn());
    let _rcu = rcu::read_lock();
    draft.insert(confirm::insert).map_err(|error| match error {
        NotInserted::Exists => EEXIST,
        NotInserted::ChainTooLong => ENOSPC,
    })
}

/// What connections have by the namespace's settings, and what user space may
/// set later, when it is too late to add it.
fn add_extensions(conn: &Conn) {
    account::init(conn);
    // Without memory for it nobody hears of the connection, as in stock.
    let _ = ecache::add(conn, 0, 0, bindings::GFP_ATOMIC);
    ext::add_ext::<bindings::nf_conn_seqadj>(conn);
    ext::add_ext::<bindings::nf_conn_synproxy>(conn);
}

/// Loads a helper's module if the helper is not there.
fn load_helper(request: &Request<'_>, name: &[u8], l3num: u16, protocol: u8) -> Result {
    let is_there = || {
        let rcu = rcu::read_lock();
        helper::find(&rcu, name, l3num, protocol).is_some()
    };
    if is_there() {
        return Ok(());
    }
    let loaded = request.unlocked(&crate::THIS_MODULE, || request_helper(name))?;
    if loaded.is_ok() && is_there() {
        return Err(EAGAIN);
    }
    let error = errno(bindings::EOPNOTSUPP);
    Err(request.extack().refuse(error, c"There is no such helper"))
}
