// SPDX-License-Identifier: GPL-2.0

//! What modules export to C.

/// Checks at compile time that functions have the types that the C headers
/// declare for those of the same names, as bindgen read them there.
///
/// ```ignore
/// netfilter::check_prototype!(nf_flowstat_count);
/// ```
#[macro_export]
macro_rules! check_prototype {
    ($($name:ident),* $(,)?) => {
        $(const _: () = {
            let _ = if true { $name } else { $crate::abi::bindings::$name };
        };)*
    };
}

#[doc(hidden)]
pub use nf_bindings as bindings;
