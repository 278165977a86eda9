// SPDX-License-Identifier: GPL-2.0

//! A connection's extension (`struct nf_conn_synproxy`).

use netfilter::conntrack::Conn;
use nf_bindings as bindings;
use nf_proto::synproxy::Initial;

/// What a connection has; `None` if it was not opened by SYNPROXY.
#[inline]
pub fn load(conn: &Conn) -> Option<Initial> {
    let ext = conn.ext::<bindings::nf_conn_synproxy>()?;
    // SAFETY: The extension lives as long as the connection. Its words may be
    // written meanwhile, by a packet of the other direction: hence volatile.
    let raw = unsafe { ext.as_ptr().read_volatile() };
    Some(Initial {
        isn: raw.isn,
        its: raw.its,
        tsoff: raw.tsoff,
    })
}

/// Sets it, if the connection has one.
pub fn store(conn: &Conn, initial: &Initial) {
    let Some(ext) = conn.ext::<bindings::nf_conn_synproxy>() else {
        return;
    };
    // SAFETY: As in `load`.
    unsafe {
        ext.as_ptr().write_volatile(bindings::nf_conn_synproxy {
            isn: initial.isn,
            its: initial.its,
            tsoff: initial.tsoff,
        });
    }
}
