// SPDX-License-Identifier: GPL-2.0

//! Where lines begin in a TCP stream, as far as segments show it.
//!
//! A command counts only at the start of a line: bytes in the middle of one may
//! be somebody else's (text that a server had a client send back, cut so that
//! it begins a segment).

use super::room::{Kept, Reader, Writer};

/// How many starts of lines are remembered for a direction.
const STARTS: usize = 2;

/// The starts of lines of one direction that are known. Its default, all
/// zero, knows none.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Lines {
    /// Sequence numbers, host order.
    starts: [u32; STARTS],
    /// The port that the command at this start announced, 0 if none.
    announced: [u16; STARTS],
    /// How many starts there are.
    known: u8,
    /// The next segment is taken for the start of a line.
    pickup: bool,
}

/// A line announces a port where the same line announced another one before:
/// a retransmission with other data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Changed;

impl Lines {
    /// The connection was not seen from its start, as after a failover: the
    /// next segment is taken for the start of a line.
    pub fn pick_up(&mut self) {
        self.pickup = true;
    }

    /// A segment at sequence number `seq` begins with a line.
    pub fn begins(&mut self, seq: u32) -> bool {
        self.index(seq).is_some() || core::mem::take(&mut self.pickup)
    }

    /// A line begins at `seq`, behind a segment that ended with a line's end.
    /// The older of the starts is forgotten for it, unless it is older itself.
    pub fn ends_before(&mut self, seq: u32) {
        if self.index(seq).is_some() {
            return;
        }
        let [first, second] = self.starts;
        let at = match self.known {
            0 => 0,
            1 => 1,
            _ if is_after(second, first) => 0,
            _ => 1,
        };
        let Some((start, announced)) = self.starts.get_mut(at).zip(self.announced.get_mut(at))
        else {
            return;
        };
        if self.known == 2 && !is_after(seq, *start) {
            return;
        }
        (*start, *announced) = (seq, 0);
        self.known = self.known.saturating_add(1).min(STARTS as u8);
    }

    /// The line at `seq` announces `port`.
    pub fn announces(&mut self, seq: u32, port: u16) -> Result<(), Changed> {
        let Some(announced) = self.index(seq).and_then(|at| self.announced.get_mut(at)) else {
            return Ok(());
        };
        if *announced != 0 && *announced != port {
            return Err(Changed);
        }
        *announced = port;
        Ok(())
    }

    fn index(&self, seq: u32) -> Option<usize> {
        let mut known = self.starts.iter().take(self.known.into());
        known.position(|start| *start == seq)
    }
}

impl Kept for Lines {
    fn load(reader: &mut Reader<'_>) -> Self {
        Lines {
            starts: [reader.word(), reader.word()],
            announced: [reader.short(), reader.short()],
            known: reader.byte().min(STARTS as u8),
            pickup: reader.byte() != 0,
        }
    }

    fn store(&self, writer: &mut Writer<'_>) {
        for start in self.starts {
            writer.word(start);
        }
        for port in self.announced {
            writer.short(port);
        }
        writer.byte(self.known);
        writer.byte(self.pickup.into());
    }
}

/// Sequence number `a` comes after `b`.
#[inline]
const fn is_after(a: u32, b: u32) -> bool {
    (b.wrapping_sub(a) as i32) < 0
}

#[cfg(test)]
mod tests {
    use super::{super::room::tests::is_kept, *};

    #[test]
    fn nothing_is_known_at_first() {
        let mut lines = Lines::default();
        assert!(!lines.begins(0));
        assert_eq!(lines.announces(0, 7), Ok(()));
        lines.pick_up();
        assert!(lines.begins(77));
        assert!(!lines.begins(77));
    }

    #[test]
    fn two_newest_starts_are_known() {
        let mut lines = Lines::default();
        for seq in [u32::MAX - 4, 5, 20] {
            lines.ends_before(seq);
        }
        assert!(!lines.begins(u32::MAX - 4));
        assert!(lines.begins(5) && lines.begins(20));
        // An old segment once more.
        lines.ends_before(1);
        assert!(!lines.begins(1) && lines.begins(5) && lines.begins(20));
    }

    #[test]
    fn a_line_announces_one_port() {
        let mut lines = Lines::default();
        lines.ends_before(5);
        assert_eq!(lines.announces(5, 1024), Ok(()));
        assert_eq!(lines.announces(5, 1024), Ok(()));
        assert_eq!(lines.announces(5, 1025), Err(Changed));
        lines.ends_before(6);
        assert_eq!(lines.announces(6, 1025), Ok(()));
        lines.ends_before(7);
        assert_eq!(lines.announces(5, 1026), Ok(()));
    }

    #[test]
    fn both_directions_are_kept() {
        let mut lines = [Lines::default(); 2];
        let [original, reply] = &mut lines;
        for (line, seq) in [(original, 7), (reply, u32::MAX)] {
            line.ends_before(seq);
            line.ends_before(seq.wrapping_add(9));
            line.announces(seq, 65535).unwrap();
            line.pick_up();
        }
        is_kept(lines);
    }
}
