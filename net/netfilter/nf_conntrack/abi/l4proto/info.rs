// SPDX-License-Identifier: GPL-2.0

//! TCP's and SCTP's states as attributes.

use super::attributes::{policy, put, value, Attributes, Policy, U32, U8};
use core::ptr::null_mut;
use kernel::{error::code::EINVAL, ffi::c_int};
use netfilter::conntrack::Conn;
use nf_bindings::*;

const TCP_MAX: usize = ctattr_protoinfo_tcp___CTA_PROTOINFO_TCP_MAX as usize;
const TCP_STATE: u32 = ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_STATE;
/// For the two directions.
const TCP_WSCALE: [u32; 2] = [
    ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_WSCALE_ORIGINAL,
    ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_WSCALE_REPLY,
];
const TCP_FLAGS: [u32; 2] = [
    ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_FLAGS_ORIGINAL,
    ctattr_protoinfo_tcp_CTA_PROTOINFO_TCP_FLAGS_REPLY,
];

static TCP_POLICY: Policy<TCP_MAX> = policy(&[
    (TCP_STATE, U8, tcp_conntrack_TCP_CONNTRACK_LISTEN as i16),
    (TCP_WSCALE[0], U8, 14),
    (TCP_WSCALE[1], U8, 14),
]);

const SCTP_MAX: usize = ctattr_protoinfo_sctp___CTA_PROTOINFO_SCTP_MAX as usize;
const SCTP_STATE: u32 = ctattr_protoinfo_sctp_CTA_PROTOINFO_SCTP_STATE;
const SCTP_VTAG: [u32; 2] = [
    ctattr_protoinfo_sctp_CTA_PROTOINFO_SCTP_VTAG_ORIGINAL,
    ctattr_protoinfo_sctp_CTA_PROTOINFO_SCTP_VTAG_REPLY,
];

static SCTP_POLICY: Policy<SCTP_MAX> = policy(&[
    (
        SCTP_STATE,
        U8,
        sctp_conntrack_SCTP_CONNTRACK_HEARTBEAT_SENT as i16,
    ),
    (SCTP_VTAG[0], U32, 0),
    (SCTP_VTAG[1], U32, 0),
]);

/// A protocol's data, as it is at one moment.
///
/// # Safety
///
/// `ct` is a valid connection, of the protocol whose data `T` is.
unsafe fn data<T>(ct: *mut nf_conn) -> T {
    const { assert!(size_of::<T>() <= size_of::<nf_conntrack_proto>()) };
    // SAFETY: By the safety requirement; nobody writes while the lock is held.
    unsafe {
        let _locked = Conn::from_raw(ct).lock();
        (&raw const (*ct).proto).cast::<T>().read()
    }
}

/// Lets `fill` add attributes inside another; C's 0 or -1.
///
/// # Safety
///
/// `skb` is a netlink message under construction.
unsafe fn nested(skb: *mut sk_buff, attribute: u32, fill: impl FnOnce() -> bool) -> c_int {
    // SAFETY: By the safety requirement.
    unsafe {
        let nest = nla_nest(skb, attribute as c_int);
        if nest.is_null() || !fill() {
            return -1;
        }
        nla_nest_close(skb, nest);
    }
    0
}

/// The attributes inside another; nothing if it is not there.
///
/// # Safety
///
/// `tb` is a parsed table of all protocols' information.
unsafe fn inside<const N: usize>(
    tb: Attributes,
    attribute: u32,
    policy: &Policy<N>,
) -> Result<Option<[*mut nlattr; N]>, c_int> {
    // SAFETY: By the safety requirement; there is room for `N` attributes.
    unsafe {
        let nest = *tb.add(attribute as usize);
        if nest.is_null() {
            return Ok(None);
        }
        let mut inner = [null_mut(); N];
        let policy = policy.0.as_ptr().cast();
        match nla_parse_nest(inner.as_mut_ptr(), (N - 1) as c_int, nest, policy) {
            error if error < 0 => Err(error),
            _ => Ok(Some(inner)),
        }
    }
}

/// # Safety
///
/// C: a netlink message and a valid connection.
pub(super) unsafe extern "C" fn tcp_put(
    skb: *mut sk_buff,
    _nla: *mut nlattr,
    ct: *mut nf_conn,
    destroy: bool,
) -> c_int {
    // SAFETY: By the C contract; it is asked for TCP's connections.
    unsafe {
        let tcp: ip_ct_tcp = data(ct);
        let [original, reply] = &tcp.seen;
        nested(skb, ctattr_protoinfo_CTA_PROTOINFO_TCP, || {
            put(skb, TCP_STATE, [tcp.state])
                && (destroy
                    || (put(skb, TCP_WSCALE[0], [original.td_scale])
                        && put(skb, TCP_WSCALE[1], [reply.td_scale])
                        && put(skb, TCP_FLAGS[0], [original.flags, 0])
                        && put(skb, TCP_FLAGS[1], [reply.flags, 0])))
        })
    }
}

/// # Safety
///
/// C: a parsed table, and a valid connection.
pub(super) unsafe extern "C" fn tcp_get(tb: Attributes, ct: *mut nf_conn) -> c_int {
    // SAFETY: By the C contract.
    unsafe {
        let mut inner = match inside(tb, ctattr_protoinfo_CTA_PROTOINFO_TCP, &TCP_POLICY) {
            Ok(Some(inner)) => inner,
            Ok(None) => return 0,
            Err(error) => return error,
        };
        let tb = inner.as_mut_ptr();
        let _locked = Conn::from_raw(ct).lock();
        let tcp = &mut *(&raw mut (*ct).proto).cast::<ip_ct_tcp>();
        if let Some([state]) = value(tb, TCP_STATE) {
            tcp.state = state;
        }
        for (seen, attribute) in tcp.seen.iter_mut().zip(TCP_FLAGS) {
            if let Some([flags, mask]) = value(tb, attribute) {
                seen.flags = (seen.flags & !mask) | (flags & mask);
            }
        }
        let scales = TCP_WSCALE.map(|attribute| value::<1>(tb, attribute));
        let [original, reply] = &mut tcp.seen;
        let scaled = original.flags & reply.flags & IP_CT_TCP_FLAG_WINDOW_SCALE as u8 != 0;
        if let ([Some([a]), Some([b])], true) = (scales, scaled) {
            original.td_scale = a;
            reply.td_scale = b;
        }
        0
    }
}

/// # Safety
///
/// C: a netlink message and a valid connection.
pub(super) unsafe extern "C" fn sctp_put(
    skb: *mut sk_buff,
    _nla: *mut nlattr,
    ct: *mut nf_conn,
    destroy: bool,
) -> c_int {
    // SAFETY: By the C contract; it is asked for SCTP's connections.
    unsafe {
        let sctp: ip_ct_sctp = data(ct);
        let [original, reply] = sctp.vtag;
        nested(skb, ctattr_protoinfo_CTA_PROTOINFO_SCTP, || {
            put(skb, SCTP_STATE, [sctp.state as u8])
                && (destroy
                    || (put(skb, SCTP_VTAG[0], original.to_ne_bytes())
                        && put(skb, SCTP_VTAG[1], reply.to_ne_bytes())))
        })
    }
}

/// # Safety
///
/// C: a parsed table, and a valid connection.
pub(super) unsafe extern "C" fn sctp_get(tb: Attributes, ct: *mut nf_conn) -> c_int {
    // SAFETY: By the C contract.
    unsafe {
        let mut inner = match inside(tb, ctattr_protoinfo_CTA_PROTOINFO_SCTP, &SCTP_POLICY) {
            Ok(Some(inner)) => inner,
            Ok(None) => return 0,
            Err(error) => return error,
        };
        let tb = inner.as_mut_ptr();
        let state = value::<1>(tb, SCTP_STATE);
        let (Some([state]), [Some(original), Some(reply)]) =
            (state, SCTP_VTAG.map(|attribute| value::<4>(tb, attribute)))
        else {
            return EINVAL.to_errno();
        };
        let _locked = Conn::from_raw(ct).lock();
        let sctp = &mut *(&raw mut (*ct).proto).cast::<ip_ct_sctp>();
        sctp.state = state.into();
        sctp.vtag = [u32::from_ne_bytes(original), u32::from_ne_bytes(reply)];
        0
    }
}
