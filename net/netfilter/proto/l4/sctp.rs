// SPDX-License-Identifier: GPL-2.0

//! SCTP, RFC 9260.
//!
//! A connection here is one path of an association: one pair of addresses and
//! ports. A second path of a multi-homed association begins with a HEARTBEAT
//! instead of an INIT and is a connection of its own.
//!
//! `vtag` of a direction is the verification tag that packets of this
//! direction must carry: the initiate tag that the other side announced. 0 is
//! "not known".
//!
//! Only the chunks that matter are kept of a packet, in their order
//! ([`Segment`]), so that a state is never updated while reading the packet,
//! and that a packet which is refused changes nothing.

mod segment;

pub use segment::Segment;

use self::segment::Chunk;
use super::{Changes, Flow, Outcome, Protocol, Reason, Verdict};
use crate::be::Be32;
use crate::tuple::Direction;

/// State of an association as seen on the way (`enum sctp_conntrack`).
///
/// Number 9 of the UAPI, `HEARTBEAT_ACKED`, is no longer used.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SctpConntrack {
    /// Nothing seen yet.
    None = 0,
    /// INIT seen, or the association has ended.
    Closed = 1,
    /// INIT ACK seen.
    CookieWait = 2,
    /// COOKIE ECHO seen.
    CookieEchoed = 3,
    /// COOKIE ACK seen, or HEARTBEAT ACK on a further path.
    Established = 4,
    /// SHUTDOWN seen in original direction.
    ShutdownSent = 5,
    /// SHUTDOWN seen in reply direction.
    ShutdownRecd = 6,
    /// SHUTDOWN ACK seen.
    ShutdownAckSent = 7,
    /// The path began with a HEARTBEAT.
    HeartbeatSent = 8,
}

impl SctpConntrack {
    /// From the number in `CTA_PROTOINFO_SCTP_STATE`; `None` if it is no state
    /// that a connection can have.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::None,
            1 => Self::Closed,
            2 => Self::CookieWait,
            3 => Self::CookieEchoed,
            4 => Self::Established,
            5 => Self::ShutdownSent,
            6 => Self::ShutdownRecd,
            7 => Self::ShutdownAckSent,
            8 => Self::HeartbeatSent,
            _ => return None,
        })
    }

    /// The name in `/proc/net/nf_conntrack`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Closed => "CLOSED",
            Self::CookieWait => "COOKIE_WAIT",
            Self::CookieEchoed => "COOKIE_ECHOED",
            Self::Established => "ESTABLISHED",
            Self::ShutdownSent => "SHUTDOWN_SENT",
            Self::ShutdownRecd => "SHUTDOWN_RECD",
            Self::ShutdownAckSent => "SHUTDOWN_ACK_SENT",
            Self::HeartbeatSent => "HEARTBEAT_SENT",
        }
    }

    /// The state after `chunk` in `direction`, or `None` if it cannot come
    /// here.
    fn after(self, chunk: Chunk, direction: Direction) -> Option<Self> {
        use Direction::{Original, Reply};
        use SctpConntrack::*;

        Some(match (self, chunk, direction) {
            // A further path: heartbeats until one is answered. From its own
            // side anything else may follow, its peer can only answer.
            (None | HeartbeatSent, Chunk::Heartbeat, Original) => HeartbeatSent,
            (HeartbeatSent, Chunk::Heartbeat, Reply) => HeartbeatSent,
            (HeartbeatSent, Chunk::HeartbeatAck, Original) => HeartbeatSent,
            (HeartbeatSent, Chunk::HeartbeatAck, Reply) => Established,
            (HeartbeatSent, Chunk::Init, Original) => CookieWait,
            (None | HeartbeatSent, _, Reply) => return Option::None,
            (None | HeartbeatSent, Chunk::ShutdownAck, Original) => ShutdownAckSent,
            (None | HeartbeatSent, _, Original) => Closed,

            // The handshake (section 5.1). When both sides begin at once it may
            // go on the other way round (5.2.1).
            (Closed, Chunk::InitAck, _) => CookieWait,
            (CookieWait, Chunk::CookieEcho, _) => CookieEchoed,
            (CookieEchoed, Chunk::CookieAck, _) => Established,
            // Stale cookie (5.2.6).
            (CookieEchoed, Chunk::Error, Reply) => Closed,

            // The end (section 9).
            (Established, Chunk::Shutdown, Original) => ShutdownSent,
            (Established, Chunk::Shutdown, Reply) => ShutdownRecd,
            (ShutdownSent | ShutdownRecd, Chunk::ShutdownAck, _) => ShutdownAckSent,
            (ShutdownAckSent, Chunk::ShutdownComplete { .. }, _) => Closed,
            // Begun anew before the end was seen.
            (ShutdownSent | ShutdownRecd, Chunk::Init, Original) => Closed,
            (_, Chunk::Abort { .. }, _) => Closed,

            (state, _, _) => state,
        })
    }
}

/// Timeouts by the number of [`SctpConntrack`] (`CTA_TIMEOUT_SCTP_*`). Entry 0
/// is the one of a new connection.
pub type Timeouts = [u32; 10];

/// The default timeouts in seconds (`nf_conntrack_sctp_timeout_*`).
pub const DEFAULT_TIMEOUTS: Timeouts = [10, 10, 3, 3, 210, 3, 3, 3, 30, 0];

/// Settings of a namespace, or of a timeout policy (`struct nf_sctp_net`).
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// In any unit; the answers are in the same.
    pub timeouts: Timeouts,
}

/// What is kept about a connection (`struct ip_ct_sctp`). Every bit pattern is
/// a valid value, so it may stand for the C structure.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct State {
    state: u32,
    /// The verification tag of the packets of each direction, 0 if not known.
    pub vtag: [Be32; 2],
    /// Whether an INIT of each direction waits for its handshake to end.
    init: [u8; 2],
    /// Direction of the last HEARTBEAT with a wrong tag.
    last_dir: u8,
    flags: u8,
}

/// In [`State::flags`]: a HEARTBEAT had a wrong tag; its answer tells whether
/// the association was restarted over another path.
const HEARTBEAT_VTAG_FAILED: u8 = 1;

impl State {
    /// The state of the association.
    #[inline]
    pub const fn state(&self) -> SctpConntrack {
        match self.state {
            number @ 0..=8 => match SctpConntrack::from_number(number as u8) {
                Some(state) => state,
                None => SctpConntrack::None,
            },
            _ => SctpConntrack::None,
        }
    }

    /// Sets the state of the association, as ctnetlink does.
    #[inline]
    pub fn set_state(&mut self, state: SctpConntrack) {
        self.state = state as u32;
    }

    /// Whether a full table may drop the connection although it is assured:
    /// it is about to end.
    pub const fn can_early_drop(&self) -> bool {
        matches!(
            self.state(),
            SctpConntrack::ShutdownSent
                | SctpConntrack::ShutdownRecd
                | SctpConntrack::ShutdownAckSent
        )
    }
}

/// The protocol.
#[derive(Clone, Copy, Debug)]
pub struct Sctp;

impl Protocol for Sctp {
    type Segment = Segment;
    type State = State;
    type Policy = Policy;

    /// What is "out of the blue" for its addressee (section 8.4) must not begin
    /// a connection, unless an answer is due.
    fn open(segment: &Segment, _: &Policy) -> Result<State, Reason> {
        let out_of_the_blue = |chunk| {
            matches!(
                chunk,
                Chunk::Abort { .. } | Chunk::ShutdownComplete { .. } | Chunk::CookieAck
            )
        };
        if segment.others || segment.chunks().any(out_of_the_blue) {
            return Err(Reason::SctpNotInit);
        }
        Ok(State::default())
    }

    fn update(state: &mut State, segment: &Segment, flow: &Flow, policy: &Policy) -> Outcome {
        let mut step = Step {
            state: *state,
            segment,
            flow,
            refresh: true,
            changes: Changes::default(),
        };
        match step.packet() {
            Err(reason) => Outcome::invalid(reason),
            Ok(()) => {
                *state = step.state;
                let timeout = policy.timeouts.get(usize::from(state.state() as u8));
                Outcome {
                    verdict: Verdict::Accept,
                    timeout: timeout.copied().filter(|_| step.refresh),
                    changes: step.changes,
                }
            }
        }
    }
}

/// A packet at work on a copy of the state.
struct Step<'a> {
    state: State,
    segment: &'a Segment,
    flow: &'a Flow,
    refresh: bool,
    changes: Changes,
}

impl Step<'_> {
    fn packet(&mut self) -> Result<(), Reason> {
        let segment = self.segment;
        segment.chunks().try_for_each(|chunk| self.chunk(chunk))?;
        if segment.others {
            self.expect_tag(self.flow.direction)?;
        }
        Ok(())
    }

    fn chunk(&mut self, chunk: Chunk) -> Result<(), Reason> {
        let direction = self.flow.direction;
        let old = self.state.state();

        // The verification tag (sections 8.5 and 8.5.1): chunk by chunk, so that
        // one with a rule of its own does not let others pass.
        match chunk {
            Chunk::Init if self.segment.vtag != Be32::default() => return Err(Reason::SctpBadTag),
            Chunk::Abort { reflected } | Chunk::ShutdownComplete { reflected } => {
                self.expect_tag(match reflected {
                    true => direction.opposite(),
                    false => direction,
                })?;
            }
            Chunk::CookieEcho | Chunk::InitAck | Chunk::Shutdown | Chunk::Error => {
                self.expect_tag(direction)?;
            }
            Chunk::CookieAck => {
                self.expect_tag(direction)?;
                self.state.init = [0; 2];
            }
            Chunk::Heartbeat => {
                if !self.heartbeat()? {
                    return Ok(());
                }
            }
            Chunk::HeartbeatAck => self.heartbeat_ack()?,
            // Out of the blue: the answer reflects this tag (section 8.4, 5).
            Chunk::ShutdownAck if old == SctpConntrack::None => {
                *direction.of_mut(&mut self.state.vtag) = self.segment.vtag;
            }
            // Its sender may have forgotten the association, or know another.
            Chunk::ShutdownAck => {}
            Chunk::Init => {}
        }

        let new = old
            .after(chunk, direction)
            .ok_or(Reason::SctpInvalidState)?;
        match chunk {
            Chunk::Init => {
                self.init(old);
                // Who tries the same ports again and again gets no answer
                // through this entry: let it expire.
                if (old, new) == (SctpConntrack::Closed, SctpConntrack::Closed)
                    && self.flow.confirmed
                {
                    self.refresh = false;
                }
            }
            Chunk::InitAck => self.init_ack()?,
            _ => {}
        }

        self.state.set_state(new);
        if new != old {
            self.changes.protoinfo = true;
            self.changes.assured |= new == SctpConntrack::Established && !self.flow.assured;
        }
        Ok(())
    }

    /// The packet must carry the tag of packets of `direction`.
    fn expect_tag(&self, direction: Direction) -> Result<(), Reason> {
        match self.segment.vtag == *direction.of(&self.state.vtag) {
            true => Ok(()),
            false => Err(Reason::SctpBadTag),
        }
    }

    /// An INIT announces the tag of the packets that answer it. One that
    /// repeats the tag in force is late or sent again and begins nothing.
    fn init(&mut self, old: SctpConntrack) {
        let this = self.flow.direction;
        let other = this.opposite();
        let tag = other.of_mut(&mut self.state.vtag);

        if old == SctpConntrack::None || *tag != self.segment.init_tag {
            // Two that have met are both forgotten by a third.
            if self.state.init == [1; 2] {
                *other.of_mut(&mut self.state.init) = 0;
            }
            *this.of_mut(&mut self.state.init) = 1;
        }
        *tag = self.segment.init_tag;
    }

    /// An INIT ACK must answer an INIT. When both sides sent one, its tag is
    /// the one that its sender's INIT announced already (section 5.2.1); any
    /// other belongs to an attempt that is over.
    fn init_ack(&mut self) -> Result<(), Reason> {
        let this = self.flow.direction;
        let other = this.opposite();
        let init = self.state.init;
        let tag = other.of_mut(&mut self.state.vtag);

        if *tag != self.segment.init_tag {
            let answers = *other.of(&init) != 0;
            let collision = answers && *this.of(&init) != 0;
            let known = *tag != Be32::default();
            if collision || (known && !answers) {
                return Err(Reason::SctpBadTag);
            }
        }
        *tag = self.segment.init_tag;
        Ok(())
    }

    /// Whether the HEARTBEAT is one of this association. One with another tag
    /// goes through without any effect: its answer decides.
    fn heartbeat(&mut self) -> Result<bool, Reason> {
        let direction = self.flow.direction;
        let tag = direction.of_mut(&mut self.state.vtag);

        if *tag == Be32::default() {
            *tag = self.segment.vtag;
        } else if *tag == self.segment.vtag {
            self.state.flags &= !HEARTBEAT_VTAG_FAILED;
        } else if self.segment.others || !self.refresh {
            return Err(Reason::SctpBadTag);
        } else {
            self.state.flags |= HEARTBEAT_VTAG_FAILED;
            self.state.last_dir = direction as u8;
            self.refresh = false;
            return Ok(false);
        }
        Ok(true)
    }

    /// A HEARTBEAT ACK with another tag answers a HEARTBEAT with another tag:
    /// the association was restarted over another path, and the tag of its
    /// other direction is still to be learned.
    fn heartbeat_ack(&mut self) -> Result<(), Reason> {
        let direction = self.flow.direction;
        let tag = direction.of_mut(&mut self.state.vtag);

        if *tag == Be32::default() {
            *tag = self.segment.vtag;
        } else if *tag == self.segment.vtag {
            self.state.flags &= !HEARTBEAT_VTAG_FAILED;
        } else {
            let answers = self.state.flags & HEARTBEAT_VTAG_FAILED != 0
                && self.state.last_dir != direction as u8;
            if self.segment.others || !self.refresh || !answers {
                return Err(Reason::SctpBadTag);
            }
            *tag = self.segment.vtag;
            *direction.opposite().of_mut(&mut self.state.vtag) = Be32::default();
            self.state.flags &= !HEARTBEAT_VTAG_FAILED;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
