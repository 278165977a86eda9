// SPDX-License-Identifier: GPL-2.0

//! What bpf.c asks for: include/net/netfilter/rustynat_bpf.h.

use super::core::manip;
use crate::setup::setup;
use kernel::{
    error::{
        code::{EINVAL, ENOMEM},
        to_result, Result,
    },
    ffi::c_int,
};
use netfilter::conntrack::Conn;
use nf_bindings as bindings;
use nf_conntrack::check_prototype;
use nf_proto::{
    be::{Be16, Be32},
    nat::{
        range::{Flags, Range},
        Manip,
    },
    tuple::{Address, Family},
};

check_prototype!(rustynat_bpf_ct_set_nat);

/// Registers the function that programs may call. It goes with the module's BTF.
///
/// # Errors
///
/// `ENOMEM`, or what the kernel thinks of the module's BTF.
pub fn start() -> Result {
    // SAFETY: From the module's init function, once.
    to_result(unsafe { bindings::rustynat_bpf_nat_register() })
}

/// # Safety
///
/// C: `ct` is new and the caller's, `addr` is valid; under RCU.
#[no_mangle]
pub unsafe extern "C" fn rustynat_bpf_ct_set_nat(
    ct: *mut bindings::nf_conn___init,
    addr: *const bindings::nf_inet_addr,
    port: c_int,
    side: c_int,
) -> c_int {
    // SAFETY: By the C contract; it is a connection, and an address is four words.
    let (conn, address) = unsafe {
        (
            Conn::from_raw(ct.cast()),
            addr.cast::<[u32; 4]>().read_unaligned(),
        )
    };
    let result = match manip(side as bindings::nf_nat_manip_type) {
        Some(manip) => translate(conn, address, port, manip),
        None => Err(EINVAL),
    };
    match result {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// Translates one side of a new connection to an address, and to a port if that is
/// above 0.
fn translate(conn: &Conn, address: [u32; 4], port: c_int, manip: Manip) -> Result {
    let [first, ..] = address;
    let mut range = Range::to(match Family::from_number(conn.l3num()) {
        Some(Family::Ipv4) => Address::v4(Be32::from_raw(first)),
        Some(Family::Ipv6) => Address(address.map(Be32::from_raw)),
        None => return Err(EINVAL),
    });
    if port > 0 {
        range.flags = range.flags.with(Flags::PROTO_SPECIFIED);
        range.min_id = Be16::new(port as u16);
        range.max_id = range.min_id;
    }
    match setup(conn, &range, manip) {
        bindings::NF_DROP => Err(ENOMEM),
        _ => Ok(()),
    }
}
