// SPDX-License-Identifier: GPL-2.0

//! What is handled apart because it is so frequent: that it is, and what is not.
//! That both ways end alike is checked with any segments, in tcp_sequences.

use super::*;

fn takes(player: &mut Player, line: &str) -> bool {
    let (direction, segment) = parse(line);
    let policy = player.policy;
    steady(player.state_mut(), &segment, direction, &policy).is_some()
}

#[test]
fn data_and_acknowledgements_are_steady() {
    let mut player = Player::established();
    for line in [
        "> P. 1+100 1",
        "< . 1 101",
        "< P. 1+50 101",
        "> . 101 51",
        "> .U 101 51",
    ] {
        assert!(takes(&mut player, line), "{line}");
    }
}

#[test]
fn nothing_else_is() {
    let mut player = Player::established();
    let before = *player.state();
    for line in [
        // Opens or closes.
        "> S 1",
        "< S. 0 1",
        "> F. 1 1",
        "> R 1",
        "> R. 1 1",
        // Acknowledges what was not sent, or selectively; out of window.
        "> . 1 2",
        "> . 1 1 sack 1",
        "> . 1002 1",
        "> . -2000 1",
    ] {
        assert!(!takes(&mut player, line), "{line}");
        assert_eq!(*player.state(), before, "{line}");
    }
    player.script(&["> F. 1 1 | FIN_WAIT 120"]);
    assert!(!takes(&mut player, "> . 2 1"));
}

#[test]
fn only_a_syn_is_first() {
    let policy = Policy::default();
    for (line, is_first) in [
        ("> S 0", true),
        ("> SP 0 ws 7 sackok", true),
        ("> S. 0 1", false),
        ("> . 1 1", false),
        ("> R 1", false),
        ("> F. 1 1", false),
    ] {
        let (_, segment) = parse(line);
        let timeout = first_syn(&mut State::default(), &segment, &policy);
        assert_eq!(timeout, is_first.then_some(120), "{line}");
    }
}

/// Whether a segment is one of those that open or close in order; if so, it leads
/// to `state`.
fn turns(player: &mut Player, line: &str, state: TcpConntrack) -> bool {
    let (direction, segment) = parse(line);
    let (policy, known) = (player.policy, (player.seen_reply, player.assured));
    let before = *player.state();
    let turn = match segment.flags.syn() {
        true => answer(player.state_mut(), &segment, direction, known, &policy),
        false => proceed(player.state_mut(), &segment, direction, known, &policy),
    };
    let Some(turn) = turn else {
        assert_eq!(*player.state(), before, "{line}");
        return false;
    };
    player.seen_reply |= direction == Direction::Reply;
    player.assured |= turn.assured;
    assert_eq!(player.state().state(), state, "{line}");
    assert_eq!(turn.moves, before.state() != state, "{line}");
    assert_eq!(turn.timeout, policy.timeout(state as usize), "{line}");
    true
}

#[test]
fn a_connection_opens_and_closes_in_order() {
    use TcpConntrack::{CloseWait, Established, FinWait, LastAck, SynRecv, TimeWait};
    let mut player = Player::new();
    player.script(&["> S 0 win 1000 ws 7 sackok | SYN_SENT 120"]);
    for (line, state) in [
        ("< S. 0 1 ws 3 sackok", SynRecv),
        ("> . 1 1", Established),
        ("> F. 1 1", FinWait),
        ("< . 1 2", CloseWait),
        ("< F. 1 2", LastAck),
        ("> . 2 2", TimeWait),
    ] {
        assert!(turns(&mut player, line, state), "{line}");
        assert_eq!(player.assured, state != SynRecv, "{line}");
    }
}

#[test]
fn out_of_order_is_for_the_general_rules() {
    let mut player = Player::new();
    player.script(&["> S 0 | SYN_SENT 120"]);
    for line in [
        // Again, from the other side, refused, and not for this SYN.
        "> S 0",
        "< S 0",
        "< R. =0 1",
        "< S. 0 2",
        "< . 0 1",
        "> . 1 1",
    ] {
        assert!(!turns(&mut player, line, TcpConntrack::None), "{line}");
    }
    let mut player = Player::established();
    for line in [
        "> F. 1 2",
        "> F. 2000 1",
        "> F. 1 1 sack 1",
        "> R. 1 1",
        "> S 1",
        "< S. 0 1",
    ] {
        assert!(!turns(&mut player, line, TcpConntrack::None), "{line}");
    }
}
