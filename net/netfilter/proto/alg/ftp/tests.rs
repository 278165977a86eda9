// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::*;
use crate::be::Be32;

const CLIENT: Direction = Direction::Original;
const SERVER: Direction = Direction::Reply;

fn v4(a: u8, b: u8, c: u8, d: u8) -> Option<Address> {
    Some(Address::v4(Be32::from_bytes([a, b, c, d])))
}

fn v6(words: [u32; 4]) -> Option<Address> {
    Some(Address(words.map(Be32::new)))
}

/// What is read, with the text of the span.
fn announced(
    text: &str,
    direction: Direction,
    family: Family,
) -> Option<(Kind, &str, Option<Address>, u16)> {
    match read(text.as_bytes(), direction, family) {
        Reading::Announced(found) => {
            let span = found.span.of(text.as_bytes()).unwrap();
            let span = core::str::from_utf8(span).unwrap();
            Some((found.kind, span, found.address, found.port))
        }
        _ => None,
    }
}

#[test]
fn golden() {
    let found = announced("PORT 192,0,2,1,4,210\r\n", CLIENT, Family::Ipv4);
    assert_eq!(
        found,
        Some((Kind::Port, "192,0,2,1,4,210", v4(192, 0, 2, 1), 1234))
    );
    let found = announced("port 192,0,2,1,4,210\r\n", CLIENT, Family::Ipv4);
    assert_eq!(
        found,
        Some((Kind::Port, "192,0,2,1,4,210", v4(192, 0, 2, 1), 1234))
    );
    let found = announced("EPRT |1|132.235.1.2|6275|\r\n", CLIENT, Family::Ipv4);
    assert_eq!(
        found,
        Some((Kind::Eprt, "|1|132.235.1.2|6275|", v4(132, 235, 1, 2), 6275))
    );
    let text = "EPRT |2|1080::8:800:200C:417A|5282|\r\n";
    let address = v6([0x1080_0000, 0, 0x0008_0800, 0x200c_417a]);
    let found = announced(text, CLIENT, Family::Ipv6);
    assert_eq!(
        found,
        Some((Kind::Eprt, "|2|1080::8:800:200C:417A|5282|", address, 5282))
    );
    let text = "227 Entering Passive Mode (127,0,0,1,4,51).\r\n";
    let found = announced(text, SERVER, Family::Ipv4);
    assert_eq!(
        found,
        Some((Kind::Pasv, "127,0,0,1,4,51", v4(127, 0, 0, 1), 1075))
    );
    let found = announced("227 =127,0,0,1,4,51\r\n", SERVER, Family::Ipv4);
    assert_eq!(
        found,
        Some((Kind::Pasv, "127,0,0,1,4,51", v4(127, 0, 0, 1), 1075))
    );
    let text = "229 Entering Extended Passive Mode (|||6446|)\r\n";
    for family in [Family::Ipv4, Family::Ipv6] {
        let found = announced(text, SERVER, family);
        assert_eq!(found, Some((Kind::Epsv, "|||6446|", None, 6446)));
    }
}

#[test]
fn other_lines_are_let_through() {
    for text in [
        "",
        "USER anonymous\r\n",
        "PASV\r\n",
        "EPSV\r\n",
        "227 0,0,0,0,1,1\r\n",
        "\r\n",
    ] {
        let reading = read(text.as_bytes(), CLIENT, Family::Ipv4);
        if text.is_empty() {
            // Could become anything; it has no bytes that could be dropped.
            assert_eq!(reading, Reading::Unclear(Kind::Port));
        } else {
            assert_eq!(reading, Reading::Other, "{text}");
        }
    }
    for text in ["220 ready\r\n", "PORT 1,2,3,4,5,6\r\n", "226 done\r\n"] {
        assert_eq!(read(text.as_bytes(), SERVER, Family::Ipv4), Reading::Other);
    }
}

#[test]
fn bad_numbers_are_unclear() {
    for text in [
        "PORT 256,0,2,1,4,210\r\n",
        "PORT 192,0,2,1,256,0\r\n",
        "PORT 192,0,2,1,0,0\r\n",
        "PORT 192,0,2,1,4\r\n",
        "PORT 192,0,2,1,4,210,7\r\n",
        "PORT ,,,,,\r\n",
        "PORT 192,0,2,1,4,4294967506\r\n",
        "PORT 192,0,2,1,4,210\n",
        "EPRT |1|192.0.2.1|65536|\r\n",
        "EPRT |1|192.0.2.1|0|\r\n",
        "EPRT |1|192.0.2.256|1|\r\n",
        "EPRT |2|::1|1025|\r\n",
        "EPRT 11119.9.9.91251\r\n",
        "EPRT |1|192.0.2.1|1025\r\n",
        "EPRT |1!192.0.2.1|1025|\r\n",
    ] {
        let reading = read(text.as_bytes(), CLIENT, Family::Ipv4);
        assert!(matches!(reading, Reading::Unclear(_)), "{text}");
    }
    let reading = read(b"PORT 192,0,2,1,4,210\r\n", CLIENT, Family::Ipv6);
    assert_eq!(reading, Reading::Unclear(Kind::Port));
    for text in [
        "229 (|||65536|)\r\n",
        "229 (||1|6446|)\r\n",
        "229 (|||)\r\n",
        "229 no\r\n",
    ] {
        let reading = read(text.as_bytes(), SERVER, Family::Ipv4);
        assert_eq!(reading, Reading::Unclear(Kind::Epsv), "{text}");
    }
}

/// A command that goes on in the next segment does not get through.
#[test]
fn cut_at_every_byte() {
    for (text, direction) in [
        ("PORT 192,0,2,1,4,210\r", CLIENT),
        ("EPRT |1|132.235.1.2|6275|", CLIENT),
        ("227 Entering Passive Mode (127,0,0,1,4,51)", SERVER),
        ("229 Entering Extended Passive Mode (|||6446|", SERVER),
    ] {
        for cut in 1..text.len() {
            let reading = read(&text.as_bytes()[..cut], direction, Family::Ipv4);
            assert!(
                matches!(reading, Reading::Unclear(_)),
                "{text} cut at {cut}"
            );
        }
        assert!(announced(text, direction, Family::Ipv4).is_some(), "{text}");
    }
}

#[test]
fn what_is_written_is_read() {
    for (kind, direction, before, after) in [
        (Kind::Port, CLIENT, "PORT ", "\r\n"),
        (Kind::Eprt, CLIENT, "EPRT ", "\r\n"),
        (Kind::Pasv, SERVER, "227 (", ")\r\n"),
        (Kind::Epsv, SERVER, "229 (", ")\r\n"),
    ] {
        for port in [1, 255, 256, 65535] {
            for address in [v4(255, 255, 255, 255), v4(1, 2, 3, 4)]
                .into_iter()
                .flatten()
            {
                let text = write(kind, &address, Family::Ipv4, port).unwrap();
                let text = core::str::from_utf8(text.text()).unwrap();
                let line = std::format!("{before}{text}{after}");
                let found = announced(&line, direction, Family::Ipv4).unwrap();
                let address = (kind != Kind::Epsv).then_some(address);
                assert_eq!(found, (kind, text, address, port));
            }
        }
    }
    let longest = v6([0xffff_ffff; 4]).unwrap();
    let text = write(Kind::Eprt, &longest, Family::Ipv6, 65535).unwrap();
    let line = std::format!("EPRT {}\r\n", core::str::from_utf8(text.text()).unwrap());
    let (_, _, address, port) = announced(&line, CLIENT, Family::Ipv6).unwrap();
    assert_eq!((address, port), (Some(longest), 65535));
}
