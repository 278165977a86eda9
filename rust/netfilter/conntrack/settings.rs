// SPDX-License-Identifier: GPL-2.0

//! The module's settings that C declares as variables.

use nf_bindings as bindings;

/// The most connections of a namespace (`nf_conntrack_max`).
#[inline]
pub fn max() -> u32 {
    // SAFETY: An aligned word that a sysctl may write at any time.
    unsafe { (&raw const bindings::nf_conntrack_max).read_volatile() }
}

/// Sets [`max`], when the module starts.
pub fn set_max(max: u32) {
    // SAFETY: An aligned word; nothing else runs yet.
    unsafe { (&raw mut bindings::nf_conntrack_max).write_volatile(max) }
}

/// The number of buckets as C and the user see it
/// (`nf_conntrack_htable_size`, parameter `hashsize`).
pub fn buckets() -> u32 {
    // SAFETY: An aligned word.
    unsafe { (&raw const bindings::nf_conntrack_htable_size).read_volatile() }
}

/// Sets [`buckets`].
pub fn set_buckets(buckets: u32) {
    // SAFETY: An aligned word, written under the resize lock only.
    unsafe { (&raw mut bindings::nf_conntrack_htable_size).write_volatile(buckets) }
}

/// Lets C know where the table is, and how large
/// (`nf_conntrack_hash`, `nf_conntrack_htable_size`).
pub fn set_table(table: &super::table::Table) {
    let (heads, size) = table.first_head();
    // C compares its bucket with the size and then looks into the array, under
    // the bucket's lock: within one hold it must not see the larger size and
    // the smaller array, so holders come to their end between the two.
    if size < buckets() {
        set_buckets(size);
        table.pass_locks();
    }
    // SAFETY: An aligned word, written under the resize lock or before anything
    // runs.
    unsafe { (&raw mut bindings::nf_conntrack_hash).write_volatile(heads) };
    if size > buckets() {
        table.pass_locks();
        set_buckets(size);
    }
}
