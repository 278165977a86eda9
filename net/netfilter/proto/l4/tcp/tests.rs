// SPDX-License-Identifier: GPL-2.0

//! Tests play scripts, a line a segment:
//!
//! ```text
//! direction flags seq[+len] [ack] [win N] [ws N] [sackok] [sack N] | what becomes of it
//! ```
//!
//! `>` is the original direction. Numbers count from the initial sequence
//! number of their side, and wrap soon; `=N` is N itself. What becomes of it is
//! the state, then the timeout or `keep`, and more as [`Player::play`] says.

extern crate std;

mod closing;
mod layout;
mod opening;
mod reset;
mod table;
mod usual;
mod window;

use super::*;
use crate::packet::tcp::{Flags, Options};
use std::format;
use std::string::{String, ToString};

/// Initial sequence numbers.
const ISN: [u32; 2] = [0xffff_fff0, 0x7fff_fff0];

/// A connection as the table would have it.
#[derive(Clone, Default)]
struct Player {
    policy: Policy,
    state: Option<State>,
    seen_reply: bool,
    assured: bool,
    synproxy: bool,
    ack_offset: i32,
}

impl Player {
    fn new() -> Self {
        Self::default()
    }

    fn with(policy: Policy) -> Self {
        Self {
            policy,
            ..Self::default()
        }
    }

    /// After a handshake with windows of 1000 bytes and no options.
    fn established() -> Self {
        let mut player = Self::new();
        player.script(&[
            "> S 0              | SYN_SENT 120",
            "< S. 0 1           | SYN_RECV 60",
            "> . 1 1            | ESTABLISHED 432000 assured",
        ]);
        player
    }

    fn state(&self) -> &State {
        self.state.as_ref().expect("no connection")
    }

    fn state_mut(&mut self) -> &mut State {
        self.state.as_mut().expect("no connection")
    }

    #[track_caller]
    fn script(&mut self, lines: &[&str]) {
        for (i, line) in lines.iter().enumerate() {
            let (segment, expected) = line.split_once('|').expect("no |");
            let got = self.line(segment);
            assert_eq!(got, expected.trim(), "line {i}: {line}");
        }
    }

    fn line(&mut self, line: &str) -> String {
        let (direction, segment) = parse(line);
        let (outcome, text) = self.play(&segment, direction);
        if outcome == Some(Verdict::Reopen) {
            let (_, text) = self.play(&segment, Direction::Original);
            return format!("reopen {text}");
        }
        text
    }

    /// What becomes of a segment: the state after it, then
    /// `TIMEOUT` or `keep`; `assured`; `kill`; `?Reason` if ignored with a
    /// note; `!Reason` if INVALID; `cap TIMEOUT`.
    fn play(&mut self, segment: &Segment, direction: Direction) -> (Option<Verdict>, String) {
        let confirmed = self.state.is_some();
        let mut state = match self.state {
            Some(state) => state,
            None => match Tcp::open(segment, &self.policy) {
                Ok(state) => state,
                Err(reason) => return (None, format!("- !{reason:?}")),
            },
        };
        let flow = Flow {
            direction,
            confirmed,
            seen_reply: self.seen_reply,
            assured: self.assured,
            synproxy: self.synproxy,
            ack_offset: self.ack_offset,
            now: 0,
        };
        let outcome = Tcp::update(&mut state, segment, &flow, &self.policy);
        let changes = outcome.changes;
        let mut text = state.state().name().to_string();
        match outcome.verdict {
            Verdict::Accept => {
                match outcome.timeout {
                    Some(timeout) => text += &format!(" {timeout}"),
                    None => text += " keep",
                }
                self.state = Some(state);
                self.assured |= changes.assured;
                self.seen_reply |= direction == Direction::Reply;
            }
            Verdict::Invalid(reason) => {
                text += &format!(" !{reason:?}");
                if confirmed {
                    self.state = Some(state);
                }
                assert_eq!(outcome.timeout.is_some(), changes.cap);
                if let Some(timeout) = outcome.timeout {
                    text += &format!(" cap {timeout}");
                }
            }
            Verdict::Reopen => {
                *self = Self {
                    policy: self.policy,
                    ..Self::default()
                };
            }
            Verdict::Drop(_) => panic!("TCP drops nothing"),
        }
        if changes.assured {
            text += " assured";
        }
        if changes.kill {
            text += " kill";
            *self = Self::with(self.policy);
        }
        if let Some(reason) = changes.note {
            text += &format!(" ?{reason:?}");
        }
        (Some(outcome.verdict), text)
    }
}

fn parse(line: &str) -> (Direction, Segment) {
    let mut words = line.split_whitespace().peekable();
    let direction = match words.next() {
        Some(">") => Direction::Original,
        Some("<") => Direction::Reply,
        _ => panic!("direction? {line}"),
    };
    let number = |word: &str, base: u32| match word.strip_prefix('=') {
        Some(absolute) => absolute.parse::<u32>().expect("number"),
        None => base.wrapping_add(word.parse::<i64>().expect("number") as u32),
    };
    let own = *direction.of(&ISN);
    let peers = *direction.opposite().of(&ISN);

    let mut bits = 0;
    for flag in words.next().expect("flags").chars() {
        bits |= match flag {
            'S' => Flags::SYN,
            'F' => Flags::FIN,
            'R' => Flags::RST,
            'P' => Flags::PSH,
            '.' => Flags::ACK,
            'U' => Flags::URG,
            _ => panic!("flag? {line}"),
        };
    }
    let seq = words.next().expect("seq");
    let (seq, payload) = seq.split_once('+').unwrap_or((seq, "0"));
    let mut segment = Segment {
        seq: number(seq, own),
        ack: 0,
        window: 1000,
        flags: Flags(bits),
        payload: payload.parse().expect("length"),
        options: Options::default(),
    };
    if bits & Flags::ACK != 0 {
        segment.ack = number(words.next().expect("ack"), peers);
    }
    let (mut scale, mut sack_permitted, mut sack_edge) = (None, false, None);
    while let Some(word) = words.next() {
        let mut value = || words.next().expect("value");
        match word {
            "win" => segment.window = value().parse().expect("window"),
            "ws" => scale = Some(value().parse().expect("scale")),
            "sackok" => sack_permitted = true,
            "sack" => sack_edge = Some(number(value(), peers)),
            _ => panic!("word? {line}"),
        }
    }
    segment.options = Options::of(scale, sack_permitted, sack_edge);
    (direction, segment)
}
