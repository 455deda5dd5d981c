"""libtoken_verifier for Python: is a credential that a client sent good?

    with TokenVerifier(file="/var/lib/my-api/api_tokens.json") as verifier:
        verdict = verifier.check(headers=[(b"authorization", b"Bearer sk-...")], scopes=["chat"])
        if verdict:
            print(verdict.id, verdict.name)

It needs Python 3.8 and the shared library, and nothing else. See token_verifier(3) and README.md.
"""

import ctypes
import os
import threading
import weakref
from ctypes import POINTER, byref, c_bool, c_char, c_char_p, c_int, c_int64, c_size_t, c_void_p
from dataclasses import dataclass
from typing import Iterable, Optional, Tuple, Union

LIBRARY = "libtoken_verifier.so.0"  # by the number of its interface, as a linked program asks for it
MESSAGE_SIZE, ID_SIZE, NAME_SIZE, SCOPES_SIZE = 1024, 32, 401, 4161
NEVER = -(2**63)
REFUSED, ACCEPTED = 0, 1
MODE_OPEN = 1

Text = Union[str, bytes]


# The structures of token_verifier.h.
class Options(ctypes.Structure):
    _fields_ = [
        ("file", c_char_p),
        ("env_file", c_char_p),
        ("usage", c_char_p),
        ("no_env_file", c_bool),
        ("allow_open", c_bool),
        ("require_auth", c_bool),
        ("reserved", c_void_p * 8),
    ]


class Header(ctypes.Structure):
    _fields_ = [
        ("name", c_char_p),
        ("name_size", c_size_t),
        ("value", c_char_p),
        ("value_size", c_size_t),
    ]


class Request(ctypes.Structure):
    _fields_ = [
        ("credential", c_char_p),
        ("credential_size", c_size_t),
        ("headers", POINTER(Header)),
        ("header_count", c_size_t),
        ("scopes", POINTER(c_char_p)),
        ("scope_count", c_size_t),
        ("reserved", c_void_p * 4),
    ]


class Result(ctypes.Structure):
    _fields_ = [
        ("verdict", c_int),
        ("reason", c_int),
        ("mode", c_int),
        ("expires_at", c_int64),
        ("id", c_char * ID_SIZE),
        ("name", c_char * NAME_SIZE),
        ("scopes", c_char * SCOPES_SIZE),
        ("message", c_char * MESSAGE_SIZE),
        ("refused_id", c_char * ID_SIZE),
        ("reserved", c_void_p * 4),
    ]


@dataclass(frozen=True)
class Verdict:
    """True where accepted."""

    accepted: bool
    reason: str  # "accepted", "revoked", "unknown", "unavailable", ...
    mode: str  # "file", "environment", "file+environment", "open", "unavailable"
    id: str  # "tok_...", "env:VARIABLE", "anonymous"; like name, empty unless accepted
    name: str
    scopes: Tuple[str, ...]  # ("*",) for all; empty unless accepted
    expires_at: Optional[int]  # Unix time
    message: str  # for your log, never for the client: it tells revoked and unknown apart
    refused_id: str  # for your log

    def __bool__(self) -> bool:
        return self.accepted


# While a call is under way, no other thread closes a verifier, and none forks. It is one for all, as
# a fork concerns all; a thread may take it again, as a signal handler does that checks or forks.
_lock = threading.RLock()


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()


os.register_at_fork(
    before=lambda: _lock.acquire(),
    after_in_parent=lambda: _lock.release(),
    after_in_child=_after_fork,
)


def _load(path: str):
    # Opening reads the environment, which another thread could change if it did not hold the GIL.
    holding, library = ctypes.PyDLL(path), ctypes.CDLL(path)
    declared = [
        (holding.token_verifier_open, c_bool, [POINTER(c_void_p), POINTER(Options), c_char_p, c_size_t]),
        (library.token_verifier_check, c_int, [c_void_p, POINTER(Request), POINTER(Result)]),
        (library.token_verifier_current_mode, c_int, [c_void_p, c_char_p, c_size_t]),
        (library.token_verifier_flush, c_bool, [c_void_p]),
        (library.token_verifier_close, None, [c_void_p]),
        (library.token_verifier_reason_text, c_char_p, [c_int]),
        (library.token_verifier_mode_text, c_char_p, [c_int]),
    ]
    for function, result, arguments in declared:
        function.restype, function.argtypes = result, arguments
    library.token_verifier_open = holding.token_verifier_open
    return library


def _close(library, handle: c_void_p, pid: int) -> None:
    with _lock:
        if os.getpid() == pid:  # else it is the parent's, to be left alone
            library.token_verifier_close(handle)


def _bytes(text: Text) -> bytes:
    # What is no text, such as half a surrogate pair, becomes bytes that no token has.
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text)


def _c_string(text: Text) -> bytes:
    text = os.fsencode(text)
    if b"\0" in text:
        raise ValueError("a NUL character would end this text")
    return text


class TokenVerifier:
    """May be used from several threads. After a fork, the child opens one of its own at its first call."""

    def __init__(
        self,
        file: Optional[Text] = None,
        *,
        env_file: Optional[Text] = None,
        usage: Optional[Text] = None,
        no_env_file: bool = False,
        allow_open: bool = False,
        require_auth: bool = False,
        library: str = LIBRARY,
    ):
        """Options are those of token_verifier(3). ValueError when a setting cannot be understood."""
        self._library = _load(library)
        self._options = Options(no_env_file=no_env_file, allow_open=allow_open, require_auth=require_auth)
        for name, path in (("file", file), ("env_file", env_file), ("usage", usage)):
            setattr(self._options, name, None if path is None else _c_string(path))
        with _lock:
            self._open()

    def _open(self) -> None:
        handle, why = c_void_p(), ctypes.create_string_buffer(MESSAGE_SIZE)
        if not self._library.token_verifier_open(byref(handle), byref(self._options), why, MESSAGE_SIZE):
            raise ValueError(why.value.decode("utf-8", "replace"))
        self._handle, self._pid = handle, os.getpid()
        # At the exit of the program as well, so that the last uses are written.
        self._finalizer = weakref.finalize(self, _close, self._library, handle, self._pid)
        self._note_mode(self._library.token_verifier_current_mode(handle, None, 0))

    def _note_mode(self, mode: int) -> None:
        # Authentication that was on stays on in children, too.
        if mode != MODE_OPEN:
            self._options.require_auth = True

    def _current(self) -> c_void_p:
        """To be called, and its result to be used, with the lock."""
        if not self._finalizer.alive:
            raise ValueError("this verifier is closed")
        if self._pid != os.getpid():
            parents = self._finalizer
            self._open()
            parents.detach()
        return self._handle

    def check(
        self,
        credential: Optional[Text] = None,
        *,
        headers: Iterable[Tuple[Text, Text]] = (),
        scopes: Iterable[Text] = (),
    ) -> Verdict:
        """A verdict on a credential, or on headers as they came: a pair for each line of the request."""
        scopes = [_c_string(scope) for scope in ([scopes] if isinstance(scopes, (str, bytes)) else scopes)]
        request, result = Request(scope_count=len(scopes)), Result()
        request.scopes = (c_char_p * len(scopes))(*scopes)
        if credential is not None:
            credential = _bytes(credential)
            request.credential, request.credential_size = credential, len(credential)
        else:
            pairs = [(_bytes(name), _bytes(value)) for name, value in headers]
            request.header_count = len(pairs)
            request.headers = (Header * len(pairs))(*[(n, len(n), v, len(v)) for n, v in pairs])
        with _lock:
            verdict = self._library.token_verifier_check(self._current(), byref(request), byref(result))
            self._note_mode(result.mode)
        return Verdict(
            accepted=verdict == ACCEPTED,
            reason=self._library.token_verifier_reason_text(result.reason).decode(),
            mode=self._library.token_verifier_mode_text(result.mode).decode(),
            id=result.id.decode(),
            name=result.name.decode(),
            scopes=tuple(result.scopes.decode().split()),
            expires_at=None if result.expires_at == NEVER else result.expires_at,
            message=result.message.decode("utf-8", "replace"),
            refused_id=result.refused_id.decode(),
        )

    def mode(self) -> Tuple[str, str]:
        """What decides now; and why, where that is "unavailable"."""
        why = ctypes.create_string_buffer(MESSAGE_SIZE)
        with _lock:
            mode = self._library.token_verifier_current_mode(self._current(), why, MESSAGE_SIZE)
            self._note_mode(mode)
        return self._library.token_verifier_mode_text(mode).decode(), why.value.decode("utf-8", "replace")

    def flush(self) -> bool:
        """Writes the uses that were noted; checks do so in passing. False if that cannot be done now."""
        with _lock:
            return self._library.token_verifier_flush(self._current())

    def close(self) -> None:
        self._finalizer()

    def __enter__(self) -> "TokenVerifier":
        return self

    def __exit__(self, *_) -> None:
        self.close()
