// SPDX-License-Identifier: GPL-2.0

//! A network namespace's flows, and what its packets do to them.

use crate::flow::{self, Flow, Table};
use core::sync::atomic::{AtomicU32, Ordering};
use kernel::prelude::*;
use kernel::sync::Arc;
use netfilter::hook::{Hook, HookContext, HookNumber, Verdict};
use netfilter::net::NetId;
use netfilter::percpu::{Field, PerCpu};
use netfilter::percpu_field;
use netfilter::rcu::ReadGuard;
use netfilter::skb::SkBuff;
use netfilter::slab::{Cached, Entry, Gfp, Ref};
use netfilter::sysctl::Setting;
use netfilter::time::{self, HZ};
use netfilter::work::Tick;
use nf_proto::hash::Key;
use nf_proto::packet;
use nf_proto::tuple::Tuple;

/// What of a packet that is not linear is looked at, from the network header on.
const HEADERS: usize = 128;

/// The table, shared by all namespaces.
pub struct Flows {
    /// All flows.
    pub table: Table,
    /// The secret of its hash.
    pub key: Key,
}

impl Tick for Flows {
    /// Takes out what has expired.
    fn tick(&self) -> u32 {
        let now = time::now();
        for index in 0..self.table.len() {
            self.table.remove_if(index, |flow| flow.expired(now));
        }
        HZ
    }
}

/// What each CPU counts.
#[repr(C)]
#[derive(Zeroable)]
pub struct Statistics {
    /// Packets at PRE_ROUTING.
    pub pre_routing: u64,
    /// Packets at LOCAL_IN.
    pub local_in: u64,
    /// Packets at FORWARD.
    pub forward: u64,
    /// Packets at LOCAL_OUT.
    pub local_out: u64,
    /// Packets at POST_ROUTING.
    pub post_routing: u64,
    /// Packets of flows that were known.
    pub found: u64,
    /// Packets that began a flow.
    pub new: u64,
    /// Packets that could not be read.
    pub invalid: u64,
    /// Packets whose flow found no place.
    pub full: u64,
}

/// The counters in the order in which they are shown, and their names.
pub const STATISTICS: [(&str, Field<Statistics, u64>); 9] = [
    ("pre_routing", percpu_field!(Statistics, pre_routing)),
    ("local_in", percpu_field!(Statistics, local_in)),
    ("forward", percpu_field!(Statistics, forward)),
    ("local_out", percpu_field!(Statistics, local_out)),
    ("post_routing", percpu_field!(Statistics, post_routing)),
    ("found", percpu_field!(Statistics, found)),
    ("new", percpu_field!(Statistics, new)),
    ("invalid", percpu_field!(Statistics, invalid)),
    ("full", percpu_field!(Statistics, full)),
];

/// What is known of a namespace.
pub struct Namespace {
    flows: Arc<Flows>,
    id: NetId,
    /// Flows that exist or are in the making.
    count: AtomicU32,
    /// Sysctl: the largest number of flows.
    pub(crate) max: Setting<u32>,
    /// Sysctl: how long a flow is remembered after its last packet, jiffies.
    pub(crate) timeout: Setting<u32>,
    statistics: PerCpu<Statistics>,
}

impl Namespace {
    pub(crate) fn new(flows: Arc<Flows>, id: NetId) -> Result<Self> {
        Ok(Self {
            flows,
            id,
            count: AtomicU32::new(0),
            max: Setting::new(65536),
            timeout: Setting::new(HZ.wrapping_mul(30)),
            statistics: PerCpu::new()?,
        })
    }

    /// Identity of the namespace.
    #[inline]
    pub fn id(&self) -> NetId {
        self.id
    }

    /// The number of flows.
    #[inline]
    pub fn count(&self) -> u32 {
        self.count.load(Ordering::Relaxed)
    }

    /// What its CPUs have counted.
    pub fn statistics(&self) -> &PerCpu<Statistics> {
        &self.statistics
    }

    /// The number of positions for [`visit_at`](Self::visit_at).
    pub fn positions(&self) -> usize {
        self.flows.table.len()
    }

    /// Shows a visitor this namespace's flows at one position. Softirq or
    /// process context; the visitor must not sleep.
    pub fn visit_at<V: Visit>(&self, position: usize, visitor: &mut V) {
        self.flows.table.for_each(position, |flow| {
            if flow.belongs_to(self) {
                visitor.flow(flow);
            }
        });
    }

    /// Shows a visitor all of this namespace's flows, as above.
    pub fn visit<V: Visit>(&self, visitor: &mut V) {
        for position in 0..self.positions() {
            self.visit_at(position, visitor);
        }
    }

    /// Forgets all flows.
    pub(crate) fn purge(&self) {
        for index in 0..self.positions() {
            self.flows
                .table
                .remove_if(index, |flow| flow.belongs_to(self));
        }
    }

    /// A flow is gone.
    #[inline]
    pub(crate) fn released(&self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }

    #[inline]
    fn add(&self, field: Field<Statistics, u64>) {
        self.statistics.add(field, 1);
    }
}

/// What looks at flows.
pub trait Visit {
    /// A flow.
    fn flow(&mut self, flow: &Flow);
}

impl<F: FnMut(&Flow)> Visit for F {
    fn flow(&mut self, flow: &Flow) {
        self(flow);
    }
}

/// A namespace as its hooks have it.
pub struct Counter(pub(crate) Arc<Namespace>);

impl Hook for Counter {
    #[inline]
    fn packet(&self, context: &HookContext<'_>, skb: &mut SkBuff) -> Verdict {
        let Self(namespace) = self;
        namespace.add(match context.hook() {
            HookNumber::PreRouting => percpu_field!(Statistics, pre_routing),
            HookNumber::LocalIn => percpu_field!(Statistics, local_in),
            HookNumber::Forward => percpu_field!(Statistics, forward),
            HookNumber::LocalOut => percpu_field!(Statistics, local_out),
            HookNumber::PostRouting => percpu_field!(Statistics, post_routing),
        });
        if matches!(
            context.hook(),
            HookNumber::PreRouting | HookNumber::LocalOut
        ) {
            self.account(context, skb);
        }
        Verdict::Accept
    }
}

impl Counter {
    /// Counts a packet that enters the host's IP layer for its flow.
    #[inline]
    fn account(&self, context: &HookContext<'_>, skb: &SkBuff) {
        let Self(namespace) = self;
        let Some(offset) = skb.network_offset() else {
            return namespace.add(percpu_field!(Statistics, invalid));
        };
        let len = skb.len().saturating_sub(offset) as u32;
        let parsed = skb
            .with_prefix::<HEADERS, _>(offset, |bytes| packet::parse(context.family(), bytes, len));
        let Ok(packet) = parsed else {
            return namespace.add(percpu_field!(Statistics, invalid));
        };
        if let Some(flow) = self.flow(packet.tuple, context.rcu()) {
            flow.count(len, namespace.timeout.get());
        }
    }

    /// The flow of a tuple, old or new.
    #[inline]
    fn flow(&self, tuple: Tuple, guard: ReadGuard<'_>) -> Option<Ref<Entry<Flow>>> {
        let Self(namespace) = self;
        let Flows { table, key } = &*namespace.flows;
        let tag = flow::tag(key, namespace, &tuple);
        let found = table.find(tag, guard, |flow| flow.is(namespace, &tuple));
        if found.is_some() {
            namespace.add(percpu_field!(Statistics, found));
            return found;
        }
        let flow = self.open(tag, tuple);
        namespace.add(match flow {
            Some(_) => percpu_field!(Statistics, new),
            None => percpu_field!(Statistics, full),
        });
        flow
    }

    /// A new flow, unless there are too many.
    fn open(&self, tag: u32, tuple: Tuple) -> Option<Ref<Entry<Flow>>> {
        let Self(namespace) = self;
        // Counted before it exists, so that no number of CPUs can exceed the
        // limit; from then on the flow's end takes it back.
        if namespace.count.fetch_add(1, Ordering::Relaxed) >= namespace.max.get() {
            namespace.released();
            return None;
        }
        let flow = Flow::new(namespace.clone(), tuple);
        let fresh = Flow::cache().alloc(tag, flow, Gfp::Atomic).ok()?;
        match namespace
            .flows
            .table
            .insert(fresh, |flow| flow.is(namespace, &tuple))
        {
            Ok(flow) => Some(flow),
            // Another CPU was faster.
            Err(other) => other,
        }
    }
}
