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
