// SPDX-License-Identifier: GPL-2.0

//! The sums, and the file that shows them.

use kernel::prelude::*;
use kernel::sync::Arc;
use netfilter::net::{Ops, Scope};
use netfilter::procfs::{Directory, File, Listing, SeqFile};
use netfilter::rcu;
use nf_flowstat::proc::{family_name, protocol_name};
use nf_flowstat::{Flow, Visit};
use nf_proto::l4::number;
use nf_proto::tuple::Family;

/// Where the state of each namespace is found.
pub(crate) static OPS: Ops<State> = Ops::new();

/// What is kept for a namespace: its file.
pub(crate) struct State {
    _file: File<SumFile>,
}

impl State {
    pub(crate) fn new(net: &Scope) -> Result<Self> {
        let sums = Arc::new(SumFile(net.clone()), GFP_KERNEL)?;
        let name = c"nf_flowstat_proto";
        Ok(Self {
            _file: File::new(net.clone(), Directory::Net, name, 0o440, sums)?,
        })
    }
}

/// A line for each protocol, computed as it is read.
struct SumFile(Scope);

impl Listing for SumFile {
    fn header(&self, seq: &mut SeqFile) {
        let mut sums = Sums::new();
        rcu::read(|guard| {
            if let Some(namespace) = nf_flowstat::of(&self.0, guard) {
                namespace.visit(&mut sums);
            }
        });
        for Sum {
            family,
            protocol,
            flows,
            packets,
            bytes,
        } in sums.0
        {
            let name = protocol.map_or("other", protocol_name);
            seq.text(family_name(family)).text(" ").text(name);
            seq.text(" flows=").decimal(flows);
            seq.text(" packets=").decimal(packets);
            seq.text(" bytes=").decimal(bytes).text("\n");
        }
    }

    fn next(&self, _from: u64) -> Option<u64> {
        None
    }

    fn show(&self, _position: u64, _seq: &mut SeqFile) {}
}

/// The sum over the flows of one protocol, or of all (`None`) that come to no
/// line before.
struct Sum {
    family: Family,
    protocol: Option<u8>,
    flows: u64,
    packets: u64,
    bytes: u64,
}

/// The protocols that have a line of their own.
const PROTOCOLS: [(Family, Option<u8>); 12] = [
    (Family::Ipv4, Some(number::ICMP)),
    (Family::Ipv4, Some(number::TCP)),
    (Family::Ipv4, Some(number::UDP)),
    (Family::Ipv4, Some(number::GRE)),
    (Family::Ipv4, Some(number::SCTP)),
    (Family::Ipv4, None),
    (Family::Ipv6, Some(number::ICMPV6)),
    (Family::Ipv6, Some(number::TCP)),
    (Family::Ipv6, Some(number::UDP)),
    (Family::Ipv6, Some(number::GRE)),
    (Family::Ipv6, Some(number::SCTP)),
    (Family::Ipv6, None),
];

struct Sums([Sum; PROTOCOLS.len()]);

impl Sums {
    fn new() -> Self {
        Self(PROTOCOLS.map(|(family, protocol)| Sum {
            family,
            protocol,
            flows: 0,
            packets: 0,
            bytes: 0,
        }))
    }
}

impl Visit for Sums {
    fn flow(&mut self, flow: &Flow) {
        let protocol = flow.tuple().dst.protocol;
        let sum = self
            .0
            .iter_mut()
            .find(|sum| sum.family == flow.family() && sum.protocol.is_none_or(|p| p == protocol));
        if let Some(sum) = sum {
            sum.flows = sum.flows.wrapping_add(1);
            sum.packets = sum.packets.wrapping_add(flow.packets());
            sum.bytes = sum.bytes.wrapping_add(flow.bytes());
        }
    }
}
