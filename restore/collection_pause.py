"""How a restore holds off the garbage collection of the cluster that it restores into."""

from formats.model import Model

PAUSE_SECONDS = 3_600
"""How long a pause outlives a restore that was killed, or one that ended well and awaits its restart."""

RENEW_SECONDS = PAUSE_SECONDS // 3
"""Between two renewals: two may fail before the pause is over."""


class CollectionPause(Model):
    """A pause of a profile's cluster; newer clusters keep several pauses apart by tickets."""

    profile: str
    ticket: str | None = None
