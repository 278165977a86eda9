// SPDX-License-Identifier: GPL-2.0

//! The name of a policy.

use nf_bindings::CTNL_TIMEOUT_NAME_MAX;

/// Length of a name, with the terminating zero.
pub const MAX: usize = CTNL_TIMEOUT_NAME_MAX as usize;

/// A name, of at most 31 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// Zero behind the name.
    bytes: [u8; MAX],
}

impl Name {
    /// From what is before the terminating zero; none if it is too long.
    pub fn new(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; MAX];
        if text.len() >= bytes.len() {
            return None;
        }
        for (to, from) in bytes.iter_mut().zip(text) {
            *to = *from;
        }
        Some(Name { bytes })
    }

    /// What is before the terminating zero.
    pub fn text(&self) -> &[u8] {
        self.bytes
            .split(|byte| *byte == 0)
            .next()
            .unwrap_or_default()
    }
}
