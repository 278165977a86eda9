// SPDX-License-Identifier: GPL-2.0

//! What is in C, params.c, and what C calls:
//! include/linux/netfilter/nf_conntrack_sip.h.

use core::{ptr, slice};
use kernel::ffi::{c_char, c_int, c_uint};
use netfilter::{
    check_prototype,
    conntrack::{helper::MAX_PORTS, Conn},
};
use nf_bindings as bindings;
use nf_proto::{
    alg::sip::{
        find::{find, Found, Wanted},
        message::Name,
    },
    l4::number,
    tuple::Family,
};

/// The ports that were given; none for the usual one.
pub(crate) fn ports() -> &'static [u16] {
    // SAFETY: An array of `MAX_PORTS`, written before the module's `init` only,
    // with the count, as nobody may write them in sysfs.
    unsafe {
        let count = bindings::nf_conntrack_sip_ports_count as usize;
        let ports = (&raw const bindings::nf_conntrack_sip_ports).cast::<u16>();
        slice::from_raw_parts(ports, count.min(MAX_PORTS))
    }
}

/// How long a connection lives from its last message on, in seconds.
#[inline]
pub(crate) fn timeout() -> u32 {
    // SAFETY: An aligned word that only the parameter's code writes.
    unsafe { (&raw const bindings::nf_conntrack_sip_timeout).read_volatile() }
}

/// Calls are expected from where the client registers only.
#[inline]
pub(crate) fn direct_signalling() -> bool {
    // SAFETY: As above.
    unsafe { (&raw const bindings::nf_conntrack_sip_direct_signalling).read_volatile() != 0 }
}

/// Media are expected between the connection's endpoints only.
#[inline]
pub(crate) fn direct_media() -> bool {
    // SAFETY: As above.
    unsafe { (&raw const bindings::nf_conntrack_sip_direct_media).read_volatile() != 0 }
}

/// Media between hosts beyond the peer are none of ours.
#[inline]
pub(crate) fn external_media() -> bool {
    // SAFETY: As above.
    unsafe { (&raw const bindings::nf_conntrack_sip_external_media).read_volatile() != 0 }
}

check_prototype!(ct_sip_get_header);

/// What a C number means; addresses only for a connection of a family.
fn wanted(kind: bindings::sip_header_types, family: Option<Family>) -> Option<Wanted> {
    Some(match kind {
        bindings::sip_header_types_SIP_HDR_CSEQ => Wanted::Number(Name::CSeq),
        bindings::sip_header_types_SIP_HDR_FROM => Wanted::Uri(Name::From, family?),
        bindings::sip_header_types_SIP_HDR_TO => Wanted::Uri(Name::To, family?),
        bindings::sip_header_types_SIP_HDR_CONTACT => Wanted::Uri(Name::Contact, family?),
        bindings::sip_header_types_SIP_HDR_VIA_UDP => Wanted::Via(number::UDP, family?),
        bindings::sip_header_types_SIP_HDR_VIA_TCP => Wanted::Via(number::TCP, family?),
        bindings::sip_header_types_SIP_HDR_EXPIRES => Wanted::Number(Name::Expires),
        bindings::sip_header_types_SIP_HDR_CONTENT_LENGTH => Wanted::Number(Name::ContentLength),
        bindings::sip_header_types_SIP_HDR_CALL_ID => Wanted::CallId,
        _ => return None,
    })
}

/// # Safety
///
/// C: `ct` is null or valid; `dptr` has `datalen` bytes; the last two may be
/// written.
#[no_mangle]
pub unsafe extern "C" fn ct_sip_get_header(
    ct: *const bindings::nf_conn,
    dptr: *const c_char,
    dataoff: c_uint,
    datalen: c_uint,
    type_: bindings::sip_header_types,
    matchoff: *mut c_uint,
    matchlen: *mut c_uint,
) -> c_int {
    if dptr.is_null() {
        return 0;
    }
    // SAFETY: By the C contract.
    let (family, payload) = unsafe {
        let family = (!ct.is_null()).then(|| Conn::from_raw(ct).family());
        let payload = slice::from_raw_parts(dptr.cast::<u8>(), datalen as usize);
        (family, payload)
    };
    let Some(wanted) = wanted(type_, family) else {
        return 0;
    };
    let (result, offset, len) = match find(payload, dataoff as usize, wanted) {
        Found::Nothing => return 0,
        Found::Unclear(at) => (-1, at, 0),
        Found::At(span) => (1, span.start, span.len),
    };
    // SAFETY: By the C contract.
    unsafe {
        ptr::write(matchoff, offset as c_uint);
        ptr::write(matchlen, len as c_uint);
    }
    result
}
