// SPDX-License-Identifier: GPL-2.0

//! `/proc/net/nf_flowstat` and `/proc/net/stat/nf_flowstat`.

use crate::flow::Flow;
use crate::namespace::{Namespace, STATISTICS};
use kernel::sync::Arc;
use netfilter::percpu::Cpu;
use netfilter::procfs::{Listing, SeqFile};
use nf_proto::l4::number;
use nf_proto::tuple::Family;

/// The flows, a line each.
pub struct FlowFile(pub(crate) Arc<Namespace>);

impl Listing for FlowFile {
    fn next(&self, from: u64) -> Option<u64> {
        (from < self.0.positions() as u64).then_some(from)
    }

    fn show(&self, position: u64, seq: &mut SeqFile) {
        let Ok(position) = usize::try_from(position) else {
            return;
        };
        self.0
            .visit_at(position, &mut |flow: &Flow| line(flow, seq));
    }
}

fn line(flow: &Flow, seq: &mut SeqFile) {
    let tuple = flow.tuple();
    let protocol = tuple.dst.protocol;
    seq.text(family_name(flow.family()))
        .text(" ")
        .text(protocol_name(protocol))
        .text(" ")
        .decimal(protocol.into())
        .text(" src=")
        .address(flow.family(), &tuple.src.address)
        .text(" dst=")
        .address(flow.family(), &tuple.dst.address);
    match protocol {
        number::ICMP | number::ICMPV6 => {
            let [kind, code] = tuple.dst.id.to_bytes();
            seq.text(" type=").decimal(kind.into());
            seq.text(" code=").decimal(code.into());
            seq.text(" id=").decimal(tuple.src.id.get().into());
        }
        _ => {
            seq.text(" sport=").decimal(tuple.src.id.get().into());
            seq.text(" dport=").decimal(tuple.dst.id.get().into());
        }
    }
    seq.text(" packets=").decimal(flow.packets());
    seq.text(" bytes=").decimal(flow.bytes()).text("\n");
}

/// The counters, a line for each CPU.
pub struct StatisticsFile(pub(crate) Arc<Namespace>);

impl Listing for StatisticsFile {
    fn header(&self, seq: &mut SeqFile) {
        seq.text("cpu");
        for (name, _) in STATISTICS {
            seq.text(" ").text(name);
        }
        seq.text("\n");
    }

    fn next(&self, from: u64) -> Option<u64> {
        Some(Cpu::from(u32::try_from(from).ok()?)?.number().into())
    }

    fn show(&self, position: u64, seq: &mut SeqFile) {
        let Some(cpu) = u32::try_from(position).ok().and_then(Cpu::from) else {
            return;
        };
        seq.decimal(position);
        for (_, field) in STATISTICS {
            seq.text(" ").decimal(self.0.statistics().of(field, cpu));
        }
        seq.text("\n");
    }
}

/// The name of a network layer.
pub fn family_name(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "ipv4",
        Family::Ipv6 => "ipv6",
    }
}

/// The name of a transport protocol.
pub fn protocol_name(protocol: u8) -> &'static str {
    match protocol {
        number::ICMP => "icmp",
        number::TCP => "tcp",
        number::UDP => "udp",
        number::GRE => "gre",
        number::ICMPV6 => "icmpv6",
        number::SCTP => "sctp",
        _ => "unknown",
    }
}
