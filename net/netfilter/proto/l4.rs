// SPDX-License-Identifier: GPL-2.0

//! Transport protocols: one file a protocol behind one trait.
//!
//! A protocol reads a segment that the packet view has already checked, and
//! answers with an [`Outcome`]; the caller applies it in one place.

use crate::tuple::Direction;

pub mod generic;
pub mod gre;
pub mod icmp;
pub mod icmpv6;
pub mod sctp;
pub mod tcp;
pub mod udp;

/// Protocol numbers (`IPPROTO_*`).
pub mod number {
    /// ICMP, RFC 792.
    pub const ICMP: u8 = 1;
    /// TCP, RFC 9293.
    pub const TCP: u8 = 6;
    /// UDP, RFC 768.
    pub const UDP: u8 = 17;
    /// GRE, RFC 2784 and, for PPTP, RFC 2637.
    pub const GRE: u8 = 47;
    /// ICMPv6, RFC 4443.
    pub const ICMPV6: u8 = 58;
    /// SCTP, RFC 9260.
    pub const SCTP: u8 = 132;
}

/// Time in jiffies, wrapping (`nfct_time_stamp`).
pub type Jiffies = u32;

/// What a protocol must know of a connection besides its own state.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    /// Direction of the packet at hand.
    pub direction: Direction,
    /// The connection is in the table (`IPS_CONFIRMED`).
    pub confirmed: bool,
    /// Packets were seen in both directions (`IPS_SEEN_REPLY`), not counting
    /// the packet at hand.
    pub seen_reply: bool,
    /// The connection is assured (`IPS_ASSURED`).
    pub assured: bool,
    /// SYNPROXY answers for one side of the connection (`nfct_synproxy`).
    pub synproxy: bool,
    /// How far what the packet acknowledges has been shifted on its way to the
    /// one who acknowledges it (TCP, `nf_ct_seq_offset` of the other direction
    /// at ack - 1); 0 without sequence adjustment.
    pub ack_offset: i32,
    /// The time now.
    pub now: Jiffies,
}

/// The answer of a protocol to a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// What to do with the packet.
    pub verdict: Verdict,
    /// The connection's new timeout, in the unit of the timeout table that was
    /// given; `None` leaves the timeout (and the counters) alone.
    pub timeout: Option<u32>,
    /// What happened, for status bits and events.
    pub changes: Changes,
}

/// What to do with a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It belongs to the connection.
    Accept,
    /// It does not: let it pass without a connection, as INVALID.
    Invalid(Reason),
    /// Drop it.
    Drop(Reason),
    /// The connection is over and the packet begins a new one with the same
    /// tuple: kill the old entry and track the packet again (`NF_REPEAT`).
    Reopen,
}

/// What a packet changed about its connection.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Changes {
    /// The connection becomes assured (`IPS_ASSURED`, `IPCT_ASSURED`).
    pub assured: bool,
    /// The protocol's own state changed (`IPCT_PROTOINFO`).
    pub protoinfo: bool,
    /// The connection is closed by this packet: remove its entry now
    /// (`nf_ct_kill_acct`) and accept the packet.
    pub kill: bool,
    /// `IPS_SEEN_REPLY` must not be set by this packet although it goes in the
    /// reply direction.
    pub keep_unreplied: bool,
    /// Clear `IPS_FIXED_TIMEOUT` or `IPS_OFFLOAD` handling is due: a segment
    /// that closes (FIN, RST).
    pub closing: bool,
    /// The packet is INVALID, but the connection seems to be closing without
    /// us: if it would live for more than two minutes and for longer than
    /// [`Outcome::timeout`], it is to live for that, unless its timeout is
    /// fixed. Only then an INVALID packet has a timeout.
    pub cap: bool,
    /// The packet is accepted, but does not fit: what is to be logged like the
    /// reason of an INVALID one.
    pub note: Option<Reason>,
}

impl Outcome {
    /// Accept, with a new timeout.
    #[inline]
    pub const fn accept(timeout: u32) -> Self {
        Self {
            verdict: Verdict::Accept,
            timeout: Some(timeout),
            changes: Changes {
                assured: false,
                protoinfo: false,
                kill: false,
                keep_unreplied: false,
                closing: false,
                cap: false,
                note: None,
            },
        }
    }

    /// The packet is no part of the connection.
    #[inline]
    pub const fn invalid(reason: Reason) -> Self {
        Self {
            verdict: Verdict::Invalid(reason),
            timeout: None,
            changes: Changes {
                assured: false,
                protoinfo: false,
                kill: false,
                keep_unreplied: false,
                closing: false,
                cap: false,
                note: None,
            },
        }
    }
}

/// Why a packet is INVALID or dropped: what `nf_log` prints and what is
/// counted. Every protocol's reasons are here, so that they can be listed.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// A header is cut off, or its length field is wrong.
    Truncated,
    /// A checksum is wrong.
    BadChecksum,
    /// IPv4 or IPv6 header that cannot be.
    BadNetworkHeader,
    /// TCP flags that no segment may carry together.
    TcpBadFlags,
    /// A segment that cannot begin a connection.
    TcpNotSyn,
    /// A segment that this state does not expect.
    TcpInvalidState,
    /// Sequence or acknowledgement number outside the window.
    TcpOutOfWindow,
    /// A RST that RFC 5961 does not let through.
    TcpInvalidRst,
    /// A SYN in a connection whose peer will answer with a challenge ACK.
    TcpChallengeAck,
    /// The first packet of an SCTP association is not INIT (or the like).
    SctpNotInit,
    /// SCTP chunks that cannot stand together, or no chunk, or a bad length.
    SctpBadChunks,
    /// A wrong verification tag.
    SctpBadTag,
    /// An SCTP chunk that this state does not expect.
    SctpInvalidState,
    /// An ICMP or ICMPv6 message that does not begin or answer anything.
    IcmpUnexpected,
    /// An ICMP error about a packet of no known connection.
    IcmpNoConnection,
    /// An ICMP error whose quoted packet does not fit its own addresses.
    IcmpMismatch,
    /// GRE of an unknown version, or with fields that cannot be.
    GreBadHeader,
    /// A reply that arrived before the request's entry was confirmed.
    Unexpected,
}

impl Reason {
    /// Every reason, in the order of their numbers.
    pub const ALL: [Reason; 18] = [
        Reason::Truncated,
        Reason::BadChecksum,
        Reason::BadNetworkHeader,
        Reason::TcpBadFlags,
        Reason::TcpNotSyn,
        Reason::TcpInvalidState,
        Reason::TcpOutOfWindow,
        Reason::TcpInvalidRst,
        Reason::TcpChallengeAck,
        Reason::SctpNotInit,
        Reason::SctpBadChunks,
        Reason::SctpBadTag,
        Reason::SctpInvalidState,
        Reason::IcmpUnexpected,
        Reason::IcmpNoConnection,
        Reason::IcmpMismatch,
        Reason::GreBadHeader,
        Reason::Unexpected,
    ];

    /// A short text, as for `nf_log`.
    pub const fn text(self) -> &'static str {
        match self {
            Reason::Truncated => "truncated packet",
            Reason::BadChecksum => "bad checksum",
            Reason::BadNetworkHeader => "invalid network header",
            Reason::TcpBadFlags => "invalid tcp flag combination",
            Reason::TcpNotSyn => "tcp segment cannot begin a connection",
            Reason::TcpInvalidState => "tcp segment invalid in this state",
            Reason::TcpOutOfWindow => "tcp segment out of window",
            Reason::TcpInvalidRst => "invalid rst",
            Reason::TcpChallengeAck => "syn in a connection, challenge ack expected",
            Reason::SctpNotInit => "sctp association does not begin with init",
            Reason::SctpBadChunks => "invalid sctp chunks",
            Reason::SctpBadTag => "wrong sctp verification tag",
            Reason::SctpInvalidState => "sctp chunk invalid in this state",
            Reason::IcmpUnexpected => "unexpected icmp message",
            Reason::IcmpNoConnection => "icmp error of no known connection",
            Reason::IcmpMismatch => "icmp error does not fit the packet it quotes",
            Reason::GreBadHeader => "invalid gre header",
            Reason::Unexpected => "unexpected packet",
        }
    }
}

/// A transport protocol with a state of its own.
pub trait Protocol {
    /// What it reads of a packet: checked, by value.
    type Segment;
    /// What it keeps about a connection.
    type State;
    /// Settings of the namespace, with its timeout table.
    type Policy;

    /// The state of a connection that begins with `segment`, or why it cannot
    /// begin one.
    fn open(segment: &Self::Segment, policy: &Self::Policy) -> Result<Self::State, Reason>;

    /// A packet of the connection, the first one included. Called with the
    /// connection's lock held if `State` needs one.
    fn update(
        state: &mut Self::State,
        segment: &Self::Segment,
        flow: &Flow,
        policy: &Self::Policy,
    ) -> Outcome;
}
