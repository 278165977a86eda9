// SPDX-License-Identifier: GPL-2.0

//! For how long a connection is kept while its packets go another way, and for
//! how long afterwards.

use crate::l4::number;

/// Ticks left below which a connection's time is extended, seconds.
pub const EXTEND_BELOW: u32 = 5 * 60;
/// A day, seconds: what a connection gets whose packets are not seen.
pub const DAY: u32 = 24 * 60 * 60;

/// How much time a connection gets that is in the flowtable and has little left,
/// in seconds; none if it may end. `tcp` is the number of TCP's state (`enum
/// tcp_conntrack`).
pub const fn extension(protocol: u8, tcp: u8) -> Option<u32> {
    match protocol {
        number::TCP => match tcp {
            // ESTABLISHED
            3 => Some(DAY),
            // FIN_WAIT, CLOSE_WAIT, LAST_ACK, TIME_WAIT
            4..=7 => Some(5 * 60),
            _ => None,
        },
        _ => Some(DAY),
    }
}

/// What a connection has left that the flowtable gives back: `timeout` is that of
/// its state, and `idle` how long nothing was seen of it, if that is why.
pub const fn remaining(timeout: u32, idle: Option<u32>) -> u32 {
    match idle {
        Some(idle) => timeout.saturating_sub(idle),
        None => timeout,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_kept() {
        assert_eq!(extension(number::UDP, 0), Some(DAY));
        assert_eq!(extension(number::GRE, 0), Some(DAY));
        assert_eq!(extension(number::TCP, 3), Some(DAY));
        for state in 4..=7 {
            assert_eq!(extension(number::TCP, state), Some(300));
        }
        for state in [0, 1, 2, 8, 9, 255] {
            assert_eq!(extension(number::TCP, state), None);
        }
    }

    #[test]
    fn idle_time_counts() {
        assert_eq!(remaining(100, None), 100);
        assert_eq!(remaining(100, Some(30)), 70);
        assert_eq!(remaining(10, Some(30)), 0);
    }
}
