"""What the helpers for HTTP clients have in common."""

from __future__ import annotations

from typing import Dict, Mapping, Optional, Tuple, Union
from urllib.parse import urlsplit

from ._provider import SessionProvider
from ._session import Session

# How much of a body tells whether it refuses the session.
JUDGED_BYTES = 65536
# The HTTP statuses that may.
JUDGED_STATUSES = (401, 403)

_DEFAULT_PORTS = {"http": 80, "https": 443}


def _origin(
    scheme: Optional[str], host: Optional[str], port: Optional[int]
) -> Tuple[str, str, Optional[int]]:
    scheme = (scheme or "").lower()
    return scheme, (host or "").lower().strip("[]"), port or _DEFAULT_PORTS.get(scheme)


class Signer:
    """Puts tokens on the requests that go to a provider's server, and on no others."""

    def __init__(self, provider: SessionProvider) -> None:
        self.provider = provider
        base = urlsplit(provider._client.base_url)
        self._target = _origin(base.scheme, base.hostname, base.port)

    def covers(self, scheme: Optional[str], host: Optional[str], port: Optional[int]) -> bool:
        """Tells whether this is the origin of the base URL."""
        return _origin(scheme, host, port) == self._target

    def signed(self, headers: Mapping[str, Union[str, bytes]], session: Session) -> bool:
        """Tells whether a request with these headers carried the token of this session."""
        return headers.get("Authorization") == session.authorization

    def headers(self, session: Session) -> Dict[str, str]:
        """Returns the token and the Origin header, which the server requires."""
        return {"Authorization": session.authorization, "Origin": self.provider._client.origin}
