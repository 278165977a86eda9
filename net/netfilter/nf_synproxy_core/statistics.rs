// SPDX-License-Identifier: GPL-2.0

//! `/proc/net/stat/synproxy`.

use kernel::prelude::*;
use netfilter::{
    percpu::{Cpu, Field, PerCpu},
    percpu_field,
    procfs::{Listing, SeqFile},
};
use nf_bindings::synproxy_stats;

/// The counters of a namespace (`struct synproxy_stats`), which rules write too.
pub struct Statistics(PerCpu<synproxy_stats>);

type Counter = Field<synproxy_stats, u32>;

/// The client's ACK had no valid cookie.
pub const COOKIE_INVALID: Counter = percpu_field!(synproxy_stats, cookie_invalid);
/// It had one.
pub const COOKIE_VALID: Counter = percpu_field!(synproxy_stats, cookie_valid);
/// It had one, again.
pub const COOKIE_RETRANS: Counter = percpu_field!(synproxy_stats, cookie_retrans);
/// A closed connection began anew.
pub const CONN_REOPENED: Counter = percpu_field!(synproxy_stats, conn_reopened);
const SYN_RECEIVED: Counter = percpu_field!(synproxy_stats, syn_received);

impl Statistics {
    /// All 0. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn new() -> Result<Self> {
        Ok(Self(PerCpu::new()?))
    }

    /// Counts one.
    #[inline]
    pub fn count(&self, counter: Counter) {
        self.0.add(counter, 1);
    }

    /// What C has them by.
    pub fn as_raw(&self) -> *mut synproxy_stats {
        self.0.as_raw()
    }
}

impl Listing for Statistics {
    fn header(&self, seq: &mut SeqFile) {
        seq.text("entries\t\tsyn_received\tcookie_invalid\tcookie_valid\t")
            .text("cookie_retrans\tconn_reopened\n");
    }

    fn next(&self, from: u64) -> Option<u64> {
        Some(Cpu::from(u32::try_from(from).ok()?)?.number().into())
    }

    fn show(&self, position: u64, seq: &mut SeqFile) {
        let Some(cpu) = u32::try_from(position).ok().and_then(Cpu::from) else {
            return;
        };
        // Connections waiting: there are none, that is the point.
        seq.hex(0, 8);
        for counter in [
            SYN_RECEIVED,
            COOKIE_INVALID,
            COOKIE_VALID,
            COOKIE_RETRANS,
            CONN_REOPENED,
        ] {
            seq.text("\t").hex(self.0.of(counter, cpu), 8);
        }
        seq.text("\n");
    }
}
