// SPDX-License-Identifier: GPL-2.0

//! Counting connections: which of those that were noted still count, and how
//! many are looked at on one occasion.

use crate::l4::tcp::TcpConntrack;

/// What a look into the table of connections says of one that was noted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// It is not there.
    Absent,
    /// It is there, and open.
    Open,
    /// It is there still, but over.
    Closed,
}

impl Seen {
    /// A TCP connection in the table, by its state. In TIME_WAIT and CLOSE it is
    /// over for its users, although its entry stays for a while.
    #[inline]
    pub const fn tcp(state: TcpConntrack) -> Self {
        match state {
            TcpConntrack::TimeWait | TcpConntrack::Close => Seen::Closed,
            _ => Seen::Open,
        }
    }
}

/// When and where a connection was noted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Noted {
    /// The CPU.
    pub cpu: u32,
    /// The time, in jiffies.
    pub at: u32,
}

/// For so many jiffies a connection that another CPU noted may be on its way
/// into the table.
const ON_ITS_WAY: u32 = 2;

impl Noted {
    /// Whether a noted connection counts, when looked at from `now` (CPU and
    /// time).
    ///
    /// One that is not in the table is either gone or not confirmed yet. A CPU
    /// takes one packet to the last hook before it takes up the next, so what
    /// the same CPU noted is gone.
    #[inline]
    pub const fn counts(self, seen: Seen, now: Noted) -> bool {
        match seen {
            Seen::Open => true,
            Seen::Closed => false,
            Seen::Absent => self.cpu != now.cpu && now.at.wrapping_sub(self.at) < ON_ITS_WAY,
        }
    }
}

/// How many noted connections are looked at on one occasion.
///
/// What is looked at costs time in which others wait, so there is a limit. What
/// is found gone raises it: where much is gone, much is removed.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    looks: u32,
    gains: u32,
}

impl Budget {
    /// With every connection that is noted: twice as many are looked at as are
    /// added, so that garbage cannot pile up at any rate of new ones.
    pub const ADD: Budget = Budget {
        looks: 2,
        gains: 16,
    };

    /// The first time in a jiffy that a count is asked for: lists of this length
    /// are exact.
    pub const JIFFY: Budget = Budget {
        looks: 64,
        gains: 256,
    };

    /// In process context, where nobody waits long.
    pub const SWEEP: Budget = Budget {
        looks: 4096,
        gains: 4096,
    };

    /// Whether one more may be looked at; takes it off.
    #[inline]
    pub fn take(&mut self) -> bool {
        match self.looks.checked_sub(1) {
            Some(rest) => {
                self.looks = rest;
                true
            }
            None => false,
        }
    }

    /// The last one was gone: two more may be looked at, a limited number of
    /// times.
    #[inline]
    pub fn gain(&mut self) {
        if let Some(rest) = self.gains.checked_sub(1) {
            self.gains = rest;
            self.looks = self.looks.saturating_add(2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Noted = Noted { cpu: 1, at: 100 };

    fn at(cpu: u32, at: u32) -> Noted {
        Noted { cpu, at }
    }

    #[test]
    fn what_is_over_does_not_count() {
        for number in 0..=u8::MAX {
            let Some(state) = TcpConntrack::from_number(number) else {
                continue;
            };
            let over = matches!(state, TcpConntrack::TimeWait | TcpConntrack::Close);
            assert_eq!(Seen::tcp(state) == Seen::Closed, over, "{state:?}");
        }
        for other in [HERE, at(0, 100), at(0, 0)] {
            assert!(!other.counts(Seen::Closed, HERE));
            assert!(other.counts(Seen::Open, HERE));
        }
    }

    #[test]
    fn what_is_on_its_way_counts() {
        // Another CPU's, young.
        assert!(at(0, 100).counts(Seen::Absent, HERE));
        assert!(at(0, 99).counts(Seen::Absent, HERE));
        // Old, or of this CPU.
        assert!(!at(0, 98).counts(Seen::Absent, HERE));
        assert!(!HERE.counts(Seen::Absent, HERE));
        // Across the wrap of jiffies.
        assert!(at(0, u32::MAX).counts(Seen::Absent, at(1, 0)));
        assert!(!at(0, u32::MAX).counts(Seen::Absent, at(1, 1)));
    }

    /// Looks until the budget is used up, where every look finds `gone`.
    fn looks(mut budget: Budget, gone: bool) -> u32 {
        let mut looks = 0;
        while budget.take() {
            looks += 1;
            if gone {
                budget.gain();
            }
        }
        looks
    }

    #[test]
    fn budgets_are_bounded() {
        for budget in [Budget::ADD, Budget::JIFFY, Budget::SWEEP] {
            assert_eq!(looks(budget, false), budget.looks);
            assert_eq!(looks(budget, true), budget.looks + 2 * budget.gains);
        }
    }

    /// However many come in a jiffy, and none of them stays: the list is bounded.
    #[test]
    fn garbage_does_not_pile_up() {
        let (mut list, mut longest) = (0u32, 0);
        for _ in 0..100_000 {
            let mut budget = Budget::ADD;
            while list > 0 && budget.take() {
                list -= 1;
                budget.gain();
            }
            list += 1;
            longest = longest.max(list);
        }
        assert!(longest <= 2, "{longest}");
    }
}
