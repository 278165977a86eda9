// SPDX-License-Identifier: GPL-2.0

//! The streams of a session, one after the other, and what becomes of the
//! session's text.

use super::{
    super::edits::{DoNotFit, Edits},
    sdp::{Media, Session},
    translate::{self, View},
    Endpoint,
};

/// The most streams in use of a session that are looked at: audio and video,
/// and a few more.
pub const MOST: usize = 8;

/// Why a session does not pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused<E> {
    /// A stream has a port that cannot be, or no address.
    Wrong,
    /// There are too many streams or too many changes.
    TooMuch,
    /// What `place` said.
    Place(E),
}

impl<E> From<DoNotFit> for Refused<E> {
    fn from(_: DoNotFit) -> Self {
        Refused::TooMuch
    }
}

/// Has `place` say where each stream goes instead: the first port of its pair.
/// With `nat`, adds what has to change in the session's text. Without, streams
/// beyond [`MOST`] are nobody's business.
///
/// Addresses of the session stand for the streams without one of their own. If
/// no stream is in use, they change if they are the sender's.
pub fn each<E>(
    session: &Session<'_>,
    mut nat: Option<(&View, &mut Edits<'_>)>,
    mut place: impl FnMut(&Media) -> Result<Endpoint, E>,
) -> Result<(), Refused<E>> {
    let (mut count, mut inherited, mut last) = (0usize, None, None);
    for media in session.media() {
        let media = media.map_err(|_| Refused::Wrong)?;
        count = count.saturating_add(1);
        if count > MOST {
            if nat.is_some() {
                return Err(Refused::TooMuch);
            }
            break;
        }
        let new = place(&media).map_err(Refused::Place)?;
        last = Some(new.address);
        if media.connection.is_none() {
            inherited = last;
        }
        if let Some((view, changes)) = &mut nat {
            translate::stream(&media, &new, view.family, changes)?;
        }
    }
    let Some((view, changes)) = nat else {
        return Ok(());
    };
    match inherited.or(last) {
        Some(address) => translate::session(session, |_| Some(address), view, changes)?,
        None => {
            let (own, new) = (view.source.address, view.new_source.address);
            translate::session(session, |old| (*old == own).then_some(new), view, changes)?;
        }
    }
    Ok(())
}
