// SPDX-License-Identifier: GPL-2.0

//! ICMP, RFC 792: requests and their answers. Errors belong to the connection
//! of the packet they quote.

/// Timeout by default, seconds.
pub const DEFAULT_TIMEOUT: u32 = 30;

/// Type of an echo request.
pub const ECHO: u8 = 8;

/// Type of the answer to it.
pub const ECHO_REPLY: u8 = 0;

/// The highest type there is; higher ones are dropped by hosts, RFC 1122
/// section 3.2.2.
pub const MAX_KIND: u8 = 18;

/// The type of the answer to a message of type `kind`, or of the request to an
/// answer; nothing if it is neither.
#[inline]
pub const fn invert(kind: u8) -> Option<u8> {
    Some(match kind {
        0 => 8,
        8 => 0,
        13 => 14,
        14 => 13,
        15 => 16,
        16 => 15,
        17 => 18,
        18 => 17,
        _ => return None,
    })
}

/// A message of this type begins a connection: echo, timestamp, information
/// and address mask request.
#[inline]
pub const fn opens(kind: u8) -> bool {
    matches!(kind, 8 | 13 | 15 | 17)
}

/// A message of this type quotes the packet it is about: destination
/// unreachable, source quench, redirect, time exceeded, parameter problem.
#[inline]
pub const fn is_error(kind: u8) -> bool {
    matches!(kind, 3 | 4 | 5 | 11 | 12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_requests_go_together() {
        for kind in 0..=u8::MAX {
            if let Some(other) = invert(kind) {
                assert_eq!(invert(other), Some(kind));
                assert_ne!(opens(kind), opens(other));
                assert!(!is_error(kind));
            } else {
                assert!(!opens(kind));
            }
        }
    }
}
