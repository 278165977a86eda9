// SPDX-License-Identifier: GPL-2.0

//! What a protocol's timeouts are, for netlink messages that set or show them.

use core::sync::atomic::{AtomicU32, Ordering};
use netfilter::conntrack::{state::ALL_OTHERS, HZ};
use nf_proto::{
    expect::span,
    l4::{number, sctp, tcp, udp},
};

/// The most timeouts that a protocol has.
pub const MOST: usize = 14;

/// A protocol's timeouts, of a policy or of a namespace: a table, and how
/// netlink numbers what is in it (`enum ctattr_timeout_*`).
pub struct Kind {
    /// The protocol; 255 for all that have no timeouts of their own.
    pub protocol: u8,
    /// Number of entries of the table.
    pub entries: usize,
    /// Entry of the table for each attribute, from attribute 1 on.
    pub map: &'static [u8],
    /// Entry 0 belongs to no state, and is as entry 1.
    first_is_second: bool,
}

/// TCP's.
pub const TCP: Kind = Kind {
    protocol: number::TCP,
    entries: tcp::DEFAULT_TIMEOUTS.len(),
    map: &[1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13],
    first_is_second: true,
};

/// UDP's.
pub const UDP: Kind = Kind {
    protocol: number::UDP,
    entries: udp::DEFAULT_TIMEOUTS.len(),
    map: &[0, 1],
    first_is_second: false,
};

/// GRE's.
pub const GRE: Kind = Kind {
    protocol: number::GRE,
    ..UDP
};

/// SCTP's.
pub const SCTP: Kind = Kind {
    protocol: number::SCTP,
    entries: sctp::DEFAULT_TIMEOUTS.len(),
    map: &[1, 2, 3, 4, 5, 6, 7, 8, 9],
    first_is_second: true,
};

/// ICMP's.
pub const ICMP: Kind = Kind {
    protocol: number::ICMP,
    ..GENERIC
};

/// ICMPv6's.
pub const ICMPV6: Kind = Kind {
    protocol: number::ICMPV6,
    ..GENERIC
};

/// That of all protocols that have none of their own.
pub const GENERIC: Kind = Kind {
    protocol: ALL_OTHERS,
    entries: 1,
    map: &[0],
    first_is_second: false,
};

const ALL: [&Kind; 7] = [&TCP, &UDP, &GRE, &SCTP, &ICMP, &ICMPV6, &GENERIC];

const _: () = {
    let mut i = 0;
    while i < ALL.len() {
        let mut j = 0;
        while j < ALL[i].map.len() {
            assert!((ALL[i].map[j] as usize) < ALL[i].entries);
            j += 1;
        }
        assert!(ALL[i].entries <= MOST);
        i += 1;
    }
};

/// The timeouts of a protocol; none if it has none of its own.
pub fn kind(protocol: u8) -> Option<&'static Kind> {
    ALL.into_iter().find(|kind| kind.protocol == protocol)
}

impl Kind {
    /// One more than the number of its last attribute.
    #[inline]
    pub const fn attributes_end(&self) -> usize {
        self.map.len().saturating_add(1)
    }

    /// `defaults`, with what is given by attribute in its place. `seconds` may be
    /// anything: a time is at most half of what the clock counts, and so never
    /// in the past. The result is in jiffies.
    pub fn table(
        &self,
        defaults: &[AtomicU32],
        seconds: impl Fn(u16) -> Option<u32>,
    ) -> [u32; MOST] {
        let mut table = [0; MOST];
        for (timeout, word) in table.iter_mut().zip(defaults) {
            *timeout = word.load(Ordering::Relaxed);
        }
        for (attribute, entry) in (1..=u16::MAX).zip(self.map) {
            if let (Some(seconds), Some(timeout)) =
                (seconds(attribute), table.get_mut(usize::from(*entry)))
            {
                *timeout = span(seconds, HZ);
            }
        }
        if let ([first, second, ..], true) = (&mut table, self.first_is_second) {
            *first = *second;
        }
        table
    }

    /// The attributes that show a table, with the timeout of each, in jiffies.
    pub fn attributes<'t>(&self, table: &'t [u32]) -> impl Iterator<Item = (u16, u32)> + 't {
        let attributes = (1..=u16::MAX).zip(self.map);
        attributes.filter_map(|(attribute, entry)| {
            let timeout = table.get(usize::from(*entry))?;
            Some((attribute, *timeout))
        })
    }
}
