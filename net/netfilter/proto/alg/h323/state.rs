// SPDX-License-Identifier: GPL-2.0

//! What the helper remembers of a connection.

use crate::{
    alg::room::{Kept, Reader, Writer},
    be::Be16,
};

/// Of a RAS, call signalling or control connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct State {
    /// The port of calls (RAS) or of the control connection (call signalling),
    /// as the sender in a direction says, and as that of the other direction
    /// knows it; 0 if there is none.
    pub signal: [Be16; 2],
    /// How long the registration is good, seconds; 0 if not known (RAS).
    pub seconds: u32,
    /// How long the message is whose header was alone, by direction (TCP).
    pub announced: [u16; 2],
}

impl Kept for State {
    fn load(reader: &mut Reader<'_>) -> Self {
        State {
            signal: [reader.be16(), reader.be16()],
            seconds: reader.word(),
            announced: [reader.short(), reader.short()],
        }
    }

    fn store(&self, writer: &mut Writer<'_>) {
        let [a, b] = self.signal;
        writer.be16(a);
        writer.be16(b);
        writer.word(self.seconds);
        let [a, b] = self.announced;
        writer.short(a);
        writer.short(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alg::room::tests::is_kept;

    #[test]
    fn is_remembered() {
        is_kept(State {
            signal: [Be16::new(1720), Be16::new(40000)],
            seconds: u32::MAX,
            announced: [1, u16::MAX],
        });
    }
}
