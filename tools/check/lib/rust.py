# SPDX-License-Identifier: GPL-2.0
"""Splits Rust source into tokens, so that strings and comments do not mislead a check."""

import re
from collections import namedtuple

# kind: comment, string, word or sign.
Token = namedtuple("Token", "kind text line")

_PIECES = re.compile(
    r"""
    (?P<comment>//[^\n]*)
  | (?P<nested>/\*)
  | (?P<raw>(?:b|c)?r(?P<hashes>\#*)"(?:.|\n)*?"(?P=hashes))
  | (?P<string>(?:b|c)?"(?:[^"\\]|\\(?:.|\n))*"|b?'(?:[^'\\\n]|\\[^\n][^'\n]*)')
  | (?P<lifetime>'[A-Za-z_]\w*)
  | (?P<word>(?:r\#)?[A-Za-z_]\w*|\d\w*)
  | (?P<sign>\S)
    """,
    re.VERBOSE,
)
_COMMENT_ENDS = re.compile(r"/\*|\*/")


def _nested_comment(source, at):
    """Where the block comment that begins at `at` ends."""
    depth = 0
    for mark in _COMMENT_ENDS.finditer(source, at):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    return len(source)


def tokens(source):
    """All tokens, comments among them."""
    found, at, line = [], 0, 1
    while match := _PIECES.search(source, at):
        line += source.count("\n", at, match.start())
        end = match.end()
        kind = match.lastgroup
        if kind == "nested":
            kind, end = "comment", _nested_comment(source, match.start())
        elif kind in ("raw", "hashes", "string"):
            kind = "string"
        text = source[match.start() : end]
        found.append(Token(kind, text, line))
        line += text.count("\n")
        at = end
    return found


def closing(code, opening):
    """The index in `code` (tokens) of the bracket that closes the one at `opening`."""
    depth = 0
    for at in range(opening, len(code)):
        if code[at].kind == "sign":
            depth += code[at].text in "([{"
            depth -= code[at].text in ")]}"
            if depth == 0:
                return at
    return len(code) - 1


def without_tests(found):
    """The tokens that are neither comments nor in an item under cfg(test)."""
    code = [token for token in found if token.kind != "comment"]
    kept, at = [], 0
    marker = ["#", "[", "cfg", "(", "test", ")", "]"]
    while at < len(code):
        if [token.text for token in code[at : at + len(marker)]] != marker:
            kept.append(code[at])
            at += 1
            continue
        at += len(marker)
        while at < len(code) and code[at].text not in (";", "{"):
            at = closing(code, at) if code[at].text in ("(", "[") else at
            at += 1
        if at < len(code) and code[at].text == "{":
            at = closing(code, at)
        at += 1
    return kept
