// SPDX-License-Identifier: GPL-2.0

//! PPTP (RFC 2637): the drop-in for the stock `nf_conntrack_pptp.ko`. On the
//! control connection the two sides tell each other the ids of a call, by which
//! its GRE packets are told apart: those are expected, of both directions.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::{prelude::*, sync::rcu};
use netfilter::conntrack::{
    expect::{Expect, NewExpect},
    helper::{self, Class, ConntrackHelper, Help, Nat, NatHalf, Place, Policy, Registration, Why},
    skb::Packet,
    Conn, Info,
};
use nf_conntrack::{
    expect::{self, Wanted},
    gre,
};
use nf_proto::{
    alg::pptp::{self, Control, Ids, Step},
    l4::number,
    nat::edit::Edit,
    tuple::{Direction, Family, Tuple},
};

mod abi;

module! {
    type: Pptp,
    name: "nf_conntrack_pptp",
    authors: ["rustynat"],
    description: "Netfilter connection tracking helper module for PPTP",
    license: "GPL",
    alias: ["ip_conntrack_pptp", "nfct-helper-pptp"],
}

/// What nf_nat_pptp does for the helper.
pub struct PptpNat {
    /// What nf_nat does for all helpers.
    pub nat: &'static Nat,
    /// Translates a new tunnel as its control connection is, for which `exp` was
    /// made: its saved id is the PNS's on the other side.
    pub translate: fn(conn: &Conn, exp: &Expect),
}

/// Where nf_nat_pptp has its functions.
pub static NAT: NatHalf<PptpNat> = NatHalf::new();

/// The loaded module. Dropped in this order.
struct Pptp {
    _helper: Registration<Self>,
    _last: Last,
}

/// Waits, when it is dropped, for who is in the function of an expectation.
struct Last;

impl Drop for Last {
    fn drop(&mut self) {
        helper::synchronize();
    }
}

/// One call at a time, of which both directions are expected.
const CLASS: Class = Class {
    name: c"",
    policy: Policy {
        max_expected: 2,
        timeout: 5 * 60,
    },
};

/// How many ids of a segment can be translated: a call needs one.
const MOST: usize = 8;

impl kernel::Module for Pptp {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let place = Place::usual::<Self>(Family::Ipv4);
        Ok(Pptp {
            _helper: Registration::new(place, &[CLASS], module)?,
            _last: Last,
        })
    }
}

impl ConntrackHelper for Pptp {
    const NAME: &'static CStr = c"pptp";
    const PROTOCOL: u8 = number::TCP;
    const PORT: u16 = 1723;
    const HAS_TUNNELS: bool = true;

    fn help(packet: &mut Packet<'_>, conn: &Conn, info: Info, transport: u32) -> Result<(), Why> {
        if !info.is_established() {
            return Ok(());
        }
        follow(packet, conn, info, transport)
    }
}

fn follow(packet: &mut Packet<'_>, conn: &Conn, info: Info, transport: u32) -> Result<(), Why> {
    let help = Help::of(conn).ok_or(c"connection without helper")?;
    if !packet.linearize() {
        return Err(c"no memory");
    }
    let Some(segment) = packet.segment(transport) else {
        return Ok(());
    };
    let rcu = rcu::read_lock();
    let half = NAT.of(conn, &rcu);
    // The port is nobody else's at this address, towards this PAC: so is the id.
    let outside = half.map(|_| conn.tuple(Direction::Reply).dst.id);

    let mut ids = [(0u32, [0u8; 2]); MOST];
    let mut count = 0usize;
    for placed in pptp::messages(segment.payload) {
        let outcome = help.remember(conn, |control: &mut Control| {
            control.update(info.direction(), &placed, outside)
        });
        match outcome.step {
            // As with stock, a call whose packets cannot be expected goes on.
            Step::Expect(ids) => {
                let _ = expect_tunnel(conn, ids, half.is_some());
            }
            Step::Over => gre::end_call(conn),
            Step::Nothing | Step::Invalid => {}
        }
        if let Some((at, id)) = outcome.edit {
            let place = ids.get_mut(count).ok_or(c"too many call ids")?;
            *place = (at as u32, id.to_bytes());
            count = count.saturating_add(1);
        }
    }

    let Some(half) = half.filter(|_| count != 0) else {
        return Ok(());
    };
    let edits = ids.each_ref().map(|(offset, id)| Edit {
        offset: *offset,
        old_len: 2,
        new: id,
    });
    let edits = edits.get(..count).unwrap_or(&[]);
    (half.nat.edit)(packet, conn, info, transport, edits).map_err(|_| c"cannot mangle packet")
}

/// Expects a call's packets, of both directions; none if they cannot be.
fn expect_tunnel(conn: &Conn, ids: Ids, translated: bool) -> Option<()> {
    let tuples = pptp::tunnel(
        [Direction::Original, Direction::Reply].map(|of| conn.tuple(of)),
        ids,
    );
    let [pns, pac] = &tuples;
    let make = |tuple: &Tuple, direction, other| {
        let mut exp = NewExpect::alloc(conn)?;
        let wanted = Wanted {
            class: 0,
            l3num: conn.l3num(),
            source: Some(&tuple.src.address),
            destination: &tuple.dst.address,
            protocol: number::GRE,
            source_port: Some(tuple.src.id),
            port: tuple.dst.id,
        };
        expect::describe(&mut exp, &wanted);
        abi::set_callback(&mut exp, translated);
        if translated {
            exp.set_saved(Default::default(), other, direction);
        }
        Some(exp)
    };
    let pns = make(pns, Direction::Original, ids.pns_outside)?;
    let pac = make(pac, Direction::Reply, ids.pns)?;
    expect::related_pair([&pns, &pac], 0).ok()?;
    if gre::begin_call(conn, &tuples).is_err() {
        expect::withdraw(&pns);
        expect::withdraw(&pac);
    }
    Some(())
}

/// The first packet of a call has come, that of `conn`: the other direction is
/// part of the same connection, and no longer expected. `translated`: the control
/// connection was under NAT.
pub(crate) fn expected(conn: &Conn, exp: &Expect, translated: bool) {
    let Some(master) = conn.master() else { return };
    let other = if translated {
        let direction = exp.direction();
        let ids = pptp::ids_of(exp.tuple(), direction, exp.saved_id());
        let tuples = [Direction::Original, Direction::Reply].map(|of| master.tuple(of));
        Some(*direction.opposite().of(&pptp::tunnel(tuples, ids)))
    } else {
        exp.tuple().invert()
    };
    let found = other.and_then(|other| expect::find(conn.net(), conn.zone(), &other));
    if let Some(found) = found.filter(|found| found.same_master(exp)) {
        expect::withdraw(&found);
    }
    let rcu = rcu::read_lock();
    if let Some(half) = NAT.of(master, &rcu).filter(|_| translated) {
        (half.translate)(conn, exp);
    }
}
