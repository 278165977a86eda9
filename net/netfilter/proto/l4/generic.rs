// SPDX-License-Identifier: GPL-2.0

//! Protocols that nothing is known of: addresses are all that tells their
//! connections apart.

/// Timeout by default, seconds.
pub const DEFAULT_TIMEOUT: u32 = 600;
