// SPDX-License-Identifier: GPL-2.0

//! Extensions of a connection: what only some connections need.
//!
//! They lie in one area beside the connection (`struct nf_ct_ext`), which stock
//! modules read through inline functions. Extensions are added only to
//! connections that are not confirmed, and so have one owner.

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
