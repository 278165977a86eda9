// SPDX-License-Identifier: GPL-2.0

//! `struct nf_conntrack_tuple` and [`nf_proto::tuple::Tuple`] are one layout.

use core::mem::{align_of, offset_of, size_of};
use nf_bindings as bindings;
use nf_proto::tuple::{Destination, Source, Tuple};

const _: () = {
    assert!(size_of::<Tuple>() == size_of::<bindings::nf_conntrack_tuple>());
    assert!(align_of::<Tuple>() == align_of::<bindings::nf_conntrack_tuple>());
    assert!(offset_of!(Tuple, src) == offset_of!(bindings::nf_conntrack_tuple, src));
    assert!(offset_of!(Tuple, dst) == offset_of!(bindings::nf_conntrack_tuple, dst));
    assert!(offset_of!(Source, address) == offset_of!(bindings::nf_conntrack_man, u3));
    assert!(offset_of!(Source, id) == offset_of!(bindings::nf_conntrack_man, u));
    assert!(offset_of!(Source, l3num) == offset_of!(bindings::nf_conntrack_man, l3num));
    assert!(
        offset_of!(Destination, address)
            == offset_of!(bindings::nf_conntrack_tuple__bindgen_ty_1, u3)
    );
    assert!(
        offset_of!(Destination, id) == offset_of!(bindings::nf_conntrack_tuple__bindgen_ty_1, u)
    );
    assert!(
        offset_of!(Destination, protocol)
            == offset_of!(bindings::nf_conntrack_tuple__bindgen_ty_1, protonum)
    );
    assert!(
        offset_of!(Destination, direction)
            == offset_of!(bindings::nf_conntrack_tuple__bindgen_ty_1, dir)
    );
};

/// A C tuple as a pure one.
#[inline]
pub fn from_c(tuple: &bindings::nf_conntrack_tuple) -> &Tuple {
    // SAFETY: Same size, alignment and field offsets (asserted above), and
    // every bit pattern is a valid `Tuple`.
    unsafe { &*core::ptr::from_ref(tuple).cast() }
}

/// A pure tuple as a C one.
#[inline]
pub fn as_c(tuple: &Tuple) -> &bindings::nf_conntrack_tuple {
    // SAFETY: Same size, alignment and field offsets (asserted above), and
    // every bit pattern is a valid `nf_conntrack_tuple`.
    unsafe { &*core::ptr::from_ref(tuple).cast() }
}

/// A C tuple of the same content.
#[inline]
pub fn to_c(tuple: &Tuple) -> bindings::nf_conntrack_tuple {
    // SAFETY: As in `as_c`; a tuple is plain bytes.
    unsafe { core::ptr::read(as_c(tuple)) }
}
