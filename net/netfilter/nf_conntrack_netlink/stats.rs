// SPDX-License-Identifier: GPL-2.0

//! Statistics: how many connections, and the counters of each CPU.

use crate::attr;
use core::sync::atomic::Ordering;
use kernel::prelude::*;
use netfilter::{
    conntrack::{settings, stat},
    nfnetlink::{Command, Dump, Output, Progress, Request},
    nlattr::{Buffer, Writer},
};
use nf_bindings::{self as bindings, ip_conntrack_stat};

use bindings::{
    cntl_msg_types_IPCTNL_MSG_CT_GET_STATS as MSG_STATS,
    cntl_msg_types_IPCTNL_MSG_CT_GET_STATS_CPU as MSG_STATS_CPU,
    ctattr_stats_cpu_CTA_STATS_CHAIN_TOOLONG as CTA_STATS_CHAIN_TOOLONG,
    ctattr_stats_cpu_CTA_STATS_CLASH_RESOLVE as CTA_STATS_CLASH_RESOLVE,
    ctattr_stats_cpu_CTA_STATS_DROP as CTA_STATS_DROP,
    ctattr_stats_cpu_CTA_STATS_EARLY_DROP as CTA_STATS_EARLY_DROP,
    ctattr_stats_cpu_CTA_STATS_ERROR as CTA_STATS_ERROR,
    ctattr_stats_cpu_CTA_STATS_FOUND as CTA_STATS_FOUND,
    ctattr_stats_cpu_CTA_STATS_INSERT as CTA_STATS_INSERT,
    ctattr_stats_cpu_CTA_STATS_INSERT_FAILED as CTA_STATS_INSERT_FAILED,
    ctattr_stats_cpu_CTA_STATS_INVALID as CTA_STATS_INVALID,
    ctattr_stats_cpu_CTA_STATS_SEARCH_RESTART as CTA_STATS_SEARCH_RESTART,
    ctattr_stats_global_CTA_STATS_GLOBAL_ENTRIES as CTA_STATS_GLOBAL_ENTRIES,
    ctattr_stats_global_CTA_STATS_GLOBAL_MAX_ENTRIES as CTA_STATS_GLOBAL_MAX_ENTRIES,
};

/// `IPCTNL_MSG_CT_GET_STATS`
pub(crate) struct Global;

impl Command for Global {
    fn call(request: &Request<'_>) -> Result {
        let entries = request.net().connections().load(Ordering::Relaxed) as u32;
        let mut answer = Buffer::new(Buffer::USUAL, nf_bindings::GFP_KERNEL)?;
        let mut header = request.answer(attr::CONNECTIONS, MSG_STATS as u8, 0);
        header.flags = bindings::NLM_F_MULTI as u16;
        let mut writer = answer.message(header);
        writer
            .number(CTA_STATS_GLOBAL_ENTRIES, entries)
            .number(CTA_STATS_GLOBAL_MAX_ENTRIES, settings::max());
        writer.finish()?;
        request.reply(answer)
    }
}

/// `IPCTNL_MSG_CT_GET_STATS_CPU`
pub(crate) struct OfCpus;

impl Command for OfCpus {
    fn call(request: &Request<'_>) -> Result {
        if !request.is_dump() {
            return Ok(());
        }
        let list = PerCpu {
            cpu: 0,
            subsystem: attr::CONNECTIONS,
            message: MSG_STATS_CPU as u8,
            write: connections,
        };
        request.dump(&crate::THIS_MODULE, list)
    }
}

fn connections(writer: &mut Writer<'_>, counters: &ip_conntrack_stat) {
    writer
        .number(CTA_STATS_FOUND, counters.found)
        .number(CTA_STATS_INVALID, counters.invalid)
        .number(CTA_STATS_INSERT, counters.insert)
        .number(CTA_STATS_INSERT_FAILED, counters.insert_failed)
        .number(CTA_STATS_DROP, counters.drop)
        .number(CTA_STATS_EARLY_DROP, counters.early_drop)
        .number(CTA_STATS_ERROR, counters.error)
        .number(CTA_STATS_SEARCH_RESTART, counters.search_restart)
        .number(CTA_STATS_CLASH_RESOLVE, counters.clash_resolve)
        .number(CTA_STATS_CHAIN_TOOLONG, counters.chaintoolong);
}

/// A message for each CPU: `write` picks of its counters.
pub(crate) struct PerCpu {
    /// The next CPU.
    pub(crate) cpu: u32,
    /// `NFNL_SUBSYS_*`, which stock says is that of connections always.
    pub(crate) subsystem: u8,
    /// The message's number.
    pub(crate) message: u8,
    /// Writes the attributes.
    pub(crate) write: fn(&mut Writer<'_>, &ip_conntrack_stat),
}

impl Dump for PerCpu {
    fn step(&mut self, out: &mut Output<'_>) -> Result<Progress> {
        while self.cpu < stat::cpus() {
            if let Some(counters) = stat::of_cpu(out.net(), self.cpu) {
                let mut header = out.header(self.subsystem, self.message, 0, 0);
                header.resource = self.cpu as u16;
                let mut writer = out.message(header);
                (self.write)(&mut writer, &counters);
                if writer.finish().is_err() {
                    return Ok(Progress::More);
                }
            }
            self.cpu = self.cpu.saturating_add(1);
        }
        Ok(Progress::Finished)
    }
}
