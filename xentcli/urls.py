"""Recognise URLs of files, and hide the secrets in them.

Passwords and signatures in a URL are replaced by ``<hidden>`` before anything else sees it, so that options,
messages, reports and states never contain them. Only the code that opens the URL restores them.
"""

from __future__ import annotations

import os
import re

from xentcli.errors import UsageError, shown

__all__ = [
    "bare",
    "check_here",
    "hidden",
    "hidden_where_named",
    "is_hidden",
    "is_url",
    "is_web",
    "protocol",
    "real",
    "scrubbed",
]

_URL = re.compile(r"(?:[A-Za-z][\w+.-]+(?:://[^:]*)?::)*([A-Za-z][\w+.-]+)://")
"""A scheme has two letters and more, so that C:\\x is none; file systems may be chained, as in simplecache::s3://."""
_USER = r"(?<=://)[^/@\s?#]+(?=@)"
_QUERY = r"(?<=://)[^\s?]*\?[^\s#,]*"
_VALUE = r"(?<==)[^&:]+"
_HIDDEN = r"<hidden(?:-\d+)?>"
_LONG = 8
_secrets: dict[str, str] = {}
"""The hidden secrets, by their placeholder."""


def is_url(path: object) -> bool:
    r"""Whether a path is a URL; an existing file whose name looks like one keeps its meaning.

    >>> is_url("s3://bucket/p.npy"), is_url("simplecache::s3://bucket/p.npy"), is_url("zip://a.csv::s3://b/c.zip")
    (True, True, True)
    >>> is_url("C:\\p.npy"), is_url("C://p.npy"), is_url("a:b.csv"), is_url("-")
    (False, False, False, False)
    """
    return isinstance(path, str) and _URL.match(path) is not None and not os.path.lexists(path)


def check_here(path: object) -> None:
    """Raise UsageError for a URL: nothing is written there."""
    if is_url(path):
        raise UsageError(f"{shown(path)} is a URL: results are written to files of this machine")


def protocol(url: str) -> str:
    """Return what reads a URL: the scheme of its last part.

    >>> protocol("https://host/p.npy"), protocol("zip://a.csv::s3://b/c.zip")
    ('https', 's3')
    """
    return url.rpartition("::")[2].partition("://")[0].lower()


def is_web(url: str) -> bool:
    """Whether a URL is the address of a page, where a question mark begins a query."""
    return protocol(url) in ("http", "https")


def bare(path: str) -> str:
    """Return a path; of a URL only the first link that has one, without the query of a page.

    >>> bare("https://host/p.npy?sig=<hidden>"), bare("zip://a?.csv::s3://b/c.zip"), bare("what?.csv")
    ('https://host/p.npy', 'zip://a?.csv', 'what?.csv')
    """
    if not is_url(path):
        return path
    link = next(link for link in path.split("::") if "://" in link)
    return link.partition("?")[0] if is_web(link) else link


def hidden(text: str) -> str:
    """Return a text in which what URLs hold of users, passwords and queries is put away until the process ends.

    >>> text = hidden("@https://me:secret@host/p.npy?sig=abc&part=1:label")
    >>> re.sub(r"<hidden(-[0-9]+)?>", "<hidden>", text)
    '@https://<hidden>@host/p.npy?sig=<hidden>&part=<hidden>:label'
    >>> real(text)
    '@https://me:secret@host/p.npy?sig=abc&part=1:label'
    """
    if "://" not in text or os.path.lexists(text):
        return text
    text = re.sub(_USER, lambda user: _put_away(user[0]), text)
    return re.sub(_QUERY, lambda query: re.sub(_VALUE, lambda value: _put_away(value[0]), query[0]), text)


def hidden_where_named(text: str) -> str:
    """Return what an option says, hidden where it names a file, as ``@URL`` does; a label or a name stays what it is.

    >>> hidden_where_named("http://host/?class=1"), "class=1" in hidden_where_named("@http://host/?class=1:label")
    ('http://host/?class=1', False)
    """
    return hidden(text) if text.startswith("@") or ",@" in text else text


def is_hidden(path: str) -> bool:
    """Whether a path has hidden secrets, so that another process cannot open it.

    >>> is_hidden("https://<hidden>@host/p.npy"), is_hidden("https://host/p.npy")
    (True, False)
    """
    return re.search(_HIDDEN, path) is not None


def real(path: str) -> str:
    """Return a path with its secrets restored."""
    return re.sub(_HIDDEN, lambda token: _secrets.get(token[0], token[0]), path) if _secrets else path


def scrubbed(text: str) -> str:
    """Return a message of a client without hidden secrets, and without those of URLs in it."""
    for token, secret in sorted(_secrets.items(), key=lambda pair: -len(pair[1])):
        # Do not replace short values, such as that of part=1, which occur within other words.
        text = text.replace(secret, token) if len(secret) >= _LONG else text
    return hidden(text)


def _put_away(secret: str) -> str:
    if re.fullmatch(_HIDDEN, secret):
        return secret
    found = next((token for token, known in _secrets.items() if known == secret), None)
    if found is None:
        found = f"<hidden-{len(_secrets) + 1}>" if _secrets else "<hidden>"
        _secrets[found] = secret
    return found
