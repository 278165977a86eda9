// SPDX-License-Identifier: GPL-2.0

//! Generated bindings of the netfilter headers (`rust/bindings/bindings.h`)
//! and of our C helpers (`rust/helpers/`).
//!
//! Types that the `kernel` crate's bindings have too are those: the generated
//! code names only what is missing there.

#![allow(
    clippy::all,
    missing_docs,
    non_camel_case_types,
    non_upper_case_globals,
    non_snake_case,
    improper_ctypes,
    unreachable_pub,
    unsafe_op_in_unsafe_fn,
    dead_code,
    unused_imports,
    unknown_lints,
    unnecessary_transmutes
)]

mod raw {
    // What is generated below takes precedence over this glob import.
    pub use kernel::bindings::*;
    use kernel::ffi;
    use pin_init::MaybeZeroable;

    type __kernel_size_t = usize;
    type __kernel_ssize_t = isize;
    type __kernel_ptrdiff_t = isize;

    include!(env!("NF_BINDINGS_GENERATED"));
}

mod helpers {
    use super::raw::*;
    use kernel::ffi;

    include!(env!("NF_HELPERS_GENERATED"));
}

pub use helpers::*;
pub use raw::*;
