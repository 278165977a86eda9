// SPDX-License-Identifier: GPL-2.0

//! ICMPv6, RFC 4443.

/// Timeout by default, seconds.
pub const DEFAULT_TIMEOUT: u32 = 30;

/// Type of an echo request.
pub const ECHO: u8 = 128;

/// Type of the answer to it.
pub const ECHO_REPLY: u8 = 129;

/// Redirect, RFC 4861 section 4.5: quotes a packet, in an option.
pub const REDIRECT: u8 = 137;

/// The type of the answer to a message of type `kind`, or of the request to an
/// answer; nothing if it is neither. Echo, and node information (RFC 4620).
#[inline]
pub const fn invert(kind: u8) -> Option<u8> {
    Some(match kind {
        128 => 129,
        129 => 128,
        139 => 140,
        140 => 139,
        _ => return None,
    })
}

/// A message of this type begins a connection.
#[inline]
pub const fn opens(kind: u8) -> bool {
    matches!(kind, 128 | 139)
}

/// A message of this type quotes the packet it is about.
#[inline]
pub const fn is_error(kind: u8) -> bool {
    kind < 128
}

/// A message between neighbours, which is not tracked: multicast listener
/// discovery (RFC 2710, RFC 3810), neighbour discovery (RFC 4861) without
/// redirects, multicast router discovery (RFC 4286).
#[inline]
pub const fn is_link_local(kind: u8) -> bool {
    matches!(kind, 130..=136 | 143 | 151 | 152)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_at_most_one_thing() {
        for kind in 0..=u8::MAX {
            let roles = [invert(kind).is_some(), is_error(kind), is_link_local(kind)];
            assert!(roles.iter().filter(|role| **role).count() <= 1, "{kind}");
            assert!(!opens(kind) || invert(kind).is_some_and(|answer| !opens(answer)));
        }
    }
}
