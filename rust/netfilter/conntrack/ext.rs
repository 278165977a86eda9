// SPDX-License-Identifier: GPL-2.0

//! Extensions of a connection: what only some connections need.
//!
//! They lie in one area beside the connection (`struct nf_ct_ext`), which stock
//! modules read through inline functions. Extensions are added only to
//! connections that are not confirmed, and so have one owner.

use super::Conn;
use core::ptr::NonNull;
use nf_bindings as bindings;

/// A type that is a connection extension.
///
/// # Safety
///
/// `ID` is the number that C knows this type's layout by.
pub unsafe trait Extension {
    /// `enum nf_ct_ext_id`.
    const ID: u32;
}

/// Which extensions a connection has.
#[derive(Clone, Copy)]
pub struct Extensions<'a>(&'a bindings::nf_ct_ext);

impl<'a> Extensions<'a> {
    /// Those of an area.
    #[inline]
    pub(super) fn new(area: &'a bindings::nf_ct_ext) -> Self {
        Extensions(area)
    }

    /// Not 0 if this one is among them. Several are asked at once with `|`.
    #[inline]
    pub fn has<E: Extension>(self) -> u8 {
        // SAFETY: There is a byte for every extension; none changes once the
        // connection is shared.
        unsafe { *(&raw const self.0.offset).cast::<u8>().add(E::ID as usize) }
    }
}

macro_rules! extensions {
    ($($ty:ident = $id:ident;)*) => {
        $(
            // SAFETY: The pair as C has it in `nf_ct_ext_type_len`.
            unsafe impl Extension for bindings::$ty {
                const ID: u32 = bindings::$id;
            }
        )*

        /// Size of each extension by its number, bytes.
        pub const SIZES: [u8; bindings::nf_ct_ext_id_NF_CT_EXT_NUM as usize] = {
            let mut sizes = [0; bindings::nf_ct_ext_id_NF_CT_EXT_NUM as usize];
            $(sizes[bindings::$id as usize] = core::mem::size_of::<bindings::$ty>() as u8;)*
            sizes
        };
    };
}

extensions! {
    nf_conn_help = nf_ct_ext_id_NF_CT_EXT_HELPER;
    nf_conn_nat = nf_ct_ext_id_NF_CT_EXT_NAT;
    nf_conn_seqadj = nf_ct_ext_id_NF_CT_EXT_SEQADJ;
    nf_conn_acct = nf_ct_ext_id_NF_CT_EXT_ACCT;
    nf_conntrack_ecache = nf_ct_ext_id_NF_CT_EXT_ECACHE;
    nf_conn_tstamp = nf_ct_ext_id_NF_CT_EXT_TSTAMP;
    nf_conn_timeout = nf_ct_ext_id_NF_CT_EXT_TIMEOUT;
    nf_conn_labels = nf_ct_ext_id_NF_CT_EXT_LABELS;
    nf_conn_synproxy = nf_ct_ext_id_NF_CT_EXT_SYNPROXY;
    nf_conn_act_ct_ext = nf_ct_ext_id_NF_CT_EXT_ACT_CT;
}

/// Size of the area when it is first needed, bytes: room for what connections
/// have by settings and NAT, without a helper.
const FIRST: usize = 128;

const HEADER: usize = core::mem::size_of::<bindings::nf_ct_ext>();

/// Size of an area with room for every extension, bytes.
const FULL: usize = {
    let mut size = HEADER;
    let mut i = 0;
    while i < SIZES.len() {
        size += (SIZES[i] as usize).next_multiple_of(8);
        i += 1;
    }
    size
};

// Offsets are bytes.
const _: () = assert!(FULL <= u8::MAX as usize);

/// Adds an extension, zeroed, to a connection that is not confirmed.
///
/// Nothing if it has it already, is confirmed (others may be looking at its
/// area, which could have to move), or memory is short. The caller is the
/// connection's one owner.
pub fn add(conn: &Conn, id: u32, gfp: bindings::gfp_t) -> Option<NonNull<u8>> {
    let size = *SIZES.get(id as usize)? as usize;
    if conn.is_confirmed() {
        return None;
    }
    // SAFETY: An unconfirmed connection has one owner, the caller; the area is
    // an allocation of `FIRST` or `FULL` bytes with room up to there, and `len`
    // and `offset` describe what is used of it.
    unsafe {
        let raw = conn.as_ptr();
        let old = (*raw).ext;
        let used = if old.is_null() {
            HEADER
        } else {
            (*old).len as usize
        };
        if !old.is_null() && *(&raw const (*old).offset).cast::<u8>().add(id as usize) != 0 {
            return None;
        }
        let offset = used.next_multiple_of(8);
        let end = offset.wrapping_add(size);
        let area = if old.is_null() {
            let wanted = if end > FIRST { FULL } else { FIRST };
            let area = bindings::ext_alloc(wanted, gfp);
            if area.is_null() {
                return None;
            }
            area
        } else if end > FIRST && used <= FIRST {
            // At most once in a connection's life.
            let area = bindings::ext_resize(old, FULL, gfp);
            if area.is_null() {
                return None;
            }
            area
        } else {
            old
        };
        // Zero: what is not used yet of an area was cleared when it was allocated.
        let data = area.cast::<u8>().wrapping_add(offset);
        *(&raw mut (*area).offset).cast::<u8>().add(id as usize) = offset as u8;
        (*area).len = end as u8;
        (*raw).ext = area;
        NonNull::new(data)
    }
}

/// Adds an extension by its type; see [`add`].
#[inline]
pub fn add_ext<E: Extension>(conn: &Conn) -> Option<NonNull<E>> {
    add(conn, E::ID, bindings::GFP_ATOMIC).map(NonNull::cast)
}

/// Frees the area of a connection that is being destroyed.
///
/// # Safety
///
/// Nobody else can reach the connection any more.
pub unsafe fn free(conn: &Conn) {
    // SAFETY: By the function's safety requirement; `kfree` takes null.
    unsafe { bindings::kfree((*conn.as_ptr()).ext.cast()) };
}
