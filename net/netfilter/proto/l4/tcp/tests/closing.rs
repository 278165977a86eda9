// SPDX-License-Identifier: GPL-2.0

//! How connections end, and what may follow.

use super::*;

/// After a close that the client began.
fn closed() -> Player {
    let mut player = Player::established();
    player.script(&[
        "> F. 1 1            | FIN_WAIT 120",
        "< . 1 2             | CLOSE_WAIT 60",
        "< F. 1 2            | LAST_ACK 30",
        "> . 2 2             | TIME_WAIT 120",
    ]);
    player
}

#[test]
fn orders() {
    closed();
    for script in [
        // The server first.
        &[
            "< F. 1 1            | FIN_WAIT 120",
            "> . 1 2             | CLOSE_WAIT 60",
            "> F. 1 2            | LAST_ACK 30",
            "< . 2 2             | TIME_WAIT 120",
            "> F. 1 2            | TIME_WAIT 120",
            "< . 2 2             | TIME_WAIT 120",
        ][..],
        // ACK and FIN in one.
        &[
            "> F. 1 1            | FIN_WAIT 120",
            "< F. 1 2            | LAST_ACK 30",
            "> . 2 2             | TIME_WAIT 120",
        ][..],
        // At once.
        &[
            "> F. 1 1            | FIN_WAIT 120",
            "< F. 1 1            | LAST_ACK 30",
            "> . 2 2             | TIME_WAIT 120",
            "< . 2 2             | TIME_WAIT 120",
        ][..],
        // Half: data goes on in the other direction.
        &[
            "> F. 1 1            | FIN_WAIT 120",
            "< . 1+500 2         | CLOSE_WAIT 60",
            "> . 2 501           | CLOSE_WAIT 60",
            "< F. 501+5 2        | LAST_ACK 30",
            "> . 2 507           | TIME_WAIT 120",
        ][..],
        // The FIN is lost and sent again: as both FINs, as the stock module.
        &[
            "> F. 1 1            | FIN_WAIT 120",
            "> F. 1 1            | LAST_ACK 30",
        ][..],
    ] {
        Player::established().script(script);
    }
}

/// A FIN instead of the handshake's ACK.
#[test]
fn fin_in_the_handshake() {
    let mut player = Player::new();
    player.script(&[
        "> S 0               | SYN_SENT 120",
        "> F. 1 1            | SYN_SENT !TcpInvalidState",
        "< S. 0 1            | SYN_RECV 60",
        "> F. 1 1            | FIN_WAIT 120",
    ]);
    assert!(player.state().seen[0].has(flag::CLOSE_INIT));
}

#[test]
fn time_wait_again() {
    closed().script(&["> S 5000     | reopen SYN_SENT 120"]);
    closed().script(&["< S 5000     | reopen SYN_SENT 120"]);
    closed().script(&["< S. 0 1     | TIME_WAIT keep ?TcpInvalidState"]);
}

/// Who has aborted may begin again; if it was the peer, the answer tells.
#[test]
fn aborted_again() {
    let mut player = Player::established();
    player.script(&[
        "> R 1               | CLOSE 10",
        "> S 5000            | reopen SYN_SENT 120",
    ]);

    let mut player = Player::established();
    player.script(&[
        "< R 1               | CLOSE 10",
        "> S 5000            | CLOSE keep ?TcpChallengeAck",
        "< S 5000            | CLOSE !TcpInvalidState",
        "< S. 9000 5001      | SYN_RECV 60",
        "> . 5001 9001       | ESTABLISHED 432000",
    ]);
}

/// A challenge that answers a SYN in LAST_ACK is not the last ACK.
#[test]
fn challenge_in_last_ack() {
    let mut player = Player::established();
    player.script(&[
        "> F. 1 1            | FIN_WAIT 120",
        "< . 1 2             | CLOSE_WAIT 60",
        "< F. 1 2            | LAST_ACK 30",
        "> S 5000            | LAST_ACK keep ?TcpChallengeAck",
        "< . 2 2             | LAST_ACK keep ?TcpChallengeAck",
        "> R 2               | CLOSE 10",
        "> S 5000            | reopen SYN_SENT 120",
    ]);
    // Only once.
    let mut player = Player::established();
    player.script(&[
        "> F. 1 1            | FIN_WAIT 120",
        "< F. 1 2            | LAST_ACK 30",
        "> S 5000            | LAST_ACK keep ?TcpChallengeAck",
        "< . 2 2             | LAST_ACK keep ?TcpChallengeAck",
        "< . 2 2             | TIME_WAIT 120",
    ]);
}

/// Both ends close a connection whose windows we have lost: it must not stay
/// for days.
#[test]
fn closing_out_of_window() {
    let mut player = Player::established();
    player.script(&[
        "> F. 500000 1       | ESTABLISHED !TcpOutOfWindow",
        "> F. 500000 1       | ESTABLISHED !TcpOutOfWindow",
        "< F. 500000 500001  | ESTABLISHED !TcpOutOfWindow cap 300",
    ]);
    // Not assured, or not closing.
    let mut player = Player::new();
    player.script(&[
        "> S 0               | SYN_SENT 120",
        "< S. 0 1            | SYN_RECV 60",
        "> F. 500000 1       | SYN_RECV !TcpOutOfWindow",
        "< F. 500000 1       | SYN_RECV !TcpOutOfWindow",
    ]);
    let mut player = Player::established();
    player.script(&[
        "> . 500000+5 1      | ESTABLISHED !TcpOutOfWindow",
        "< F. 500000 1       | ESTABLISHED !TcpOutOfWindow",
    ]);
}
