// SPDX-License-Identifier: GPL-2.0

//! What hardware does of a flow's work. Drivers sleep, and so are asked from work
//! queues: to forward a flow's packets, for its counters, and to forget it. One
//! thing at a time: a flow that is busy (`NF_FLOW_PENDING`) is not freed, and one
//! that has ended is told to no hardware again. What is needed to ask is allocated
//! with the flow, so that a flow can always be withdrawn.

use crate::{
    abi::{
        flow::{Flags, Flow},
        hardware::{self, Command, Stats},
        rule::Rule,
        table::Table,
    },
    life,
};
use netfilter::conntrack::{account, conn::now, Status};
use nf_proto::{
    flow::hardware::{extended, is_due, next as decide, Next, State},
    tuple::Direction,
};

/// Hardware, if there is any, is told of a flow: when it is new, and again when its
/// packets come though hardware should have taken them. What is known, drivers know.
#[cold]
pub fn tell(table: Table<'_>, flow: &Flow) {
    let over = Flags::CLOSING | Flags::TEARDOWN | Flags::HW_DYING;
    let tunneled = [Direction::Original, Direction::Reply]
        .into_iter()
        .any(|direction| flow.side(direction).is_tunneled());
    if tunneled || flow.flags().any(over | Flags::PENDING) || !hardware::has_drivers(table) {
        return;
    }
    // Without memory it is the software's, for now.
    if hardware::prepare(flow) && flow.claim(over, Flags::HW) {
        hardware::queue(table, flow, Command::Add);
    }
}

/// What collection is to do about a flow.
pub fn next(flow: &Flow) -> Next {
    let flags = flow.flags();
    decide(State {
        ended: flags.any(Flags::TEARDOWN),
        closing: flags.any(Flags::CLOSING),
        known: flags.any(Flags::HW),
        busy: flags.any(Flags::PENDING),
        leaving: flags.any(Flags::HW_DYING),
        left: flags.any(Flags::HW_DEAD),
    })
}

/// Hardware is told to forget a flow.
pub fn withdraw(table: Table<'_>, flow: &Flow) {
    if flow.claim(Flags::HW_DYING, Flags::HW_DYING) {
        hardware::queue(table, flow, Command::Destroy);
    }
}

/// Hardware is asked for counters, if that is due.
pub fn ask(table: Table<'_>, flow: &Flow) {
    let conn = flow.conn();
    let left = flow.timeout().wrapping_sub(now()) as i32;
    let over = Flags::TEARDOWN | Flags::HW_DYING;
    if is_due(left, life::lifetime(conn.net(), conn.protocol())) && flow.claim(over, Flags::NONE) {
        hardware::queue(table, flow, Command::Stats);
    }
}

/// Waits for all that has been asked. Sleeps.
pub fn flush() {
    hardware::flush();
}

/// Waits until flows that were ended are out of hardware. Sleeps.
pub fn settle(table: Table<'_>) {
    // What is being told of them now, collection would pass over.
    flush();
    table.flush_collection();
    flush();
}

/// A driver is about to leave a table: it gets to know that all flows are over.
/// They may begin again without it. Sleeps.
pub fn driver_leaves(table: Table<'_>) {
    hardware::wait_for_packets();
    table.each(|flow| {
        if flow.flags().any(Flags::HW) {
            life::teardown(flow);
        }
    });
    settle(table);
}

/// The directions that hardware has.
fn directions(flow: &Flow) -> impl Iterator<Item = Direction> {
    let both = flow.flags().any(Flags::HW_BIDIRECTIONAL);
    [Some(Direction::Original), both.then_some(Direction::Reply)]
        .into_iter()
        .flatten()
}

/// Does what was asked for; the flow is busy. It may be gone afterwards. Sleeps.
pub fn run(table: Table<'_>, flow: &Flow, command: Command) {
    let also = match command {
        Command::Add => {
            add(table, flow);
            Flags::NONE
        }
        Command::Stats => {
            count(table, flow);
            Flags::NONE
        }
        Command::Destroy => {
            destroy(table, flow);
            Flags::HW_DEAD
        }
    };
    // The flow holds its connection, and that its namespace.
    hardware::count(flow.conn().net(), command, -1);
    flow.release(also);
}

fn add(table: Table<'_>, flow: &Flow) {
    if flow.flags().any(Flags::TEARDOWN) {
        return;
    }
    let rule = |direction| Rule::new(table, flow, direction);
    // Both or neither: half a connection is not what was asked for.
    let Ok(original) = rule(Direction::Original) else {
        return;
    };
    let both = flow.flags().any(Flags::HW_BIDIRECTIONAL);
    let Ok(reply) = both.then(|| rule(Direction::Reply)).transpose() else {
        return;
    };
    let mut taken = hardware::replace(table, flow, Direction::Original, &original);
    if let Some(reply) = reply {
        taken |= hardware::replace(table, flow, Direction::Reply, &reply);
    }
    if taken && !flow.flags().any(Flags::TEARDOWN) {
        flow.conn().set_status(Status::HW_OFFLOAD);
    }
}

fn destroy(table: Table<'_>, flow: &Flow) {
    // Of one that has ended, another flow may have the connection.
    if !flow.flags().any(Flags::TEARDOWN) {
        flow.conn().clear_status(Status::HW_OFFLOAD);
    }
    for direction in directions(flow) {
        hardware::destroy(table, flow, direction);
    }
}

fn count(table: Table<'_>, flow: &Flow) {
    let conn = flow.conn();
    let mut used = 0;
    for direction in directions(flow) {
        let stats: Stats = hardware::stats(table, flow, direction);
        used = used.max(stats.used);
        if table.counts() && stats.packets != 0 {
            account::add_many(conn, direction, stats.packets, stats.bytes);
        }
    }
    let lifetime = life::lifetime(conn.net(), conn.protocol());
    if let Some(until) = extended(flow.timeout(), used, lifetime) {
        flow.set_timeout(until);
    }
}
