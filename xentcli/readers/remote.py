"""Files at URLs by fsspec: listings, reading in order or in ranges, and errors of clients in plain words.

Every thread and process opens its own file, and nothing that a client found is cached, as listings and sizes may
change at any time. Clients of object stores retry failed requests themselves; the client of web servers does not, so
temporary failures are retried here.
"""

from __future__ import annotations

import contextlib
import io
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeVar

from xentcli.errors import DataError, FileError, Place, UsageError, XentError, first_line
from xentcli.extras import needed
from xentcli.records import cached_property, record
from xentcli.signals import blocked
from xentcli.urls import is_web, protocol, real, scrubbed

__all__ = ["Access", "Remote", "exists", "folder", "in_ranges", "matching"]

T = TypeVar("T")
Access = Literal["in order", "anywhere", "ranges"]
_BLOCK = 1 << 22
_CACHES: dict[Access, dict[str, Any]] = {
    # The next block is fetched while one is used: at most four blocks are held.
    "in order": {"block_size": _BLOCK, "cache_type": "background", "cache_options": {"maxblocks": 3}},
    # Members of an archive and columns of a table are read in turns, each from a block of its own.
    "anywhere": {"block_size": _BLOCK // 4, "cache_type": "blockcache", "cache_options": {"maxblocks": 32}},
    # One request for each read, of exactly its bytes.
    "ranges": {"block_size": _BLOCK, "cache_type": "none"},
}
_WAITS = (0.1, 0.5, 2.0)
"""Seconds to wait before each retry of a request to a web server."""
_known: dict[str, tuple[Mapping[str, Any], bool]] = {}
"""For each object opened, the info of its client, and whether it is read in ranges."""
_SIGNS = re.compile(
    "etag|contentmd5|md5|md5hash|crc32c|digest|generation|versionid|ino|lastmodified|updated|mtime|modified|created"
)
"""The names under which clients report the version of an object, without case and punctuation."""


@record(frozen=True, eq=False)
class Remote:
    """An object, or a folder of them, as it is now.

    Attributes
    ----------
    url
        Its URL, also its name in messages.
    path
        Its name in its file system.
    info
        The info of the client.
    """

    url: str
    fs: Any
    path: str
    info: Mapping[str, Any]

    @classmethod
    def at(cls, url: str) -> Remote:
        """Look up a URL.

        Raises FileError if it does not exist, or cannot be reached or read; UsageError if the package for its protocol
        is not installed.
        """
        fs, path = _located(url)
        return cls(url, fs, path, _asked(url, lambda: fs.info(path)))

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder; on a web server, whether the URL ends with a slash."""
        return self.info.get("type") == "directory" or (is_web(self.url) and self.path.endswith("/"))

    @property
    def size(self) -> int | None:
        """Its size in bytes; None if the server does not tell."""
        size = self.info.get("size")
        return None if size is None else int(size)

    @property
    def stamp(self) -> tuple[Any, ...]:
        """Its size and version, such as the ETag, to detect changes; for a chained URL, those of the last link."""
        _, chained, last = self.url.rpartition("::")
        return self.size, *_signs(Remote.at(last).info if chained else self.info)

    @cached_property
    def ranged(self) -> bool:
        """Whether the server supports ranges."""
        info, found = _known.get(self.url, ({}, False))
        if info and _signs(info) == _signs(self.info) and info.get("size") == self.size:
            return found
        # A member of an archive is decompressed from its beginning.
        apart = bool(self.size) and self.info.get("partial") is not False and not hasattr(self.fs, "_all_dirnames")
        found = apart and (not is_web(self.url) or self._gives_its_last_byte())
        _known[self.url] = self.info, found
        return found

    def _gives_its_last_byte(self) -> bool:
        """Whether a web server gives a range, and does not begin with the first byte."""

        def asked() -> bool:
            with self.file("ranges") as file:
                file.seek((self.size or 1) - 1)
                try:
                    return len(file.read(1)) == 1
                except ValueError:
                    return False

        return _asked(self.url, asked)

    def opened(self, access: Access) -> io.RawIOBase:
        """Open it, to read it in order, anywhere, or in ranges that are each one request."""
        # A web server without ranges sends one answer, which is read as it comes.
        further = {} if self.ranged or not is_web(self.url) else {"block_size": 0}
        return _File(self, access, _asked(self.url, lambda: self.file(access, **further)))

    def file(self, access: Access, **further: Any) -> Any:
        """Return the file of its client."""
        if access == "ranges" and self.fs.async_impl:
            # Pass the known size: these clients would request it again.
            further["size"] = self.size
        return self.fs.open(self.path, "rb", **{**_CACHES[access], **further})


def in_ranges(url: str) -> io.RawIOBase:
    """Open an object for single ranges; one that was found to have them is not asked for again."""
    fs, path = _located(url)
    info, ranged = _known.get(url, ({}, False))
    remote = Remote(url, fs, path, info) if ranged and fs.async_impl else Remote.at(url)
    return remote.opened("ranges")


def folder(url: str) -> list[str] | None:
    """Return the URLs of what is in a folder, those of folders in it with a slash; None for an object."""
    remote = Remote.at(url)
    if not remote.is_folder:
        return None
    with _client(url):
        return _urls(url, remote.fs.ls(remote.path, detail=True))


def matching(url: str) -> list[str]:
    """Return the URLs that a glob matches, those of folders with a slash."""
    fs, path = _located(url)
    with _client(url):
        return _urls(url, fs.glob(path, detail=True).values())


def exists(url: str) -> bool:
    """Whether there is an object or a folder at a URL; what may not be asked for counts as there."""
    fs, path = _located(url)

    def there() -> bool:
        try:
            fs.info(path)
        except Exception as error:
            if _is_missing(error):
                return False
            raise
        return True

    try:
        return _asked(url, there)
    except FileError:
        return True


def _located(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, which keeps no listings, and the path in it."""
    core = needed("fsspec.core", "remote")
    # The client's threads leave signals to the main thread.
    with _client(url), blocked():
        fs, path = core.url_to_fs(real(url), use_listings_cache=False)
    return fs, str(path)


def _urls(url: str, entries: Any) -> list[str]:
    """Return the URLs of entries of a listing, written as `url` is."""
    links = url.split("::")
    place = next(index for index, link in enumerate(links) if "://" in link)
    scheme, _, given = links[place].partition("://")
    found = []
    for entry in entries:
        name = str(entry["name"])
        if "://" not in name:
            name = f"{scheme}://{name if given.startswith('/') else name.lstrip('/')}"
        slash = "/" if entry["type"] == "directory" and not name.endswith("/") else ""
        found.append("::".join((*links[:place], name + slash, *links[place + 1 :])))
    # A store without folders may represent one by an empty object.
    return [name for name in found if name.rstrip("/") != url.rstrip("/")]


class _File(io.RawIOBase):
    """A file of fsspec whose errors are converted to FileError."""

    def __init__(self, remote: Remote, access: Access, file: Any) -> None:
        # Some file systems close a file when its owner is deleted.
        self._remote, self._access, self._file = remote, access, file
        self._url = remote.url

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def tell(self) -> int:
        return int(self._file.tell())

    def seek(self, offset: int, whence: int = 0) -> int:
        with _client(self._url):
            return int(self._file.seek(offset, whence))

    def read(self, size: int = -1) -> bytes:
        # A web server without ranges cannot resume an interrupted response.
        again = self._at(self._file.tell()) if is_web(self._url) and self._remote.ranged else None
        return _asked(self._url, lambda: bytes(self._file.read(size)), again)

    def _at(self, offset: int) -> Callable[[], None]:
        """Return a function that opens the object again at an offset, if it is unchanged."""

        def again() -> None:
            now = Remote.at(self._url)
            if now.stamp != self._remote.stamp:
                raise DataError("the file changed while it was read", place=Place(self._url))
            self._file = _asked(self._url, lambda: now.file(self._access))
            self._file.seek(offset)

        return again

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _nothing() -> None:
    """Do nothing before a retry."""


def _asked(url: str, ask: Callable[[], T], again: Callable[[], None] | None = _nothing) -> T:
    """Return the result of a request; retries temporary failures of web servers.

    `again` is called before each retry; without it there is none.
    """
    waits = [*_WAITS] if is_web(url) and again is not None else []
    while True:
        try:
            return ask()
        except XentError:
            raise
        except Exception as error:
            if not (waits and _is_passing(error)):
                raise _fault(url, error) from None
        time.sleep(waits.pop(0))
        if again is not None:
            again()


@contextlib.contextmanager
def _client(url: str) -> Iterator[None]:
    """Convert errors of a client to errors that name the file, the cause and what to do."""
    try:
        yield
    except XentError:
        raise
    except Exception as error:
        # Clients of object stores share no error classes.
        raise _fault(url, error) from None


def _fault(url: str, error: Exception) -> XentError:
    place, scheme = Place(url), protocol(url)
    causes, names, status = _found_in(error)
    code = f" ({status})" if status else ""
    if "FileExpired" in names or status == 412:
        return DataError("the file changed while it was read", place=place)
    if isinstance(error, ImportError):
        return UsageError(f"{scheme}:// needs a package that is not installed: {_first_line(error)}", place=place)
    if status in (401, 403, 407) or any("Credentials" in name or name == "PermissionError" for name in names):
        return FileError(f"cannot be read: access is denied{code}", place=place, advice=_ACCESS.get(scheme, ""))
    if _is_missing(error):
        return FileError(f"cannot be read: no such file{code}", place=place)
    if status is not None and (status >= 500 or status == 429):
        return FileError(f"cannot be read: the server fails{code}", place=place, advice="try again later")
    if any(map(_BROKEN.search, names)):
        what = f"the connection broke off: {_first_line(causes[0])}"
        return FileError(f"cannot be read: {what}", place=place, advice="try again later")
    if any(re.search("Connect|DNS", name) for name in names):
        reason = _first_line(causes[-1])
        return FileError(f"cannot be read: no connection: {reason}", place=place, advice=_REACH.get(scheme, ""))
    if any("Timeout" in name for name in names):
        return FileError("cannot be read: the server does not answer in time", place=place, advice="try again later")
    return FileError(f"cannot be read: {_first_line(error)}", place=place)


def _found_in(error: Exception) -> tuple[list[BaseException], list[str], int | None]:
    """The chain of causes of an error, the names of their types, and an HTTP status."""
    causes = list(_causes(error))
    names = [type(cause).__name__ for cause in causes]
    return causes, names, next((status for status in map(_status, causes) if status), None)


def _is_missing(error: Exception) -> bool:
    """Whether an error of a client means that the URL does not exist."""
    _, names, status = _found_in(error)
    # Some clients report this for unreachable servers too.
    reached = not any(_UNREACHED.search(name) for name in names)
    return status in (404, 410) or (status is None and reached and isinstance(error, FileNotFoundError))


def _is_passing(error: Exception) -> bool:
    """Whether an error of a client may be temporary."""
    _, names, status = _found_in(error)
    # A truncated response has a status too.
    return any("Timeout" in name or _BROKEN.search(name) for name in names) or status == 429 or (status or 0) >= 500


_UNREACHED = re.compile("Connect|DNS|Timeout")
_BROKEN = re.compile("Disconnected|Reset|Payload|Incomplete|BrokenPipe|Aborted")
_KEYS = "AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, say who asks"
_ACCESS = {
    "s3": _KEYS,
    "s3a": _KEYS,
    "gs": "gcloud auth application-default login, or GOOGLE_APPLICATION_CREDENTIALS, says who asks",
    "http": "a signed URL expires; http://USER:PASSWORD@HOST/... says who asks",
    "https": "a signed URL expires; https://USER:PASSWORD@HOST/... says who asks",
}
_REACH = {"s3": "AWS_ENDPOINT_URL names a store that is not of AWS", "s3a": "AWS_ENDPOINT_URL names the store"}


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _status(error: BaseException) -> int | None:
    """Return the HTTP status of an error of a client, or None."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        found = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        found = getattr(error, "status", None) or getattr(error, "code", None) or getattr(response, "status_code", None)
    return int(found) if str(found).isdigit() else None


def _first_line(error: BaseException) -> str:
    return scrubbed(first_line(error))[:200]


def _signs(info: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The values in `info` that identify the version of an object."""
    return sorted((key, str(value)) for key, value in info.items() if _SIGNS.fullmatch(_plain(key)))


def _plain(key: object) -> str:
    return "".join(letter for letter in str(key).lower() if letter.isalnum())
