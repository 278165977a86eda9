// SPDX-License-Identifier: GPL-2.0

//! What is kept about a TCP connection, in the layout of the kernel's
//! `struct ip_ct_tcp` (include/linux/netfilter/nf_conntrack_tcp.h).

use super::transition::Kind;
use crate::packet::tcp::MAX_WINDOW_SCALE;
use crate::tuple::Direction;

/// State of a connection as seen on the way (`enum tcp_conntrack`).
///
/// A name says which segment was seen last, not what either end is in.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TcpConntrack {
    /// Nothing seen yet, or made through ctnetlink without a state.
    None = 0,
    /// SYN seen in original direction.
    SynSent = 1,
    /// SYN ACK seen.
    SynRecv = 2,
    /// The handshake is complete, or the connection was picked up.
    Established = 3,
    /// One FIN seen.
    FinWait = 4,
    /// One FIN seen, and an ACK after it.
    CloseWait = 5,
    /// Both FINs seen.
    LastAck = 6,
    /// An ACK seen after both FINs.
    TimeWait = 7,
    /// RST seen.
    Close = 8,
    /// SYN seen in both directions: simultaneous open. Number 9 was
    /// `TCP_CONNTRACK_LISTEN` once.
    SynSent2 = 9,
}

impl TcpConntrack {
    /// From the number in `CTA_PROTOINFO_TCP_STATE`; `None` if it is no state
    /// that a connection can have.
    #[inline]
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::None,
            1 => Self::SynSent,
            2 => Self::SynRecv,
            3 => Self::Established,
            4 => Self::FinWait,
            5 => Self::CloseWait,
            6 => Self::LastAck,
            7 => Self::TimeWait,
            8 => Self::Close,
            9 => Self::SynSent2,
            _ => return None,
        })
    }

    /// The name in `/proc/net/nf_conntrack`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::SynSent => "SYN_SENT",
            Self::SynRecv => "SYN_RECV",
            Self::Established => "ESTABLISHED",
            Self::FinWait => "FIN_WAIT",
            Self::CloseWait => "CLOSE_WAIT",
            Self::LastAck => "LAST_ACK",
            Self::TimeWait => "TIME_WAIT",
            Self::Close => "CLOSE",
            Self::SynSent2 => "SYN_SENT2",
        }
    }

    /// A FIN or RST was seen: the connection is about to end, or over.
    #[inline]
    pub const fn is_closing(self) -> bool {
        matches!(
            self,
            Self::FinWait | Self::CloseWait | Self::LastAck | Self::TimeWait | Self::Close
        )
    }
}

/// A number that is no state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownState;

impl TryFrom<u8> for TcpConntrack {
    type Error = UnknownState;

    fn try_from(number: u8) -> Result<Self, UnknownState> {
        Self::from_number(number).ok_or(UnknownState)
    }
}

/// Bits of [`Seen::flags`] and [`State::last_flags`] (`IP_CT_TCP_FLAG_*`,
/// visible through ctnetlink).
pub mod flag {
    /// This side's SYN offered window scaling (`WINDOW_SCALE`).
    pub const WINDOW_SCALE: u8 = 0x01;
    /// This side's SYN permitted SACK (`SACK_PERM`).
    pub const SACK_PERM: u8 = 0x02;
    /// This side sent the first FIN (`CLOSE_INIT`).
    pub const CLOSE_INIT: u8 = 0x04;
    /// Numbers out of window are let through (`BE_LIBERAL`).
    pub const BE_LIBERAL: u8 = 0x08;
    /// This side has sent what its peer has not acknowledged
    /// (`DATA_UNACKNOWLEDGED`).
    pub const DATA_UNACKNOWLEDGED: u8 = 0x10;
    /// [`super::Seen::td_maxack`] is known (`MAXACK_SET`).
    pub const MAXACK_SET: u8 = 0x20;
    /// A SYN was let through in LAST_ACK; the next ACK of its receiver may be
    /// a challenge, RFC 5961 section 4 (`IP_CT_EXP_CHALLENGE_ACK`).
    pub const EXP_CHALLENGE_ACK: u8 = 0x40;
    /// Both sides have sent a SYN (`IP_CT_TCP_SIMULTANEOUS_OPEN`).
    pub const SIMULTANEOUS_OPEN: u8 = 0x80;
}

/// What was seen of one direction (`struct ip_ct_tcp_state`). Numbers are in
/// host order.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Seen {
    /// Highest sequence number sent, plus one.
    pub td_end: u32,
    /// Highest sequence number that its peer lets it send, plus one.
    pub td_maxend: u32,
    /// Largest window that it has offered, bytes; 0 if nothing is known of
    /// this direction yet.
    pub td_maxwin: u32,
    /// Highest acknowledgment number that it has sent, if
    /// [`flag::MAXACK_SET`].
    pub td_maxack: u32,
    /// By how many bits its windows are to be shifted.
    pub td_scale: u8,
    /// Of [`flag`].
    pub flags: u8,
}

impl Seen {
    /// The bits of `flag` are all set.
    #[inline]
    pub const fn has(&self, flag: u8) -> bool {
        self.flags & flag == flag
    }

    /// The shift of its windows. What came through ctnetlink may be larger
    /// than it can be.
    #[inline]
    pub const fn scale(&self) -> u32 {
        if self.td_scale > MAX_WINDOW_SCALE {
            MAX_WINDOW_SCALE as u32
        } else {
            self.td_scale as u32
        }
    }

    /// Forgets all but that it is to be judged liberally.
    pub(super) fn reset(&mut self) {
        *self = Self {
            flags: self.flags & flag::BE_LIBERAL,
            ..Self::default()
        };
    }
}

/// What is kept about a connection (`struct ip_ct_tcp`). Every bit pattern is a
/// valid value, so it may stand for the C structure.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct State {
    /// By direction.
    pub seen: [Seen; 2],
    state: u8,
    pub(super) last_dir: u8,
    pub(super) retrans: u8,
    pub(super) last_index: u8,
    pub(super) last_seq: u32,
    pub(super) last_ack: u32,
    pub(super) last_end: u32,
    pub(super) last_win: u16,
    pub(super) last_wscale: u8,
    /// Of [`flag`]: those of the last SYN that was let through although a
    /// connection was there, and what concerns both directions.
    pub last_flags: u8,
}

impl State {
    /// The state of the connection.
    #[inline]
    pub const fn state(&self) -> TcpConntrack {
        match TcpConntrack::from_number(self.state) {
            Some(state) => state,
            None => TcpConntrack::None,
        }
    }

    /// [`Self::state`] is [`TcpConntrack::Established`].
    #[inline]
    pub(super) const fn is_established(&self) -> bool {
        self.state == TcpConntrack::Established as u8
    }

    /// Sets the state of the connection, as ctnetlink does.
    #[inline]
    pub fn set_state(&mut self, state: TcpConntrack) {
        self.state = state as u8;
    }

    /// Whether a full table may drop the connection although it is assured:
    /// it is about to end.
    #[inline]
    pub const fn can_early_drop(&self) -> bool {
        self.state().is_closing()
    }

    /// A module has ended the connection (`nf_ct_set_closing`). Whether that
    /// changes its state: if so, its timeout becomes that of
    /// [`TcpConntrack::Close`], and the change is an event.
    pub fn set_closing(&mut self) -> bool {
        let changed = self.state() != TcpConntrack::Close;
        self.set_state(TcpConntrack::Close);
        changed
    }

    /// Segments have gone by unseen, so windows are learned anew from the
    /// next ones: connection tracking was switched off for a while, or the
    /// flowtable had the connection.
    pub fn lose_track(&mut self) {
        for seen in &mut self.seen {
            seen.td_maxwin = 0;
            seen.flags &= !flag::MAXACK_SET;
        }
    }

    /// The flowtable gives the connection back. `closing`: it has seen a FIN
    /// or RST, after which a SYN may open the connection again.
    pub fn end_offload(&mut self, closing: bool) {
        if closing {
            self.set_state(TcpConntrack::Close);
        }
        if self.state() == TcpConntrack::Close {
            Direction::Original.of_mut(&mut self.seen).flags |= flag::CLOSE_INIT;
        }
        self.lose_track();
    }

    /// Lets numbers out of window through, in both directions, from now on
    /// (`nf_ct_set_tcp_be_liberal`).
    pub fn set_be_liberal(&mut self) {
        for seen in &mut self.seen {
            seen.flags |= flag::BE_LIBERAL;
        }
    }

    /// Kind and direction of the last segment that counted or was let through.
    #[inline]
    pub(super) fn last_was(&self, kind: Kind, direction: Direction) -> bool {
        self.last_index == kind as u8 && self.last_dir == direction as u8
    }

    /// Remembers a segment for [`Self::last_was`].
    #[inline]
    pub(super) fn set_last(&mut self, kind: Kind, direction: Direction) {
        self.last_index = kind as u8;
        self.last_dir = direction as u8;
    }
}
