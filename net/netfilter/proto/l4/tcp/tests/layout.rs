// SPDX-License-Identifier: GPL-2.0

//! Layouts, and what is done to a state from outside.

use super::*;
use core::mem::{offset_of, size_of};

#[test]
fn layout_of_ip_ct_tcp() {
    assert_eq!(size_of::<Seen>(), 20);
    assert_eq!(offset_of!(Seen, td_maxend), 4);
    assert_eq!(offset_of!(Seen, td_maxwin), 8);
    assert_eq!(offset_of!(Seen, td_maxack), 12);
    assert_eq!(offset_of!(Seen, td_scale), 16);
    assert_eq!(offset_of!(Seen, flags), 17);
    assert_eq!(size_of::<State>(), 60);
    assert_eq!(offset_of!(State, last_dir), 41);
    assert_eq!(offset_of!(State, retrans), 42);
    assert_eq!(offset_of!(State, last_index), 43);
    assert_eq!(offset_of!(State, last_seq), 44);
    assert_eq!(offset_of!(State, last_ack), 48);
    assert_eq!(offset_of!(State, last_end), 52);
    assert_eq!(offset_of!(State, last_win), 56);
    assert_eq!(offset_of!(State, last_wscale), 58);
    assert_eq!(offset_of!(State, last_flags), 59);
}

#[test]
fn closing_from_outside() {
    let mut player = Player::established();
    assert!(!player.state().can_early_drop());
    assert!(player.state_mut().set_closing());
    assert_eq!(player.state().state(), TcpConntrack::Close);
    assert!(!player.state_mut().set_closing());
    assert!(player.state().can_early_drop());
}

#[test]
fn early_drop() {
    use TcpConntrack as S;
    let mut state = State::default();
    for (tcp, expected) in [
        (S::None, false),
        (S::SynSent, false),
        (S::SynRecv, false),
        (S::Established, false),
        (S::FinWait, true),
        (S::CloseWait, true),
        (S::LastAck, true),
        (S::TimeWait, true),
        (S::Close, true),
        (S::SynSent2, false),
    ] {
        state.set_state(tcp);
        assert_eq!(state.can_early_drop(), expected, "{tcp:?}");
    }
}

/// What has gone by in the flowtable is out of the windows known.
#[test]
fn back_from_the_flowtable() {
    let mut player = Player::established();
    player.state_mut().end_offload(false);
    player.script(&[
        "> . 900000+10 800000  | ESTABLISHED 432000",
        "< . 800000+10 900010  | ESTABLISHED 432000",
        "> . 900010 800010     | ESTABLISHED 432000",
    ]);

    let mut player = Player::established();
    player.state_mut().end_offload(true);
    player.script(&["> S 500000 | reopen SYN_SENT 120"]);
}

#[test]
fn liberal_from_outside() {
    let mut player = Player::established();
    player.script(&["> . 900000+10 1 | ESTABLISHED !TcpOutOfWindow"]);
    player.state_mut().set_be_liberal();
    player.script(&["> . 900000+10 1 | ESTABLISHED 432000"]);
}

/// Made through ctnetlink, with no more than a state.
#[test]
fn synced() {
    let mut state = State::default();
    state.set_state(TcpConntrack::Established);
    let mut player = Player {
        state: Some(state),
        seen_reply: true,
        assured: true,
        ..Player::new()
    };
    player.script(&[
        "< . 77+10 900       | ESTABLISHED 432000",
        "> . 900+10 87       | ESTABLISHED 432000",
        "> . 99999 1         | ESTABLISHED !TcpOutOfWindow",
    ]);
}
