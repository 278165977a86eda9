// SPDX-License-Identifier: GPL-2.0

//! For Open vSwitch and act_ct: include/net/netfilter/nf_nat.h.

use crate::ovs::{self, Sides};
use kernel::ffi::c_int;
use netfilter::conntrack::{nat::range_from_c, skb::Packet, Conn, Info};
use nf_bindings as bindings;
use nf_conntrack::check_prototype;

check_prototype!(nf_ct_nat);

/// # Safety
///
/// C: `skb` begins with its network header and carries `ct`; `action` is valid,
/// `range` valid or null; under RCU.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_nat(
    skb: *mut bindings::sk_buff,
    ct: *mut bindings::nf_conn,
    ctinfo: bindings::ip_conntrack_info,
    action: *mut c_int,
    range: *const bindings::nf_nat_range2,
    commit: bool,
) -> c_int {
    // SAFETY: By the C contract.
    let (mut packet, conn, wanted, range) = unsafe {
        (
            Packet::from_raw(skb),
            Conn::from_raw(ct),
            Sides(*action as u32),
            range.as_ref().map(range_from_c),
        )
    };
    let info = Info::from_number(ctinfo);
    let (verdict, done) = ovs::translate(&mut packet, conn, info, wanted, range, commit);
    // SAFETY: By the C contract.
    unsafe { *action = done.0 as c_int };
    verdict as c_int
}
