// SPDX-License-Identifier: GPL-2.0

//! Drivers, and the work queues that they are asked from.

use super::{
    flow::{Flags, Flow},
    rule::Rule,
    table::Table,
};
use crate::offload;
use core::{mem::zeroed, ptr::null_mut};
use kernel::ffi::c_int;
use netfilter::{check_prototype, conntrack::Net, percpu::Cpu};
use nf_bindings as bindings;
use nf_proto::tuple::Direction;

check_prototype!(rustynat_flow_withdraw, rustynat_flow_work_run);

const _: () = {
    assert!(Command::Add as u32 == bindings::rustynat_flow_command_RUSTYNAT_FLOW_ADD);
    assert!(Command::Destroy as u32 == bindings::rustynat_flow_command_RUSTYNAT_FLOW_DESTROY);
    assert!(Command::Stats as u32 == bindings::rustynat_flow_command_RUSTYNAT_FLOW_STATS);
};

/// What is asked of hardware about a flow.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// To take its packets.
    Add = 0,
    /// To forget it.
    Destroy = 1,
    /// For its counters.
    Stats = 2,
}

/// What hardware counted in a direction since it was asked last.
#[derive(Clone, Copy, Default)]
pub struct Stats {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
    /// When the last packet came, jiffies of 64 bits; 0 if hardware does not say.
    pub used: u64,
}

/// Some driver takes flows of the table, as it seems.
pub fn has_drivers(table: Table<'_>) -> bool {
    // SAFETY: One word is read.
    unsafe { bindings::rustynat_flow_has_drivers(table.as_ptr()) }
}

/// Allocates what is needed to ask about a flow, unless that was done. False if memory
/// is short.
pub fn prepare(flow: &Flow) -> bool {
    // SAFETY: The flow lives. Who comes first sets the place of the work, for good.
    unsafe { bindings::rustynat_flow_work_alloc(flow.as_whole()) }
}

/// Has a work queue ask. The flow was claimed, and is released when it is done.
pub fn queue(table: Table<'_>, flow: &Flow, command: Command) {
    debug_assert!(flow.flags().any(Flags::PENDING));
    count(flow.conn().net(), command, 1);
    // SAFETY: The table ends after its flows, and a flow that is claimed does not
    // end. Its work is not in use, as it was not claimed before.
    unsafe {
        bindings::rustynat_flow_work_queue(table.as_ptr(), flow.as_whole(), command as u32);
    }
}

/// # Safety
///
/// C: the work of a flow of the table that is claimed.
#[no_mangle]
pub unsafe extern "C" fn rustynat_flow_work_run(
    table: *mut bindings::nf_flowtable,
    flow: *mut bindings::flow_offload,
    command: u32,
) {
    let command = match command {
        bindings::rustynat_flow_command_RUSTYNAT_FLOW_ADD => Command::Add,
        bindings::rustynat_flow_command_RUSTYNAT_FLOW_DESTROY => Command::Destroy,
        _ => Command::Stats,
    };
    // SAFETY: By the C contract.
    unsafe { offload::run(Table::from_raw(table), Flow::from_raw(flow), command) };
}

/// Waits for all work that is queued. Sleeps.
pub fn flush() {
    // SAFETY: The queues live as long as the module.
    unsafe { bindings::rustynat_flow_work_flush() };
}

/// Waits for packets that are on their way through hooks. Sleeps.
pub fn wait_for_packets() {
    // SAFETY: Process context.
    unsafe { bindings::rustynat_flow_wait_for_packets() };
}

/// # Safety
///
/// C: a table that a driver is about to leave; may sleep.
#[no_mangle]
pub unsafe extern "C" fn rustynat_flow_withdraw(table: *mut bindings::nf_flowtable) {
    // SAFETY: By the C contract.
    offload::driver_leaves(unsafe { Table::from_raw(table) });
}

/// Counts what waits to be asked: `by` more.
pub fn count(net: Net, command: Command, by: c_int) {
    // SAFETY: The namespace is a connection's, which is held.
    unsafe { bindings::rustynat_flow_count(net.as_ptr(), command as u32, by) };
}

/// What waits to be asked, on the account of a CPU.
pub fn waiting(net: Net, cpu: Cpu, command: Command) -> i32 {
    // SAFETY: The namespace has its counters as long as it has the file that asks;
    // the CPU is possible.
    unsafe { bindings::rustynat_flow_counted(net.as_ptr(), cpu.number(), command as u32) }
}

/// Asks all drivers of the table; how many did it, and what they counted. Sleeps.
fn ask_all(
    table: Table<'_>,
    flow: &Flow,
    direction: Direction,
    command: bindings::flow_cls_command,
    rule: *mut bindings::nf_flow_rule,
) -> (c_int, bindings::flow_stats) {
    // SAFETY: All may be zero.
    let mut stats: bindings::flow_stats = unsafe { zeroed() };
    // SAFETY: The flow is claimed, and lives; its tuple's address is what drivers know
    // the direction by. The rule is valid or null.
    let done = unsafe {
        bindings::rustynat_flow_ask(
            table.as_ptr(),
            flow.side(direction).as_ptr(),
            command,
            rule,
            &mut stats,
        )
    };
    (done, stats)
}

/// Tells drivers of a direction; whether any of them took it. Sleeps.
pub fn replace(table: Table<'_>, flow: &Flow, direction: Direction, rule: &Rule) -> bool {
    let command = bindings::flow_cls_command_FLOW_CLS_REPLACE;
    ask_all(table, flow, direction, command, rule.as_ptr()).0 > 0
}

/// Has drivers forget a direction. Sleeps.
pub fn destroy(table: Table<'_>, flow: &Flow, direction: Direction) {
    let command = bindings::flow_cls_command_FLOW_CLS_DESTROY;
    ask_all(table, flow, direction, command, null_mut());
}

/// Asks drivers what they counted of a direction. Sleeps.
pub fn stats(table: Table<'_>, flow: &Flow, direction: Direction) -> Stats {
    let command = bindings::flow_cls_command_FLOW_CLS_STATS;
    let (_, stats) = ask_all(table, flow, direction, command, null_mut());
    Stats {
        packets: stats.pkts,
        bytes: stats.bytes,
        used: stats.lastused,
    }
}
