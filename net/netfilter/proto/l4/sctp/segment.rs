// SPDX-License-Identifier: GPL-2.0

//! What connection tracking reads of an SCTP packet.

use crate::be::Be32;
use crate::l4::Reason;
use crate::packet;

/// What is read of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    pub(super) vtag: Be32,
    /// Of INIT and INIT ACK.
    pub(super) init_tag: Be32,
    chunks: [Option<Chunk>; MAX_CHUNKS],
    /// Some chunk is DATA or another that is not in `chunks`.
    pub(super) others: bool,
}

impl Segment {
    /// Reads the chunks of a packet.
    ///
    /// # Errors
    ///
    /// As [`Self::from_chunks`].
    pub fn new(packet: &packet::sctp::Segment<'_>) -> Result<Self, Reason> {
        Self::from_chunks(packet.vtag, packet.chunks.clone())
    }

    /// A packet with the verification tag `vtag` and these chunks, `Err`
    /// standing for one that cannot be read.
    ///
    /// # Errors
    ///
    /// [`Reason::SctpBadChunks`] if there is no chunk, if one cannot be read or
    /// is too short for its kind, or if they must not be bundled this way
    /// (section 6.10).
    pub fn from_chunks<'a, E>(
        vtag: Be32,
        chunks: impl IntoIterator<Item = Result<packet::sctp::Chunk<'a>, E>>,
    ) -> Result<Self, Reason> {
        let mut segment = Self {
            vtag,
            init_tag: Be32::default(),
            chunks: [None; MAX_CHUNKS],
            others: false,
        };
        let mut free = segment.chunks.iter_mut();
        let mut first = true;
        let mut last_alone = false;
        let mut last = None;

        for chunk in chunks {
            let Ok(chunk) = chunk else {
                return Err(Reason::SctpBadChunks);
            };
            let known = Chunk::new(chunk.kind, chunk.flags);
            if last_alone || (!first && known.is_some_and(Chunk::leads)) {
                return Err(Reason::SctpBadChunks);
            }
            first = false;

            let Some(known) = known else {
                segment.others = true;
                continue;
            };
            last_alone = known.alone();
            if matches!(known, Chunk::Init | Chunk::InitAck) {
                segment.init_tag = initiate_tag(chunk.body).ok_or(Reason::SctpBadChunks)?;
            }
            if last != Some(known) || !known.idempotent() {
                *free.next().ok_or(Reason::SctpBadChunks)? = Some(known);
            }
            last = Some(known);
        }
        if first {
            return Err(Reason::SctpBadChunks);
        }
        Ok(segment)
    }

    pub(super) fn chunks(&self) -> impl Iterator<Item = Chunk> + '_ {
        self.chunks.iter().map_while(|chunk| *chunk)
    }
}

/// The chunks that matter to a path, and what matters of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Chunk {
    Init,
    InitAck,
    Heartbeat,
    HeartbeatAck,
    /// With the T bit: carries the tag of its addressee's own packets.
    Abort {
        reflected: bool,
    },
    Shutdown,
    ShutdownAck,
    Error,
    CookieEcho,
    CookieAck,
    /// T bit as in `Abort`.
    ShutdownComplete {
        reflected: bool,
    },
}

impl Chunk {
    /// `None` for DATA, SACK and all others that change no state.
    const fn new(kind: u8, flags: u8) -> Option<Self> {
        let reflected = flags & 1 != 0;
        Some(match kind {
            1 => Self::Init,
            2 => Self::InitAck,
            4 => Self::Heartbeat,
            5 => Self::HeartbeatAck,
            6 => Self::Abort { reflected },
            7 => Self::Shutdown,
            8 => Self::ShutdownAck,
            9 => Self::Error,
            10 => Self::CookieEcho,
            11 => Self::CookieAck,
            14 => Self::ShutdownComplete { reflected },
            _ => return None,
        })
    }

    /// Must be the only chunk of its packet.
    const fn alone(self) -> bool {
        matches!(
            self,
            Self::Init | Self::InitAck | Self::ShutdownComplete { .. }
        )
    }

    /// Must be the first chunk of its packet, if not the only one.
    const fn leads(self) -> bool {
        self.alone() || matches!(self, Self::CookieEcho | Self::CookieAck)
    }

    /// Says nothing when it comes twice in a row. A HEARTBEAT does: a second
    /// wrong one is refused.
    const fn idempotent(self) -> bool {
        !matches!(self, Self::Heartbeat | Self::HeartbeatAck)
    }
}

/// How many chunks of a packet are kept: more than any real packet bundles of
/// those that matter. A packet with more is INVALID.
pub(super) const MAX_CHUNKS: usize = 8;

/// The initiate tag of the fixed part of an INIT or INIT ACK (sections 3.3.2
/// and 3.3.3), which must be there in full.
fn initiate_tag(body: &[u8]) -> Option<Be32> {
    let (fixed, _) = body.split_first_chunk::<16>()?;
    let (tag, _) = fixed.split_first_chunk::<4>()?;
    Some(Be32::from_bytes(*tag))
}
