// SPDX-License-Identifier: GPL-2.0

//! Collection: ends flows whose time has come, frees those that have ended, and
//! keeps the connections of the others from expiring.

use crate::{
    abi::{
        flow::{Flags, Flow},
        table::{Gone, Table},
    },
    life, offload,
};
use netfilter::{
    conntrack::{conn::now, state, Status},
    time::HZ,
};
use nf_proto::{
    flow::{
        hardware::Next,
        timeout::{extension, EXTEND_BELOW},
    },
    l4::{number, tcp},
    tuple::Direction,
};

/// Looks at all flows of a table. Process context.
pub fn run(table: Table<'_>) {
    table.each(|flow| step(table, flow));
}

fn step(table: Table<'_>, flow: &Flow) {
    if flow.flags().any(Flags::PENDING) {
        // Whether it has expired depends on what hardware answers.
        return;
    }
    if life::is_expired(flow, now()) || flow.conn().is_dying() || table.outdated(flow) {
        life::teardown(flow);
    }
    match offload::next(flow) {
        Next::Free => table.remove(flow),
        Next::Wait => {}
        next => {
            if !flow.flags().any(Flags::TEARDOWN) {
                extend(flow);
            }
            match next {
                Next::Withdraw => offload::withdraw(table, flow),
                Next::Ask => offload::ask(table, flow),
                _ => {}
            }
        }
    }
}

/// Gives a flow's connection more time, if it has little left: its packets do not
/// come by where that is done else.
fn extend(flow: &Flow) {
    let conn = flow.conn();
    let old = conn.timeout();
    let left = old.wrapping_sub(now()) as i32;
    if left <= 0 || left >= HZ.wrapping_mul(EXTEND_BELOW) as i32 {
        return;
    }
    let protocol = conn.protocol();
    let tcp = match protocol {
        number::TCP => state::peek::<tcp::State>(conn).state() as u8,
        _ => 0,
    };
    // The flow holds a reference: it is still the same connection.
    let status = conn.status();
    if !status.has(Status::CONFIRMED | Status::OFFLOAD) {
        return;
    }
    if let Some(seconds) = extension(protocol, tcp) {
        let until = now().wrapping_add(HZ.wrapping_mul(seconds));
        // Connection tracking's word is the better one.
        conn.replace_timeout(old, until);
    }
}

/// Ends all flows that have to do with a device, or all, and waits until that is
/// known. Sleeps.
pub fn clean(table: Table<'_>, device: Option<Gone>) {
    table.each(|flow| {
        let concerned = device.is_none_or(|device| {
            flow.conn().net() == device.net
                && [Direction::Original, Direction::Reply]
                    .into_iter()
                    .any(|direction| uses(flow, direction, device.index))
        });
        if concerned {
            life::teardown(flow);
        }
    });
    if table.wants_hardware() {
        offload::settle(table);
    } else {
        table.flush_collection();
    }
}

/// A direction's packets come in by the device, or its route leads there.
fn uses(flow: &Flow, direction: Direction, device: i32) -> bool {
    let side = flow.side(direction);
    side.input() == device || side.route_device() == Some(device)
}

/// Ends all flows of a table that nobody uses any more. Sleeps.
pub fn end(table: Table<'_>) {
    table.each(life::teardown);
    if table.wants_hardware() {
        // What it is just told is known when it is told to forget it.
        offload::flush();
        run(table);
        offload::flush();
    }
    run(table);
}
