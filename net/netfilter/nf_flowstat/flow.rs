// SPDX-License-Identifier: GPL-2.0

//! Flows: what is known of each.

use crate::namespace::Namespace;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use kernel::sync::Arc;
use netfilter::slab::{Cache, Cached, Entry};
use netfilter::{nulls, time};
use nf_proto::hash::{self, Key};
use nf_proto::tuple::{Address, Family, Tuple};

/// The cache of all flows.
pub static CACHE: Cache<Entry<Flow>> = Cache::new(c"nf_flowstat");

/// The table of all flows, of all namespaces.
pub type Table = nulls::Table<Entry<Flow>>;

/// Packets of one direction: same namespace, addresses, protocol and ports.
pub struct Flow {
    namespace: Arc<Namespace>,
    tuple: Tuple,
    packets: AtomicU64,
    bytes: AtomicU64,
    expires: AtomicU32,
}

impl Cached for Flow {
    fn cache() -> &'static Cache<Entry<Self>> {
        &CACHE
    }
}

impl Flow {
    /// A flow without packets.
    #[inline]
    pub(crate) fn new(namespace: Arc<Namespace>, tuple: Tuple) -> Self {
        Self {
            namespace,
            tuple,
            packets: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            expires: AtomicU32::new(time::now()),
        }
    }

    /// Counts a packet of `len` bytes; the flow now lives on for `timeout` jiffies.
    #[inline]
    pub(crate) fn count(&self, len: u32, timeout: u32) {
        self.packets.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(len.into(), Ordering::Relaxed);
        self.expires
            .store(time::now().wrapping_add(timeout), Ordering::Relaxed);
    }

    /// Whether it is the flow of this tuple.
    #[inline]
    pub(crate) fn is(&self, namespace: &Namespace, tuple: &Tuple) -> bool {
        self.belongs_to(namespace)
            && self.tuple.src == tuple.src
            && self.tuple.dst.address == tuple.dst.address
            && self.tuple.dst.id == tuple.dst.id
            && self.tuple.dst.protocol == tuple.dst.protocol
    }

    /// Whether it is a flow of this namespace.
    #[inline]
    pub fn belongs_to(&self, namespace: &Namespace) -> bool {
        core::ptr::eq(&*self.namespace, namespace)
    }

    /// Whether no packet came in time.
    #[inline]
    pub(crate) fn expired(&self, now: u32) -> bool {
        // Signed: the difference of two wrapping times.
        self.expires.load(Ordering::Relaxed).wrapping_sub(now) as i32 <= 0
    }

    /// Addresses, protocol and ports.
    #[inline]
    pub fn tuple(&self) -> &Tuple {
        &self.tuple
    }

    /// Its network layer.
    #[inline]
    pub fn family(&self) -> Family {
        if self.tuple.src.l3num == Family::Ipv6.number() {
            Family::Ipv6
        } else {
            Family::Ipv4
        }
    }

    /// Packets so far.
    #[inline]
    pub fn packets(&self) -> u64 {
        self.packets.load(Ordering::Relaxed)
    }

    /// Bytes so far, from the network header on.
    #[inline]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.namespace.released();
    }
}

/// The tag of a flow in the table.
#[inline]
pub(crate) fn tag(key: &Key, namespace: &Namespace, tuple: &Tuple) -> u32 {
    let Address([s0, s1, s2, s3]) = tuple.src.address;
    let Address([d0, d1, d2, d3]) = tuple.dst.address;
    let pair = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
    hash::hash_array(
        key,
        [
            namespace.id().number() as u64,
            pair(s0.raw(), s1.raw()),
            pair(s2.raw(), s3.raw()),
            pair(d0.raw(), d1.raw()),
            pair(d2.raw(), d3.raw()),
            pair(
                pair_16(tuple.src.id.raw(), tuple.dst.id.raw()),
                pair_16(tuple.src.l3num, tuple.dst.protocol.into()),
            ),
        ],
    )
}

#[inline]
fn pair_16(high: u16, low: u16) -> u32 {
    u32::from(high) << 16 | u32::from(low)
}
