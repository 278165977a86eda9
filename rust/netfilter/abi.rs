// SPDX-License-Identifier: GPL-2.0

//! What modules export to C.

/// Checks at compile time that a function has the type that the C header
/// declares for it, as bindgen read it there.
///
/// ```ignore
/// netfilter::check_signature!(nf_flowstat_count: fn(*const bindings::net) -> c_uint);
/// ```
#[macro_export]
macro_rules! check_signature {
    ($name:ident: fn($($argument:ty),* $(,)?) $(-> $result:ty)?) => {
        const _: [unsafe extern "C" fn($($argument),*) $(-> $result)?; 2] =
            [$name, $crate::abi::bindings::$name];
    };
}

#[doc(hidden)]
pub use nf_bindings as bindings;
